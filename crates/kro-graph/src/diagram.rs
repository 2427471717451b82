//! Pictures of graphs: Mermaid and Graphviz as text, SVG, and a page of HTML that needs nothing else.

mod html;
mod layout;
mod picture;
mod svg;

use std::fmt::Write as _;

use crate::{Graph, Node, NodeIndex, NodeKind};

pub use html::to_html;
pub use svg::to_svg;

/// A Mermaid flowchart: solid arrows from a resource to those that read it, dotted ones for native references.
///
/// The text can be put into Markdown as a `mermaid` block.
pub fn to_mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart TD\n");
    if let Some(instance) = &graph.instance {
        let _ = writeln!(out, "  schema{{{{\"{}\"}}}}", mermaid_text(&instance.kind));
    }
    for (index, node) in graph.indexed() {
        let (open, close) = mermaid_shape(node.kind);
        let label = format!("{}<br/>{}", mermaid_text(&node.id), mermaid_text(&node.gvk.kind));
        let _ = writeln!(out, "  {}{open}\"{label}\"{close}", name(Some(index)));
    }
    for Edge { from, to, is_soft } in edges(graph) {
        let (from, to) = (name(from), name(Some(to)));
        let arrow = if is_soft { "-.->" } else { "-->" };
        let _ = writeln!(out, "  {from} {arrow} {to}");
    }
    out
}

/// A Graphviz digraph with the same nodes and edges.
pub fn to_dot(graph: &Graph) -> String {
    let mut out = format!("digraph {} {{\n  rankdir=TB;\n  node [shape=box];\n", dot_text(&graph.name));
    if let Some(instance) = &graph.instance {
        let _ = writeln!(out, "  schema [shape=hexagon, label={}];", dot_text(&instance.kind));
    }
    for (index, node) in graph.indexed() {
        let style = dot_style(node);
        let label = dot_text(&format!("{}\n{}", node.id, node.gvk.kind));
        let _ = writeln!(out, "  {} [{style}label={label}];", name(Some(index)));
    }
    for Edge { from, to, is_soft } in edges(graph) {
        let (from, to) = (name(from), name(Some(to)));
        let style = if is_soft { " [style=dotted]" } else { "" };
        let _ = writeln!(out, "  {from} -> {to}{style};");
    }
    out.push_str("}\n");
    out
}

/// A name that no keyword of either language is; without an index that of the instance.
fn name(index: Option<NodeIndex>) -> String {
    index.map_or_else(|| "schema".to_owned(), |index| format!("n{}", index.0))
}

/// An arrow from what is read to what reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edge {
    /// `None` for the instance.
    from: Option<NodeIndex>,
    to: NodeIndex,
    /// A native reference: order only.
    is_soft: bool,
}

/// All edges; those from the instance first.
fn edges(graph: &Graph) -> Vec<Edge> {
    let mut edges = Vec::new();
    let reads_instance = |node: &Node| {
        let fields = node.fields.iter().map(|field| &field.expression);
        let loops = node.for_each.iter().map(|dimension| &dimension.expression);
        fields.chain(loops).chain(&node.include_when).any(|expression| expression.reads_instance)
    };
    let readers = graph.indexed().filter(|(_, node)| graph.instance.is_some() && reads_instance(node));
    edges.extend(readers.map(|(to, _)| Edge { from: None, to, is_soft: false }));
    for (to, node) in graph.indexed() {
        edges.extend(node.dependencies.iter().map(|from| Edge { from: Some(*from), to, is_soft: false }));
        edges.extend(node.soft_dependencies.iter().map(|from| Edge { from: Some(*from), to, is_soft: true }));
    }
    edges
}

fn mermaid_shape(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Resource => ("[", "]"),
        NodeKind::Collection => ("[[", "]]"),
        NodeKind::External => ("([", "])"),
        NodeKind::ExternalCollection => ("[(", ")]"),
    }
}

fn dot_style(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Resource => "",
        NodeKind::Collection => "peripheries=2, ",
        NodeKind::External => "style=dashed, ",
        NodeKind::ExternalCollection => "style=dashed, peripheries=2, ",
    }
}

fn mermaid_text(text: &str) -> String {
    text.replace('"', "#quot;").replace('<', "#lt;")
}

fn dot_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
