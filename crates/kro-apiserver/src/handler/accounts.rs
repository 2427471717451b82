//! Tokens: `serviceaccounts/token` and TokenReviews.

use jiff::SignedDuration;
use kro_apimachinery::{FieldError, Status};
use kro_value::{Str, Value};

use crate::state::State;
use crate::store::Key;
use crate::token::Claims;
use crate::write::Call;
use crate::write::metadata::{self, time_text};
use crate::{GroupResource, Timestamp, User};

const SECONDS_MIN: i64 = 600;
const SECONDS_MAX: i64 = 1 << 32;
const AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";

/// A token for a ServiceAccount.
pub(super) fn request(state: &State, call: &Call, mut request: Value) -> Result<Value, Status> {
    let stored = state.store.get(&call.resource.id, &call.key()).ok_or_else(|| call.not_found())?;
    let given = metadata::text(&request, "name").to_owned();
    if !given.is_empty() && given != call.name {
        let error =
            FieldError::invalid("metadata.name", &given.into(), "must match the service account name if specified");
        return Err(Status::invalid("authentication.k8s.io", "TokenRequest", &call.name, &[error]));
    }
    if let Some(bound) = request.at(&["spec", "boundObjectRef"]).filter(|bound| !bound.is_null()) {
        check_bound(state, call, bound)?;
    }
    let seconds = request.at(&["spec", "expirationSeconds"]).and_then(Value::as_i64).unwrap_or(3600);
    let detail = match seconds {
        ..SECONDS_MIN => "may not specify a duration less than 10 minutes",
        SECONDS_MIN..=SECONDS_MAX => "",
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    if !detail.is_empty() {
        let error = FieldError::invalid("spec.expirationSeconds", &Value::Int(seconds), detail);
        return Err(Status::invalid("authentication.k8s.io", "TokenRequest", "", &[error]));
    }
    let expires = call.now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(call.now);
    let claims = Claims { namespace: call.namespace.clone(), name: call.name.clone(), uid: stored.uid(), expires };
    request.set_at(&["apiVersion"], "authentication.k8s.io/v1".into());
    request.set_at(&["kind"], "TokenRequest".into());
    request.set_at(&["metadata", "name"], call.name.clone().into());
    request.set_at(&["metadata", "namespace"], call.namespace.clone().into());
    request.set_at(&["metadata", "creationTimestamp"], time_text(call.now).into());
    request.set_at(&["spec", "expirationSeconds"], Value::Int(seconds));
    if request.at(&["spec", "audiences"]).is_none() {
        request.set_at(&["spec", "audiences"], Value::list([Value::from(AUDIENCE)]));
    }
    request.set_at(&["status", "expirationTimestamp"], time_text(expires).into());
    request.set_at(&["status", "token"], claims.sign(&state.config.token_key).into());
    Ok(request)
}

/// A token is bound to something that is there.
fn check_bound(state: &State, call: &Call, bound: &Value) -> Result<(), Status> {
    let text = |key: &str| bound.str_at(&[key]).unwrap_or_default();
    let resource = match (text("apiVersion"), text("kind")) {
        ("v1", "Pod") => "pods",
        ("v1", "Secret") => "secrets",
        ("v1", "Node") => "nodes",
        (version, kind) => {
            let (group, version) = version.split_once('/').unwrap_or(("", version));
            let message = format!("cannot bind token to object of type {group}/{version}, Kind={kind}");
            return Err(Status::bad_request(message));
        }
    };
    let namespace = if resource == "nodes" { "" } else { call.namespace.as_str() };
    let found = state.store.get(&GroupResource::new("", resource), &Key::new(namespace, text("name")));
    match found {
        Some(found) if text("uid").is_empty() || found.uid() == text("uid") => Ok(()),
        Some(_) => {
            Err(Status::conflict("", resource, text("name"), "the UID in the bound object reference does not match"))
        }
        None => Err(Status::not_found("", resource, text("name"))),
    }
}

/// The user of a token of a ServiceAccount that is still there.
pub(crate) fn authenticate(state: &State, token: &str, now: Timestamp) -> Option<User> {
    let claims = Claims::verify(token, &state.config.token_key, now)?;
    let accounts = GroupResource::new("", "serviceaccounts");
    let account = state.store.get(&accounts, &Key::new(&claims.namespace, &claims.name))?;
    (account.uid() == claims.uid && !metadata::is_terminating(&account.value)).then(|| claims.user())
}

/// The status of a TokenReview.
pub(super) fn review(state: &State, spec: &Value) -> Value {
    let token = spec.str_at(&["token"]).unwrap_or_default();
    let Some(user) = authenticate(state, token, state.now) else {
        let error = "[invalid bearer token, token lookup failed]";
        return Value::map([("user", Value::Map(kro_value::Map::new())), ("error", error.into())]);
    };
    let groups = user.groups.iter().map(|group| Value::from(group.clone())).collect();
    let audiences = Value::list([Value::from(Str::new_static(AUDIENCE))]);
    let info = [("username", Value::from(user.name.clone())), ("uid", user.uid.clone().into()), ("groups", groups)];
    Value::map([("authenticated", Value::from(true)), ("user", Value::map(info)), ("audiences", audiences)])
}
