//! Laws that hold for every set and every object.

use kro_apimachinery::fieldset::{Path, PathElement, Set};
use kro_apimachinery::managedfields::{FieldFilter, Request, Versions, apply, update};
use kro_apimachinery::typed::{Duplicates, Type, check, compare, field_set, merge, remove, with_named_fields};
use kro_schema::structural::Schema;
use kro_value::{Value, from_json};
use proptest::prelude::*;

const SCHEMA: &str = r#"{"type":"object","properties":{"spec":{"type":"object","properties":{
    "text":{"type":"string"},
    "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
    "whole":{"type":"object","x-kubernetes-map-type":"atomic","additionalProperties":{"type":"string"}},
    "tags":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
    "plain":{"type":"array","items":{"type":"string"}},
    "parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name","proto"],"items":{"type":"object",
        "properties":{"name":{"type":"string"},"proto":{"type":"string","default":"TCP"},"value":{"type":"integer"},
            "labels":{"type":"object","additionalProperties":{"type":"string"}}}}}}}}}"#;

fn kind() -> Type {
    Type::from_custom_resource_schema(&Schema::from_json(&from_json(SCHEMA).unwrap()))
}

fn word() -> impl Strategy<Value = String> {
    "[abc]"
}

fn texts() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(word(), word().prop_map(Value::from), 0..3).prop_map(Value::map)
}

fn free() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..3_i64).prop_map(Value::Int), word().prop_map(Value::from)];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..3).prop_map(Value::map),
        ]
    })
}

fn part() -> impl Strategy<Value = Value> {
    (prop::option::of(word()), prop::option::of(0..3_i64), prop::option::of(texts())).prop_map(
        |(proto, value, labels)| {
            let fields = [("proto", proto.map(Value::from)), ("value", value.map(Value::Int)), ("labels", labels)];
            Value::map(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
        },
    )
}

/// Parts with distinct names.
fn parts() -> impl Strategy<Value = Value> {
    let named = prop::collection::btree_map(word(), part(), 0..4).prop_shuffle_entries();
    named.prop_map(|parts| {
        let parts = parts.into_iter().map(|(name, mut part)| {
            part.set_at(&["name"], name.into());
            part
        });
        parts.collect()
    })
}

trait ShuffleEntries<K, V> {
    fn prop_shuffle_entries(self) -> BoxedStrategy<Vec<(K, V)>>;
}

impl<K, V, S> ShuffleEntries<K, V> for S
where
    K: Clone + Ord + std::fmt::Debug + 'static,
    V: Clone + std::fmt::Debug + 'static,
    S: Strategy<Value = std::collections::BTreeMap<K, V>> + 'static,
{
    fn prop_shuffle_entries(self) -> BoxedStrategy<Vec<(K, V)>> {
        self.prop_map(|map| map.into_iter().collect::<Vec<_>>()).prop_shuffle().boxed()
    }
}

fn tags() -> impl Strategy<Value = Value> {
    let words = prop::collection::btree_set(word(), 0..3).prop_map(|words| words.into_iter().collect::<Vec<_>>());
    words.prop_shuffle().prop_map(|words| words.into_iter().map(Value::from).collect())
}

fn spec() -> impl Strategy<Value = Value> {
    let fields = (
        prop::option::of(word().prop_map(Value::from)),
        prop::option::of(prop::collection::btree_map(word(), free(), 0..3).prop_map(Value::map)),
        prop::option::of(texts()),
        prop::option::of(tags()),
        prop::option::of(prop::collection::vec(word().prop_map(Value::from), 0..3).prop_map(Value::from)),
        prop::option::of(parts()),
    );
    fields.prop_map(|(text, free, whole, tags, plain, parts)| {
        let fields =
            [("text", text), ("free", free), ("whole", whole), ("tags", tags), ("plain", plain), ("parts", parts)];
        Value::map(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
    })
}

fn object() -> impl Strategy<Value = Value> {
    spec().prop_map(|spec| {
        let mut object = from_json(r#"{"apiVersion":"g/v1","kind":"K","metadata":{"name":"n"}}"#).unwrap();
        object.set_at(&["spec"], spec);
        object
    })
}

/// Without nulls and empty containers, whose ownership is a matter of its own.
fn solid(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::List(items) if items.is_empty() => None,
        Value::List(items) => Some(items.iter().filter_map(solid).collect()),
        Value::Map(map) => {
            let entries: Vec<_> = map.iter().filter_map(|(key, value)| Some((key.clone(), solid(value)?))).collect();
            (!entries.is_empty()).then(|| Value::map(entries))
        }
        scalar => Some(scalar.clone()),
    }
}

fn element() -> impl Strategy<Value = PathElement> {
    prop_oneof![
        word().prop_map(PathElement::field),
        word().prop_map(|name| PathElement::key([("name".into(), Value::from(name))])),
        (0..3_i64).prop_map(|value| PathElement::Value(Value::Int(value))),
        (0..3_i64).prop_map(PathElement::Index),
    ]
}

fn set() -> impl Strategy<Value = Set> {
    prop::collection::vec(prop::collection::vec(element(), 1..4), 0..8)
        .prop_map(|paths: Vec<Path>| Set::of(paths.iter().map(Vec::as_slice)))
}

struct One(Type);

impl Versions for One {
    fn type_at(&self, _: &str) -> Option<Type> {
        Some(self.0.clone())
    }

    fn filter_at(&self, _: &str) -> FieldFilter {
        FieldFilter::All
    }
}

fn request<'a>(versions: &'a One, manager: &'a str, now: &'a str) -> Request<'a> {
    Request { versions, api_version: "g/v1", kind: "K", manager, subresource: "", now }
}

const NOW: &str = "2026-01-01T00:00:00Z";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn sets_survive_the_wire(set in set()) {
        prop_assert_eq!(Set::decode(&set.encode()).unwrap(), set);
    }

    #[test]
    fn sets_obey_their_algebra(left in set(), right in set()) {
        let union = left.union(&right);
        prop_assert_eq!(&union, &right.union(&left));
        prop_assert_eq!(left.intersection(&right), right.intersection(&left));
        prop_assert_eq!(left.union(&left), left.clone());
        prop_assert_eq!(left.intersection(&left), left.clone());
        prop_assert!(left.difference(&left).is_empty());
        prop_assert_eq!(left.difference(&right).union(&left.intersection(&right)), left.clone());
        prop_assert_eq!(union.len() + left.intersection(&right).len(), left.len() + right.len());
        for path in union.paths() {
            prop_assert_eq!(left.contains(&path) && !right.contains(&path), left.difference(&right).contains(&path));
            let is_covered = (1..=path.len()).any(|end| right.contains(&path[..end]));
            prop_assert_eq!(left.contains(&path) && !is_covered, left.recursive_difference(&right).contains(&path));
        }
    }

    #[test]
    fn comparing_is_even_handed(left in object(), right in object()) {
        let kind = kind();
        prop_assert!(compare(&kind, &left, &left).is_same());
        let (there, back) = (compare(&kind, &left, &right), compare(&kind, &right, &left));
        prop_assert_eq!(there.added, back.removed);
        prop_assert_eq!(there.removed, back.added);
        prop_assert_eq!(there.modified, back.modified);
    }

    #[test]
    fn the_order_of_merged_lists_does_not_matter(object in object()) {
        let mut reversed = object.clone();
        for name in ["parts", "tags"] {
            if let Some(items) = object.at(&["spec", name]).and_then(Value::as_list) {
                reversed.set_at(&["spec", name], items.iter().rev().cloned().collect());
            }
        }
        prop_assert!(compare(&kind(), &object, &reversed).is_same());
    }

    #[test]
    fn merging_adds_and_never_removes(live in object(), applied in object()) {
        let kind = kind();
        let mut live = live;
        live.remove_at(&["spec", "free"]); // where a value may change its kind, what was inside goes
        let merged = merge(&kind, &live, &applied);
        prop_assert!(check(&kind, &merged, Duplicates::Refused).is_empty());
        prop_assert_eq!(merge(&kind, &live, &live), live.clone());
        prop_assert_eq!(merge(&kind, &merged, &applied), merged.clone());
        prop_assert!(compare(&kind, &live, &merged).removed.is_empty());
        let missing = field_set(&kind, &applied).difference(&field_set(&kind, &merged));
        // An empty or null container owns its path only while it is empty.
        prop_assert!(missing.paths().iter().all(|path| compare(&kind, &applied, &merged).added.paths().iter().any(
            |added| added.starts_with(path))), "{missing:?}");
    }

    #[test]
    fn removing_everything_owned_leaves_no_leaf(object in object()) {
        let kind = kind();
        let owned = with_named_fields(&kind, &field_set(&kind, &object));
        let rest = remove(&kind, &object, &owned);
        prop_assert!(field_set(&kind, &rest).intersection(&owned).is_empty());
    }

    #[test]
    fn applying_twice_is_applying_once(live in object(), applied in object()) {
        let versions = One(kind());
        let live = update(None, &live, &request(&versions, "maker", NOW));
        let first = apply(Some(&live), &applied, &request(&versions, "alice", NOW), true).unwrap();
        let later = request(&versions, "alice", "2027-01-01T00:00:00Z");
        let second = apply(Some(&first.object), &applied, &later, false).unwrap();
        prop_assert!(second.unchanged);
        prop_assert_eq!(second.object, first.object);
    }

    #[test]
    fn an_applier_alone_gets_what_it_applies(first in object(), second in object()) {
        let versions = One(kind());
        let request = request(&versions, "alice", NOW);
        let (first, second) = (solid(&first).unwrap(), solid(&second).unwrap());
        let stored = apply(None, &first, &request, false).unwrap().object;
        let stored = apply(Some(&stored), &second, &request, false).unwrap().object;
        let mut bare = stored.clone();
        bare.remove_at(&["metadata", "managedFields"]);
        let changes = compare(&versions.0, &second, &bare);
        prop_assert!(changes.is_same(), "{changes:?}");
    }

    #[test]
    fn what_two_want_differently_is_a_conflict(live in object(), applied in object()) {
        let versions = One(kind());
        let stored = apply(None, &live, &request(&versions, "alice", NOW), false).unwrap().object;
        let outcome = apply(Some(&stored), &applied, &request(&versions, "bob", NOW), false);
        let changes = compare(&versions.0, &live, &merge(&versions.0, &live, &applied));
        let contested = field_set(&versions.0, &live).intersection(&changes.modified.union(&changes.added));
        prop_assert_eq!(outcome.is_err(), !contested.is_empty(), "{:?}", contested);
    }
}
