//! The controller of definitions: accepts names, serves, cleans up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kro_value::{Str, Value};

use super::{FINALIZER, condition, definition, naming, set_condition};
use crate::state::State;
use crate::store::Key;
use crate::write::metadata::{self, time_text};
use crate::write::{Call, DeleteOptions, FieldValidation, Propagation};
use crate::{ChangeKind, GroupResource, Resource, User};

const MANAGER: &str = "kube-apiserver";

/// What is known of the definitions between writes.
#[derive(Default)]
pub(crate) struct Lifecycle {
    /// Names of definitions to look at.
    queue: BTreeSet<Str>,
    /// What is served by the name of its definition, with what it was made from.
    served: BTreeMap<Str, Served>,
}

struct Served {
    id: GroupResource,
    source: Value,
}

impl Lifecycle {
    /// Looks at a definition later.
    pub(crate) fn enqueue(&mut self, name: &str) {
        self.queue.insert(Str::new(name));
    }
}

impl State {
    /// Notes what a committed write means for definitions.
    pub(crate) fn note_for_definitions(&mut self, id: &GroupResource, kind: ChangeKind, name: &str) {
        if *id == super::id() {
            self.definitions.enqueue(name);
        } else if kind == ChangeKind::Deleted
            && self.registry.get(id).is_some_and(|resource| resource.custom && resource.terminating)
        {
            self.definitions.enqueue(&id.to_string());
        }
    }

    /// Brings what is served in line with the definitions. Each step is a write of its own, as watchers of the real
    /// server see it.
    pub(crate) fn settle_definitions(&mut self) {
        const STEPS_MAX: usize = 10_000;
        for _ in 0..STEPS_MAX {
            let Some(name) = self.definitions.queue.pop_first() else { return };
            self.settle_definition(&name);
        }
    }

    fn settle_definition(&mut self, name: &Str) {
        let Some(stored) = self.store.get(&super::id(), &Key::new("", name)).cloned() else {
            self.withdraw(name);
            return;
        };
        let value = &stored.value;
        if metadata::is_terminating(value) {
            self.clean_up(name, value);
            return;
        }
        let time = time_text(self.now);
        let group = value.str_at(&["spec", "group"]).unwrap_or_default();
        let own = self.definitions.served.get(name).map(|served| served.id.clone());
        let others = self.registry.iter().map(AsRef::as_ref);
        let others: Vec<&Resource> =
            others.filter(|other: &&Resource| other.id.group == group && Some(&other.id) != own.as_ref()).collect();
        let named = naming::accept(value, &others, &time);
        if named != *value {
            // The write puts the definition into the queue again.
            self.write_status(name, named);
            return;
        }
        self.serve(name, value);
        let is_new =
            condition(value, "Established") != Some("True") && condition(value, "NamesAccepted") == Some("True");
        if is_new {
            let mut established = value.clone();
            let message = "the initial names have been accepted";
            set_condition(&mut established, "Established", "True", "InitialNamesAccepted", message, &time);
            self.write_status(name, established);
        }
    }

    /// Serves a definition as it is now; what is served already stays when nothing about it changed.
    fn serve(&mut self, name: &Str, value: &Value) {
        let source = Value::list([
            value.get("spec").cloned().unwrap_or_default(),
            value.at(&["status", "acceptedNames"]).cloned().unwrap_or_default(),
            metadata::is_terminating(value).into(),
        ]);
        if self.definitions.served.get(name).is_some_and(|served| served.source == source) {
            return;
        }
        let revision = self.registry.next_revision();
        let Some(resource) = definition::resource(value, revision) else { return };
        let id = resource.id.clone();
        self.registry.insert(Arc::new(resource));
        self.definitions.served.insert(name.clone(), Served { id, source });
    }

    /// The definition is gone. Others may have waited for its names.
    fn withdraw(&mut self, name: &Str) {
        let Some(served) = self.definitions.served.remove(name) else { return };
        self.registry.remove(&served.id);
        let waiting: Vec<Str> = self
            .store
            .table(&super::id())
            .into_iter()
            .flat_map(|table| table.iter())
            .filter(|(_, stored)| condition(&stored.value, "NamesAccepted") == Some("False"))
            .map(|(key, _)| key.name.clone())
            .collect();
        self.definitions.queue.extend(waiting);
    }

    /// Deletes the objects of a definition that is being deleted, then lets it go.
    fn clean_up(&mut self, name: &Str, value: &Value) {
        self.serve(name, value);
        if !metadata::strings(value, "finalizers").iter().any(|finalizer| finalizer == FINALIZER) {
            return;
        }
        let served = self.definitions.served.get(name).map(|served| served.id.clone());
        let Some(id) = served else {
            self.release(name, value, "NeverEstablished", "resource was never established");
            return;
        };
        if terminating_reason(value) == Some("InstanceDeletionPending") {
            let message = "CustomResource deletion is in progress";
            let mut next = value.clone();
            set_condition(
                &mut next,
                "Terminating",
                "True",
                "InstanceDeletionInProgress",
                message,
                &time_text(self.now),
            );
            self.write_status(name, next);
            return;
        }
        self.delete_instances(&id);
        if self.store.table(&id).is_none_or(|table| table.len() == 0) {
            self.release(name, value, "InstanceDeletionCompleted", "removed all instances");
        }
    }

    fn delete_instances(&mut self, id: &GroupResource) {
        let Some(resource) = self.registry.get(id).cloned() else { return };
        let table = self.store.table(id);
        let alive = table.into_iter().flat_map(|table| table.iter());
        let alive: Vec<Key> =
            alive.filter(|(_, stored)| !metadata::is_terminating(&stored.value)).map(|(key, _)| key.clone()).collect();
        let options = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
        for key in alive {
            let mut call = self.controller_call(&resource, &key, "");
            // What refuses to go shows in the definition's condition, as with the real server.
            let _ = self.delete(&mut call, &options);
        }
    }

    fn release(&mut self, name: &Str, value: &Value, reason: &str, message: &str) {
        let mut next = value.clone();
        set_condition(&mut next, "Terminating", "False", reason, message, &time_text(self.now));
        if next != *value {
            self.write_status(name, next.clone());
        }
        let Some(mut current) = self.store.get(&super::id(), &Key::new("", name)).map(|stored| stored.value.clone())
        else {
            return;
        };
        let kept = metadata::strings(&current, "finalizers").into_iter().filter(|finalizer| finalizer != FINALIZER);
        let kept: Vec<Value> = kept.map(Value::from).collect();
        current.set_at(&["metadata", "finalizers"], kept.into());
        self.write(name, "", current);
    }

    fn write_status(&mut self, name: &Str, value: Value) {
        self.write(name, "status", value);
    }

    fn write(&mut self, name: &Str, subresource: &str, value: Value) {
        let Some(resource) = self.registry.get(&super::id()).cloned() else { return };
        let mut call = self.controller_call(&resource, &Key::new("", name), subresource);
        // The definition was valid when it was stored, and nothing else wrote meanwhile.
        let _ = self.update(&mut call, value);
    }

    fn controller_call(&self, resource: &Arc<Resource>, key: &Key, subresource: &str) -> Call {
        Call {
            resource: Arc::clone(resource),
            version: resource.storage,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            subresource: Str::new(subresource),
            user: User::admin(),
            now: self.now,
            manager: Str::new_static(MANAGER),
            dry_run: false,
            validation: FieldValidation::Ignore,
            force: false,
            findings: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

fn terminating_reason(value: &Value) -> Option<&str> {
    let conditions = value.at(&["status", "conditions"])?.as_list()?;
    conditions.iter().find(|condition| condition.str_at(&["type"]) == Some("Terminating"))?.str_at(&["reason"])
}
