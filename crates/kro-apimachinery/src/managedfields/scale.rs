//! The books of a parent and of its scale, which see one field by two paths.

use kro_value::Str;

use super::{Entry, Identity, Managers, Operation};
use crate::fieldset::{Path, PathElement, Set};

const SCALE_VERSION: &str = "autoscaling/v1";

fn scale_path() -> Path {
    vec![PathElement::field("spec"), PathElement::field("replicas")]
}

/// The managers of the parent's replicas, as managers of the scale. `replicas_path` gives the parent's path at an
/// `apiVersion`.
pub fn managers_of_scale(parent: &Managers, replicas_path: &dyn Fn(&str) -> Option<Path>) -> Managers {
    let owns = |entry: &&Entry| {
        let path = replicas_path(&entry.api_version);
        path.is_some_and(|path| entry.fields.contains(&path))
    };
    parent.entries().iter().filter(owns).map(|entry| moved(entry, SCALE_VERSION, &scale_path())).collect()
}

/// The managers of the parent after a write to its scale at `api_version` of the parent.
pub fn managers_of_parent(
    parent: &Managers,
    scale: &Managers,
    api_version: &str,
    replicas_path: &dyn Fn(&str) -> Option<Path>,
) -> Managers {
    let mut owners: Vec<&Entry> = scale.entries().iter().filter(|entry| entry.fields.contains(&scale_path())).collect();
    let mut managers = Managers::new();
    for entry in parent.entries() {
        let mut entry = entry.clone();
        if let Some(path) = replicas_path(&entry.api_version)
            && entry.fields.contains(&path)
        {
            let identity = moved(&entry, SCALE_VERSION, &path).identity;
            match owners.iter().position(|owner| owner.identity == identity) {
                Some(index) => {
                    owners.remove(index);
                }
                None => entry.fields = entry.fields.difference(&Set::of([path.as_slice()])),
            }
        }
        if !entry.fields.is_empty() {
            managers.put(entry);
        }
    }
    let Some(path) = replicas_path(api_version) else { return managers };
    for owner in owners {
        let mut entry = moved(owner, api_version, &path);
        entry.time = None; // as the reference does: writes through the scale are not dated
        if let Some(known) = managers.take(&entry.identity) {
            entry.fields = entry.fields.union(&known.fields);
        }
        managers.put(entry);
    }
    managers
}

fn moved(entry: &Entry, api_version: &str, path: &[PathElement]) -> Entry {
    let identity = &entry.identity;
    let version = if identity.operation == Operation::Update { api_version } else { "" };
    Entry {
        identity: Identity { api_version: Str::new(version), ..identity.clone() },
        api_version: Str::new(api_version),
        time: entry.time.clone(),
        fields: Set::of([path]),
    }
}
