//! Which members of an ApplySet to delete next: from their annotations alone, without graph and CEL.

use kro_api::metadata as wire;
use kro_value::Value;

use crate::object;

/// The deletion wave of a member: its `apply-order` annotation; 0 when that is missing, malformed, zero or negative.
pub fn wave(member: &Value) -> u32 {
    let order = object::annotation(member, wire::ANNOTATION_APPLY_ORDER).and_then(|text| text.parse::<i64>().ok());
    order.and_then(|order| u32::try_from(order).ok()).unwrap_or_default()
}

/// The members whose turn it is: those of the highest wave that still has any. Terminating ones count, so a finalizer
/// holds back all lower waves.
pub fn next_wave<'a>(members: &[&'a Value]) -> Vec<&'a Value> {
    let highest = members.iter().map(|member| wave(member)).max();
    members.iter().filter(|member| Some(wave(member)) == highest).copied().collect()
}

/// The retired objects that go next while pruning: first those of nodes that the graph does not know any more (all
/// at once), then wave by wave from the highest. Terminating ones are handled already and hold nothing back.
pub fn next_prune<'a>(candidates: &[&'a Value], is_known_node: impl Fn(&str) -> bool) -> Vec<&'a Value> {
    let is_known = |object: &&&'a Value| object::label(object, wire::LABEL_NODE_ID).is_some_and(&is_known_node);
    let live: Vec<&'a Value> = candidates.iter().filter(|object| !object::is_terminating(object)).copied().collect();
    let unknown: Vec<&'a Value> = live.iter().filter(|object| !is_known(object)).copied().collect();
    if unknown.is_empty() { next_wave(&live) } else { unknown }
}

/// What holds a terminating object: `Kind ns/name waits for finalizer "x"`, for the message of a deletion that does not
/// get on.
pub fn describe_holdup(member: &Value) -> String {
    let kind = member.str_at(&["kind"]).unwrap_or("object");
    let finalizers: Vec<&str> = object::finalizers(member).collect();
    let name = object::display_name(member);
    if finalizers.is_empty() {
        return format!("{kind} {name:?} is terminating");
    }
    let managers = finalizer_owners(member);
    let owner = if managers.is_empty() { String::new() } else { format!(", set by {}", managers.join(", ")) };
    let plural = if finalizers.len() == 1 { "finalizer" } else { "finalizers" };
    let list: Vec<String> = finalizers.iter().map(|finalizer| format!("{finalizer:?}")).collect();
    format!("{kind} {name:?} is held by {plural} {}{owner}", list.join(", "))
}

/// The field managers that own finalizers of an object.
fn finalizer_owners(member: &Value) -> Vec<String> {
    let entries = member.at(&["metadata", "managedFields"]).and_then(Value::as_list).unwrap_or_default();
    let owns = |entry: &&Value| entry.at(&["fieldsV1", "f:metadata", "f:finalizers"]).is_some();
    let mut managers: Vec<String> =
        entries.iter().filter(owns).filter_map(|entry| entry.str_at(&["manager"])).map(str::to_owned).collect();
    managers.dedup();
    managers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, order: Option<&str>, node: Option<&str>) -> Value {
        let mut object = Value::Null;
        object.set_at(&["kind"], Value::from("ConfigMap"));
        object.set_at(&["metadata", "name"], Value::from(name));
        if let Some(order) = order {
            object.set_at(&["metadata", "annotations", wire::ANNOTATION_APPLY_ORDER], Value::from(order));
        }
        if let Some(node) = node {
            object.set_at(&["metadata", "labels", wire::LABEL_NODE_ID], Value::from(node));
        }
        object
    }

    fn names(objects: &[&Value]) -> Vec<String> {
        objects.iter().map(|object| object::name(object).to_owned()).collect()
    }

    #[test]
    fn malformed_orders_are_wave_zero() {
        for (order, expected) in [
            (Some("3"), 3),
            (Some("0"), 0),
            (Some("-2"), 0),
            (Some("x"), 0),
            (Some(""), 0),
            (None, 0),
            (Some("99999999999"), 0),
        ] {
            assert_eq!(wave(&member("a", order, None)), expected, "{order:?}");
        }
    }

    #[test]
    fn the_highest_wave_goes_first_and_holds_the_others() {
        let objects = [
            member("a", Some("1"), None),
            member("b", Some("2"), None),
            member("c", Some("2"), None),
            member("d", None, None),
        ];
        let all: Vec<&Value> = objects.iter().collect();
        assert_eq!(names(&next_wave(&all)), ["b", "c"]);
        assert_eq!(names(&next_wave(&[all[0], all[3]])), ["a"]);
        assert_eq!(names(&next_wave(&[all[3]])), ["d"]);
        assert!(next_wave(&[]).is_empty());
    }

    #[test]
    fn pruning_begins_with_unknown_nodes_and_skips_terminating_ones() {
        let mut objects = [
            member("a", Some("2"), Some("known")),
            member("b", Some("1"), Some("known")),
            member("c", Some("1"), Some("gone")),
            member("d", Some("1"), None),
        ];
        let known = |id: &str| id == "known";
        assert_eq!(names(&next_prune(&objects.iter().collect::<Vec<_>>(), known)), ["c", "d"]);
        for object in &mut objects[2..] {
            object.set_at(&["metadata", "deletionTimestamp"], Value::from("2026-01-01T00:00:00Z"));
        }
        assert_eq!(names(&next_prune(&objects.iter().collect::<Vec<_>>(), known)), ["a"]);
    }

    #[test]
    fn a_held_object_is_described_with_its_finalizer_and_who_set_it() {
        let mut object = member("a", None, None);
        object.set_at(&["metadata", "namespace"], Value::from("n"));
        assert_eq!(describe_holdup(&object), "ConfigMap \"n/a\" is terminating");
        let more = r#"{"finalizers":["x.io/y"],"managedFields":[{"manager":"team","fieldsV1":{"f:metadata":{"f:finalizers":{}}}}]}"#;
        for (key, value) in kro_value::from_json(more).unwrap().as_map().unwrap() {
            object.set_at(&["metadata", key], value.clone());
        }
        assert_eq!(describe_holdup(&object), "ConfigMap \"n/a\" is held by finalizer \"x.io/y\", set by team");
    }
}
