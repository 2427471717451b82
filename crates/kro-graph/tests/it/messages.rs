//! What conditions say: the words of the Go implementation come first.

use kro_diagnostics::FileId;
use kro_graph::{BuiltinSchemas, CompileOptions, Source, compile, condition_message};
use kro_value::Value;

const ROWS: &str = include_str!("../fixtures/messages.yaml");

/// A definition with the parts of a row.
fn definition(row: &Value) -> Value {
    let frame = r#"{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","metadata":{"name":"web"},"spec":{"schema":{
        "apiVersion":"v1","kind":"Web","spec":{"name":"string","zones":"[]string","free":"object"}}}}"#;
    let mut definition = kro_value::from_json(frame).unwrap();
    for (key, part) in row.get("schema").and_then(Value::as_map).into_iter().flatten() {
        definition.set_at(&["spec", "schema", key], part.clone());
    }
    definition.set_at(&["spec", "resources"], row.get("resources").cloned().unwrap_or_else(|| Value::list([])));
    definition
}

fn message(row: &Value) -> String {
    let definition = definition(row);
    let omit_function = row.get("omitFunction").is_some();
    let options = CompileOptions { omit_function, ..CompileOptions::default() };
    let compiled = compile(&Source::from_value(definition.clone()), &BuiltinSchemas, &options);
    condition_message(&compiled.diagnostics, &definition)
}

#[test]
fn messages_begin_as_the_contract_says() {
    let rows = kro_yaml::parse(ROWS, FileId(0)).values().remove(0);
    let rows = rows.as_list().unwrap();
    assert!(rows.len() > 60);
    let mut failures = Vec::new();
    for row in rows {
        let (expected, message) = (row.str_at(&["message"]).unwrap(), message(row));
        if !message.lines().any(|line| line.starts_with(expected)) {
            failures.push(format!("expected {expected}\ngot      {message}\n"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn all_errors_are_told() {
    let row = r#"{"schema":{"status":{"a":"b"}},"resources":[{"id":"a"},{"id":"self"}]}"#;
    let message = message(&kro_value::from_json(row).unwrap());
    assert_eq!(message.lines().count(), 4, "{message}");
}
