use std::sync::Arc;

use kro_apimachinery::{LabelSelector, Status};
use kro_value::{Str, Value};

use crate::negotiation::Form;
use crate::representation::View;
use crate::state::State;
use crate::store::{Key, Stored};
use crate::write::{Call, DeleteOptions, FieldValidation, PatchType, Written};
use crate::{GroupResource, Resource, Timestamp, User};

/// The API as a controller inside the server sees it: reads of the live state, and writes that go the way of every
/// request (admission, managedFields, validation, events).
///
/// Objects are complete (with `kind` and `apiVersion`), in the storage version of their resource. Cluster-scoped
/// objects have the empty namespace.
pub struct Access<'a> {
    state: &'a mut State,
    name: &'static str,
}

/// Which object a write is about.
#[derive(Debug, Clone)]
pub struct ObjectRef {
    /// What it is.
    pub resource: Arc<Resource>,
    /// Empty for cluster-scoped objects.
    pub namespace: Str,
    /// Its name.
    pub name: Str,
}

impl ObjectRef {
    /// The place of an object of a resource.
    pub fn of(resource: &Arc<Resource>, object: &Value) -> Self {
        let text = |key| object.str_at(&["metadata", key]).map(Str::new).unwrap_or_default();
        Self { resource: Arc::clone(resource), namespace: text("namespace"), name: text("name") }
    }
}

impl<'a> Access<'a> {
    pub(crate) fn new(state: &'a mut State, name: &'static str) -> Self {
        Self { state, name }
    }

    /// The time of this run.
    pub fn now(&self) -> Timestamp {
        self.state.now
    }

    /// Everything that is served.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.state.registry.iter()
    }

    /// A served resource by group and plural.
    pub fn resource(&self, group: &str, plural: &str) -> Option<Arc<Resource>> {
        self.state.registry.find(group, plural).cloned()
    }

    /// A served resource by the `apiVersion` and `kind` of its objects, in any version of the group.
    pub fn resource_of(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        self.state.registry.of_object(api_version, kind).cloned()
    }

    /// An object.
    pub fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Value> {
        self.state.store.get(&resource.id, &Key::new(namespace, name)).map(|stored| stored.value.clone())
    }

    /// The objects of a namespace (or of all) in order.
    pub fn list(&self, resource: &Resource, namespace: Option<&str>) -> Vec<Value> {
        let table = self.state.store.table(&resource.id);
        let objects = table.into_iter().flat_map(|table| table.in_namespace(namespace));
        objects.map(|(_, stored)| stored.value.clone()).collect()
    }

    /// The objects of a namespace (or of all) that a selector selects, in order.
    pub fn select(&self, resource: &Resource, namespace: Option<&str>, labels: &LabelSelector) -> Vec<Value> {
        let table = self.state.store.table(&resource.id);
        let objects = table.into_iter().flat_map(|table| table.in_namespace(namespace));
        objects.filter(|(_, stored)| labels.matches(stored.labels())).map(|(_, stored)| stored.value.clone()).collect()
    }

    /// The object with this uid.
    pub fn by_uid(&self, uid: &str) -> Option<(Arc<Resource>, Value)> {
        let (id, key) = self.state.store.locate(uid)?;
        self.load(id, key)
    }

    /// The objects that name this uid in their owner references.
    pub fn dependents(&self, uid: &str) -> Vec<(Arc<Resource>, Value)> {
        self.state.store.dependents(uid).filter_map(|(id, key)| self.load(id, key)).collect()
    }

    /// Creates an object.
    ///
    /// # Errors
    /// As the API answers.
    pub fn create(&mut self, resource: &Arc<Resource>, object: Value) -> Result<Value, Status> {
        let mut target = ObjectRef::of(resource, &object);
        target.name = Str::default();
        let mut call = self.call(&target, "");
        let object = with_kind(resource, object);
        self.state.create(&mut call, object).map(|written| shown(&call, &written))
    }

    /// Replaces an object; its resource version, if it has one, must be the live one.
    ///
    /// # Errors
    /// As the API answers.
    pub fn update(&mut self, resource: &Arc<Resource>, object: Value) -> Result<Value, Status> {
        self.update_subresource(resource, "", object)
    }

    /// Replaces the status of an object.
    ///
    /// # Errors
    /// As the API answers.
    pub fn update_status(&mut self, resource: &Arc<Resource>, object: Value) -> Result<Value, Status> {
        self.update_subresource(resource, "status", object)
    }

    /// Replaces what a subresource (`status`, `finalize`) covers.
    ///
    /// # Errors
    /// As the API answers.
    pub fn update_subresource(
        &mut self,
        resource: &Arc<Resource>,
        subresource: &str,
        object: Value,
    ) -> Result<Value, Status> {
        let mut call = self.call(&ObjectRef::of(resource, &object), subresource);
        let object = with_kind(resource, object);
        self.state.update(&mut call, object).map(|written| shown(&call, &written))
    }

    /// Changes an object, or what a subresource covers.
    ///
    /// # Errors
    /// As the API answers.
    pub fn patch(
        &mut self,
        target: &ObjectRef,
        subresource: &str,
        kind: PatchType,
        patch: &Value,
    ) -> Result<Value, Status> {
        let mut call = self.call(target, subresource);
        call.force = kind == PatchType::Apply;
        self.state.patch(&mut call, kind, patch).map(|written| shown(&call, &written))
    }

    /// Deletes an object. True when it is gone, false when something keeps it.
    ///
    /// # Errors
    /// As the API answers.
    pub fn delete(&mut self, target: &ObjectRef, options: &DeleteOptions) -> Result<bool, Status> {
        let mut call = self.call(target, "");
        self.state.delete(&mut call, options).map(|deleted| deleted.gone)
    }

    /// A number below `limit`, from the server's generator.
    pub fn random_below(&mut self, limit: u64) -> u64 {
        self.state.random.below(limit)
    }

    /// Five characters for the end of a generated name.
    pub fn random_suffix(&mut self) -> String {
        self.state.random.suffix()
    }

    fn load(&self, id: &GroupResource, key: &Key) -> Option<(Arc<Resource>, Value)> {
        let resource = self.state.registry.get(id)?;
        let stored: &Arc<Stored> = self.state.store.get(id, key)?;
        Some((Arc::clone(resource), stored.value.clone()))
    }

    fn call(&self, target: &ObjectRef, subresource: &str) -> Call {
        Call {
            resource: Arc::clone(&target.resource),
            version: target.resource.storage,
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            subresource: Str::new(subresource),
            user: controller(self.name),
            now: self.state.now,
            manager: Str::new(self.name),
            dry_run: false,
            validation: FieldValidation::Ignore,
            force: false,
            findings: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// A controller of the server may do everything.
fn controller(name: &str) -> User {
    let mut user = User::service_account("kube-system", name);
    user.groups.push(Str::new_static("system:masters"));
    user
}

fn with_kind(resource: &Resource, mut object: Value) -> Value {
    object.set_at(&["kind"], resource.kind.clone().into());
    object.set_at(&["apiVersion"], resource.api_version(resource.storage).into());
    object
}

fn shown(call: &Call, written: &Written) -> Value {
    let view = View { resource: Arc::clone(&call.resource), version: call.version, form: Form::Object };
    view.value(&written.stored)
}
