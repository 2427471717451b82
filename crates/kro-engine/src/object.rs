//! What every Kubernetes object has: identity and metadata, read from its JSON.

use std::fmt;

use kro_graph::Gvk;
use kro_value::{Str, Value};

/// Group and kind, the way ApplySets name kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// Kind, such as `Deployment`.
    pub kind: Str,
    /// API group; empty for the core group.
    pub group: Str,
}

impl GroupKind {
    /// From its two parts.
    pub fn new(group: impl Into<Str>, kind: impl Into<Str>) -> Self {
        Self { kind: kind.into(), group: group.into() }
    }
}

/// `Deployment.apps`, or `Pod` for the core group.
impl fmt::Display for GroupKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.kind)?;
        if self.group.is_empty() { Ok(()) } else { write!(formatter, ".{}", self.group) }
    }
}

/// Which object: group, kind, namespace and name. The version is no part of an object's identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Group and kind.
    pub group_kind: GroupKind,
    /// Namespace; empty when cluster-scoped.
    pub namespace: Str,
    /// Name.
    pub name: Str,
}

/// `Kind.group ns/name`
impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.group_kind)?;
        if !self.namespace.is_empty() {
            write!(formatter, "{}/", self.namespace)?;
        }
        formatter.write_str(&self.name)
    }
}

impl ObjectId {
    /// The identity of an object; `None` for a value without kind or name.
    pub fn of(object: &Value) -> Option<Self> {
        let gvk = gvk(object)?;
        Some(Self {
            group_kind: GroupKind { kind: gvk.kind, group: gvk.group },
            namespace: text(object, "namespace").into(),
            name: object.str_at(&["metadata", "name"])?.into(),
        })
    }
}

/// Group, version and kind of an object; `None` for a value that has none.
pub fn gvk(object: &Value) -> Option<Gvk> {
    let (group, version) = split_api_version(object.str_at(&["apiVersion"])?);
    Some(Gvk::new(group, version, object.str_at(&["kind"])?))
}

/// Group (empty for the core group) and version of an `apiVersion`.
pub fn split_api_version(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or(("", text))
}

/// A text field of `metadata`; empty when absent.
pub fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.str_at(&["metadata", field]).unwrap_or_default()
}

/// `metadata.name`; empty when absent.
pub fn name(object: &Value) -> &str {
    text(object, "name")
}

/// `metadata.namespace`; empty when cluster-scoped.
pub fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

/// `metadata.uid`; empty when absent.
pub fn uid(object: &Value) -> &str {
    text(object, "uid")
}

/// `metadata.resourceVersion`; empty when absent.
pub fn resource_version(object: &Value) -> &str {
    text(object, "resourceVersion")
}

/// `metadata.generation`; 0 when absent.
pub fn generation(object: &Value) -> i64 {
    object.at(&["metadata", "generation"]).and_then(Value::as_i64).unwrap_or_default()
}

/// True once deletion of the object was asked for.
pub fn is_terminating(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

/// A label; `None` when absent.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.str_at(&["metadata", "labels", key])
}

/// An annotation; `None` when absent.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.str_at(&["metadata", "annotations", key])
}

/// The finalizers in order.
pub fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let list = object.at(&["metadata", "finalizers"]).and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Value::as_str)
}

/// True if the object has this finalizer.
pub fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    finalizers(object).any(|one| one == finalizer)
}

/// The items of a list, each with the kind that lists of built-in kinds leave out.
pub fn items_of_list(list: &Value) -> Vec<Value> {
    let kind = list.str_at(&["kind"]).and_then(|kind| kind.strip_suffix("List")).map(Value::from);
    let api_version = list.get("apiVersion").cloned();
    let items = list.get("items").and_then(Value::as_list).unwrap_or_default();
    let complete = |item: &Value| {
        let mut item = item.clone();
        if let (Some(map), Some(kind), Some(api_version)) = (item.as_map_mut(), &kind, &api_version)
            && !map.contains_key("kind")
        {
            map.insert("kind", kind.clone());
            map.insert("apiVersion", api_version.clone());
        }
        item
    };
    items.iter().map(complete).collect()
}

/// `namespace/name`, or the name alone when cluster-scoped.
pub fn display_name(object: &Value) -> String {
    match namespace(object) {
        "" => name(object).to_owned(),
        namespace => format!("{namespace}/{}", name(object)),
    }
}
