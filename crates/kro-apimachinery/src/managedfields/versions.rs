use std::fmt;

use kro_value::{Str, Value};

use super::{FieldFilter, Identity, Operation};
use crate::typed::{Duplicates, Type, TypeError, check};

/// Why an object cannot be seen at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionError {
    /// There is no such version any more.
    Missing,
    /// It does not convert.
    Failed(String),
}

impl fmt::Display for VersionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("no such version"),
            Self::Failed(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for VersionError {}

/// The versions of one kind.
pub trait Versions {
    /// The type of the kind at an `apiVersion`; `None` when there is no such version.
    fn type_at(&self, api_version: &str) -> Option<Type>;

    /// The object at another `apiVersion`. By default only its `apiVersion` changes.
    ///
    /// # Errors
    /// When it does not convert.
    fn convert(&self, object: &Value, api_version: &str) -> Result<Value, VersionError> {
        let mut object = object.clone();
        object.set_at(&["apiVersion"], Value::from(api_version));
        Ok(object)
    }

    /// What a create compares with: the kind's zero value. By default nothing but the kind.
    fn new_object(&self, api_version: &str, kind: &str) -> Value {
        Value::map([("apiVersion", Value::from(api_version)), ("kind", Value::from(kind))])
    }

    /// What a writer at this `apiVersion` through the request's endpoint may own.
    fn filter_at(&self, api_version: &str) -> FieldFilter;
}

/// A write.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The kind's versions and what the endpoint resets.
    pub versions: &'a dyn Versions,
    /// `apiVersion` of the endpoint.
    pub api_version: &'a str,
    /// Kind of the endpoint.
    pub kind: &'a str,
    /// The field manager.
    pub manager: &'a str,
    /// Subresource of the endpoint; empty for the main resource.
    pub subresource: &'a str,
    /// Now, RFC 3339 in whole seconds.
    pub now: &'a str,
}

impl Request<'_> {
    pub(super) fn identity(&self, operation: Operation) -> Identity {
        Identity::new(self.manager, operation, self.api_version, self.subresource)
    }

    pub(super) fn kind_type(&self) -> Result<Type, VersionError> {
        self.versions.type_at(self.api_version).ok_or(VersionError::Missing)
    }

    pub(super) fn time(&self) -> Option<Str> {
        Some(Str::new(self.now))
    }

    /// An object at a version, checked against the version's type.
    pub(super) fn at_version(&self, object: &Value, api_version: &str) -> Result<(Type, Value), VersionError> {
        let kind = self.versions.type_at(api_version).ok_or(VersionError::Missing)?;
        if object.str_at(&["apiVersion"]) == Some(api_version) {
            return Ok((kind, object.clone()));
        }
        let converted = self.versions.convert(object, api_version)?;
        match check(&kind, &converted, Duplicates::Refused) {
            errors if errors.is_empty() => Ok((kind, converted)),
            errors => Err(VersionError::Failed(TypeError::text_of_all(&errors))),
        }
    }

    /// The name of an object in messages: `ns/name; group/version, Kind=K`.
    pub(super) fn name_of(&self, object: &Value) -> String {
        let text = |keys: &[&str]| object.str_at(keys).unwrap_or_default().to_owned();
        let (namespace, name) = (text(&["metadata", "namespace"]), text(&["metadata", "name"]));
        format!("{namespace}/{name}; {}", kind_text(&text(&["apiVersion"]), &text(&["kind"])))
    }
}

/// A kind as Go prints it: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`.
pub(super) fn kind_text(api_version: &str, kind: &str) -> String {
    if api_version.contains('/') || api_version.is_empty() {
        let api_version = if api_version.is_empty() { "/" } else { api_version };
        format!("{api_version}, Kind={kind}")
    } else {
        format!("/{api_version}, Kind={kind}")
    }
}
