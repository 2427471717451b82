//! Any `spec.schema` compiles without a panic, its diagnostics lie in the text, and places change nothing.

#![no_main]

use kro_diagnostics::FileId;
use kro_schema::simple::{Tree, compile};
use kro_value::{FieldPath, to_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = kro_yaml::parse(text, FileId(0));
    let Some(document) = parsed.documents.first() else { return };
    let (spec, types) = (document.root.get("spec"), document.root.get("types"));
    let node = |node: Option<_>| node.map(|node| Tree::from_node(node, FieldPath::root()));
    let placed = compile(node(spec).as_ref(), node(types).as_ref());
    let value = |node: Option<&kro_yaml::Node>| node.map(|node| node.to_value());
    let (spec, types) = (value(spec), value(types));
    let tree = |value: Option<_>| value.map(|value| Tree::from_value(value, FieldPath::root()));
    let plain = compile(tree(spec.as_ref()).as_ref(), tree(types.as_ref()).as_ref());
    assert_eq!(to_json(&placed.schema), to_json(&plain.schema));
    assert_eq!(placed.diagnostics.len(), plain.diagnostics.len());
    for diagnostic in placed.diagnostics.iter() {
        let span = diagnostic.span.expect("the text is known");
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
});
