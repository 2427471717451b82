use std::ops::Range;

use kro_diagnostics::Span;
use kro_value::{FieldPath, Str, Value};
use kro_yaml::Node;

/// A value with its path in the whole object, and its place in the text where there is one.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    value: &'a Value,
    node: Option<&'a Node>,
    path: FieldPath,
}

/// An entry of a map.
pub(super) struct Member<'a> {
    pub key: Str,
    pub key_span: Option<Span>,
    pub tree: Tree<'a>,
}

impl<'a> Tree<'a> {
    /// A value from text.
    pub fn from_node(node: &'a Node, path: FieldPath) -> Self {
        Self { value: node.value(), node: Some(node), path }
    }

    /// A value without text.
    pub fn from_value(value: &'a Value, path: FieldPath) -> Self {
        Self { value, node: None, path }
    }

    /// The value.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Its path.
    pub fn path(&self) -> &FieldPath {
        &self.path
    }

    /// Its bytes in the text.
    pub fn span(&self) -> Option<Span> {
        self.node.map(|node| node.span)
    }

    /// The bytes of a part of a string.
    pub(super) fn text_span(&self, range: Range<usize>) -> Option<Span> {
        self.node?.text_span(range)
    }

    /// True when places in the text are known.
    pub(super) fn has_text(&self) -> bool {
        self.node.is_some()
    }

    /// The entries of a map, in the order of the text where there is one, else of their keys.
    pub(super) fn members(&self) -> Vec<Member<'a>> {
        if let Some(node) = self.node {
            let member = |entry: &'a kro_yaml::Entry| Member {
                key: entry.key.clone(),
                key_span: Some(entry.key_span),
                tree: Self::from_node(&entry.value, self.path.field(entry.key.clone())),
            };
            return node.entries().iter().map(member).collect();
        }
        let member = |(key, value): (&Str, &'a Value)| Member {
            key: key.clone(),
            key_span: None,
            tree: Self::from_value(value, self.path.field(key.clone())),
        };
        self.value.as_map().into_iter().flatten().map(member).collect()
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Vec<Self> {
        if let Some(node) = self.node {
            let items = node.items().iter().enumerate();
            return items.map(|(index, item)| Self::from_node(item, self.path.index(index))).collect();
        }
        let items = self.value.as_list().unwrap_or_default().iter().enumerate();
        items.map(|(index, item)| Self::from_value(item, self.path.index(index))).collect()
    }
}
