//! The ApplySet of an instance: its identity, and the inventory that deletion and pruning rely on.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kro_api::metadata as wire;
use kro_value::{Str, Value, format_smolstr};
use sha2::{Digest, Sha256};

use crate::object::{self, GroupKind};

/// The id of an instance's ApplySet: `applyset-<hash>-v1`. Version and UID play no part, so an instance that is
/// created again under the same name has the same id.
pub fn applyset_id(name: &str, namespace: &str, kind: &str, group: &str) -> Str {
    let hash = Sha256::digest(format!("{name}.{namespace}.{kind}.{group}"));
    format_smolstr!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
}

/// The id of the ApplySet of an instance object; with an empty kind for a value that has none.
pub fn applyset_id_of(instance: &Value) -> Str {
    let gvk = object::gvk(instance);
    let (kind, group) = gvk.as_ref().map_or(("", ""), |gvk| (gvk.kind.as_str(), gvk.group.as_str()));
    applyset_id(object::name(instance), object::namespace(instance), kind, group)
}

/// Where the members of an ApplySet may be: every member is of one of these kinds, and in one of these namespaces or
/// in the instance's own, or cluster-scoped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Kinds of members.
    pub group_kinds: BTreeSet<GroupKind>,
    /// Namespaces of members, without the instance's own.
    pub namespaces: BTreeSet<Str>,
}

/// Why an inventory cannot be relied on. Names the offending key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryError(pub String);

impl std::fmt::Display for InventoryError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for InventoryError {}

impl Inventory {
    /// Reads the annotations of an instance; absent ones count as empty.
    ///
    /// # Errors
    /// When an annotation does not parse.
    pub fn read(instance: &Value) -> Result<Self, InventoryError> {
        let list = |key| object::annotation(instance, key).unwrap_or_default();
        Ok(Self {
            group_kinds: parse_list(
                wire::ANNOTATION_APPLYSET_GROUP_KINDS,
                list(wire::ANNOTATION_APPLYSET_GROUP_KINDS),
                parse_group_kind,
            )?,
            namespaces: parse_list(
                wire::ANNOTATION_APPLYSET_NAMESPACES,
                list(wire::ANNOTATION_APPLYSET_NAMESPACES),
                parse_namespace,
            )?,
        })
    }

    /// Reads the annotations of an instance and checks everything that deletion relies on.
    ///
    /// # Errors
    /// When the id, the tooling, a list or the checksum is missing or wrong.
    pub fn validate(instance: &Value) -> Result<Self, InventoryError> {
        let id = applyset_id_of(instance);
        match object::label(instance, wire::LABEL_APPLYSET_ID) {
            Some(label) if label == id => {}
            label => {
                let label = label.unwrap_or_default();
                return fail(wire::LABEL_APPLYSET_ID, &format!("must be {id:?}, is {label:?}"));
            }
        }
        match object::annotation(instance, wire::ANNOTATION_APPLYSET_TOOLING) {
            Some(tooling) if tooling.starts_with("kro/") => {}
            Some(tooling) => {
                return fail(wire::ANNOTATION_APPLYSET_TOOLING, &format!("must start with \"kro/\", is {tooling:?}"));
            }
            None => return fail(wire::ANNOTATION_APPLYSET_TOOLING, "is missing"),
        }
        for key in [wire::ANNOTATION_APPLYSET_GROUP_KINDS, wire::ANNOTATION_APPLYSET_NAMESPACES] {
            if object::annotation(instance, key).is_none() {
                return fail(key, "is missing");
            }
        }
        let inventory = Self::read(instance)?;
        match object::annotation(instance, wire::ANNOTATION_INVENTORY_HASH) {
            Some(hash) if hash != inventory.hash(&id) => {
                fail(wire::ANNOTATION_INVENTORY_HASH, "does not match the inventory")
            }
            _ => Ok(inventory),
        }
    }

    /// True if the instance carries any key of an inventory.
    pub fn is_on(instance: &Value) -> bool {
        object::label(instance, wire::LABEL_APPLYSET_ID).is_some()
            || [
                wire::ANNOTATION_APPLYSET_TOOLING,
                wire::ANNOTATION_APPLYSET_GROUP_KINDS,
                wire::ANNOTATION_APPLYSET_NAMESPACES,
                wire::ANNOTATION_INVENTORY_HASH,
            ]
            .iter()
            .any(|key| object::annotation(instance, key).is_some())
    }

    /// True when this inventory names everything that the other names.
    pub fn covers(&self, other: &Self) -> bool {
        self.group_kinds.is_superset(&other.group_kinds) && self.namespaces.is_superset(&other.namespaces)
    }

    /// Everything of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            group_kinds: self.group_kinds.union(&other.group_kinds).cloned().collect(),
            namespaces: self.namespaces.union(&other.namespaces).cloned().collect(),
        }
    }

    /// The kinds as they are written: sorted by text, comma separated.
    pub fn group_kinds_text(&self) -> String {
        let mut texts: Vec<String> = self.group_kinds.iter().map(ToString::to_string).collect();
        texts.sort_unstable();
        texts.join(",")
    }

    /// The namespaces as they are written: sorted, comma separated.
    pub fn namespaces_text(&self) -> String {
        self.namespaces.iter().fold(String::new(), |mut text, namespace| {
            let separator = if text.is_empty() { "" } else { "," };
            let _ = write!(text, "{separator}{namespace}");
            text
        })
    }

    /// The checksum over id, kinds and namespaces.
    pub fn hash(&self, applyset_id: &str) -> String {
        let text = format!("{applyset_id}\0{}\0{}", self.group_kinds_text(), self.namespaces_text());
        format!("sha256:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
    }

    /// The annotations that persist this inventory.
    pub fn annotations(&self, applyset_id: &str, version: &str) -> [(&'static str, Value); 4] {
        [
            (wire::ANNOTATION_APPLYSET_TOOLING, Value::from(format!("kro/{version}"))),
            (wire::ANNOTATION_APPLYSET_GROUP_KINDS, Value::from(self.group_kinds_text())),
            (wire::ANNOTATION_APPLYSET_NAMESPACES, Value::from(self.namespaces_text())),
            (wire::ANNOTATION_INVENTORY_HASH, Value::from(self.hash(applyset_id))),
        ]
    }
}

fn fail<T>(key: &str, problem: &str) -> Result<T, InventoryError> {
    Err(InventoryError(format!("{key:?} {problem}")))
}

fn parse_list<T: Ord>(key: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<BTreeSet<T>, InventoryError> {
    if text.trim().is_empty() {
        return Ok(BTreeSet::new());
    }
    let entries = text.split(',').map(|entry| {
        let entry = entry.trim();
        parse(entry).map_or_else(|| fail(key, &format!("has a malformed entry {entry:?}")), Ok)
    });
    entries.collect()
}

fn parse_group_kind(text: &str) -> Option<GroupKind> {
    let (kind, group) = text.split_once('.').unwrap_or((text, ""));
    let valid = !kind.is_empty() && !kind.contains(char::is_whitespace);
    let group_valid = !text.contains('.') || group.split('.').all(is_dns_label);
    (valid && group_valid).then(|| GroupKind::new(group, kind))
}

fn parse_namespace(text: &str) -> Option<Str> {
    is_dns_label(text).then(|| text.into())
}

fn is_dns_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(annotations: &[(&str, &str)]) -> Value {
        let id = applyset_id("web", "default", "WebApp", "kro.run");
        let annotations = Value::map(annotations.iter().map(|(key, value)| (*key, Value::from(*value))));
        let mut object = kro_value::from_json(
            r#"{"apiVersion":"kro.run/v1","kind":"WebApp","metadata":{"name":"web","namespace":"default"}}"#,
        )
        .unwrap();
        object.set_at(&["metadata", "labels", wire::LABEL_APPLYSET_ID], Value::String(id));
        object.set_at(&["metadata", "annotations"], annotations);
        object
    }

    fn sample() -> Inventory {
        Inventory {
            group_kinds: [GroupKind::new("apps", "Deployment"), GroupKind::new("", "ConfigMap")].into(),
            namespaces: ["b".into(), "a".into()].into(),
        }
    }

    #[test]
    fn ids_have_a_fixed_length_and_ignore_the_version() {
        let id = applyset_id("web", "default", "WebApp", "kro.run");
        assert_eq!(id.len(), 55);
        assert_eq!(applyset_id_of(&instance(&[])), id);
        assert_ne!(applyset_id("web", "", "WebApp", "kro.run"), id);
    }

    #[test]
    fn the_checksum_covers_kinds_and_namespaces() {
        let all = sample();
        assert_eq!(all.group_kinds_text(), "ConfigMap,Deployment.apps");
        assert_eq!(all.namespaces_text(), "a,b");
        assert_eq!(all.hash("x").len(), "sha256:".len() + 43);
        assert_ne!(all.hash("x"), Inventory { namespaces: BTreeSet::new(), ..all.clone() }.hash("x"));
        assert_ne!(all.hash("x"), all.hash("y"));
    }

    #[test]
    fn what_is_written_validates() {
        let id = applyset_id("web", "default", "WebApp", "kro.run");
        let mut object = instance(&[]);
        for (key, value) in sample().annotations(&id, "v1+dirty") {
            object.set_at(&["metadata", "annotations", key], value);
        }
        assert_eq!(Inventory::validate(&object), Ok(sample()));
        object.remove_at(&["metadata", "annotations", wire::ANNOTATION_INVENTORY_HASH]);
        assert_eq!(Inventory::validate(&object), Ok(sample()), "objects of older releases carry no checksum");
        object.remove_at(&["metadata", "labels", wire::LABEL_APPLYSET_ID]);
        assert!(Inventory::validate(&object).unwrap_err().0.contains(wire::LABEL_APPLYSET_ID));
    }

    #[test]
    fn what_cannot_be_relied_on_is_named() {
        let kinds = wire::ANNOTATION_APPLYSET_GROUP_KINDS;
        let namespaces = wire::ANNOTATION_APPLYSET_NAMESPACES;
        let tooling = wire::ANNOTATION_APPLYSET_TOOLING;
        for (annotations, expected) in [
            (vec![], tooling),
            (vec![(tooling, "helm/1"), (kinds, ""), (namespaces, "")], tooling),
            (vec![(tooling, "kro/1"), (namespaces, "")], kinds),
            (vec![(tooling, "kro/1"), (kinds, "")], namespaces),
            (vec![(tooling, "kro/1"), (kinds, "A,,B"), (namespaces, "")], kinds),
            (vec![(tooling, "kro/1"), (kinds, "A."), (namespaces, "")], kinds),
            (vec![(tooling, "kro/1"), (kinds, "A.b_c"), (namespaces, "")], kinds),
            (vec![(tooling, "kro/1"), (kinds, "A"), (namespaces, "Upper")], namespaces),
            (
                vec![(tooling, "kro/1"), (kinds, "A"), (namespaces, ""), (wire::ANNOTATION_INVENTORY_HASH, "sha256:x")],
                wire::ANNOTATION_INVENTORY_HASH,
            ),
        ] {
            let error = Inventory::validate(&instance(&annotations)).unwrap_err();
            assert!(error.0.contains(expected), "{annotations:?}: {error}");
        }
        let spaced = instance(&[(tooling, "kro/1"), (kinds, " A.b.c , D "), (namespaces, "x , y")]);
        let inventory = Inventory::validate(&spaced).unwrap();
        assert_eq!(inventory.group_kinds_text(), "A.b.c,D");
        assert_eq!(inventory.namespaces_text(), "x,y");
    }
}
