use std::sync::Arc;

use kro_apimachinery::Status;
use kro_value::{Str, Value};

use super::conform::Stage;
use super::{Call, Written, metadata, tracking};
use crate::kinds::{self, NameRule};
use crate::state::State;
use crate::store::{Key, Stored, UNKNOWN_SCHEMA};
use crate::{admission, conversion};

impl State {
    /// Creates an object of the request's kind.
    pub(crate) fn create(&mut self, call: &mut Call, mut object: Value) -> Result<Written, Status> {
        metadata::settle_namespace(call, &mut object)?;
        self.conform(call, &mut object, Stage::Body)?;
        dedup_owners(call, &mut object);
        metadata::clear_new(&mut object);
        tracking::track_update(call, None, &mut object);
        self.create_tracked(call, object)
    }

    /// Brings a review, which is not stored, into the form of an object.
    pub(crate) fn prepare_review(&self, call: &mut Call, review: &mut Value) -> Result<(), Status> {
        if call.resource.namespaced {
            metadata::settle_namespace(call, review)?;
        }
        self.conform(call, review, Stage::Body)?;
        tracking::track_update(call, None, review);
        Ok(())
    }

    /// Creates an object whose managedFields are settled.
    pub(super) fn create_tracked(&mut self, call: &mut Call, mut object: Value) -> Result<Written, Status> {
        call.name = Str::new(metadata::text(&object, "name"));
        admission::admit_create(self, call, &mut object)?;
        let id = call.resource.id.clone();
        let namespace = call.namespace.clone();
        let store = &self.store;
        metadata::generate_name(&mut object, &mut self.random, |name| {
            store.get(&id, &Key::new(&namespace, name)).is_some()
        });
        call.name = Str::new(metadata::text(&object, "name"));
        let uid = self.random.uid();
        metadata::fill_new(&mut object, uid, call.now, kinds::has_generation(&call.resource));
        self.prepare_create(call, &mut object)?;
        let errors = self.validate(call, &object, None);
        if !errors.is_empty() {
            return Err(call.invalid(&call.name, &errors));
        }
        admission::validate(self, call, &object, None)?;
        self.check_new(call, &mut object)?;
        Ok(Written { created: true, stored: self.commit(call, object) })
    }

    /// A new object has no resource version, and its name is free.
    fn check_new(&self, call: &Call, object: &mut Value) -> Result<(), Status> {
        if !matches!(metadata::text(object, "resourceVersion"), "" | "0") {
            return Err(Status::plain("resourceVersion should not be set on objects to be created"));
        }
        object.remove_at(&["metadata", "resourceVersion"]);
        let id = &call.resource.id;
        match self.store.get(id, &call.key()) {
            None => Ok(()),
            Some(existing) => {
                let mut status = Status::already_exists(&id.group, &id.resource, &call.name);
                if metadata::is_terminating(&existing.value) {
                    status.message = format!("object is being deleted: {}", status.message);
                }
                Err(status)
            }
        }
    }

    /// What the kind decides about a new object.
    fn prepare_create(&mut self, call: &mut Call, object: &mut Value) -> Result<(), Status> {
        if call.resource.has_status(call.version) {
            kinds::prepare::reset_status(call, object);
        }
        kinds::prepare::create(self, call, object)
    }

    /// Everything that is wrong with an object that is to be stored.
    pub(super) fn validate(
        &mut self,
        call: &mut Call,
        object: &Value,
        live: Option<&Value>,
    ) -> Vec<kro_apimachinery::FieldError> {
        if call.resource.custom {
            metadata::warn_of_finalizers(call, object);
        }
        let mut errors = metadata::errors(object, call, NameRule::of(&call.resource.id));
        if let Some(live) = live {
            errors.extend(metadata::update_errors(object, live));
        }
        errors.extend(kinds::validate::object(call, object, live));
        errors
    }

    /// Stores an object, or only makes believe in a dry run.
    pub(super) fn commit(&mut self, call: &Call, mut object: Value) -> Arc<Stored> {
        conversion::to_storage(&call.resource, &mut object);
        let is_odd = call.resource.custom && conversion::has_remains(&object);
        let schema_revision = if is_odd { UNKNOWN_SCHEMA } else { call.resource.revision };
        if call.dry_run {
            return Arc::new(Stored::new(object, self.store.revision(), schema_revision));
        }
        let event = self.store.put(&call.resource.id, &call.key(), object, schema_revision);
        self.announce(&call.resource.id, &event);
        Arc::clone(&event.object)
    }
}

/// Drops equal owner references, with a warning.
pub(super) fn dedup_owners(call: &mut Call, object: &mut Value) {
    let duplicates = metadata::dedup_owners(object);
    if !duplicates.is_empty() {
        call.warn(format!(
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            duplicates.join(", ")
        ));
    }
}
