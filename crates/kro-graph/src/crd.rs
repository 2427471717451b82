//! The CustomResourceDefinition of instances.

use std::sync::OnceLock;

use kro_value::{Map, Str, Value, format_smolstr, from_json};

use crate::definition::SchemaBlock;
use crate::plural::pluralize;

/// The printer columns of a definition that gives none.
const DEFAULT_COLUMNS: &str = r#"[
    {"name":"State","description":"The state of a ResourceGraphDefinition instance","type":"string",
        "jsonPath":".status.state"},
    {"name":"Ready","description":"Whether a ResourceGraphDefinition instance is ready","type":"string",
        "jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
    {"name":"Age","description":"Age of the resource","type":"date","jsonPath":".metadata.creationTimestamp"}
]"#;

/// The schema of `status.conditions`.
const CONDITIONS: &str = r#"{"type":"array","items":{"type":"object","properties":{
    "type":{"type":"string"},"status":{"type":"string"},"reason":{"type":"string"},"message":{"type":"string"},
    "lastTransitionTime":{"type":"string"},"observedGeneration":{"type":"integer"}}}}"#;

/// The resource of instances in request paths.
pub(crate) fn plural(block: &SchemaBlock) -> Str {
    pluralize(&block.kind.to_ascii_lowercase())
}

/// The whole CustomResourceDefinition, without the labels that kro sets when it writes it.
pub(crate) fn build(block: &SchemaBlock, plural: &Str, spec: Value, status: Value) -> Value {
    let version = Value::map([
        ("name", block.version.clone().into()),
        ("served", true.into()),
        ("storage", true.into()),
        ("schema", Value::map([("openAPIV3Schema", root_schema(spec, status))])),
        ("subresources", Value::map([("status", Map::new().into())])),
        ("additionalPrinterColumns", printer_columns(block)),
    ]);
    let scope = if block.namespaced { "Namespaced" } else { "Cluster" };
    let spec = Value::map([
        ("group", block.group.clone().into()),
        ("names", names(block, plural)),
        ("scope", scope.into()),
        ("versions", Value::list([version])),
    ]);
    Value::map([
        ("apiVersion", "apiextensions.k8s.io/v1".into()),
        ("kind", "CustomResourceDefinition".into()),
        ("metadata", metadata(block, plural)),
        ("spec", spec),
    ])
}

fn metadata(block: &SchemaBlock, plural: &str) -> Value {
    let mut metadata = Map::from_iter([("name".into(), format_smolstr!("{plural}.{}", block.group).into())]);
    for (key, entries) in [("labels", &block.labels), ("annotations", &block.annotations)] {
        if entries.as_map().is_some_and(|entries| !entries.is_empty()) {
            metadata.insert(key, entries.clone());
        }
    }
    metadata.into()
}

fn names(block: &SchemaBlock, plural: &Str) -> Value {
    let mut names = Map::new();
    names.insert("kind", block.kind.clone().into());
    names.insert("listKind", format_smolstr!("{}List", block.kind).into());
    names.insert("plural", plural.clone().into());
    names.insert("singular", block.kind.to_ascii_lowercase().into());
    for (key, aliases) in [("shortNames", &block.short_names), ("categories", &block.categories)] {
        if !aliases.is_empty() {
            names.insert(key, aliases.iter().cloned().map(Value::from).collect());
        }
    }
    names.into()
}

fn printer_columns(block: &SchemaBlock) -> Value {
    if block.printer_columns.is_empty() {
        static COLUMNS: OnceLock<Value> = OnceLock::new();
        return COLUMNS.get_or_init(|| from_json(DEFAULT_COLUMNS).unwrap_or_default()).clone();
    }
    block.printer_columns.clone().into()
}

/// The schema of an instance. `status` is the inferred schema of the author's fields.
pub(crate) fn root_schema(spec: Value, status: Value) -> Value {
    let text = || Value::map([("type", "string".into())]);
    let properties = Value::map([
        ("apiVersion", text()),
        ("kind", text()),
        ("metadata", Value::map([("type", "object".into())])),
        ("spec", spec),
        ("status", with_own_fields(status)),
    ]);
    Value::map([("type", "object".into()), ("properties", properties)])
}

/// Adds the fields of the status that kro writes itself, unless they are there.
fn with_own_fields(mut status: Value) -> Value {
    let map = status.ensure_map();
    map.insert("type", "object".into());
    let properties = map.entry_or_null("properties").ensure_map();
    if !properties.contains_key("state") {
        properties.insert("state", Value::map([("type", "string".into())]));
    }
    if !properties.contains_key("conditions") {
        static SCHEMA: OnceLock<Value> = OnceLock::new();
        properties.insert("conditions", SCHEMA.get_or_init(|| from_json(CONDITIONS).unwrap_or_default()).clone());
    }
    status
}
