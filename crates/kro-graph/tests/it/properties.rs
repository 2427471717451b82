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
pub fn reversed(value: &Value) -> String {
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

/// Texts that are right somewhere, nearly right, or wrong everywhere.
fn text() -> impl Strategy<Value = String> {
    let parts = vec![
        "${schema.spec.a}",
        "${schema.spec.n}",
        "${r0.metadata.name}",
        "${r1.spec.replicas}",
        "${r2.map(x, x.metadata.name)}",
        "${each.metadata.name}",
        "${z}",
        "a-${z}",
        "${schema.spec.list}",
        "${[1, 2]}",
        "${{'a': 'b'}}",
        "${omit()}",
        "${",
        "${}",
        "${1 / 0}",
        "${r0}",
        "${schema.status.b}",
        "${runtime}",
        "${true}",
        "${r0.?status.?phase.orValue('')== 'x'}",
        "a",
        "",
        "A_b",
        "${schema.spec.a}-${string(schema.spec.n)}",
        "${'x'.matches('(')}",
        "${schema.metadata.uid}",
        "${r0.metadata.resourceVersion}",
        "${dyn(schema.spec.o).x}",
        "${has(schema.spec.a)}",
        "${int('x')}",
    ];
    proptest::sample::select(parts).prop_map(str::to_owned)
}

/// A resource of some shape; nothing says that it is right.
fn resource(index: usize) -> impl Strategy<Value = String> {
    let quote = |text: &str| Value::from(text).to_string();
    let kinds = vec![
        r#""apiVersion":"v1","kind":"ConfigMap""#,
        r#""apiVersion":"apps/v1","kind":"Deployment""#,
        r#""apiVersion":"v1","kind":"Namespace""#,
        r#""apiVersion":"example.org/v1","kind":"Unknown""#,
        r#""apiVersion":"v1","kind":"Secret","type":3"#,
        r#""kind":"ConfigMap""#,
    ];
    let key = proptest::sample::select(vec!["data", "spec", "stringData", "labels", "immutable"]);
    let id = prop_oneof![8 => Just(format!("r{index}")), 1 => Just("r0".to_owned()), 1 => Just("self".to_owned())];
    let conditions = || proptest::collection::vec(text(), 0..2);
    let shape = 0..8_u8;
    (id, proptest::sample::select(kinds), (text(), text(), text()), key, conditions(), conditions(), shape).prop_map(
        move |(id, kind, (name, value, list), key, include, ready, shape)| {
            let texts = |texts: &[String]| texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(",");
            let metadata = format!(r#""metadata":{{"name":{}}}"#, quote(&name));
            let object = match shape {
                0 => format!(r#""externalRef":{{{kind},{metadata}}}"#),
                1 => format!(
                    r#""externalRef":{{{kind},"metadata":{{"selector":{{"matchLabels":{{"a":{}}}}}}}}}"#,
                    quote(&value)
                ),
                2 => format!(r#""forEach":[{{"z":{}}}],"template":{{{kind},{metadata}}}"#, quote(&list)),
                3 => format!(r#""template":{{{kind},{metadata},"{key}":{}}}"#, quote(&value)),
                4 => format!("{kind},{metadata}"),
                _ => format!(r#""template":{{{kind},{metadata},"{key}":{{"a":{}}}}}"#, quote(&value)),
            };
            format!(
                r#"{{"id":{},"includeWhen":[{}],"readyWhen":[{}],{object}}}"#,
                quote(&id),
                texts(&include),
                texts(&ready)
            )
        },
    )
}

/// A definition of any kinds and shapes, right or wrong.
fn anything() -> impl Strategy<Value = Value> {
    let resources = (0..4_usize).prop_flat_map(|count| (0..count).map(resource).collect::<Vec<_>>());
    let field = proptest::sample::select(vec![
        "string",
        "integer | default=3",
        "[]string",
        "T",
        "int",
        "string | required=true",
    ]);
    (resources, field, text(), text()).prop_map(|(resources, field, status, condition)| {
        let text = format!(
            r#"{{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","metadata":{{"name":"any"}},"spec":{{"schema":{{
            "apiVersion":"v1","kind":"Any","types":{{"T":"string"}},"spec":{{"a":"string","n":"integer","o":"object","list":"[]string",
            "f":{}}},"status":{{"b":{},"conditions":[{}]}}}},"resources":[{}]}}}}"#,
            Value::from(field), Value::from(status), Value::from(condition), resources.join(",")
        );
        from_json(&text).unwrap()
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
    fn anything_compiles_or_says_why(definition in anything()) {
        let compiled = compile_value(definition.clone());
        prop_assert_eq!(compiled.graph.is_none(), compiled.diagnostics.has_errors());
        prop_assert!(compiled.graph.is_some() || !compiled.diagnostics.is_empty());
        if let Some(graph) = &compiled.graph {
            assert_ordered(graph);
        }
        let again = compile_value(definition.clone());
        prop_assert_eq!(&compiled.diagnostics, &again.diagnostics);
        prop_assert_eq!(format!("{:?}", compiled.graph), format!("{:?}", again.graph));
        let placed = compile_yaml(&reversed(&definition));
        prop_assert_eq!(messages(&placed[0]), messages(&compiled));
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
