//! The definitions of `tests/golden`: what each compiles to is recorded next to it. `KRO_UPDATE=1` accepts what is new.

use std::path::{Path, PathBuf};

use kro_diagnostics::{FileId, SourceMap, render_text};
use kro_graph::{BuiltinSchemas, CompileOptions, Compiled, CrdSchemas, NodeIndex, SchemaSources, Source, compile_set};
use kro_langtest::workspace_root;
use kro_value::{Value, to_json_pretty};

use crate::properties::{assert_ordered, reversed};

/// The YAML files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn documents(path: &Path, sources: &mut SourceMap) -> Vec<kro_yaml::Document> {
    let text = std::fs::read_to_string(path).unwrap();
    let file = sources.add(path.file_name().unwrap().to_str().unwrap(), &*text);
    let parsed = kro_yaml::parse(&text, file);
    assert!(parsed.diagnostics.is_empty(), "{}", render_text(sources, &parsed.diagnostics, Default::default()));
    parsed.documents
}

/// Order, dependencies, hash and CRD of a graph.
fn record(compiled: &Compiled) -> Value {
    let graph = compiled.graph.as_ref().unwrap();
    let ids = |nodes: &[NodeIndex]| -> Value {
        nodes.iter().map(|node| Value::from(graph.node(*node).id.clone())).collect::<Vec<Value>>().into()
    };
    let of_nodes = |value: &dyn Fn(&kro_graph::Node) -> Option<Value>| {
        Value::map(graph.nodes.iter().filter_map(|node| Some((node.id.clone(), value(node)?))))
    };
    let some = |nodes: &[NodeIndex]| (!nodes.is_empty()).then(|| ids(nodes));
    let warnings = compiled.diagnostics.iter().map(|diagnostic| Value::from(diagnostic.to_string()));
    Value::map([
        ("name", Value::from(graph.name.clone())),
        ("hash", graph.spec_hash_text().into()),
        ("order", ids(&graph.order)),
        ("topologicalOrder", ids(&graph.topological_order)),
        ("dependencies", of_nodes(&|node| some(&node.dependencies))),
        ("softDependencies", of_nodes(&|node| some(&node.soft_dependencies))),
        ("waves", of_nodes(&|node| Some(i64::from(node.wave).into()))),
        ("warnings", warnings.collect::<Vec<Value>>().into()),
        ("crd", graph.instance.as_ref().map_or(Value::Null, |api| api.crd.clone())),
    ])
}

/// What depends on the formatting of nothing: the record without places.
/// With the features that are off by default: definitions without them compile to the same.
fn options() -> CompileOptions {
    CompileOptions { omit_function: true, ..CompileOptions::default() }
}

fn compile_texts(texts: &[String], schemas: &SchemaSources<'_>) -> Value {
    let parse = |text: &String| kro_yaml::parse(text, FileId(0)).documents.remove(0);
    let sources: Vec<Source> = texts.iter().map(|text| Source::from_document(parse(text))).collect();
    compile_set(&sources, schemas, &options()).iter().map(record).collect::<Vec<Value>>().into()
}

/// Comments before all that stands at the margin, and behind every key of a map.
fn commented(yaml: &str) -> String {
    let has_blocks = yaml.lines().any(|line| line.trim_end().ends_with(['|', '>', '-']));
    let comment = |line: &str| match line {
        line if line.starts_with(|first: char| first.is_ascii_alphabetic()) => format!("\n# about this\n{line}\n"),
        line if line.ends_with(':') && !has_blocks => format!("{line} # and this\n"),
        line => format!("{line}\n"),
    };
    yaml.lines().map(comment).collect()
}

#[test]
fn formatting_does_not_matter() {
    let root = workspace_root().join("tests/golden");
    let mut sources = SourceMap::new();
    let crds: Vec<kro_yaml::Document> =
        files(&root.join("crds")).iter().flat_map(|path| documents(path, &mut sources)).collect();
    let crds = CrdSchemas::new(crds.iter().map(|document| document.root.value()));
    let schemas = SchemaSources::new([&BuiltinSchemas as _, &crds as _]);
    for path in files(&root.join("definitions")) {
        let values: Vec<Value> =
            documents(&path, &mut sources).iter().map(|document| document.root.to_value()).collect();
        let plain: Vec<String> = values.iter().map(kro_yaml::to_yaml).collect();
        let expected = compile_texts(&plain, &schemas);
        let variants: [Vec<String>; 3] = [
            plain.iter().map(|text| commented(text)).collect(),
            values.iter().map(Value::to_string).collect(),
            values.iter().map(reversed).collect(),
        ];
        for variant in variants {
            assert_eq!(compile_texts(&variant, &schemas), expected, "{}", path.display());
        }
    }
}

#[test]
fn definitions() {
    let root = workspace_root().join("tests/golden");
    let update = std::env::var("KRO_UPDATE").is_ok_and(|value| value == "1");
    let mut sources = SourceMap::new();
    let crds: Vec<kro_yaml::Document> =
        files(&root.join("crds")).iter().flat_map(|path| documents(path, &mut sources)).collect();
    let crds = CrdSchemas::new(crds.iter().map(|document| document.root.value()));
    let schemas = SchemaSources::new([&BuiltinSchemas as _, &crds as _]);
    let (mut count, mut failures) = (0, Vec::new());
    for path in files(&root.join("definitions")) {
        let definitions: Vec<Source> = documents(&path, &mut sources).into_iter().map(Source::from_document).collect();
        let compiled = compile_set(&definitions, &schemas, &options());
        let refused = compiled.iter().filter(|result| result.graph.is_none());
        failures.extend(refused.map(|result| render_text(&sources, &result.diagnostics, Default::default())));
        if compiled.iter().any(|result| result.graph.is_none()) {
            continue;
        }
        compiled.iter().for_each(|result| assert_ordered(result.graph.as_ref().unwrap()));
        count += compiled.len();
        let records: Value = compiled.iter().map(record).collect::<Vec<Value>>().into();
        let text = to_json_pretty(&records) + "\n";
        let golden = path.with_extension("json");
        if update {
            std::fs::write(&golden, text).unwrap();
        } else if std::fs::read_to_string(&golden).is_ok_and(|recorded| recorded != text) {
            failures.push(golden.display().to_string());
        } else if !golden.exists() {
            failures.push(format!("{} is missing", golden.display()));
        }
    }
    assert!(failures.is_empty(), "changed (KRO_UPDATE=1 accepts):\n{}", failures.join("\n"));
    assert!(count >= 80, "{count} definitions");
}
