use std::collections::{BTreeMap, BTreeSet, HashMap};

use kro_value::{Str, Value};

use super::Key;
use crate::GroupResource;

type Place = (GroupResource, Key);

/// Finds objects of any resource by uid and by the uids of their owners.
#[derive(Default)]
pub(super) struct Index {
    places: HashMap<Str, Place>,
    dependents: BTreeMap<Str, BTreeSet<Place>>,
}

impl Index {
    pub(super) fn add(&mut self, resource: &GroupResource, key: &Key, object: &Value) {
        let place = (resource.clone(), key.clone());
        for owner in owners(object) {
            self.dependents.entry(Str::new(owner)).or_default().insert(place.clone());
        }
        if let Some(uid) = object.str_at(&["metadata", "uid"]) {
            self.places.insert(Str::new(uid), place);
        }
    }

    pub(super) fn remove(&mut self, resource: &GroupResource, key: &Key, object: &Value) {
        let place = (resource.clone(), key.clone());
        for owner in owners(object) {
            let Some(dependents) = self.dependents.get_mut(owner) else { continue };
            dependents.remove(&place);
            if dependents.is_empty() {
                self.dependents.remove(owner);
            }
        }
        if let Some(uid) = object.str_at(&["metadata", "uid"]) {
            self.places.remove(uid);
        }
    }

    pub(super) fn locate(&self, uid: &str) -> Option<&Place> {
        self.places.get(uid)
    }

    pub(super) fn dependents(&self, owner: &str) -> impl Iterator<Item = &Place> {
        self.dependents.get(owner).into_iter().flatten()
    }
}

fn owners(object: &Value) -> impl Iterator<Item = &str> {
    let references = object.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
    references.iter().filter_map(|reference| reference.str_at(&["uid"]))
}
