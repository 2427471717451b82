use kro_apimachinery::Status;
use kro_value::Value;

use super::{Call, Written};
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
        let _ = (call, patch);
        Err(Status::failure(501, "NotImplemented", format!("{kind:?} patches are not implemented")))
    }
}
