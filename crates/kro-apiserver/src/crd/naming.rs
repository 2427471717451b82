//! Which names a definition may have.

use kro_value::{Map, Str, Value};

use super::{condition, set_condition, texts};
use crate::Resource;

/// The outcome of a check of names.
struct Verdict {
    accepted: Map,
    conflict: Option<(&'static str, Str)>,
}

/// Accepts the names that are free and sets the conditions. `others` are the other resources of the group.
pub(super) fn accept(definition: &Value, others: &[&Resource], time: &Str) -> Value {
    let verdict = check(definition, others);
    let mut next = definition.clone();
    next.set_at(&["status", "acceptedNames"], verdict.accepted.into());
    match verdict.conflict {
        None => set_condition(&mut next, "NamesAccepted", "True", "NoConflicts", "no conflicts found", time),
        Some((reason, name)) => {
            set_condition(&mut next, "NamesAccepted", "False", reason, &format!("{name:?} is already in use"), time);
        }
    }
    if condition(&next, "Established") == Some("True") {
        return next;
    }
    if condition(&next, "NamesAccepted") == Some("True") {
        let message = "the initial names have been accepted";
        set_condition(&mut next, "Established", "False", "Installing", message, time);
    } else {
        set_condition(&mut next, "Established", "False", "NotAccepted", "not all names are accepted", time);
    }
    next
}

/// Of several conflicts the last one is told.
fn check(definition: &Value, others: &[&Resource]) -> Verdict {
    let wanted = definition.at(&["spec", "names"]).and_then(Value::as_map).cloned().unwrap_or_default();
    let mut accepted = definition.at(&["status", "acceptedNames"]).and_then(Value::as_map).cloned().unwrap_or_default();
    let mut conflict = None;
    let names_of = |resource: &Resource| {
        let mut names = vec![resource.id.resource.clone(), resource.singular.clone()];
        names.extend(resource.short_names.iter().cloned());
        names
    };
    let is_name_taken = |name: &str| others.iter().any(|resource| names_of(resource).iter().any(|taken| taken == name));
    let is_kind_taken = |kind: &str| others.iter().any(|resource| resource.kind == kind || resource.list_kind == kind);
    for (key, reason) in [("plural", "PluralConflict"), ("singular", "SingularConflict")] {
        let name = wanted.get(key).and_then(Value::as_str).unwrap_or_default();
        if !name.is_empty() && is_name_taken(name) {
            conflict = Some((reason, Str::new(name)));
        } else {
            take(&mut accepted, &wanted, key);
        }
    }
    match texts(wanted.get("shortNames")).into_iter().rfind(|name| is_name_taken(name)) {
        Some(name) => conflict = Some(("ShortNamesConflict", name)),
        None => take(&mut accepted, &wanted, "shortNames"),
    }
    for (key, reason) in [("kind", "KindConflict"), ("listKind", "ListKindConflict")] {
        let kind = wanted.get(key).and_then(Value::as_str).unwrap_or_default();
        if is_kind_taken(kind) {
            conflict = Some((reason, Str::new(kind)));
        } else {
            take(&mut accepted, &wanted, key);
        }
    }
    take(&mut accepted, &wanted, "categories");
    Verdict { accepted, conflict }
}

fn take(accepted: &mut Map, wanted: &Map, key: &str) {
    match wanted.get(key) {
        Some(value) => {
            accepted.insert(key, value.clone());
        }
        None => {
            accepted.remove(key);
        }
    }
}
