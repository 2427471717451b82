use std::sync::Arc;

use jiff::Timestamp;
use kro_apimachinery::Status;
use kro_schema::structural::Schema;
use kro_value::{Str, Value};

use crate::negotiation::Form;
use crate::representation::View;
use crate::store::{Key, Stored};
use crate::{Resource, User};

/// What to do about fields that the schema does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    /// Drop them silently.
    Ignore,
    /// Drop them and warn.
    #[default]
    Warn,
    /// Refuse the request.
    Strict,
}

/// One write: to what, by whom, how.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) resource: Arc<Resource>,
    pub(crate) version: usize,
    pub(crate) namespace: Str,
    /// Empty for a collection.
    pub(crate) name: Str,
    /// Empty for the object itself.
    pub(crate) subresource: Str,
    pub(crate) user: User,
    pub(crate) now: Timestamp,
    pub(crate) manager: Str,
    pub(crate) dry_run: bool,
    pub(crate) validation: FieldValidation,
    /// Of an apply: take fields from other managers.
    pub(crate) force: bool,
    /// What strict reading finds in the body: fields that occur twice.
    pub(crate) findings: Vec<String>,
    /// What the client should know, in order.
    pub(crate) warnings: Vec<String>,
}

/// The outcome of a write.
pub(crate) struct Written {
    /// Newly created: 201.
    pub(crate) created: bool,
    /// The object as stored (or as it would be).
    pub(crate) stored: Arc<Stored>,
}

impl Call {
    pub(crate) fn key(&self) -> Key {
        Key { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    pub(crate) fn schema(&self) -> Option<&Schema> {
        self.resource.schema(self.version)
    }

    pub(crate) fn api_version(&self) -> Str {
        self.resource.api_version(self.version)
    }

    pub(crate) fn is_status(&self) -> bool {
        self.subresource == "status"
    }

    /// A stored object in the version of this request.
    pub(crate) fn view(&self, stored: &Stored) -> Value {
        self.object_view().value(stored)
    }

    pub(crate) fn object_view(&self) -> View {
        View { resource: Arc::clone(&self.resource), version: self.version, form: Form::Object }
    }

    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    pub(crate) fn not_found(&self) -> Status {
        Status::not_found(&self.resource.id.group, &self.resource.id.resource, &self.name)
    }

    /// 409 with a reason.
    pub(crate) fn conflict(&self, why: &str) -> Status {
        Status::conflict(&self.resource.id.group, &self.resource.id.resource, &self.name, why)
    }

    /// 403 by a policy.
    pub(crate) fn forbidden(&self, name: &str, why: &str) -> Status {
        Status::forbidden(&self.resource.id.group, &self.resource.id.resource, name, why)
    }

    /// 422 with these errors.
    pub(crate) fn invalid(&self, name: &str, errors: &[kro_apimachinery::FieldError]) -> Status {
        // Events are validated as core objects, whatever group they came through.
        let group = if self.resource.id.resource == "events" { "" } else { &self.resource.id.group };
        Status::invalid(group, &self.resource.kind, name, errors)
    }
}
