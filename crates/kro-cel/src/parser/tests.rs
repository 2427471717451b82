use proptest::prelude::*;

use super::*;
use crate::macros;
use crate::unparser::unparse;

fn options() -> ParseOptions {
    let mut options = ParseOptions { optional_syntax: true, ..ParseOptions::default() };
    options.macros.extend(macros::STANDARD);
    options.macros.extend(macros::TWO_VARIABLES);
    options.macros.extend(macros::BINDINGS);
    options.macros.extend(macros::OPTIONAL);
    options.macros.extend(macros::SORT_BY);
    options
}

fn messages(text: &str) -> Vec<(usize, String)> {
    parse(text, &options()).errors.into_iter().map(|issue| (issue.anchor, issue.message)).collect()
}

#[test]
fn several_errors_of_one_expression_are_reported() {
    let found = messages("(1 + ) * [2, * 3] + if");
    assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [5, 13, 20], "{found:?}");
}

#[test]
fn unparsed_text_is_canonical() {
    let rows = [
        ("a+b*c-(d-e)", "a + b * c - (d - e)"),
        ("(a+b)*c", "(a + b) * c"),
        ("!(a&&b)||c", "!(a && b) || c"),
        ("a?b:c?d:e", "a ? b : c ? d : e"),
        ("(a?b:c)?d:e", "(a ? b : c) ? d : e"),
        ("-(1)", "-(1)"),
        ("-(1.f())", "-(1.f())"),
        ("--x", "x"),
        ("x.map( i ,i*2 )", "x.map(i, i * 2)"),
        ("has(a.b)&&a.?b[?0].orValue('x')==\"\"", "has(a.b) && a.?b[?0].orValue(\"x\") == \"\""),
        ("{?'a':x,2u:[?y,1.0]}", "{?\"a\": x, 2u: [?y, 1.0]}"),
        ("T{ f:1,?g:x }", "T{f: 1, ?g: x}"),
        ("a.`b-c`.d", "a.`b-c`.d"),
        ("b'\\x00a'", "b\"\\x00a\""),
        ("cel.bind(x, 1, x + x)", "cel.bind(x, 1, x + x)"),
        ("a in b == true", "a in b == true"),
    ];
    for (text, want) in rows {
        let parsed = parse(text, &options());
        assert_eq!(parsed.errors, [], "{text}");
        assert_eq!(unparse(&parsed.ast), want);
    }
}

#[test]
fn spans_cover_what_was_written() {
    let parsed = parse("x + (foo.bar(1) - 2)", &options());
    let mut spans = Vec::new();
    parsed.ast.walk(|id| spans.push(parsed.ast.text_of(id).to_owned()));
    assert_eq!(spans, ["x + (foo.bar(1) - 2)", "x", "foo.bar(1) - 2", "foo.bar(1)", "foo", "1", "2"]);
}

#[test]
fn deep_and_long_texts_end_in_an_error() {
    for open in ["(", "[", "{1:", "f(", "a[", "!", "-", "a ? ", "x.map(i, ", "a.b(", "1 + (", "!("] {
        let text = open.repeat(20_000);
        assert!(!parse(&text, &options()).errors.is_empty(), "{open}");
    }
    let text = format!("a{}", " + a".repeat(100_000));
    assert!(parse(&text, &options()).errors[0].message.contains("limit"));
}

/// Text that looks like expressions.
fn scraps() -> impl Strategy<Value = String> {
    let scraps = vec![
        "a",
        "b.c",
        "1",
        "2u",
        "1.5",
        "'s'",
        "b'x'",
        "r'\\'",
        "\"",
        "'",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        ".",
        ".?",
        "[?",
        "+",
        "-",
        "!",
        "*",
        "&&",
        "||",
        "==",
        "in",
        "true",
        "null",
        "has(",
        ".map(x,",
        ".all(i, v,",
        "cel.bind(",
        "if",
        " ",
        "\n",
        "//",
        "ü",
        "\\",
        "`a-b`",
        "$",
        "T{",
        "0x",
        "1e",
    ];
    prop::collection::vec(prop::sample::select(scraps), 0..40).prop_map(|scraps| scraps.concat())
}

/// The kinds of all nodes in order, without places.
fn shape(ast: &Ast) -> Vec<String> {
    let mut out = Vec::new();
    ast.walk(|id| {
        let text = format!("{:?}", ast.kind(id));
        // ids and anchors depend on the text
        out.push(text.chars().filter(|char| !char.is_ascii_digit()).collect());
    });
    out
}

/// Expressions without errors.
fn expressions() -> impl Strategy<Value = String> {
    let leaves = prop::sample::select(vec![
        "a", "b.c", "x.?y", "1", "-2", "3u", "1.5", "'s\\n'", "b'\\xff'", "true", "null", "[]", "{}",
    ]);
    leaves.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let binary = prop::sample::select(vec!["+", "-", "*", "/", "%", "&&", "||", "==", "<", "in"]);
        let forms = vec![
            "({A})",
            "[{A}, ?{B}]",
            "{{A}: {B}}",
            "f({A}, {B})",
            "a.g({A})",
            "({A})[{B}]",
            "!({A})",
            "-({A})",
            "a.map(i, {A})",
            "({A}).filter(i, {B})",
            "cel.bind(z, {A}, {B})",
            "({A}) ? ({B}) : {A}",
            "a.all(i, v, {A})",
            "T{f: {A}, `g-h`: {B}}",
            "a.optMap(o, {A})",
            "({A}).`x-y`",
        ];
        prop_oneof![
            (two.clone(), binary).prop_map(|((left, right), operator)| format!("({left}) {operator} ({right})")),
            (two, prop::sample::select(forms)).prop_map(|((a, b), form)| form.replace("{A}", &a).replace("{B}", &b)),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_never_panics_and_errors_lie_inside(text in scraps()) {
        for issue in parse(&text, &options()).errors {
            prop_assert!(issue.span.start <= issue.span.end && issue.span.end <= text.len());
            prop_assert!(text.is_char_boundary(issue.span.start) && text.is_char_boundary(issue.span.end));
            prop_assert!(text.is_char_boundary(issue.anchor));
        }
    }

    #[test]
    fn unparsing_and_parsing_again_changes_nothing(text in expressions()) {
        let parsed = parse(&text, &options());
        prop_assert_eq!(&parsed.errors, &[]);
        let once = unparse(&parsed.ast);
        let again = parse(&once, &options());
        prop_assert_eq!(&again.errors, &[]);
        prop_assert_eq!(unparse(&again.ast), once.as_str());
        // chains of these are balanced anew
        if !once.contains("||") && !once.contains("&&") {
            prop_assert_eq!(shape(&parsed.ast), shape(&again.ast));
        }
    }
}
