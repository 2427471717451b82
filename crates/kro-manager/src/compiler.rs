//! Compiles definitions against what the manager knows of kinds.

use std::sync::Arc;

use kro_engine::object::GroupKind;
use kro_graph::{
    BuiltinSchemas, CompileOptions, CrdSchemas, Graph, Gvk, ResolvedKind, SchemaSource, SchemaSources, Source,
};
use kro_value::Value;

use crate::Config;
use crate::crds::CrdIndex;
use crate::outbox::Resource;
use crate::served::Served;

/// What became of a definition.
#[derive(Debug, Clone)]
pub(crate) struct Compilation {
    /// `None` when there are errors.
    pub graph: Option<Arc<Graph>>,
    /// All errors, one a line.
    pub errors: String,
    /// Kinds that nobody knows.
    pub missing: Vec<Gvk>,
    /// The compiler has a bug.
    pub is_panic: bool,
}

/// The kinds of CustomResourceDefinitions.
impl SchemaSource for CrdIndex {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        let crd = self.of_kind(&GroupKind { kind: gvk.kind.clone(), group: gvk.group.clone() })?;
        CrdSchemas::new([&crd.object]).resolve(gvk)
    }
}

/// Compiles a ResourceGraphDefinition. A bug in the compiler is an error of this definition alone.
pub(crate) fn compile(definition: &Value, crds: &CrdIndex, served: &Served, config: &Config) -> Compilation {
    let source = Source::from_value(definition.clone());
    let sources: [&dyn SchemaSource; 3] = [&BuiltinSchemas, crds, served];
    let options = CompileOptions {
        omit_function: config.omit_function,
        collection_dimensions_max: config.collection_dimensions_max,
        ..CompileOptions::default()
    };
    let made = crate::guard(|| kro_graph::compile(&source, &SchemaSources::new(sources), &options));
    let compiled = match made {
        Ok(compiled) => compiled,
        Err(panic) => {
            let errors = format!("compiling panicked; this is a bug in kro: {panic}");
            return Compilation { graph: None, errors, missing: Vec::new(), is_panic: true };
        }
    };
    let errors = kro_graph::condition_message(&compiled.diagnostics, definition);
    Compilation { graph: compiled.graph, errors, missing: compiled.missing_kinds, is_panic: false }
}

/// Where a kind is served, and whether it is namespaced. `None` when nobody knows it.
pub(crate) fn locate(group_kind: &GroupKind, crds: &CrdIndex, served: &Served) -> Option<(Resource, bool)> {
    if let Some(crd) = crds.of_kind(group_kind) {
        return Some((crd.resource(), crd.namespaced));
    }
    let row = kro_schema::builtin::resources()
        .iter()
        .find(|row| row.group == group_kind.group && row.kind == group_kind.kind);
    let Some(row) = row else { return served.locate(group_kind) };
    Some((
        Resource { group: row.group.clone(), version: row.version.clone(), plural: row.plural.clone() },
        row.namespaced,
    ))
}
