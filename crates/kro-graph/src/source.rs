//! What is compiled: a definition as a value, with its text where there is one.

use std::ops::Range;

use kro_diagnostics::Span;
use kro_value::{FieldPath, Value};
use kro_yaml::Document;

/// A ResourceGraphDefinition to compile.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The whole object: `{apiVersion, kind, metadata, spec}`.
    pub value: Value,
    /// The document it was read from.
    pub document: Option<Document>,
}

impl Source {
    /// An object without a text, such as one from an API server.
    pub fn from_value(value: Value) -> Self {
        Self { value, document: None }
    }

    /// A document of a YAML or JSON file.
    pub fn from_document(document: Document) -> Self {
        Self { value: document.root.to_value(), document: Some(document) }
    }

    /// Where the value at a path stands in the text: the value itself, or the nearest one around it.
    pub fn value_span(&self, path: &FieldPath) -> Option<Span> {
        Some(self.document.as_ref()?.nearest_span(path))
    }

    /// Where the key that a path ends in stands in the text, or else the value.
    pub fn key_span(&self, path: &FieldPath) -> Option<Span> {
        self.document.as_ref()?.key_span(path).or_else(|| self.value_span(path))
    }

    /// Where bytes of the string at a path stand in the text, or else the whole string.
    pub fn text_span(&self, path: &FieldPath, range: Range<usize>) -> Option<Span> {
        self.document.as_ref()?.text_span(path, range).or_else(|| self.value_span(path))
    }
}
