//! Fields that the API server does not let change.

use kro_value::{Str, Value};

/// How servers say it.
const PHRASES: [&str; 7] = [
    "immutable",
    "may not be changed",
    "may not change",
    "cannot be changed",
    "cannot be updated",
    "forbidden after creation",
    "updates to ",
];

/// The first field that a refusal names as one that cannot be changed; `None` for any other refusal.
pub(crate) fn field_of(status: &Value) -> Option<Str> {
    let causes = status.at(&["details", "causes"]).and_then(Value::as_list).unwrap_or_default();
    let is_it = |cause: &&Value| {
        let message = cause.str_at(&["message"]).unwrap_or_default().to_ascii_lowercase();
        PHRASES.iter().any(|phrase| message.contains(phrase))
    };
    let field = causes.iter().find(is_it)?.str_at(&["field"]).filter(|field| !field.is_empty());
    Some(Str::new(field.unwrap_or("spec")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_named_whatever_the_words() {
        for (message, field, expected) in [
            ("Invalid value: {}: field is immutable", "spec.selector", Some("spec.selector")),
            ("Forbidden: spec is immutable after creation except resources.requests", "spec", Some("spec")),
            ("Invalid value: \"\": may not change once set", "spec.clusterIPs[0]", Some("spec.clusterIPs[0]")),
            ("Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden", "", Some("spec")),
            ("Required value", "spec.name", None),
        ] {
            let cause = Value::map([("message", Value::from(message)), ("field", Value::from(field))]);
            let status = Value::map([("details", Value::map([("causes", Value::list([cause]))]))]);
            assert_eq!(field_of(&status).as_deref(), expected, "{message}");
        }
        assert_eq!(field_of(&Value::Null), None);
    }
}
