//! Events: stored as core objects, and seen through two groups.

use kro_value::{Str, Value};

use crate::Resource;

/// Members that have another name in the group events.k8s.io: core, then the other.
const NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("source", "deprecatedSource"),
    ("reportingComponent", "reportingController"),
];

/// True for the resource that shows core events.
pub(super) fn is_view(resource: &Resource) -> bool {
    resource.id.is("events.k8s.io", "events")
}

pub(super) fn from_core(event: &mut Value) {
    rename(event, |(core, other)| (core, other));
    event.set_at(&["apiVersion"], "events.k8s.io/v1".into());
    // The core type always writes these texts, the other never when they are empty.
    for key in ["reportingController", "reportingInstance", "reason", "note", "action", "type"] {
        if event.str_at(&[key]) == Some("") {
            event.remove_at(&[key]);
        }
    }
}

pub(super) fn to_core(event: &mut Value) {
    rename(event, |(core, other)| (other, core));
    event.set_at(&["apiVersion"], "v1".into());
    for key in ["reportingComponent", "reportingInstance"] {
        if event.get(key).is_none() {
            event.set_at(&[key], "".into());
        }
    }
}

fn rename(event: &mut Value, direction: impl Fn((&'static str, &'static str)) -> (&'static str, &'static str)) {
    for names in NAMES {
        let (from, to) = direction(*names);
        if let Some(value) = event.remove_at(&[from]) {
            event.set_at(&[to], value);
        }
    }
}

/// The core label that a field selector of the other group means.
pub(crate) fn core_label(label: &str) -> Str {
    match label.strip_prefix("regarding.") {
        Some(rest) => kro_value::format_smolstr!("involvedObject.{rest}"),
        None if label == "reportingController" => Str::new_static("reportingComponent"),
        None => Str::new(label),
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    #[test]
    fn there_and_back() {
        let core = r#"{"apiVersion":"v1","count":2,"involvedObject":{"name":"p"},"message":"m","reportingComponent":"c",
            "reportingInstance":"i","source":{"component":"s"}}"#;
        let mut event = from_json(core).unwrap();
        from_core(&mut event);
        assert_eq!(event.str_at(&["regarding", "name"]), Some("p"));
        assert_eq!(event.get("deprecatedCount"), Some(&Value::Int(2)));
        to_core(&mut event);
        assert_eq!(event, from_json(core).unwrap());
        assert_eq!(core_label("regarding.name"), "involvedObject.name");
    }
}
