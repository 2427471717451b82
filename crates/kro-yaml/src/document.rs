use std::ops::Range;

use kro_diagnostics::{Diagnostics, Span};
use kro_value::{FieldPath, Segment, Value};

use crate::Node;

/// What [`crate::parse`] found in a text.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The documents that are well-formed and not empty, in order. A document with a wrong key, alias or scalar is
    /// among them (without what is wrong); one with a malformed structure is not.
    pub documents: Vec<Document>,
    /// All that is wrong, in the order of the text.
    pub diagnostics: Diagnostics,
}

impl Parsed {
    /// The values of all documents.
    pub fn values(&self) -> Vec<Value> {
        self.documents.iter().map(|document| document.root.to_value()).collect()
    }
}

/// One document of a stream.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its value.
    pub root: Node,
}

impl Document {
    /// The bytes of the value at a path.
    pub fn value_span(&self, path: &FieldPath) -> Option<Span> {
        Some(self.root.at_path(path)?.span)
    }

    /// The bytes of the key that the path ends with; `None` for the root and for list items.
    pub fn key_span(&self, path: &FieldPath) -> Option<Span> {
        let (last, parents) = path.segments().split_last()?;
        let Segment::Field(key) = last else { return None };
        let parent = parents.iter().try_fold(&self.root, Node::step_ref)?;
        Some(parent.entry(key)?.key_span)
    }

    /// The bytes of the value at a path, or of the key of its nearest ancestor that exists (a list item or the root
    /// has no key, so there it is the value).
    pub fn nearest_span(&self, path: &FieldPath) -> Span {
        if let Some(span) = self.value_span(path) {
            return span;
        }
        let mut here = path.parent();
        while let Some(ancestor) = here {
            if let Some(span) = self.key_span(&ancestor).or_else(|| self.value_span(&ancestor)) {
                return span;
            }
            here = ancestor.parent();
        }
        self.root.span
    }

    /// The source bytes of a range of the decoded text of the scalar at a path; see [`Node::text_span`].
    pub fn text_span(&self, path: &FieldPath, range: Range<usize>) -> Option<Span> {
        self.root.at_path(path)?.text_span(range)
    }
}

impl Node {
    fn step_ref<'a>(node: &'a Self, segment: &Segment) -> Option<&'a Self> {
        node.step(segment)
    }
}
