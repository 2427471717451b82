use std::ops::Range;
use std::sync::Arc;

use kro_diagnostics::Span;
use kro_value::{FieldPath, Segment, Str, Value};

use crate::text::TextMap;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'...'`
    SingleQuoted,
    /// `"..."`
    DoubleQuoted,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
}

/// A scalar as it is written and as it is read.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// The decoded text before it is typed: `0777`, where the value is 511.
    pub text: Str,
    /// How it is written.
    pub style: ScalarStyle,
    pub(crate) map: TextMap,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A text, number, boolean or null.
    Scalar(Scalar),
    /// A list.
    Sequence(Arc<Vec<Node>>),
    /// A map in the order of the text, merge keys applied, keys unique.
    Mapping(Arc<Vec<Entry>>),
}

/// A value with its place.
///
/// An alias is a copy of its anchor's node (sharing its content) whose own span is that of the alias; everything
/// below it has the spans of the anchor.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its bytes: quotes and brackets included, the header of a block scalar (`|`) and tags and anchors not.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
    pub(crate) value: Value,
    /// How many nodes it has, aliases expanded, itself included.
    pub(crate) nodes: usize,
    /// How many levels it has; 1 for a scalar.
    pub(crate) height: usize,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key as text.
    pub key: Str,
    /// The bytes of the key.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    pub(crate) fn scalar(span: Span, scalar: Scalar, value: Value) -> Self {
        Self { span, kind: NodeKind::Scalar(scalar), value, nodes: 1, height: 1 }
    }

    pub(crate) fn sequence(span: Span, items: Vec<Self>) -> Self {
        let value = items.iter().map(Self::to_value).collect();
        let nodes = 1 + items.iter().map(|item| item.nodes).sum::<usize>();
        let height = 1 + items.iter().map(|item| item.height).max().unwrap_or(0);
        Self { span, kind: NodeKind::Sequence(Arc::new(items)), value, nodes, height }
    }

    /// A mapping of entries with unique keys, for tools that complete or rearrange what was read.
    pub fn mapping(span: Span, entries: Vec<Entry>) -> Self {
        let value = Value::map(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())));
        let nodes = 1 + entries.iter().map(|entry| entry.value.nodes).sum::<usize>();
        let height = 1 + entries.iter().map(|entry| entry.value.height).max().unwrap_or(0);
        Self { span, kind: NodeKind::Mapping(Arc::new(entries)), value, nodes, height }
    }

    /// The value without places. Costs nothing: it is shared.
    pub fn to_value(&self) -> Value {
        self.value.clone()
    }

    /// The value without places.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The scalar, if this is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        if let NodeKind::Scalar(scalar) = &self.kind { Some(scalar) } else { None }
    }

    /// The text, if this is a scalar that is read as a string.
    pub fn as_str(&self) -> Option<&str> {
        self.value.as_str()
    }

    /// The items of a sequence; empty for anything else.
    pub fn items(&self) -> &[Self] {
        if let NodeKind::Sequence(items) = &self.kind { items } else { &[] }
    }

    /// The entries of a mapping in the order of the text; empty for anything else.
    pub fn entries(&self) -> &[Entry] {
        if let NodeKind::Mapping(entries) = &self.kind { entries } else { &[] }
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The node at a path below this one.
    pub fn at_path(&self, path: &FieldPath) -> Option<&Self> {
        path.segments().iter().try_fold(self, |node, segment| node.step(segment))
    }

    pub(crate) fn step(&self, segment: &Segment) -> Option<&Self> {
        match segment {
            Segment::Field(key) => self.get(key),
            Segment::Index(index) => self.items().get(*index),
        }
    }

    /// The source bytes of a range of a scalar's decoded text (bytes); `None` when this is no scalar.
    ///
    /// A range that begins or ends inside an escape or a fold covers all of it. A range beyond the text gives its end.
    pub fn text_span(&self, range: Range<usize>) -> Option<Span> {
        let scalar = self.as_scalar()?;
        let length = scalar.text.len();
        let source = scalar.map.source(range.start.min(length)..range.end.min(length));
        Some(Span::new(self.span.file, source.start, source.end))
    }
}
