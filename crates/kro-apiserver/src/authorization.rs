//! Who may do what: RBAC over the objects in the store.

pub(crate) mod escalation;
mod impersonation;
mod rbac;

pub(crate) use impersonation::impersonate;
pub(crate) use rbac::{Decision, rules_of};

use kro_apimachinery::Status;
use kro_value::Str;

use crate::state::State;
use crate::{Authorization, User};

/// One thing that somebody wants to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) verb: Str,
    pub(crate) group: Str,
    pub(crate) resource: Str,
    pub(crate) subresource: Str,
    /// Empty at the cluster scope.
    pub(crate) namespace: Str,
    /// Empty when no single object is meant.
    pub(crate) name: Str,
    /// Of a request that is not about objects; empty otherwise.
    pub(crate) path: Str,
}

/// Decides about a request.
pub(crate) fn decide(state: &State, user: &User, attributes: &Attributes) -> Decision {
    if state.config.authorization == Authorization::AllowAll || user.is_in("system:masters") {
        return Decision { allowed: true, reason: String::new() };
    }
    rbac::decide(state, user, attributes)
}

/// Refuses what is not allowed.
///
/// # Errors
/// 403 in the reference's words.
pub(crate) fn authorize(state: &State, user: &User, attributes: &Attributes) -> Result<(), Status> {
    let decision = decide(state, user, attributes);
    if decision.allowed { Ok(()) } else { Err(refusal(user, attributes, &decision)) }
}

fn refusal(user: &User, attributes: &Attributes, decision: &Decision) -> Status {
    let why = if decision.reason.is_empty() { String::new() } else { format!(": {}", decision.reason) };
    let (name, verb) = (&user.name, &attributes.verb);
    if !attributes.path.is_empty() {
        let message = format!("forbidden: User {name:?} cannot {verb} path {:?}{why}", attributes.path.as_str());
        return Status::failure(403, "Forbidden", message).with_empty_details();
    }
    let place = match attributes.namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let resource = match attributes.subresource.as_str() {
        "" => attributes.resource.to_string(),
        subresource => format!("{}/{subresource}", attributes.resource),
    };
    let group = attributes.group.as_str();
    let why = format!("User {name:?} cannot {verb} resource {resource:?} in API group {group:?} {place}{why}");
    Status::forbidden(group, &attributes.resource, &attributes.name, &why)
}
