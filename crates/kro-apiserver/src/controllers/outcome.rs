//! Annotations that change what happens to an object in the simulated cluster, for demonstrations and tests.

use std::time::Duration;

use kro_value::{Value, from_json};

use super::delays::parse_duration;
use super::object;

/// How long the object's next step takes, such as `5s`, in place of the usual delay.
pub const DELAY_ANNOTATION: &str = "sim.kro.run/delay";
/// `fail`, `never` or `crash`.
pub const OUTCOME_ANNOTATION: &str = "sim.kro.run/outcome";
/// JSON that is merged into the status of the object, in place of what the controller would write at the end.
pub const STATUS_ANNOTATION: &str = "sim.kro.run/status";

/// How a thing ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should.
    #[default]
    Succeed,
    /// The Pod of a Job fails; any other cannot pull its image.
    Fail,
    /// It stays as it is.
    Never,
    /// Containers start and crash.
    Crash,
}

/// The outcome that the first of these objects asks for.
pub(super) fn outcome(objects: &[&Value]) -> Outcome {
    match objects.iter().find_map(|object| object::annotation(object, OUTCOME_ANNOTATION)) {
        Some("fail") => Outcome::Fail,
        Some("never") => Outcome::Never,
        Some("crash") => Outcome::Crash,
        _ => Outcome::Succeed,
    }
}

/// The delay that the first of these objects asks for, or the usual one.
pub(super) fn delay(objects: &[&Value], usual: Duration) -> Duration {
    let asked = objects.iter().find_map(|object| object::annotation(object, DELAY_ANNOTATION));
    asked.and_then(parse_duration).unwrap_or(usual)
}

/// A status with what the object asks for merged in.
pub(super) fn with_asked_status(object: &Value, mut status: Value) -> Value {
    let asked = object::annotation(object, STATUS_ANNOTATION).and_then(|text| from_json(text).ok());
    if let Some(asked) = asked.filter(|asked| asked.as_map().is_some()) {
        merge(&mut status, &asked);
    }
    status
}

/// Merges a patch as RFC 7386 says: maps merge, null removes, everything else replaces.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_map() else {
        *target = patch.clone();
        return;
    };
    let target = target.ensure_map();
    for (key, item) in patch {
        if item.is_null() {
            target.remove(key);
        } else {
            merge(target.entry_or_null(key), item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_merges() {
        let cases = [
            (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":null,"d":3}}"#, r#"{"a":{"c":2,"d":3}}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[3]}"#, r#"{"a":[3]}"#),
            (r#"{"a":1}"#, r#"{"a":{"b":null,"c":1}}"#, r#"{"a":{"c":1}}"#),
        ];
        for (target, patch, merged) in cases {
            let mut value = from_json(target).unwrap();
            merge(&mut value, &from_json(patch).unwrap());
            assert_eq!(value.to_string(), merged);
        }
    }

    #[test]
    fn annotations_decide_in_order() {
        let object = |key: &str, text: &str| super::super::value!({ "metadata": { "annotations": { key: text } } });
        let (fail, crash) = (object(OUTCOME_ANNOTATION, "fail"), object(OUTCOME_ANNOTATION, "crash"));
        assert_eq!(outcome(&[&Value::Null, &fail, &crash]), Outcome::Fail);
        assert_eq!(outcome(&[&object(OUTCOME_ANNOTATION, "other")]), Outcome::Succeed);
        let usual = Duration::from_secs(1);
        assert_eq!(delay(&[&object(DELAY_ANNOTATION, "5s")], usual), Duration::from_secs(5));
        assert_eq!(delay(&[&object(DELAY_ANNOTATION, "soon")], usual), usual);
    }
}
