//! SimpleSchema without text, and on any text.

use kro_diagnostics::FileId;
use kro_schema::simple::{Tree, compile};
use kro_value::{FieldPath, Value, from_json, to_json};
use proptest::prelude::*;

#[test]
fn a_value_without_text_names_the_column_in_a_note() {
    let spec = from_json(r#"{"a": "integer | defualt=3", "b": ["x"]}"#).unwrap();
    let tree = Tree::from_value(&spec, FieldPath::fields(["spec", "schema", "spec"]));
    let compiled = compile(Some(&tree), None);
    let all: Vec<_> = compiled.diagnostics.iter().collect();
    assert_eq!(all[0].message, "field a: invalid marker key \"defualt\": unknown marker: defualt");
    assert_eq!(all[0].path.as_ref().map(ToString::to_string).as_deref(), Some("spec.schema.spec.a"));
    assert_eq!(all[0].notes, ["at column 11 of \"integer | defualt=3\""]);
    assert_eq!(all[0].help.as_deref(), Some("did you mean \"default\"?"));
    assert_eq!(all[1].message, "field b: unexpected type: []interface {}");
}

#[test]
fn nothing_is_an_empty_object() {
    assert_eq!(to_json(&compile(None, None).schema), r#"{"properties":{},"type":"object"}"#);
    let null = Value::Null;
    let tree = Tree::from_value(&null, FieldPath::root());
    let compiled = compile(Some(&tree), Some(&tree));
    assert!(compiled.diagnostics.is_empty());
    assert_eq!(to_json(&compiled.schema), r#"{"properties":{},"type":"object"}"#);
    let wrong = Value::from(1);
    let tree = Tree::from_value(&wrong, FieldPath::root());
    let message = compile(Some(&tree), None).diagnostics.iter().next().unwrap().message.clone();
    assert_eq!(message, "the spec of a schema is a map, not an integer");
}

/// Texts that are nearly SimpleSchema.
fn field() -> impl Strategy<Value = String> {
    let part = "(\\[\\]|map\\[string\\]|string|integer|A|B| |\\||=|\"|\\\\|\\{|\\}|\\[|\\]|required|default|enum|pattern|minimum\
                |listType|listMapKey|map|set|true|-?[0-9]{1,3}|,|a|é|'|\t|\n){0,14}";
    prop_oneof![part, any::<String>(), "(string|integer) \\| (default|enum|minLength)=\\PC{0,8}"]
}

proptest! {
    /// No text makes the compiler panic; places lie in the text; the result is the same with and without text.
    #[test]
    fn any_field_is_survived(texts in prop::collection::vec(field(), 4)) {
        let names = ["A", "B", "x", "y"];
        let map = |range: std::ops::Range<usize>| {
            Value::map(range.map(|index| (names[index], Value::from(texts[index].as_str()))))
        };
        let whole = Value::map([("types", map(0..2)), ("spec", map(2..4))]);
        let text = kro_yaml::to_yaml(&whole);
        let parsed = kro_yaml::parse(&text, FileId(0));
        let root = &parsed.documents[0].root;
        let node = |key: &str| Tree::from_node(root.get(key).unwrap(), FieldPath::fields([key]));
        let value = |key: &str| Tree::from_value(whole.get(key).unwrap(), FieldPath::fields([key]));
        let placed = compile(Some(&node("spec")), Some(&node("types")));
        let plain = compile(Some(&value("spec")), Some(&value("types")));
        prop_assert_eq!(to_json(&placed.schema), to_json(&plain.schema));
        prop_assert_eq!(placed.diagnostics.len(), plain.diagnostics.len());
        for diagnostic in placed.diagnostics.iter() {
            let span = diagnostic.span.unwrap();
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
    }

    /// A field that is accepted has a schema of the declared type, and compiling is stable.
    #[test]
    fn compiling_is_stable(texts in prop::collection::vec(field(), 3)) {
        let spec = Value::map(texts.iter().enumerate().map(|(index, text)| (format!("f{index}"), Value::from(text.as_str()))));
        let tree = Tree::from_value(&spec, FieldPath::root());
        let (first, second) = (compile(Some(&tree), None), compile(Some(&tree), None));
        prop_assert_eq!(to_json(&first.schema), to_json(&second.schema));
        prop_assert_eq!(first.diagnostics, second.diagnostics);
        prop_assert_eq!(first.schema.at(&["properties"]).unwrap().as_map().unwrap().len(), 3);
    }
}
