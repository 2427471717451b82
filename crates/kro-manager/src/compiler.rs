//! Compiles definitions against what the manager knows of kinds.

use std::sync::Arc;

use kro_engine::object::GroupKind;
use kro_graph::{Graph, Gvk};
use kro_value::Value;

use crate::Config;
use crate::crds::CrdIndex;
use crate::outbox::Resource;

/// What became of a definition.
#[derive(Debug, Clone)]
pub(crate) struct Compilation {
    /// `None` when there are errors.
    pub graph: Option<Arc<Graph>>,
    /// All errors, one a line.
    pub errors: String,
    /// Kinds whose schema is not known: it may compile once they are.
    pub missing: Vec<Gvk>,
}

/// Compiles a ResourceGraphDefinition. A bug in the compiler is an error of this definition alone.
pub(crate) fn compile(definition: &Value, crds: &CrdIndex, config: &Config) -> Compilation {
    let _ = (definition, crds, config);
    Compilation { graph: None, errors: "no compiler yet".into(), missing: Vec::new() }
}

/// Where a kind is served, and whether it is namespaced. `None` when nobody knows it.
pub(crate) fn locate(group_kind: &GroupKind, crds: &CrdIndex) -> Option<(Resource, bool)> {
    if let Some(crd) = crds.of_kind(group_kind) {
        return Some((crd.resource(), crd.namespaced));
    }
    let row = kro_schema::builtin::resources()
        .iter()
        .find(|row| row.group == group_kind.group && row.kind == group_kind.kind)?;
    Some((
        Resource { group: row.group.clone(), version: row.version.clone(), plural: row.plural.clone() },
        row.namespaced,
    ))
}
