//! The definition as its author wrote it, with every part known by its path.

use kro_value::{FieldPath, Str, Value};

/// A ResourceGraphDefinition whose shape was read. Parts that are malformed are absent, and were reported.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definition {
    pub name: Str,
    /// The annotation `kro.run/default-namespace`.
    pub default_namespace: Option<Str>,
    pub schema: Option<SchemaBlock>,
    /// In the order of the list.
    pub resources: Vec<Entry>,
}

/// `spec.schema`.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchemaBlock {
    pub kind: Str,
    pub version: Str,
    pub group: Str,
    pub namespaced: bool,
    /// Status expressions; `null` when absent.
    pub status: Value,
    pub printer_columns: Vec<Value>,
    pub short_names: Vec<Str>,
    pub categories: Vec<Str>,
    /// `metadata.labels`, a map of strings, or `null`.
    pub labels: Value,
    /// `metadata.annotations`, a map of strings, or `null`.
    pub annotations: Value,
}

/// An entry of `spec.resources`.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub id: Str,
    /// The entry itself: `spec.resources[3]`.
    pub path: FieldPath,
    /// The object: the template, or the object made of an external reference; `null` when there is none, which was
    /// reported.
    pub object: Value,
    /// Where `object` stands; for a plain manifest, the entry itself.
    pub object_path: FieldPath,
    pub is_external: bool,
    pub ready_when: Vec<Text>,
    pub include_when: Vec<Text>,
    pub for_each: Vec<(Str, Text)>,
}

/// A string of the definition that holds expressions.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub text: Str,
    pub path: FieldPath,
}

impl Definition {
    /// False only for cluster-scoped instances.
    pub fn is_namespaced(&self) -> bool {
        self.schema.as_ref().is_none_or(|schema| schema.namespaced)
    }
}
