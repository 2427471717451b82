//! Nobody grants what he does not hold: checks of roles and bindings that are written.

use std::collections::BTreeSet;

use kro_apimachinery::{Status, go_quote};
use kro_value::{Str, Value};

use super::rbac::{GROUP, role_of};
use super::{Attributes, decide, rules_of};
use crate::state::State;
use crate::write::Call;
use crate::{Authorization, User};

/// Refuses a role with rules, or a binding to a role with rules, that its writer does not hold himself (and is not
/// allowed to `escalate` or to `bind`).
///
/// # Errors
/// 403 with the rules that are missing, 404 when a binding's role is not there.
pub(crate) fn check(state: &State, call: &Call, object: &Value, old: Option<&Value>) -> Result<(), Status> {
    let is_free = state.config.authorization == Authorization::AllowAll || call.user.is_in("system:masters");
    if call.resource.id.group != GROUP || is_free {
        return Ok(());
    }
    let rules = match call.resource.id.resource.as_str() {
        "roles" | "clusterroles" => granted_by_role(state, call, object, old),
        "rolebindings" | "clusterrolebindings" => granted_by_binding(state, call, object)?,
        _ => None,
    };
    let Some(rules) = rules else { return Ok(()) };
    let held = rules_of(state, &call.user, &call.namespace);
    let missing = missing(&held, &rules);
    if missing.is_empty() { Ok(()) } else { Err(call.forbidden(&call.name, &refusal(&call.user, &missing))) }
}

/// The rules that a role would grant; `None` when there is nothing to check.
fn granted_by_role(state: &State, call: &Call, object: &Value, old: Option<&Value>) -> Option<Vec<Value>> {
    let rules = |object: &Value| object.get("rules").and_then(Value::as_list).unwrap_or_default().to_vec();
    let same = |key: &str, old: &Value| {
        let null = Value::Null;
        crate::write::semantically_equal(object.get(key).unwrap_or(&null), old.get(key).unwrap_or(&null))
    };
    if old.is_some_and(|old| same("rules", old) && same("aggregationRule", old)) {
        return None;
    }
    if may(state, call, "escalate", &call.resource.id.resource, &call.name) {
        return None;
    }
    let mut rules = rules(object);
    if object.get("aggregationRule").is_some() {
        rules.push(everything()); // nobody knows what it will gather
    }
    Some(rules)
}

fn granted_by_binding(state: &State, call: &Call, object: &Value) -> Result<Option<Vec<Value>>, Status> {
    let name = object.str_at(&["roleRef", "name"]).unwrap_or_default();
    let is_role = object.str_at(&["roleRef", "kind"]) == Some("Role");
    let resource = if is_role { "roles" } else { "clusterroles" };
    if may(state, call, "bind", resource, name) {
        return Ok(None);
    }
    // The reference names the binding's resource here.
    let missing = || Status::not_found(GROUP, &call.resource.id.resource, name);
    let role = role_of(state, object, &call.namespace).ok_or_else(missing)?;
    Ok(Some(role.get("rules").and_then(Value::as_list).unwrap_or_default().to_vec()))
}

fn may(state: &State, call: &Call, verb: &'static str, resource: &str, name: &str) -> bool {
    let attributes = Attributes {
        verb: Str::new_static(verb),
        group: Str::new_static(GROUP),
        resource: Str::new(resource),
        namespace: call.namespace.clone(),
        name: Str::new(name),
        ..Attributes::default()
    };
    decide(state, &call.user, &attributes).allowed
}

fn everything() -> Value {
    let all = || Value::list([Value::from("*")]);
    Value::map([("apiGroups", all()), ("resources", all()), ("verbs", all())])
}

/// A rule broken down to one of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Atom {
    group: Str,
    /// Or a path, when `is_path`.
    resource: Str,
    is_path: bool,
    /// Empty for all objects.
    name: Str,
    verb: Str,
}

fn texts(rule: &Value, key: &str) -> Vec<Str> {
    let items = rule.get(key).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(Str::new).collect()
}

fn atoms(rule: &Value) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let names = texts(rule, "resourceNames");
    let names = if names.is_empty() { vec![Str::default()] } else { names };
    for verb in texts(rule, "verbs") {
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                let (group, resource, verb) = (group.clone(), resource.clone(), verb.clone());
                let atom = |name: &Str| Atom {
                    group: group.clone(),
                    resource: resource.clone(),
                    is_path: false,
                    name: name.clone(),
                    verb: verb.clone(),
                };
                atoms.extend(names.iter().map(atom));
            }
        }
        for path in texts(rule, "nonResourceURLs") {
            let (group, name) = (Str::default(), Str::default());
            atoms.push(Atom { group, resource: path, is_path: true, name, verb: verb.clone() });
        }
    }
    atoms
}

/// What of `wanted` no rule of `held` covers.
fn missing(held: &[Value], wanted: &[Value]) -> Vec<Atom> {
    let atoms = wanted.iter().flat_map(atoms);
    atoms.filter(|atom| !held.iter().any(|rule| covers(rule, atom))).collect()
}

fn covers(rule: &Value, atom: &Atom) -> bool {
    let has = |key: &str, wanted: &str| texts(rule, key).iter().any(|item| item == "*" || item == wanted);
    if !has("verbs", &atom.verb) {
        return false;
    }
    if atom.is_path {
        let fits = |url: &Str| match url.strip_suffix('*') {
            Some(prefix) => atom.resource.starts_with(prefix),
            None => *url == atom.resource,
        };
        return texts(rule, "nonResourceURLs").iter().any(fits);
    }
    let subresource = atom.resource.split_once('/').map(|(_, subresource)| format!("*/{subresource}"));
    let names = texts(rule, "resourceNames");
    has("apiGroups", &atom.group)
        && (has("resources", &atom.resource) || subresource.is_some_and(|any| has("resources", &any)))
        && (names.is_empty() || names.contains(&atom.name))
}

fn refusal(user: &User, missing: &[Atom]) -> String {
    let list = |items: &[Str]| items.iter().map(|item| go_quote(item)).collect::<Vec<_>>().join(" ");
    format!(
        "user {} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        go_quote(&user.name),
        list(&user.groups),
        described(missing).into_iter().collect::<Vec<_>>().join("\n")
    )
}

/// The missing rules as Go prints them, those that differ in the verb only as one.
fn described(missing: &[Atom]) -> BTreeSet<String> {
    let mut merged: Vec<(&Atom, Vec<Str>)> = Vec::new();
    for atom in missing {
        let same = |known: &&mut (&Atom, Vec<Str>)| {
            let other = known.0;
            !atom.is_path
                && !other.is_path
                && (&atom.group, &atom.resource, &atom.name) == (&other.group, &other.resource, &other.name)
        };
        match merged.iter_mut().find(same) {
            Some((_, verbs)) => verbs.push(atom.verb.clone()),
            None => merged.push((atom, vec![atom.verb.clone()])),
        }
    }
    let describe = |(atom, verbs): (&Atom, Vec<Str>)| {
        let verbs: Vec<String> = verbs.iter().map(|verb| go_quote(verb)).collect();
        let verbs = verbs.join(" ");
        let (group, resource) = (go_quote(&atom.group), go_quote(&atom.resource));
        if atom.is_path {
            return format!("{{NonResourceURLs:[{resource}], Verbs:[{verbs}]}}");
        }
        let name = match atom.name.as_str() {
            "" => String::new(),
            name => format!(" ResourceNames:[{}],", go_quote(name)),
        };
        format!("{{APIGroups:[{group}], Resources:[{resource}],{name} Verbs:[{verbs}]}}")
    };
    merged.into_iter().map(describe).collect()
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    #[test]
    fn what_is_not_held_is_missing() {
        for (held, wanted, expected) in [
            (
                r#"{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}"#,
                r#"{"apiGroups":["a"],"resources":["b/c"],"verbs":["get"]}"#,
                "",
            ),
            (
                r#"{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}"#,
                r#"{"apiGroups":[""],"resources":["pods"],"verbs":["get","list","watch"]}"#,
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}"#,
            ),
            (
                r#"{"apiGroups":[""],"resources":["*/scale"],"verbs":["get"],"resourceNames":["a"]}"#,
                r#"{"apiGroups":[""],"resources":["x/scale"],"verbs":["get"]}"#,
                r#"{APIGroups:[""], Resources:["x/scale"], Verbs:["get"]}"#,
            ),
            (
                r#"{"nonResourceURLs":["/a*"],"verbs":["get"]}"#,
                r#"{"nonResourceURLs":["/ab","/b"],"verbs":["get"]}"#,
                r#"{NonResourceURLs:["/b"], Verbs:["get"]}"#,
            ),
        ] {
            let (held, wanted) = (from_json(held).unwrap(), from_json(wanted).unwrap());
            let texts = described(&missing(&[held], &[wanted])).into_iter().collect::<Vec<_>>();
            assert_eq!(texts.join("\n"), expected);
        }
    }
}
