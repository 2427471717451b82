//! What is kept of a live object in memory: ten thousand instances must not cost more than what is read of them.

use kro_api::metadata as wire;
use kro_graph::Reads;
use kro_value::{Map, Segment, Str, Value};

/// Fields of `metadata` that pruning, deletion and messages need.
const METADATA: [&str; 7] =
    ["deletionTimestamp", "finalizers", "managedFields", "name", "namespace", "resourceVersion", "uid"];
/// Labels that say whose object it is.
const LABELS: [&str; 6] = [
    wire::LABEL_APPLYSET_PART_OF,
    wire::LABEL_INSTANCE_KIND,
    wire::LABEL_INSTANCE_NAME,
    wire::LABEL_INSTANCE_NAMESPACE,
    wire::LABEL_NODE_ID,
    wire::LABEL_OWNED,
];

/// Lets all objects share the names of our own labels and annotations instead of a copy each.
pub(crate) fn share_names(object: &mut Value) {
    for place in ["labels", "annotations"] {
        if object.at(&["metadata", place]).and_then(Value::as_map).is_none() {
            continue;
        }
        let marks = object.ensure_map().entry_or_null("metadata").ensure_map().entry_or_null(place).ensure_map();
        *marks = std::mem::take(marks).into_iter().map(|(name, value)| (shared(name), value)).collect();
    }
}

fn shared(name: Str) -> Str {
    let known = || wire::LABELS_AND_ANNOTATIONS.iter().find(|known| **known == name.as_str());
    // Short texts are held in place.
    let known = if name.is_heap_allocated() { known() } else { None };
    known.map_or(name, |known| Str::new_static(known))
}

/// The object with nothing but its identity, its marks and what is read of it.
pub(crate) fn trim(object: &Value, reads: &Reads) -> Value {
    let Reads::Paths(paths) = reads else {
        return object.clone();
    };
    let mut kept = Value::Map(Map::new());
    for key in ["apiVersion", "kind"] {
        keep(object, &mut kept, &[key]);
    }
    METADATA.iter().for_each(|key| keep(object, &mut kept, &["metadata", key]));
    LABELS.iter().for_each(|key| keep(object, &mut kept, &["metadata", "labels", key]));
    keep(object, &mut kept, &["metadata", "annotations", wire::ANNOTATION_APPLY_ORDER]);
    paths.iter().for_each(|path| keep_path(object, &mut kept, path.segments()));
    kept
}

fn keep(object: &Value, kept: &mut Value, path: &[&'static str]) {
    if let Some(value) = object.at(path) {
        let (last, parents) = path.split_last().unwrap_or((&"", &[]));
        let place = parents.iter().fold(kept, |place, key| child(place, Str::new_static(key)));
        place.ensure_map().insert(Str::new_static(last), value.clone());
    }
}

/// Copies what is at a path. A list is kept as a whole.
fn keep_path(object: &Value, kept: &mut Value, path: &[Segment]) {
    match path.split_first() {
        Some((Segment::Field(name), rest)) if object.as_map().is_some() => {
            // Also an empty map is there: what is below it is missing, not the map.
            kept.ensure_map();
            if let Some(value) = object.get(name) {
                keep_path(value, child(kept, name.clone()), rest);
            }
        }
        _ => *kept = object.clone(),
    }
}

fn child(place: &mut Value, key: Str) -> &mut Value {
    let map = place.ensure_map();
    if !map.contains_key(&key) {
        map.insert(key.clone(), Value::Null);
    }
    map.entry_or_null(&key)
}

/// True when everything that `wanted` names is kept.
pub(crate) fn covers(kept: &Reads, wanted: &Reads) -> bool {
    match (kept, wanted) {
        (Reads::Everything, _) => true,
        (Reads::Paths(_), Reads::Everything) => false,
        (Reads::Paths(kept), Reads::Paths(wanted)) => {
            wanted.iter().all(|path| kept.iter().any(|above| path.starts_with(above)))
        }
    }
}

/// Equal but for the version.
pub(crate) fn is_same(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (left.as_map(), right.as_map()) else {
        return false;
    };
    let same = |(one, other): ((&Str, &Value), (&Str, &Value))| {
        one.0 == other.0 && if one.0 == "metadata" { is_same_metadata(one.1, other.1) } else { one.1 == other.1 }
    };
    left.len() == right.len() && left.iter().zip(right.iter()).all(same)
}

fn is_same_metadata(left: &Value, right: &Value) -> bool {
    let matters = |value: &Value| -> Map {
        let mut map = value.as_map().cloned().unwrap_or_default();
        map.retain(|key, _| key != "resourceVersion");
        map
    };
    matters(left) == matters(right)
}

/// Of an object that is held by finalizers: who set them, as the `managedFields` that say so.
pub(crate) fn finalizer_entries(object: &Value) -> Option<Value> {
    if !crate::object::is_terminating(object) {
        return None;
    }
    let entries = object.at(&["metadata", "managedFields"]).and_then(Value::as_list)?;
    let finalizers = |entry: &Value| Some(entry.at(&["fieldsV1", "f:metadata", "f:finalizers"])?.clone());
    let short = |entry: &Value| {
        let fields = Value::map([("f:metadata", Value::map([("f:finalizers", finalizers(entry)?)]))]);
        let manager = entry.get("manager").cloned().unwrap_or_default();
        Some(Value::map([("manager", manager), ("fieldsV1", fields)]))
    };
    Some(entries.iter().filter_map(short).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        kro_value::from_json(text).unwrap()
    }

    fn live() -> Value {
        json(
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7",
            "creationTimestamp":"t","labels":{"kro.run/node-id":"x","team":"a"},"annotations":{"big":"text","internal.kro.run/apply-order":"1"}},
            "data":{"read":"1","other":"2"},"status":{"list":[{"a":1}],"more":{}}}"#,
        )
    }

    fn reads(paths: &[&[&str]]) -> Reads {
        let path = |names: &&[&str]| names.iter().map(|name| Segment::Field((*name).into())).collect();
        Reads::Paths(paths.iter().map(path).collect())
    }

    #[test]
    fn identity_marks_and_what_is_read_stay() {
        let with_index = Reads::Paths(vec![
            [Segment::Field("data".into()), Segment::Field("read".into())].into_iter().collect(),
            [Segment::Field("status".into()), Segment::Field("list".into()), Segment::Index(0)].into_iter().collect(),
            [Segment::Field("nowhere".into())].into_iter().collect(),
        ]);
        let expected = json(
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7",
            "labels":{"kro.run/node-id":"x"},"annotations":{"internal.kro.run/apply-order":"1"}},
            "data":{"read":"1"},"status":{"list":[{"a":1}]}}"#,
        );
        assert_eq!(trim(&live(), &with_index), expected);
        assert_eq!(trim(&live(), &Reads::Everything), live());
    }

    #[test]
    fn only_news_count_as_a_change() {
        let all = trim(&live(), &reads(&[&["data", "read"]]));
        for (path, value, is_news) in [
            (&["metadata", "resourceVersion"][..], "8", false),
            (&["metadata", "labels", "team"], "b", false),
            (&["data", "other"], "3", false),
            (&["data", "read"], "3", true),
            (&["metadata", "deletionTimestamp"], "t", true),
            (&["metadata", "labels", "kro.run/node-id"], "y", true),
        ] {
            let mut newer = live();
            newer.set_at(path, Value::from(value));
            let newer = trim(&newer, &reads(&[&["data", "read"]]));
            assert_eq!(!is_same(&all, &newer), is_news, "{path:?}");
        }
    }

    #[test]
    fn long_names_of_our_marks_are_shared() {
        let mut object = live();
        let marks =
            Value::map([(wire::LABEL_RGD_NAME.to_owned(), Value::from("a")), ("x".repeat(40), Value::from("b"))]);
        object.set_at(&["metadata", "annotations"], marks.clone());
        let before = object.clone();
        share_names(&mut object);
        assert_eq!(object, before);
        let annotations = object.at(&["metadata", "annotations"]).and_then(Value::as_map).unwrap();
        let is_allocated: Vec<bool> = annotations.keys().map(Str::is_heap_allocated).collect();
        assert_eq!(is_allocated, [false, true]);
    }

    #[test]
    fn what_was_dropped_is_missed() {
        let kept = reads(&[&["data"], &["status", "list"]]);
        assert!(covers(&kept, &reads(&[&["data", "x"], &["status", "list", "y"]])));
        assert!(!covers(&kept, &reads(&[&["status"]])));
        assert!(!covers(&kept, &Reads::Everything));
        assert!(covers(&Reads::Everything, &kept));
    }

    #[test]
    fn who_set_a_finalizer_is_kept_while_it_holds() {
        let mut object = live();
        let entries = r#"[{"manager":"team","fieldsV1":{"f:metadata":{"f:finalizers":{".":{}},"f:labels":{}}}},{"manager":"other","fieldsV1":{"f:data":{}}}]"#;
        object.set_at(&["metadata", "managedFields"], json(entries));
        assert_eq!(finalizer_entries(&object), None);
        object.set_at(&["metadata", "deletionTimestamp"], Value::from("t"));
        let kept = finalizer_entries(&object).unwrap();
        assert_eq!(kept.as_list().map(<[Value]>::len), Some(1));
        assert_eq!(kept.as_list().unwrap()[0].str_at(&["manager"]), Some("team"));
    }
}
