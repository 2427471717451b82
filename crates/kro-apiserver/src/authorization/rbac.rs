use kro_value::{Str, Value};

use super::Attributes;
use crate::state::State;
use crate::store::Key;
use crate::{GroupResource, User};

pub(super) const GROUP: &str = "rbac.authorization.k8s.io";

/// The outcome of a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    /// Which binding allows it, or which roles are missing; may be empty.
    pub(crate) reason: String,
}

/// A binding that is about a user, with the rules of its role.
struct Grant<'a> {
    binding: &'a Value,
    /// Empty for bindings that hold everywhere.
    namespace: &'a str,
    /// The subject that the user is.
    subject: String,
    rules: &'a [Value],
}

pub(super) fn decide(state: &State, user: &User, attributes: &Attributes) -> Decision {
    let mut missing = Vec::new();
    let grants = grants(state, user, &attributes.namespace, &mut missing);
    let grant = grants.iter().find(|grant| grant.rules.iter().any(|rule| permits(rule, attributes)));
    match grant {
        Some(grant) => Decision { allowed: true, reason: allowed_by(grant) },
        None if missing.is_empty() => Decision::default(),
        None => {
            let texts: Vec<String> = missing.iter().map(|role| format!("{role} not found")).collect();
            let texts = if let [only] = texts.as_slice() { only.clone() } else { format!("[{}]", texts.join(", ")) };
            Decision { allowed: false, reason: format!("RBAC: {texts}") }
        }
    }
}

/// All rules that hold for a user in a namespace.
pub(crate) fn rules_of(state: &State, user: &User, namespace: &str) -> Vec<Value> {
    let grants = grants(state, user, namespace, &mut Vec::new());
    grants.iter().flat_map(|grant| grant.rules).cloned().collect()
}

fn allowed_by(grant: &Grant<'_>) -> String {
    let text = |keys: &[&str]| grant.binding.str_at(keys).unwrap_or_default();
    let kind = if grant.namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let name = match grant.namespace {
        "" => text(&["metadata", "name"]).to_owned(),
        namespace => format!("{}/{namespace}", text(&["metadata", "name"])),
    };
    format!(
        "RBAC: allowed by {kind} {name:?} of {} {:?} to {}",
        text(&["roleRef", "kind"]),
        text(&["roleRef", "name"]),
        grant.subject
    )
}

fn grants<'a>(state: &'a State, user: &User, namespace: &'a str, missing: &mut Vec<String>) -> Vec<Grant<'a>> {
    let everywhere = objects(state, "clusterrolebindings", None).map(|binding| (binding, ""));
    let here = objects(state, "rolebindings", Some(namespace)).map(|binding| (binding, namespace));
    let here = here.filter(|_| !namespace.is_empty());
    let mut grants = Vec::new();
    for (binding, namespace) in everywhere.chain(here) {
        let Some(subject) = subject_of(binding, user, namespace) else { continue };
        match role_of(state, binding, namespace) {
            Some(role) => {
                let rules = role.get("rules").and_then(Value::as_list).unwrap_or_default();
                grants.push(Grant { binding, namespace, subject, rules });
            }
            None => missing.push(role_text(binding)),
        }
    }
    grants
}

fn objects<'a>(
    state: &'a State,
    resource: &str,
    namespace: Option<&'a str>,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    let table = state.store.table(&GroupResource::new(GROUP, resource));
    table.into_iter().flat_map(move |table| table.in_namespace(namespace)).map(|(_, stored)| &stored.value)
}

/// The role of a binding.
pub(super) fn role_of<'a>(state: &'a State, binding: &Value, namespace: &str) -> Option<&'a Value> {
    let name = binding.str_at(&["roleRef", "name"])?;
    let (resource, key) = match binding.str_at(&["roleRef", "kind"])? {
        "Role" => ("roles", Key::new(namespace, name)),
        _ => ("clusterroles", Key::new("", name)),
    };
    state.store.get(&GroupResource::new(GROUP, resource), &key).map(|stored| &stored.value)
}

fn role_text(binding: &Value) -> String {
    let text = |key: &str| binding.str_at(&["roleRef", key]).unwrap_or_default();
    format!("{}.{GROUP} {:?}", text("kind").to_lowercase(), text("name"))
}

/// The subject of a binding that the user is, as the reference names it.
fn subject_of(binding: &Value, user: &User, namespace: &str) -> Option<String> {
    let subjects = binding.get("subjects").and_then(Value::as_list).unwrap_or_default();
    let subject = subjects.iter().find(|subject| is_subject(subject, user, namespace))?;
    let text = |key: &str| subject.str_at(&[key]).unwrap_or_default();
    Some(match text("kind") {
        "ServiceAccount" => {
            let own = if text("namespace").is_empty() { namespace } else { text("namespace") };
            format!("ServiceAccount \"{}/{own}\"", text("name"))
        }
        kind => format!("{kind} {:?}", text("name")),
    })
}

fn is_subject(subject: &Value, user: &User, namespace: &str) -> bool {
    let text = |key: &str| subject.str_at(&[key]).unwrap_or_default();
    match text("kind") {
        "User" => user.name == text("name"),
        "Group" => user.is_in(text("name")),
        "ServiceAccount" => {
            let own = if text("namespace").is_empty() { namespace } else { text("namespace") };
            !own.is_empty() && user.name == format!("system:serviceaccount:{own}:{}", text("name"))
        }
        _ => false,
    }
}

fn permits(rule: &Value, attributes: &Attributes) -> bool {
    let list = |key: &str| rule.get(key).and_then(Value::as_list).unwrap_or_default();
    let has = |key: &str, wanted: &str| {
        list(key).iter().any(|item| item.as_str().is_some_and(|item| item == "*" || item == wanted))
    };
    if !has("verbs", &attributes.verb) {
        return false;
    }
    if !attributes.path.is_empty() {
        let fits = |url: &str| match url.strip_suffix('*') {
            Some(prefix) => attributes.path.starts_with(prefix),
            None => attributes.path == url,
        };
        return list("nonResourceURLs").iter().filter_map(Value::as_str).any(fits);
    }
    let names = list("resourceNames");
    let name_fits = names.is_empty() || names.iter().any(|name| name.as_str() == Some(&attributes.name));
    has("apiGroups", &attributes.group) && resource_fits(list("resources"), attributes) && name_fits
}

fn resource_fits(resources: &[Value], attributes: &Attributes) -> bool {
    let wanted: Str = match attributes.subresource.as_str() {
        "" => attributes.resource.clone(),
        subresource => kro_value::format_smolstr!("{}/{subresource}", attributes.resource),
    };
    let any = |item: &str| match item.strip_prefix("*/") {
        Some(subresource) => !subresource.is_empty() && attributes.subresource == subresource,
        None => item == "*" || item == wanted,
    };
    resources.iter().filter_map(Value::as_str).any(any)
}
