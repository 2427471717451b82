//! What holds for every definition.

use std::collections::BTreeSet;

use kro_diagnostics::FileId;
use kro_graph::{BuiltinSchemas, CompileOptions, Compiled, Graph, Source, compile};
use kro_value::{Value, from_json};
use proptest::prelude::*;

fn compile_value(value: Value) -> Compiled {
    compile(&Source::from_value(value), &BuiltinSchemas, &CompileOptions::default())
}

fn compile_yaml(text: &str) -> Vec<Compiled> {
    let documents = kro_yaml::parse(text, FileId(0)).documents;
    let options = CompileOptions::default();
    documents.into_iter().map(|document| compile(&Source::from_document(document), &BuiltinSchemas, &options)).collect()
}

/// JSON text with the keys of all maps in descending order.
fn reversed(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let entries =
                map.iter().rev().map(|(key, value)| format!("{}: {}", Value::from(key.clone()), reversed(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::List(items) => format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}

pub fn assert_ordered(graph: &Graph) {
    let position = |node| graph.order.iter().position(|other| *other == node).unwrap();
    assert_eq!(graph.order.len(), graph.nodes.len());
    for (index, node) in graph.indexed() {
        for before in node.dependencies.iter().chain(&node.soft_dependencies) {
            assert!(position(*before) < position(index), "{} stands before what it needs", node.id);
        }
        for before in &node.dependencies {
            assert!(graph.node(*before).wave < node.wave, "{} is deleted too late", node.id);
        }
    }
}

/// A definition of ConfigMaps, each reading some others; cycles may occur.
fn definition() -> impl Strategy<Value = Value> {
    (1_usize..9).prop_flat_map(|nodes| {
        let reads = proptest::collection::vec(proptest::collection::vec(0..nodes, 0..3), nodes);
        let shape =
            proptest::sample::select(vec!["${%}", "x-${%}", "${% + %}", "${has(r0.data) ? % : ''}", "${%", "${1 + %}"]);
        (reads, proptest::collection::vec(shape, nodes)).prop_map(|(reads, shapes)| {
            let resource = |(index, (reads, shape)): (usize, (&Vec<usize>, &&str))| {
                let data = reads.iter().map(|read| {
                    let text = shape.replace('%', &format!("r{read}.metadata.name"));
                    format!("\"k{read}\": {}", Value::from(text))
                });
                let data = data.collect::<Vec<_>>().join(",");
                format!(
                    r#"{{"id":"r{index}","template":{{"apiVersion":"v1","kind":"ConfigMap",
                    "metadata":{{"name":"r{index}"}},"data":{{{data}}}}}}}"#
                )
            };
            let resources: Vec<String> = reads.iter().zip(&shapes).enumerate().map(resource).collect();
            let text = format!(
                r#"{{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","metadata":{{"name":"random"}},
                "spec":{{"schema":{{"apiVersion":"v1","kind":"Random"}},"resources":[{}]}}}}"#,
                resources.join(",")
            );
            from_json(&text).unwrap()
        })
    })
}

fn messages(compiled: &Compiled) -> BTreeSet<String> {
    compiled.diagnostics.iter().map(|diagnostic| diagnostic.to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn definitions_compile_or_say_why(definition in definition()) {
        let compiled = compile_value(definition);
        prop_assert_eq!(compiled.graph.is_none(), compiled.diagnostics.has_errors());
        if let Some(graph) = &compiled.graph {
            assert_ordered(graph);
        }
    }

    #[test]
    fn the_order_of_keys_does_not_matter(definition in definition()) {
        let plain = compile_value(definition.clone());
        let text = reversed(&definition);
        let compiled = compile_yaml(&text);
        prop_assert_eq!(format!("{:?}", compiled[0].graph.as_ref().map(|graph| (graph.spec_hash, &graph.order))),
            format!("{:?}", plain.graph.as_ref().map(|graph| (graph.spec_hash, &graph.order))));
        prop_assert_eq!(messages(&compiled[0]), messages(&plain));
    }

    #[test]
    fn damaged_definitions_never_panic(at in 0_usize..4000, length in 0_usize..40, noise in "[ \\[\\]{}:$\"'|a-z0-9\n-]{0,12}") {
        for fixture in [include_str!("../fixtures/collections.yaml"), include_str!("../fixtures/errors.yaml")] {
            let start = (0..=at.min(fixture.len())).rev().find(|at| fixture.is_char_boundary(*at)).unwrap();
            let end = (start..=fixture.len()).find(|end| *end >= start + length.min(fixture.len() - start) && fixture.is_char_boundary(*end)).unwrap();
            let text = format!("{}{noise}{}", &fixture[..start], &fixture[end..]);
            for compiled in compile_yaml(&text) {
                assert_eq!(compiled.graph.is_none(), compiled.diagnostics.has_errors());
                for diagnostic in compiled.diagnostics.iter() {
                    if let Some(span) = diagnostic.span {
                        assert!(text.get(span.start as usize..span.end as usize).is_some(), "{diagnostic:?}");
                    }
                }
            }
        }
    }
}
