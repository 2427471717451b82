//! A compiled graph as text for snapshots.

use std::fmt::Write as _;

use kro_diagnostics::{SourceMap, render_text};
use kro_graph::{
    BuiltinSchemas, CompileOptions, Compiled, CrdSchemas, Graph, Node, Reads, SchemaSources, Source, compile,
};
use kro_yaml::to_yaml;

/// Compiles every definition of a file; CustomResourceDefinitions in it, and definitions before, give schemas.
pub fn compile_text(name: &str, text: &str) -> (SourceMap, Vec<Compiled>) {
    let mut sources = SourceMap::new();
    let file = sources.add(name, text);
    let parsed = kro_yaml::parse(text, file);
    let mut crds = CrdSchemas::default();
    let mut results = Vec::new();
    for document in parsed.documents {
        let value = document.root.to_value();
        if value.str_at(&["kind"]) == Some("CustomResourceDefinition") {
            crds.add(&value);
            continue;
        }
        let schemas = SchemaSources::new([&BuiltinSchemas as _, &crds as _]);
        let compiled = compile(&Source::from_document(document), &schemas, &CompileOptions::default());
        if let Some(instance) = compiled.graph.as_ref().and_then(|graph| graph.instance.as_ref()) {
            crds.add(&instance.crd);
        }
        results.push(compiled);
    }
    (sources, results)
}

/// Graphs, CRDs and diagnostics of a file.
pub fn summarise(name: &str, text: &str) -> String {
    let (sources, results) = compile_text(name, text);
    let mut out = String::new();
    for compiled in &results {
        if let Some(graph) = &compiled.graph {
            write_graph(&mut out, graph);
            assert!(!compiled.diagnostics.has_errors());
        }
        if !compiled.missing_kinds.is_empty() {
            writeln!(out, "missing: {:?}", compiled.missing_kinds).unwrap();
        }
        out.push_str(&render_text(&sources, &compiled.diagnostics, Default::default()));
    }
    out
}

/// The fields that expressions fill, and the text of each.
pub fn node_expressions(node: &Node) -> String {
    let line = |field: &kro_graph::Field| {
        let how = if field.expression.is_template { "template" } else { "standalone" };
        format!("{}.{} {how} {:?}\n", node.id, field.path, field.expression.text)
    };
    node.fields.iter().map(line).collect()
}

fn write_graph(out: &mut String, graph: &Graph) {
    let ids = |nodes: &[kro_graph::NodeIndex]| {
        nodes.iter().map(|node| graph.node(*node).id.as_str()).collect::<Vec<_>>().join(" ")
    };
    writeln!(out, "graph {} {}", graph.name, graph.spec_hash_text()).unwrap();
    writeln!(out, "order: {}", ids(&graph.order)).unwrap();
    if graph.order != graph.topological_order {
        writeln!(out, "topological order: {}", ids(&graph.topological_order)).unwrap();
    }
    if let Some(namespace) = &graph.default_namespace {
        writeln!(out, "default namespace: {namespace}").unwrap();
    }
    for node in &graph.nodes {
        write_node(out, node, &ids);
    }
    for field in &graph.status {
        writeln!(out, "status {} = {:?}", field.path, field.expression).unwrap();
    }
    for condition in &graph.conditions {
        writeln!(out, "condition {condition:?}").unwrap();
    }
    if let Some(instance) = &graph.instance {
        writeln!(out, "crd:\n{}", to_yaml(&instance.crd)).unwrap();
    }
}

fn write_node(out: &mut String, node: &Node, ids: &dyn Fn(&[kro_graph::NodeIndex]) -> String) {
    let scope = if node.namespaced { "namespaced" } else { "cluster" };
    writeln!(out, "- {} {:?} {} {} {scope} wave {}", node.id, node.kind, node.gvk, node.plural, node.wave).unwrap();
    if !node.dependencies.is_empty() {
        writeln!(out, "  after: {}", ids(&node.dependencies)).unwrap();
    }
    if !node.soft_dependencies.is_empty() {
        writeln!(out, "  softly after: {}", ids(&node.soft_dependencies)).unwrap();
    }
    for dimension in &node.for_each {
        writeln!(out, "  for each {} in {:?}", dimension.name, dimension.expression).unwrap();
    }
    for field in &node.fields {
        let format = field.format.as_ref().map(|format| format!(" ({format})")).unwrap_or_default();
        writeln!(out, "  {} = {:?}{format}", field.path, field.expression).unwrap();
    }
    for (what, expressions) in [("include when", &node.include_when), ("ready when", &node.ready_when)] {
        expressions.iter().for_each(|expression| writeln!(out, "  {what} {expression:?}").unwrap());
    }
    match &node.reads {
        Reads::Everything => writeln!(out, "  reads everything").unwrap(),
        Reads::Paths(paths) => paths.iter().for_each(|path| writeln!(out, "  reads {path}").unwrap()),
    }
}
