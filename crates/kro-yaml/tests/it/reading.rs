//! Streams, mistakes and limits.

use kro_diagnostics::{FileId, SourceMap};
use kro_value::to_json;
use kro_yaml::{DEPTH_MAX, TEXT_BYTES_MAX, parse};

/// Each diagnostic as `line:column code message`.
fn mistakes(text: &str) -> Vec<String> {
    let mut sources = SourceMap::new();
    let file = sources.add("t.yaml", text);
    let place = |offset: u32| sources.file(file).unwrap().line_column(offset as usize);
    let parsed = parse(text, file);
    parsed
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = place(diagnostic.span.unwrap().start);
            format!("{}:{} {} {}", place.line, place.column, diagnostic.code, diagnostic.message)
        })
        .collect()
}

#[test]
fn a_stream_of_documents() {
    let parsed = parse("# nothing\n---\na: 1\n---\n---\n- b\n...\n--- null\n", FileId(0));
    let all: Vec<String> = parsed.values().iter().map(to_json).collect();
    assert_eq!(all, [r#"{"a":1}"#, r#"["b"]"#, "null"]);
    assert!(parsed.diagnostics.is_empty());
}

#[test]
fn a_malformed_document_does_not_hide_the_others() {
    let text = "a: [\n---\nok: 1\n---\nb: c: d\n---\na: 1\na: 2\nb: *gone\n---\nok: 2\n";
    let parsed = parse(text, FileId(0));
    let all: Vec<String> = parsed.values().iter().map(to_json).collect();
    assert_eq!(all, [r#"{"ok":1}"#, r#"{"a":1,"b":null}"#, r#"{"ok":2}"#]);
    assert_eq!(
        mistakes(text),
        [
            "1:4 KRO0001 unclosed bracket '['",
            "5:5 KRO0001 mapping values are not allowed in this context",
            "8:1 KRO0002 duplicate key \"a\"",
            "9:4 KRO0003 unknown anchor 'gone' referenced",
        ]
    );
}

#[test]
fn a_duplicate_shows_both_places() {
    let parsed = parse("x:\n  a: 1\n  b: 2\n  \"a\": 3\n", FileId(0));
    let diagnostic = parsed.diagnostics.iter().next().unwrap();
    assert_eq!(diagnostic.span.map(|span| (span.start, span.end)), Some((19, 22)));
    assert_eq!(diagnostic.labels[0].span.start, 5);
}

#[test]
fn usual_slips_get_help() {
    for (text, help) in [
        ("a:\n\tb: 1\n", "indent with spaces"),
        ("a: @x\n", "quote a value that begins with this character"),
        ("a: \"x\n", "close the quote; the text it begins is not ended"),
        ("a: ${x ? {\"a\": 1} : {}}\n", "quote a value that holds an expression: '${...}'"),
        ("a: b: c\n", "quote a value that holds `: `, or put the key on a line of its own"),
    ] {
        let parsed = parse(text, FileId(0));
        assert_eq!(parsed.diagnostics.iter().next().and_then(|first| first.help.as_deref()), Some(help), "{text}");
    }
}

#[test]
fn aliases_share_and_are_bounded() {
    let parsed = parse("a: &a [1, {b: 2}]\nc: *a\n", FileId(0));
    let value = &parsed.values()[0];
    assert!(value.get("a").unwrap().same(value.get("c").unwrap()));

    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb += &format!("a{level}: &a{level} [{below}]\n");
    }
    let found = mistakes(&bomb);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("KRO0004 document contains excessive aliasing"), "{found:?}");
    assert_eq!(mistakes("a: &a [*a]"), ["1:8 KRO0003 anchor 'a' value contains itself"]);
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(mistakes(&nested(DEPTH_MAX)).is_empty());
    assert_eq!(mistakes(&nested(DEPTH_MAX + 1)).len(), 1);
    let aliased = format!("a: &a {}\nb: {}*a{}\n", nested(100), "[".repeat(100), "]".repeat(100));
    assert!(mistakes(&aliased)[0].contains("nested deeper than 128 levels"));
    let block: String = (0..200).map(|level| " ".repeat(level) + "a:\n").collect();
    assert!(mistakes(&block)[0].contains("KRO0004"));
    assert!(mistakes(&" ".repeat(TEXT_BYTES_MAX + 1))[0].contains("KRO0004"));
}
