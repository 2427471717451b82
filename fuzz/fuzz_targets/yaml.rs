//! Any text is read without a panic, every place lies in the text, and what was read is written and read alike.

#![no_main]

use kro_diagnostics::{FileId, SourceMap, Style, render_text};
use kro_yaml::{Node, parse, to_yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::new();
    let file = sources.add("fuzz.yaml", text);
    let parsed = parse(text, file);
    render_text(&sources, &parsed.diagnostics, Style::default());
    for document in &parsed.documents {
        check_places(&document.root, text);
        let value = document.root.to_value();
        let again = parse(&to_yaml(&value), FileId(0));
        assert!(!again.diagnostics.has_errors());
        assert_eq!(again.values(), [value]);
    }
});

fn check_places(node: &Node, text: &str) {
    let cut = |start: u32, end: u32| text.get(start as usize..end as usize);
    assert!(cut(node.span.start, node.span.end).is_some());
    if let Some(scalar) = node.as_scalar() {
        for (at, character) in scalar.text.char_indices() {
            let span = node.text_span(at..at + character.len_utf8()).expect("a scalar has text");
            assert!(cut(span.start, span.end).is_some());
        }
    }
    for child in node.items().iter().chain(node.entries().iter().map(|entry| &entry.value)) {
        check_places(child, text);
    }
}
