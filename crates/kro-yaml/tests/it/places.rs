//! Spans of nodes, keys and parts of scalars.

use kro_diagnostics::{FileId, Span};
use kro_value::FieldPath;
use kro_yaml::{Document, parse};
use proptest::prelude::*;

const TEXT: &str = r#"# a comment
plain: one two
wrapped: one
  two

  three
single: 'it''s ${a.b}
  here'
double: "x\n\"${y}\" \u00e9 z\
   w \
   ${q}"
literal: |
  first ${a}

    second ${b}
folded: >-
  some ${c}
  more ${d}

  last ${e}
"quoted key": {in: [1, flow]}
list:
- a: 1
- é: ${f}
empty:
"#;

fn document(text: &str) -> Document {
    let parsed = parse(text, FileId(0));
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    parsed.documents.into_iter().next().unwrap()
}

fn cut(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

#[test]
fn nodes_and_keys_know_their_bytes() {
    let document = document(TEXT);
    for (path, key, value) in [
        ("plain", "plain", "one two"),
        ("wrapped", "wrapped", "one\n  two\n\n  three"),
        ("single", "single", "'it''s ${a.b}\n  here'"),
        ("literal", "literal", "first ${a}\n\n    second ${b}"),
        ("quoted key", "\"quoted key\"", "{in: [1, flow]}"),
        ("quoted key.in", "in", "[1, flow]"),
        ("list", "list", "a: 1\n- é: ${f}"),
        ("list[1].é", "é", "${f}"),
    ] {
        let path = FieldPath::parse(path).unwrap();
        assert_eq!(document.key_span(&path).map(|span| cut(TEXT, span)), Some(key), "{path}");
        assert_eq!(document.value_span(&path).map(|span| cut(TEXT, span)), Some(value), "{path}");
    }
}

#[test]
fn what_is_missing_is_blamed_on_the_nearest_ancestor() {
    let document = document(TEXT);
    for (path, place) in [("list[0].b.c", "a: 1"), ("plain.x", "plain"), ("list[7]", "list"), ("list[0].a", "1")] {
        let span = document.nearest_span(&FieldPath::parse(path).unwrap());
        assert_eq!(cut(TEXT, span), place, "{path}");
    }
}

#[test]
fn parts_of_scalars_know_their_bytes() {
    let document = document(TEXT);
    for (path, part, source) in [
        ("plain", "two", "two"),
        ("wrapped", "two", "two"),
        ("wrapped", "three", "three"),
        ("single", "${a.b}", "${a.b}"),
        ("single", "it's", "it''s"),
        ("single", "here", "here"),
        ("double", "${y}", "${y}"),
        ("double", "\"${y}\"", "\\\"${y}\\\""),
        ("double", "\n", "\\n"),
        ("double", "é", "\\u00e9"),
        ("double", "zw", "z\\\n   w"),
        ("double", "${q}", "${q}"),
        ("literal", "${a}", "${a}"),
        ("literal", "second ${b}", "second ${b}"),
        ("literal", "  second", "  second"),
        ("folded", "${c}", "${c}"),
        ("folded", "${c} more", "${c}\n  more"),
        ("folded", "${e}", "${e}"),
        ("list[1].é", "f", "f"),
    ] {
        let path = FieldPath::parse(path).unwrap();
        let text = document.root.at_path(&path).unwrap().as_scalar().unwrap().text.clone();
        let at = text.find(part).unwrap_or_else(|| panic!("{part:?} in {text:?}"));
        let span = document.text_span(&path, at..at + part.len()).unwrap();
        assert_eq!(cut(TEXT, span), source, "{path} {part:?}");
    }
}

#[test]
fn a_part_beyond_the_text_is_its_end() {
    let document = document("a: 'x''y'");
    let span = document.text_span(&FieldPath::fields(["a"]), 3..9).unwrap();
    assert_eq!((span.start, span.end), (8, 8));
}

type Escape<'a> = &'a dyn Fn(&str) -> String;

/// Words, blanks and escapes that survive in a quoted or block scalar.
fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zé${}'\"\\\\.]{1,6}", 1..8)
}

proptest! {
    /// Whatever the style and the line breaks, each word is found where it is written.
    #[test]
    fn words_are_found_in_any_style(words in words(), breaks in prop::collection::vec(0usize..4, 8)) {
        let gap = |index: usize| ["  ", " ", "\n   ", "\n\n   "][breaks[index]];
        let double = |word: &str| word.replace('\\', "\\\\").replace('"', "\\\"");
        let styles: [(&str, &str, Escape); 4] = [
            ("\"", "\"", &double),
            ("'", "'", &|word| word.replace('\'', "''")),
            ("|\n   ", "\n", &str::to_owned),
            (">-\n   ", "", &str::to_owned),
        ];
        for (open, close, escape) in styles {
            let body: String = words.iter().enumerate().map(|(index, word)| escape(word) + gap(index)).collect();
            let text = format!("k: {open}{}{close}\n", body.trim_end());
            let document = document(&text);
            let node = document.root.get("k").unwrap();
            let decoded = node.as_str().unwrap();
            let mut from = 0;
            for word in &words {
                let at = from + decoded[from..].find(word.as_str()).unwrap();
                from = at + word.len();
                prop_assert_eq!(cut(&text, node.text_span(at..from).unwrap()), escape(word), "in {:?}", &text);
            }
        }
    }

    /// No text makes the reader panic, and every place it reports lies in the text.
    #[test]
    fn any_text_is_survived(text in "([a-z0-9é:{}\\[\\],'\"\\\\|>*&!%#?\t \r\n-]|--- |<<: ){0,60}") {
        let parsed = parse(&text, FileId(0));
        for diagnostic in parsed.diagnostics.iter() {
            let span = diagnostic.span.unwrap();
            prop_assert!(span.start <= span.end && span.end as usize <= text.len());
        }
        for document in &parsed.documents {
            survives(&document.root, &text)?;
        }
    }
}

fn survives(node: &kro_yaml::Node, text: &str) -> Result<(), TestCaseError> {
    prop_assert!(node.span.end as usize <= text.len());
    if let Some(scalar) = node.as_scalar() {
        for (at, character) in scalar.text.char_indices() {
            let span = node.text_span(at..at + character.len_utf8()).unwrap();
            prop_assert!(span.start <= span.end && span.end as usize <= text.len(), "{:?}", scalar);
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
    }
    for child in node.items().iter().chain(node.entries().iter().map(|entry| &entry.value)) {
        survives(child, text)?;
    }
    Ok(())
}
