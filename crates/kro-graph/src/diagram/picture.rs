//! What a drawing of a graph shows, before anything has a place.

use super::layout::{Layout, Plan, lay_out};
use super::{Edge, edges};
use crate::{Expression, Graph, Node, NodeKind};

/// Pixels of a letter: a little more than fonts have on average, so that text never leaves its box.
const LETTER: i64 = 8;
/// Longer words are cut.
const LETTERS_MAX: usize = 36;

/// A box.
pub struct Item {
    /// The first line: an id, or the kind of the instance.
    pub title: String,
    /// The second line.
    pub subtitle: String,
    /// What to say when it is pointed at.
    pub details: String,
    /// Class of its shape.
    pub shape: &'static str,
    pub width: i64,
}

/// An arrow between two boxes.
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    /// Class of its line.
    pub style: &'static str,
}

/// A graph that is laid out.
pub struct Picture {
    pub items: Vec<Item>,
    pub arrows: Vec<Arrow>,
    pub layout: Layout,
}

impl Picture {
    pub fn of(graph: &Graph) -> Self {
        let mut items: Vec<Item> = graph.instance.iter().map(instance_item).collect();
        let first = items.len();
        items.extend(graph.nodes.iter().map(node_item));
        let arrows: Vec<Arrow> = edges(graph).iter().map(|edge| arrow(edge, first)).collect();
        let plan = Plan {
            widths: items.iter().map(|item| item.width).collect(),
            arrows: arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect(),
        };
        Self { layout: lay_out(&plan), items, arrows }
    }
}

fn arrow(edge: &Edge, first: usize) -> Arrow {
    let style = match edge {
        Edge { from: None, .. } => "from-instance",
        Edge { is_soft: true, .. } => "soft",
        _ => "hard",
    };
    Arrow { from: edge.from.map_or(0, |from| from.get() + first), to: edge.to.get() + first, style }
}

fn instance_item(api: &crate::InstanceApi) -> Item {
    item(&api.kind, "instance", format!("{}, the instance: schema", api.gvk()), "instance")
}

fn node_item(node: &Node) -> Item {
    let shape = match node.kind {
        NodeKind::Resource => "resource",
        NodeKind::Collection => "collection",
        NodeKind::External => "external",
        NodeKind::ExternalCollection => "external collection",
    };
    let mut details = format!("{}: {}", node.id, node.gvk);
    for dimension in &node.for_each {
        details.push_str(&format!("\nfor each {} in {}", dimension.name, shown(&dimension.expression)));
    }
    for (word, expressions) in [("include when", &node.include_when), ("ready when", &node.ready_when)] {
        for expression in expressions {
            details.push_str(&format!("\n{word} {}", shown(expression)));
        }
    }
    item(&node.id, &node.gvk.kind, details, shape)
}

fn shown(expression: &Expression) -> String {
    if expression.is_template { expression.text.to_string() } else { format!("${{{}}}", expression.text) }
}

fn item(title: &str, subtitle: &str, details: String, shape: &'static str) -> Item {
    let (title, subtitle) = (cut(title), cut(subtitle));
    let letters = title.chars().count().max(subtitle.chars().count());
    let width = i64::try_from(letters).unwrap_or(0) * LETTER + 28;
    Item { title, subtitle, details, shape, width }
}

fn cut(word: &str) -> String {
    if word.chars().count() <= LETTERS_MAX {
        return word.to_owned();
    }
    word.chars().take(LETTERS_MAX - 1).chain(['…']).collect()
}
