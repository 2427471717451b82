//! Objects between versions and schemas.

use kro_schema::structural::{default, prune};
use kro_value::Value;

use crate::Resource;
use crate::store::Stored;

/// A stored object in one version, under the current schema: fields that the schema no longer has are hidden, new
/// defaults show.
pub(crate) fn read(resource: &Resource, version: usize, stored: &Stored) -> Value {
    let mut value = stored.value.clone();
    set_version(resource, version, &mut value);
    if let Some(schema) = resource.schema(version).filter(|_| resource.custom) {
        prune(schema, &mut value);
        default(schema, &mut value);
    }
    value
}

/// An object at the version it is stored in.
pub(crate) fn to_storage(resource: &Resource, value: &mut Value) {
    set_version(resource, resource.storage, value);
}

fn set_version(resource: &Resource, version: usize, value: &mut Value) {
    value.set_at(&["apiVersion"], resource.api_version(version).into());
}
