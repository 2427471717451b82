use std::collections::{BTreeMap, BTreeSet, HashMap};

use kro_value::{Str, Value};

use super::Key;
use crate::GroupResource;

type Place = (GroupResource, Key);

/// Finds objects of any resource by uid and by the uids of their owners.
#[derive(Default)]
pub(super) struct Index {
    /// Numbers for resources: every object names one.
    resources: Vec<GroupResource>,
    places: HashMap<Str, (usize, Key)>,
    dependents: BTreeMap<Str, BTreeSet<Place>>,
}

impl Index {
    pub(super) fn add(&mut self, resource: &GroupResource, key: &Key, object: &Value) {
        for owner in owners(object) {
            let place = (resource.clone(), key.clone());
            self.dependents.entry(Str::new(owner)).or_default().insert(place);
        }
        // The text itself, which is shared with the object.
        if let Some(Value::String(uid)) = object.at(&["metadata", "uid"]) {
            let number = self.number(resource);
            self.places.insert(uid.clone(), (number, key.clone()));
        }
    }

    fn number(&mut self, resource: &GroupResource) -> usize {
        self.resources.iter().position(|known| known == resource).unwrap_or_else(|| {
            self.resources.push(resource.clone());
            self.resources.len() - 1
        })
    }

    pub(super) fn remove(&mut self, resource: &GroupResource, key: &Key, object: &Value) {
        for owner in owners(object) {
            let Some(dependents) = self.dependents.get_mut(owner) else { continue };
            dependents.remove(&(resource.clone(), key.clone()));
            if dependents.is_empty() {
                self.dependents.remove(owner);
            }
        }
        if let Some(uid) = object.str_at(&["metadata", "uid"]) {
            self.places.remove(uid);
        }
    }

    pub(super) fn locate(&self, uid: &str) -> Option<(&GroupResource, &Key)> {
        let (number, key) = self.places.get(uid)?;
        Some((self.resources.get(*number)?, key))
    }

    pub(super) fn dependents(&self, owner: &str) -> impl Iterator<Item = &Place> {
        self.dependents.get(owner).into_iter().flatten()
    }
}

fn owners(object: &Value) -> impl Iterator<Item = &str> {
    let references = object.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
    references.iter().filter_map(|reference| reference.str_at(&["uid"]))
}
