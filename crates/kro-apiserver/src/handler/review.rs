//! Reviews: questions that are asked by creating an object, and answered in its status.

use kro_apimachinery::{FieldError, Status};
use kro_value::{Map, Str, Value};

use crate::authorization::{Attributes, decide, rules_of};
use crate::state::State;
use crate::write::Call;
use crate::write::metadata::time_text;
use crate::{Resource, User};

/// True for resources whose objects are not stored.
pub(super) fn is_review(resource: &Resource) -> bool {
    matches!(resource.id.group.as_str(), "authorization.k8s.io" | "authentication.k8s.io")
}

/// Answers a review.
pub(super) fn answer(state: &State, call: &mut Call, user: &User, mut review: Value) -> Result<Value, Status> {
    state.prepare_review(call, &mut review)?;
    let resource = &call.resource;
    if resource.id.resource == "selfsubjectreviews" {
        review.set_at(&["metadata", "creationTimestamp"], time_text(call.now).into());
    }
    let spec = review.get("spec").cloned().unwrap_or_default();
    let status = match resource.id.resource.as_str() {
        "selfsubjectreviews" => Value::map([("userInfo", user_info(user))]),
        "selfsubjectaccessreviews" => {
            refuse(&access_errors(&spec, true))?;
            access(state, user, &spec)
        }
        "subjectaccessreviews" | "localsubjectaccessreviews" => {
            let mut errors = access_errors(&spec, false);
            if resource.id.resource == "localsubjectaccessreviews" && errors.is_empty() {
                errors = local_errors(call, &spec);
            }
            refuse(&errors)?;
            access(state, &asked_user(&spec), &spec)
        }
        "tokenreviews" if text(&spec, &["token"]).is_empty() => {
            return Err(Status::bad_request("token is required for TokenReview in authentication"));
        }
        "tokenreviews" => super::accounts::review(state, &spec),
        "selfsubjectrulesreviews" => rules(state, user, &spec)?,
        _ => return Err(Status::failure(501, "NotImplemented", format!("{} is not implemented", resource.id))),
    };
    review.set_at(&["kind"], resource.kind.clone().into());
    review.set_at(&["apiVersion"], resource.api_version(0).into());
    if review.get("metadata").is_none() {
        review.set_at(&["metadata"], Map::new().into());
    }
    if resource.id.resource == "selfsubjectrulesreviews" {
        // The reference answers with a new object.
        review.set_at(&["metadata"], Map::new().into());
        review.set_at(&["spec"], Map::new().into());
    }
    review.set_at(&["status"], status);
    Ok(review)
}

/// What is wrong with a question about access.
fn access_errors(spec: &Value, is_self: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let has = |key: &str| spec.get(key).is_some_and(|value| !value.is_null());
    if has("resourceAttributes") && has("nonResourceAttributes") {
        let error = FieldError::new(
            kro_apimachinery::FieldErrorKind::Invalid,
            "spec.nonResourceAttributes",
            "cannot be specified in combination with resourceAttributes",
        );
        errors.push(FieldError { value: Some(shown_path(spec)), ..error });
    } else if !has("resourceAttributes") && !has("nonResourceAttributes") {
        let detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        let value = spec.get("resourceAttributes").cloned().unwrap_or_default();
        errors.push(FieldError::invalid("spec.resourceAttributes", &value, detail));
    }
    let groups = spec.get("groups").and_then(Value::as_list).unwrap_or_default();
    if !is_self && text(spec, &["user"]).is_empty() && groups.is_empty() {
        let detail = "at least one of user or group must be specified";
        errors.push(FieldError::invalid("spec.user", &"".into(), detail));
    }
    errors
}

/// The path and verb that are asked about, as the reference prints them.
fn shown_path(spec: &Value) -> String {
    let of = |key: &str| text(spec, &["nonResourceAttributes", key]);
    format!("{{\"Path\":{:?},\"Verb\":{:?}}}", of("path"), of("verb"))
}

/// What is wrong with a question about one namespace.
fn local_errors(call: &Call, spec: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if spec.get("nonResourceAttributes").is_some() {
        let kind = kro_apimachinery::FieldErrorKind::Invalid;
        let error = FieldError::new(kind, "spec.nonResourceAttributes", "disallowed on this kind of request");
        errors.push(FieldError { value: Some(shown_path(spec)), ..error });
        return errors;
    }
    let asked = text(spec, &["resourceAttributes", "namespace"]);
    if asked != call.namespace {
        let detail = "must match metadata.namespace";
        errors.push(FieldError::invalid("spec.resourceAttributes.namespace", &asked.into(), detail));
    }
    errors
}

/// 422; the reference leaves the kind out.
fn refuse(errors: &[FieldError]) -> Result<(), Status> {
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("authorization.k8s.io", "", "", errors)) }
}

fn asked_user(spec: &Value) -> User {
    let groups = spec.get("groups").and_then(Value::as_list).unwrap_or_default();
    User {
        name: text(spec, &["user"]),
        uid: text(spec, &["uid"]),
        groups: groups.iter().filter_map(Value::as_str).map(Str::new).collect(),
        extra: Vec::new(),
    }
}

fn access(state: &State, user: &User, spec: &Value) -> Value {
    let of = |key: &str| text(spec, &["resourceAttributes", key]);
    let attributes = match spec.get("nonResourceAttributes") {
        Some(attributes) => {
            Attributes { verb: text(attributes, &["verb"]), path: text(attributes, &["path"]), ..Attributes::default() }
        }
        None => Attributes {
            verb: of("verb"),
            group: of("group"),
            resource: of("resource"),
            subresource: of("subresource"),
            namespace: of("namespace"),
            name: of("name"),
            path: Str::default(),
        },
    };
    let decision = decide(state, user, &attributes);
    let mut status = Value::map([("allowed", Value::from(decision.allowed))]);
    if !decision.reason.is_empty() {
        status.set_at(&["reason"], decision.reason.into());
    }
    status
}

fn rules(state: &State, user: &User, spec: &Value) -> Result<Value, Status> {
    let namespace = text(spec, &["namespace"]);
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let mut rules = rules_of(state, user, &namespace);
    if user.is_in("system:masters") || state.config.authorization == crate::Authorization::AllowAll {
        let all = || Value::list([Value::from("*")]);
        rules.push(Value::map([("verbs", all()), ("apiGroups", all()), ("resources", all())]));
        rules.push(Value::map([("verbs", all()), ("nonResourceURLs", all())]));
    }
    let (paths, resources): (Vec<Value>, Vec<Value>) =
        rules.into_iter().partition(|rule| rule.get("nonResourceURLs").is_some());
    Ok(Value::map([
        ("resourceRules", Value::from(resources)),
        ("nonResourceRules", paths.into()),
        ("incomplete", false.into()),
    ]))
}

fn user_info(user: &User) -> Value {
    let groups = user.groups.iter().map(|group| Value::from(group.clone())).collect();
    let mut info = Value::map([("username", Value::from(user.name.clone())), ("groups", groups)]);
    if !user.uid.is_empty() {
        info.set_at(&["uid"], user.uid.clone().into());
    }
    for (key, values) in &user.extra {
        info.set_at(&["extra", key], values.iter().map(|value| Value::from(value.clone())).collect());
    }
    info
}

fn text(value: &Value, path: &[&str]) -> Str {
    value.str_at(path).map(Str::new).unwrap_or_default()
}
