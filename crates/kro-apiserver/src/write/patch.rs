use kro_apimachinery::patch::{apply_json_patch, apply_merge_patch, apply_strategic_merge_patch};
use kro_apimachinery::{FieldError, Status, go_value};
use kro_schema::structural::Schema;
use kro_value::{Str, Value};

use super::conform::Stage;
use super::create::dedup_owners;
use super::update::{Origin, check_name};
use super::{Call, Written, metadata, tracking};
use crate::authorization::{Attributes, authorize};
use crate::state::State;

/// How a PATCH says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' merge with merge keys; built-in kinds only.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchType {
    pub(crate) fn parse(content_type: &str) -> Option<Self> {
        match content_type {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" => Some(Self::Apply),
            _ => None,
        }
    }
}

impl State {
    /// Changes an object.
    pub(crate) fn patch(&mut self, call: &mut Call, kind: PatchType, patch: &Value) -> Result<Written, Status> {
        match kind {
            PatchType::Apply => self.apply(call, patch),
            _ => self.patch_live(call, kind, patch),
        }
    }

    fn patch_live(&mut self, call: &mut Call, kind: PatchType, patch: &Value) -> Result<Written, Status> {
        let live = self.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
        let old = call.view(&live);
        let mut object = match kind {
            PatchType::Json => apply_json_patch(&old, patch)?,
            PatchType::Strategic => match call.schema() {
                Some(schema) => apply_strategic_merge_patch(schema, &old, patch)?,
                None => apply_merge_patch(&old, patch)?,
            },
            PatchType::Merge | PatchType::Apply => apply_merge_patch(&old, patch)?,
        };
        check_kind(call, &object)?;
        check_name(call, &object)?;
        metadata::settle_namespace(call, &mut object)?;
        let conformed = self.conform(call, &mut object, Stage::Patched);
        conformed.map_err(|status| if kind == PatchType::Strategic { of_strategic(status, patch) } else { status })?;
        self.replace(call, &live, object, Origin::Patch)
    }

    /// Server-side apply: creates the object when it does not exist.
    fn apply(&mut self, call: &mut Call, applied: &Value) -> Result<Written, Status> {
        let live = self.store.get(&call.resource.id, &call.key()).cloned();
        if live.is_none() {
            check_creatable(call, applied)?;
            authorize(self, &call.user, &creation(call))?;
        }
        let old = live.as_ref().map(|live| call.view(live));
        let mut object = tracking::apply(call, old.as_ref(), applied)?.object;
        check_name(call, &object)?;
        metadata::settle_namespace(call, &mut object)?;
        let merged = object.clone();
        self.conform(call, &mut object, Stage::Patched)?;
        if let Some(schema) = call.schema().filter(|_| call.resource.custom) {
            keep_nulls(schema, &merged, &mut object);
            crate::conversion::keep_remains(&merged, &mut object);
        }
        dedup_owners(call, &mut object);
        match live {
            Some(live) => self.replace(call, &live, object, Origin::Apply),
            None => {
                object.remove_at(&["metadata", "resourceVersion"]);
                self.create_tracked(call, object)
            }
        }
    }
}

/// Nulls that an apply leaves where the schema has none are not dropped, as a client's own are: they are found invalid.
fn keep_nulls(schema: &Schema, merged: &Value, object: &mut Value) {
    if let (Some(items), Some(merged), Some(list)) = (schema.items(), merged.as_list(), object.as_list_mut()) {
        merged.iter().zip(list).for_each(|(merged, item)| keep_nulls(&items, merged, item));
        return;
    }
    let Some(fields) = merged.as_map() else { return };
    for (name, value) in fields {
        let Some(property) = schema.property(name) else { continue };
        if value.is_null() && object.get(name).is_none() && object.as_map().is_some() {
            object.set_at(&[name], Value::Null);
        } else if let Some(inner) = object.as_map_mut().and_then(|map| map.get_mut(name)) {
            keep_nulls(&property, value, inner);
        }
    }
}

/// What a strategic merge patch says of a value of the wrong type: the reference shows the patch, not the object.
fn of_strategic(status: Status, patch: &Value) -> Status {
    let Some((_, wanted)) = status.message.rsplit_once(" of type ") else { return status };
    let detail = format!("unrecognized type: {wanted}");
    let error = FieldError::invalid("patch", &Value::from(go_value(patch)), detail);
    Status::invalid("", "", "", &[error])
}

/// A patch cannot make an object of another kind of it.
fn check_kind(call: &Call, object: &Value) -> Result<(), Status> {
    let text = |key: &str| object.str_at(&[key]).unwrap_or_default();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let wanted = call.api_version();
    if kind == call.resource.kind && api_version == wanted {
        return Ok(());
    }
    if !call.resource.custom {
        let why = if kind == call.resource.kind {
            format!(
                "no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\""
            )
        } else {
            "unknown conversion".to_owned()
        };
        let error = FieldError::invalid("patch", &Value::from(kro_value::to_json(object)), why);
        return Err(Status::invalid("", "", "", &[error]));
    }
    let mut errors = Vec::new();
    if api_version != wanted {
        errors.push(FieldError::invalid("apiVersion", &api_version.into(), format!("must be {wanted}")));
    }
    if kind != call.resource.kind {
        errors.push(FieldError::invalid("kind", &kind.into(), format!("must be {}", call.resource.kind)));
    }
    Err(Status::invalid(&call.resource.id.group, kind, &call.name, &errors))
}

/// An apply that creates needs the right to create.
fn creation(call: &Call) -> Attributes {
    Attributes {
        verb: Str::new_static("create"),
        group: call.resource.id.group.clone(),
        resource: call.resource.id.resource.clone(),
        namespace: call.namespace.clone(),
        name: call.name.clone(),
        ..Attributes::default()
    }
}

/// An object that does not exist can be created by an apply of the object itself that does not expect it to exist.
fn check_creatable(call: &Call, applied: &Value) -> Result<(), Status> {
    if !call.subresource.is_empty() {
        return Err(call.not_found());
    }
    let uid = metadata::text(applied, "uid");
    if uid.is_empty() {
        return Ok(());
    }
    Err(call
        .conflict(&format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found")))
}
