//! Kinds of CustomResourceDefinitions while they change.

use kro_graph::{BuiltinSchemas, CompileOptions, CrdSchemas, SchemaSources, Source, compile};
use kro_value::{Value, from_json};

/// A CustomResourceDefinition with one version of one field.
fn crd(version: &str, field: &str) -> Value {
    from_json(&format!(
        r#"{{"spec":{{"group":"example.org","scope":"Namespaced","names":{{"kind":"Thing","plural":"things"}},"versions":[{{
        "name":"{version}","schema":{{"openAPIV3Schema":{{"type":"object","properties":{{"spec":{{"type":"object",
        "properties":{field}}}}}}}}}}}]}}}}"#
    ))
    .unwrap()
}

/// The errors of a definition that writes and reads a Thing.
fn errors(crds: &CrdSchemas) -> Vec<String> {
    let text = r#"{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","metadata":{"name":"things"},"spec":{
        "schema":{"apiVersion":"v1","kind":"Things"},"resources":[
        {"id":"thing","template":{"apiVersion":"example.org/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":3}}},
        {"id":"config","template":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"},
            "data":{"size":"${string(thing.spec.size + 1)}"}}}]}}"#;
    let schemas = SchemaSources::new([&BuiltinSchemas as _, crds as _]);
    let compiled = compile(&Source::from_value(from_json(text).unwrap()), &schemas, &CompileOptions::default());
    compiled.diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect()
}

#[test]
fn a_changed_definition_counts_at_once() {
    let mut crds = CrdSchemas::default();
    assert_eq!(errors(&crds), ["KRO5001"], "what is read of an unknown kind may be anything");
    for (version, field, expected) in [
        ("v1", r#"{"size":{"type":"integer"}}"#, Vec::<&str>::new()),
        ("v1", r#"{"size":{"type":"string"}}"#, vec!["KRO5004", "KRO3006"]),
        ("v1", r#"{"width":{"type":"integer"}}"#, vec!["KRO5005", "KRO3005"]),
        ("v2", r#"{"size":{"type":"integer"}}"#, vec!["KRO5001"]),
        ("v1", r#"{"size":{"type":"integer"}}"#, vec![]),
    ] {
        crds.add(&crd(version, field));
        assert_eq!(errors(&crds), expected, "{version} {field}");
    }
}
