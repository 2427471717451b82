use kro_apimachinery::Status;
use kro_value::Value;

use super::create::dedup_owners;
use super::update::{Origin, check_name};
use super::{Call, Written, metadata, tracking};
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
            _ => Err(Status::failure(501, "NotImplemented", format!("{kind:?} patches are not implemented"))),
        }
    }

    /// Server-side apply: creates the object when it does not exist.
    fn apply(&mut self, call: &mut Call, applied: &Value) -> Result<Written, Status> {
        let live = self.store.get(&call.resource.id, &call.key()).cloned();
        if live.is_none() {
            check_creatable(call, applied)?;
        }
        let old = live.as_ref().map(|live| call.view(live));
        let mut object = tracking::apply(call, old.as_ref(), applied)?.object;
        check_name(call, &object)?;
        metadata::settle_namespace(call, &mut object)?;
        self.conform(call, &mut object)?;
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
