//! GraphRevisions: names, bodies, and which of them count.

use kro_api::metadata as wire;
use kro_engine::marks::version_label;
use kro_engine::object;
use kro_graph::{Graph, Gvk};
use kro_value::{Str, Value, format_smolstr};

use crate::outbox::Resource;
use crate::watches::Watch;

/// Where GraphRevisions are served.
pub(crate) fn resource() -> Resource {
    Resource::new(kro_api::INTERNAL_GROUP, kro_api::VERSION, kro_api::GRAPH_REVISION_PLURAL)
}

/// Their kind.
pub(crate) fn gvk() -> Gvk {
    Gvk::new(kro_api::INTERNAL_GROUP, kro_api::VERSION, kro_api::GRAPH_REVISION_KIND)
}

/// The definition a revision belongs to: the name in its snapshot, empty when it has none.
pub(crate) fn lineage(revision: &Value) -> &str {
    revision.str_at(&["spec", "snapshot", "name"]).unwrap_or_default()
}

/// The number of a revision; 0 when it has none.
pub(crate) fn number(revision: &Value) -> i64 {
    revision.at(&["spec", "revision"]).and_then(Value::as_i64).unwrap_or_default()
}

/// All revisions of a definition, the newest first.
pub(crate) fn of_definition(watch: &Watch, name: &str) -> Vec<Value> {
    let mut revisions: Vec<Value> = watch
        .objects()
        .map(|observed| &observed.object)
        .filter(|revision| lineage(revision) == name)
        .cloned()
        .collect();
    revisions.sort_by_key(|revision| std::cmp::Reverse(number(revision)));
    revisions
}

/// `<rgd>-r<NNNNN>`; a name that would be too long is cut and carries a hash.
pub(crate) fn name(definition: &str, number: i64) -> Str {
    let plain = format_smolstr!("{definition}-r{number:05}");
    if plain.len() <= 253 {
        return plain;
    }
    let suffix = format!("-r{number:05}-{:08x}", fnv32(definition));
    let mut end = 253 - suffix.len();
    while !definition.is_char_boundary(end) {
        end -= 1;
    }
    let head = definition[..end].trim_end_matches(['.', '-']);
    format_smolstr!("{}{suffix}", if head.is_empty() { "gr" } else { head })
}

fn fnv32(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The one controller reference of a revision.
fn owner_reference(definition: &Value) -> Value {
    Value::map([
        ("apiVersion", Value::from(kro_api::RGD_API_VERSION)),
        ("kind", Value::from(kro_api::RGD_KIND)),
        ("name", Value::from(object::name(definition))),
        ("uid", Value::from(object::uid(definition))),
        ("controller", Value::Bool(true)),
    ])
}

/// A new revision of a definition. It has its finalizer from the start.
pub(crate) fn body(definition: &Value, graph: &Graph, number: i64, version: &str) -> Value {
    let name_of = object::name(definition);
    let labels = [
        (wire::LABEL_OWNED, Str::new_static("true")),
        (wire::LABEL_KRO_VERSION, version_label(version)),
        (wire::LABEL_RGD_NAME, name_of.into()),
        (wire::LABEL_REVISION_HASH, graph.spec_hash_text().into()),
    ];
    let metadata = Value::map([
        ("name", Value::String(name(name_of, number))),
        ("labels", Value::map(labels.map(|(key, value)| (key, Value::String(value))))),
        ("finalizers", Value::list([Value::from(wire::FINALIZER)])),
        ("ownerReferences", Value::list([owner_reference(definition)])),
    ]);
    let snapshot = Value::map([
        ("name", Value::from(name_of)),
        ("generation", Value::Int(object::generation(definition))),
        ("spec", definition.at(&["spec"]).cloned().unwrap_or_default()),
    ]);
    Value::map([
        ("apiVersion", Value::from(kro_api::GRAPH_REVISION_API_VERSION)),
        ("kind", Value::from(kro_api::GRAPH_REVISION_KIND)),
        ("metadata", metadata),
        ("spec", Value::map([("revision", Value::Int(number)), ("snapshot", snapshot)])),
    ])
}

/// True when the definition with this UID is the revision's controller.
pub(crate) fn is_owned(revision: &Value, definition: &Value) -> bool {
    let uid = object::uid(definition);
    owners(revision).iter().any(|owner| {
        owner.str_at(&["uid"]) == Some(uid)
            && owner.str_at(&["kind"]) == Some(kro_api::RGD_KIND)
            && owner.at(&["controller"]).and_then(Value::as_bool) == Some(true)
    })
}

fn owners(revision: &Value) -> &[Value] {
    revision.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default()
}

/// The owner references of an adopted revision: a reference to a definition is replaced in place, else one is added.
pub(crate) fn adopted_owners(revision: &Value, definition: &Value) -> Value {
    let mut list = owners(revision).to_vec();
    let is_definition = |owner: &Value| {
        owner.str_at(&["kind"]) == Some(kro_api::RGD_KIND)
            && owner.str_at(&["apiVersion"]) == Some(kro_api::RGD_API_VERSION)
    };
    match list.iter_mut().find(|owner| is_definition(owner)) {
        Some(owner) => *owner = owner_reference(definition),
        None => list.push(owner_reference(definition)),
    }
    Value::from(list)
}

/// A definition made of a revision's snapshot, to be compiled.
pub(crate) fn snapshot_definition(revision: &Value) -> Value {
    Value::map([
        ("apiVersion", Value::from(kro_api::RGD_API_VERSION)),
        ("kind", Value::from(kro_api::RGD_KIND)),
        ("metadata", Value::map([("name", Value::from(lineage(revision)))])),
        ("spec", revision.at(&["spec", "snapshot", "spec"]).cloned().unwrap_or_default()),
    ])
}

/// `status.topologicalOrder` and `status.resources` of a graph.
pub(crate) fn topology(graph: &Graph) -> (Value, Value) {
    let id = |index: &kro_graph::NodeIndex| Value::String(graph.node(*index).id.clone());
    let order = graph.topological_order.iter().map(id).collect();
    let with_dependencies = graph.topological_order.iter().filter(|index| !graph.node(**index).dependencies.is_empty());
    let entry = |index: &kro_graph::NodeIndex| {
        let mut dependencies: Vec<Value> = graph.node(*index).dependencies.iter().map(id).collect();
        dependencies.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
        let dependencies = dependencies.into_iter().map(|id| Value::map([("id", id)]));
        Value::map([("id", id(index)), ("dependencies", Value::list(dependencies))])
    };
    (order, with_dependencies.map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_a_padded_number_and_stay_legal() {
        assert_eq!(name("demo", 1), "demo-r00001");
        assert_eq!(name("demo", 100_000), "demo-r100000");
        assert_eq!(name(&"a".repeat(246), 1).len(), 253);
        let long = name(&"a".repeat(247), 1);
        assert_eq!(long.len(), 253);
        assert!(long.contains("-r00001-"));
        assert!(name(&".".repeat(300), 1).starts_with("gr-r00001-"));
    }

    #[test]
    fn adoption_replaces_the_reference_to_a_definition_in_place() {
        let definition = kro_value::from_json(r#"{"metadata":{"name":"a","uid":"new"}}"#).unwrap();
        let mut revision = kro_value::from_json(
            r#"{"metadata":{"ownerReferences":[{"apiVersion":"kro.run/v1alpha1","kind":"ResourceGraphDefinition","name":"a","uid":"old"},{"kind":"X"}]}}"#,
        )
        .unwrap();
        assert!(!is_owned(&revision, &definition));
        let owners = adopted_owners(&revision, &definition);
        assert_eq!(owners.as_list().unwrap().len(), 2);
        revision.set_at(&["metadata", "ownerReferences"], owners);
        assert!(is_owned(&revision, &definition));
    }
}
