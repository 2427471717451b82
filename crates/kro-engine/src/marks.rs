//! Labels and annotations that mark what kro manages, and the version they carry.

use kro_api::metadata as wire;
use kro_graph::Gvk;
use kro_value::{Str, Value, format_smolstr};

use crate::applyset::{Inventory, applyset_id_of};
use crate::object;

/// A version as a label value: `+` becomes `-` when it is not legal as it is; `devel` when it cannot be mended.
pub fn version_label(version: &str) -> Str {
    if is_label_value(version) {
        return version.into();
    }
    let mended = version.replace('+', "-");
    if is_label_value(&mended) { mended.into() } else { Str::new_static("devel") }
}

/// True for a legal, non-empty label value.
pub fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 63 && bytes.iter().all(inner) && end(bytes.first()) && end(bytes.last())
}

/// Who a child belongs to: everything its labels say about its instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Group, version and kind of the instance.
    pub gvk: Gvk,
    /// Namespace of the instance; empty when cluster-scoped.
    pub namespace: Str,
    /// Name of the instance.
    pub name: Str,
    /// UID of the instance.
    pub uid: Str,
    /// Id of its ApplySet.
    pub applyset: Str,
    /// Version of this controller as a label value.
    pub version: Str,
}

impl Owner {
    /// The owner that an instance object is; `None` for a value that is no object.
    pub fn of(instance: &Value, version: &str) -> Option<Self> {
        Some(Self {
            gvk: object::gvk(instance)?,
            namespace: object::namespace(instance).into(),
            name: object::name(instance).into(),
            uid: object::uid(instance).into(),
            applyset: applyset_id_of(instance),
            version: version_label(version),
        })
    }

    /// Labels every child carries, besides those of collections.
    fn labels(&self, node_id: &Str) -> Vec<(&'static str, Str)> {
        let mut labels = vec![
            (wire::LABEL_APPLYSET_PART_OF, self.applyset.clone()),
            (wire::LABEL_OWNED, Str::new_static("true")),
            (wire::LABEL_KRO_VERSION, self.version.clone()),
            (wire::LABEL_MANAGED_BY, Str::new_static(wire::MANAGED_BY)),
            (wire::LABEL_INSTANCE_ID, self.uid.clone()),
            (wire::LABEL_INSTANCE_NAME, instance_name_label(&self.name)),
            (wire::LABEL_INSTANCE_GROUP, self.gvk.group.clone()),
            (wire::LABEL_INSTANCE_VERSION, self.gvk.version.clone()),
            (wire::LABEL_INSTANCE_KIND, self.gvk.kind.clone()),
            (wire::LABEL_NODE_ID, node_id.clone()),
        ];
        if !self.namespace.is_empty() {
            labels.push((wire::LABEL_INSTANCE_NAMESPACE, self.namespace.clone()));
        }
        labels
    }
}

/// Names may be longer than label values: such a name is cut and ends in a hash of the whole.
fn instance_name_label(name: &Str) -> Str {
    if name.len() <= 63 {
        return name.clone();
    }
    let mut hash: u32 = 0x811c_9dc5;
    for byte in name.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    format_smolstr!("{}-{hash:08x}", name[..54].trim_end_matches(['-', '.']))
}

/// Where a child stands in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Id of its node.
    pub node_id: &'a Str,
    /// Deletion wave.
    pub wave: u32,
    /// Index and size, for an item of a collection.
    pub item: Option<(usize, usize)>,
}

/// Puts kro's labels and annotations on a rendered child; its own other ones stay. Returns the keys of labels and
/// annotations that are not strings and were dropped.
pub fn mark_child(child: &mut Value, owner: &Owner, place: Place<'_>) -> Vec<Str> {
    let mut dropped = Vec::new();
    let metadata = child.ensure_map().entry_or_null("metadata").ensure_map();
    for field in ["labels", "annotations"] {
        keep_strings(metadata.entry_or_null(field), &mut dropped);
    }
    let labels = metadata.entry_or_null("labels").ensure_map();
    for (key, value) in owner.labels(place.node_id) {
        labels.insert(key, Value::String(value));
    }
    if let Some((index, size)) = place.item {
        labels.insert(wire::LABEL_COLLECTION_INDEX, Value::from(index.to_string()));
        labels.insert(wire::LABEL_COLLECTION_SIZE, Value::from(size.to_string()));
    }
    let annotations = metadata.entry_or_null("annotations").ensure_map();
    annotations.insert(wire::ANNOTATION_APPLY_ORDER, Value::from(place.wave.to_string()));
    dropped
}

/// A null becomes the empty string, as the API server would have it; anything else that is no string is dropped.
fn keep_strings(value: &mut Value, dropped: &mut Vec<Str>) {
    let map = value.ensure_map();
    if map.values().any(Value::is_null) {
        map.iter_mut().filter(|(_, entry)| entry.is_null()).for_each(|(_, entry)| *entry = Value::from(""));
    }
    dropped.extend(map.iter().filter(|(_, entry)| entry.as_str().is_none()).map(|(key, _)| key.clone()));
    map.retain(|_, entry| entry.as_str().is_some());
}

/// The definition an instance belongs to, as its labels name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Name of the RGD.
    pub name: Str,
    /// UID of the RGD.
    pub uid: Str,
}

/// The labels of an instance.
pub fn instance_labels(definition: &Definition, version: &str) -> [(&'static str, Str); 4] {
    [
        (wire::LABEL_OWNED, Str::new_static("true")),
        (wire::LABEL_KRO_VERSION, version_label(version)),
        (wire::LABEL_RGD_ID, definition.uid.clone()),
        (wire::LABEL_RGD_NAME, definition.name.clone()),
    ]
}

/// True when the instance has its finalizer and labels. A label of another version of kro is good enough: rewriting
/// all instances because the controller was upgraded helps nobody.
pub fn is_marked(instance: &Value, definition: &Definition) -> bool {
    let labels = instance_labels(definition, "");
    let labelled = labels.iter().all(|(key, wanted)| match object::label(instance, key) {
        Some(value) => *key == wire::LABEL_KRO_VERSION || value == wanted,
        None => false,
    });
    labelled && object::has_finalizer(instance, wire::FINALIZER)
}

/// The body of the server-side apply that marks an instance: finalizer, labels and an inventory. Always all of them,
/// so that one concern does not drop the other's ownership.
pub fn mark_instance(instance: &Value, labels: &[(&'static str, Str)], inventory: &Inventory, version: &str) -> Value {
    let id = applyset_id_of(instance);
    let mut body = apply_head(instance);
    let labels = labels.iter().map(|(key, value)| (*key, Value::String(value.clone())));
    body.set_at(&["metadata", "labels"], Value::map(labels));
    body.set_at(&["metadata", "labels", wire::LABEL_APPLYSET_ID], Value::String(id.clone()));
    body.set_at(&["metadata", "annotations"], Value::map(inventory.annotations(&id, version)));
    body.set_at(&["metadata", "finalizers"], Value::list([Value::from(wire::FINALIZER)]));
    body
}

/// The body of the server-side apply that writes an inventory.
pub fn inventory_body(instance: &Value, inventory: &Inventory, version: &str) -> Value {
    let id = applyset_id_of(instance);
    let mut body = apply_head(instance);
    body.set_at(&["metadata", "labels", wire::LABEL_APPLYSET_ID], Value::String(id.clone()));
    body.set_at(&["metadata", "annotations"], Value::map(inventory.annotations(&id, version)));
    body
}

/// `apiVersion`, `kind`, name, namespace (absent when cluster-scoped) of an instance. The UID makes sure that a
/// recreated instance is never meant.
fn apply_head(instance: &Value) -> Value {
    let mut body = Value::map([("apiVersion", Value::Null)]);
    for key in ["apiVersion", "kind"] {
        body.set_at(&[key], instance.at(&[key]).cloned().unwrap_or_default());
    }
    for key in ["name", "namespace", "uid"] {
        if let Some(value) = instance.at(&["metadata", key]) {
            body.set_at(&["metadata", key], value.clone());
        }
    }
    body
}

/// True for an instance that its user suspended.
pub fn is_suspended(instance: &Value) -> bool {
    object::annotation(instance, wire::ANNOTATION_RECONCILE)
        .is_some_and(|value| value.eq_ignore_ascii_case("suspended") || value.eq_ignore_ascii_case("disabled"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_become_label_values() {
        for (version, expected) in [
            ("v1.2.3", "v1.2.3"),
            ("v0.9.3+dirty.4", "v0.9.3-dirty.4"),
            ("devel", "devel"),
            ("", "devel"),
            ("(x)", "devel"),
        ] {
            assert_eq!(version_label(version), expected, "{version}");
        }
    }

    fn owner(namespace: &str) -> Owner {
        let json = format!(
            r#"{{"apiVersion":"kro.run/v1","kind":"WebApp","metadata":{{"name":"web","namespace":"{namespace}","uid":"u"}}}}"#
        );
        Owner::of(&kro_value::from_json(&json).unwrap(), "v1+x").unwrap()
    }

    #[test]
    fn children_carry_all_marks_and_keep_their_own() {
        let mut child = kro_value::from_json(
            r#"{"metadata":{"name":"c","labels":{"app":"x","kro.run/owned":"no","n":1,"nil":null},"annotations":{"a":"b"}}}"#,
        )
        .unwrap();
        let place = Place { node_id: &"cells".into(), wave: 3, item: Some((1, 4)) };
        assert_eq!(mark_child(&mut child, &owner("default"), place), ["n"]);
        let id = applyset_id_of(
            &kro_value::from_json(
                r#"{"apiVersion":"kro.run/v1","kind":"WebApp","metadata":{"name":"web","namespace":"default"}}"#,
            )
            .unwrap(),
        );
        let expected = format!(
            concat!(
                r#"{{"metadata":{{"annotations":{{"a":"b","internal.kro.run/apply-order":"3"}},"labels":{{"app":"x","#,
                r#""app.kubernetes.io/managed-by":"kro","applyset.kubernetes.io/part-of":"{}","kro.run/collection-index":"1","#,
                r#""kro.run/collection-size":"4","kro.run/instance-group":"kro.run","kro.run/instance-id":"u","#,
                r#""kro.run/instance-kind":"WebApp","kro.run/instance-name":"web","kro.run/instance-namespace":"default","#,
                r#""kro.run/instance-version":"v1","kro.run/kro-version":"v1-x","kro.run/node-id":"cells","kro.run/owned":"true","#,
                r#""nil":""}},"name":"c"}}}}"#
            ),
            id
        );
        assert_eq!(child.to_string(), expected);
    }

    #[test]
    fn children_of_cluster_scoped_instances_name_no_namespace() {
        let mut child = Value::Null;
        mark_child(&mut child, &owner(""), Place { node_id: &"a".into(), wave: 1, item: None });
        assert_eq!(object::label(&child, wire::LABEL_INSTANCE_NAMESPACE), None);
    }

    #[test]
    fn long_names_still_fit_a_label() {
        let name: Str = "a".repeat(100).into();
        let label = instance_name_label(&name);
        assert_eq!(label.len(), 63);
        assert!(is_label_value(&label));
    }

    #[test]
    fn an_instance_is_marked_by_any_version() {
        let definition = Definition { name: "r".into(), uid: "u".into() };
        let mut instance =
            kro_value::from_json(r#"{"apiVersion":"kro.run/v1","kind":"A","metadata":{"name":"a","uid":"i"}}"#)
                .unwrap();
        assert!(!is_marked(&instance, &definition));
        let body = mark_instance(&instance, &instance_labels(&definition, "v1"), &Inventory::default(), "v1");
        assert!(body.at(&["metadata", "namespace"]).is_none());
        assert_eq!(object::uid(&body), "i");
        instance = body;
        assert!(is_marked(&instance, &definition));
        assert_eq!(Inventory::validate(&instance), Ok(Inventory::default()));
        instance.set_at(&["metadata", "labels", wire::LABEL_KRO_VERSION], Value::from("v0.9.3"));
        assert!(is_marked(&instance, &definition));
        instance.set_at(&["metadata", "labels", wire::LABEL_RGD_ID], Value::from("other"));
        assert!(!is_marked(&instance, &definition));
    }

    #[test]
    fn suspension_has_two_words_in_any_case() {
        for (value, expected) in
            [("suspended", true), ("Disabled", true), ("SUSPENDED", true), ("false", false), ("", false)]
        {
            let mut instance = Value::Null;
            instance.set_at(&["metadata", "annotations", wire::ANNOTATION_RECONCILE], Value::from(value));
            assert_eq!(is_suspended(&instance), expected, "{value}");
        }
    }
}
