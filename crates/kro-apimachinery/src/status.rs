use std::fmt;

use kro_value::{Str, Value};

use crate::FieldError;

/// One finding inside a [`Status`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// Machine readable: `FieldValueInvalid`, `FieldManagerConflict`; empty when there is none.
    pub reason: Str,
    /// For people.
    pub message: String,
    /// The field it is about; empty when it is about none.
    pub field: String,
}

/// What a [`Status`] is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Name of the object.
    pub name: Str,
    /// Its API group.
    pub group: Str,
    /// Its resource (the plural) in most errors, its kind in validation errors.
    pub kind: Str,
    /// Its uid, in the answer to a DELETE.
    pub uid: Str,
    /// Findings, in order.
    pub causes: Vec<Cause>,
    /// 0 when the client should not simply try again.
    pub retry_after_seconds: u32,
}

/// The answer of a Kubernetes API that is no object: every failure, and the success of a DELETE.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// HTTP status code; below 300 it is a success.
    pub code: u16,
    /// `NotFound`, `Conflict`, `Invalid`, ...; empty when unknown.
    pub reason: Str,
    /// For people.
    pub message: String,
    /// What it is about, if anything.
    pub details: Option<Box<Details>>,
    /// `metadata.continue` of an expired list: with it the list goes on at the newest state.
    pub continue_token: String,
}

impl Status {
    /// A failure without details.
    pub fn failure(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self { code, reason: Str::new(reason), message: message.into(), ..Self::default() }
    }

    /// The same status about an object.
    #[must_use]
    pub fn about(mut self, group: &str, kind: &str, name: &str) -> Self {
        let details = self.details.get_or_insert_with(Box::default);
        details.group = Str::new(group);
        details.kind = Str::new(kind);
        details.name = Str::new(name);
        self
    }

    /// The same status with these causes.
    #[must_use]
    pub fn with_causes(mut self, causes: Vec<Cause>) -> Self {
        self.details.get_or_insert_with(Box::default).causes = causes;
        self
    }

    /// The same status with empty details (which some answers carry).
    #[must_use]
    pub fn with_empty_details(mut self) -> Self {
        self.details.get_or_insert_with(Box::default);
        self
    }

    /// 404: there is no object of that name.
    pub fn not_found(group: &str, resource: &str, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", qualified(resource, group));
        Self::failure(404, "NotFound", message).about(group, resource, name)
    }

    /// 409: there is an object of that name already.
    pub fn already_exists(group: &str, resource: &str, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", qualified(resource, group));
        Self::failure(409, "AlreadyExists", message).about(group, resource, name)
    }

    /// 409: the object was changed meanwhile, or a precondition does not hold.
    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", qualified(resource, group));
        Self::failure(409, "Conflict", message).about(group, resource, name)
    }

    /// 403, by a policy.
    pub fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let named = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        let message = format!("{}{named} is forbidden: {why}", qualified(resource, group));
        Self::failure(403, "Forbidden", message).about(group, resource, name)
    }

    /// 400 with this text.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::failure(400, "BadRequest", message)
    }

    /// 500: `Internal error occurred: <why>`.
    pub fn internal(why: &str) -> Self {
        let cause = Cause { message: why.to_owned(), ..Cause::default() };
        Self::failure(500, "InternalError", format!("Internal error occurred: {why}")).with_causes(vec![cause])
    }

    /// 500 without a reason: an error that the reference lets escape as it is.
    pub fn plain(message: impl Into<String>) -> Self {
        Self::failure(500, "", message)
    }

    /// 422: the object (or options) are not valid. `kind` without group in the core group; one error stands alone,
    /// several are listed without duplicates, causes keep them.
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let message = format!("{} \"{name}\" is invalid: {}", qualified(kind, group), FieldError::aggregate(errors));
        let causes = errors.iter().map(FieldError::cause).collect();
        Self::failure(422, "Invalid", message).about(group, kind, name).with_causes(causes)
    }

    /// True for a success.
    pub fn is_success(&self) -> bool {
        self.code < 300
    }

    /// True when the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code == 404 && (self.reason == "NotFound" || self.reason.is_empty())
    }

    /// True for `Conflict`, not for `AlreadyExists`.
    pub fn is_conflict(&self) -> bool {
        self.code == 409 && self.reason != "AlreadyExists"
    }

    /// The first cause with this reason.
    pub fn cause(&self, reason: &str) -> Option<&Cause> {
        self.details.as_ref()?.causes.iter().find(|cause| cause.reason == reason)
    }

    /// The object on the wire.
    pub fn to_value(&self) -> Value {
        let metadata = optional_strings([("continue", &self.continue_token)]);
        let outcome = if self.is_success() { "Success" } else { "Failure" };
        let mut entries = vec![
            ("kind", Value::from("Status")),
            ("apiVersion", Value::from("v1")),
            ("metadata", Value::map(metadata)),
            ("status", Value::from(outcome)),
        ];
        entries.extend(optional_strings([("message", self.message.as_str()), ("reason", &self.reason)]));
        if let Some(details) = &self.details {
            entries.push(("details", details.to_value()));
        }
        if !self.is_success() {
            entries.push(("code", i64::from(self.code).into()));
        }
        Value::map(entries)
    }

    /// Reads a Status from an answer; `None` when the value is none. `code` is the HTTP code, for answers that carry
    /// none themselves.
    pub fn from_value(value: &Value, code: u16) -> Option<Self> {
        if value.str_at(&["kind"]) != Some("Status") {
            return None;
        }
        let own = value.get("code").and_then(Value::as_i64).and_then(|code| u16::try_from(code).ok());
        Some(Self {
            code: own.unwrap_or(code),
            reason: text(value, "reason"),
            message: value.str_at(&["message"]).unwrap_or_default().to_owned(),
            details: value.get("details").map(|details| Box::new(Details::from_value(details))),
            continue_token: value.str_at(&["metadata", "continue"]).unwrap_or_default().to_owned(),
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(formatter, "HTTP status {}", self.code)
        } else {
            formatter.write_str(&self.message)
        }
    }
}

impl std::error::Error for Status {}

impl Details {
    fn to_value(&self) -> Value {
        let strings = [
            ("name", self.name.as_str()),
            ("group", self.group.as_str()),
            ("kind", self.kind.as_str()),
            ("uid", self.uid.as_str()),
        ];
        let mut entries: Vec<_> = optional_strings(strings).collect();
        if !self.causes.is_empty() {
            entries.push(("causes", self.causes.iter().map(Cause::to_value).collect()));
        }
        if self.retry_after_seconds > 0 {
            entries.push(("retryAfterSeconds", i64::from(self.retry_after_seconds).into()));
        }
        Value::map(entries)
    }

    fn from_value(value: &Value) -> Self {
        let causes = value.get("causes").and_then(Value::as_list).unwrap_or_default();
        let retry = value.get("retryAfterSeconds").and_then(Value::as_i64).unwrap_or_default();
        Self {
            name: text(value, "name"),
            group: text(value, "group"),
            kind: text(value, "kind"),
            uid: text(value, "uid"),
            causes: causes.iter().map(Cause::from_value).collect(),
            retry_after_seconds: u32::try_from(retry).unwrap_or_default(),
        }
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let strings =
            [("reason", self.reason.as_str()), ("message", self.message.as_str()), ("field", self.field.as_str())];
        Value::map(optional_strings(strings))
    }

    fn from_value(value: &Value) -> Self {
        Self {
            reason: text(value, "reason"),
            message: value.str_at(&["message"]).unwrap_or_default().to_owned(),
            field: value.str_at(&["field"]).unwrap_or_default().to_owned(),
        }
    }
}

/// `deployments.apps`, or `configmaps` in the core group.
fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

fn text(value: &Value, key: &str) -> Str {
    value.str_at(&[key]).map(Str::new).unwrap_or_default()
}

fn optional_strings<'a, T: AsRef<str> + ?Sized + 'a, const N: usize>(
    entries: [(&'static str, &'a T); N],
) -> impl Iterator<Item = (&'static str, Value)> {
    entries.into_iter().filter(|(_, text)| !text.as_ref().is_empty()).map(|(key, text)| (key, text.as_ref().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kro_value::to_json;

    #[test]
    fn prints_like_the_reference() {
        let status = Status::not_found("apps", "deployments", "x");
        assert_eq!(
            to_json(&status.to_value()),
            r#"{"apiVersion":"v1","code":404,"details":{"group":"apps","kind":"deployments","name":"x"},"kind":"Status","message":"deployments.apps \"x\" not found","metadata":{},"reason":"NotFound","status":"Failure"}"#
        );
        assert_eq!(Status::from_value(&status.to_value(), 0), Some(status));
    }

    #[test]
    fn lists_several_errors_once_each() {
        let error = FieldError::required("spec.a", "");
        let status = Status::invalid("", "Pod", "p", &[error.clone(), error, FieldError::forbidden("spec.b", "no")]);
        assert_eq!(status.message, "Pod \"p\" is invalid: [spec.a: Required value, spec.b: Forbidden: no]");
        assert_eq!(status.details.unwrap().causes.len(), 3);
    }
}
