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

/// What became of a definition.
#[derive(Debug, Clone)]
pub(crate) struct Compilation {
    /// `None` when there are errors.
    pub graph: Option<Arc<Graph>>,
    /// All errors, one a line.
    pub errors: String,
}

/// The kinds of CustomResourceDefinitions.
impl SchemaSource for CrdIndex {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        let crd = self.of_kind(&GroupKind { kind: gvk.kind.clone(), group: gvk.group.clone() })?;
        CrdSchemas::new([&crd.object]).resolve(gvk)
    }
}

/// Compiles a ResourceGraphDefinition. A bug in the compiler is an error of this definition alone.
pub(crate) fn compile(definition: &Value, crds: &CrdIndex, config: &Config) -> Compilation {
    let source = Source::from_value(definition.clone());
    let sources: [&dyn SchemaSource; 2] = [&BuiltinSchemas, crds];
    let options = CompileOptions { omit_function: config.omit_function, ..CompileOptions::default() };
    let made = crate::guard(|| kro_graph::compile(&source, &SchemaSources::new(sources), &options));
    let compiled = match made {
        Ok(compiled) => compiled,
        Err(panic) => {
            let errors = format!("compiling panicked; this is a bug in kro: {panic}");
            return Compilation { graph: None, errors };
        }
    };
    let errors: Vec<&str> =
        compiled.diagnostics.iter().filter(|item| item.is_error()).map(|item| item.message.as_str()).collect();
    if compiled.graph.is_none() && errors.is_empty() {
        return stand_in(definition, crds);
    }
    Compilation { graph: compiled.graph.clone(), errors: errors.join("\n") }
}

/// Until the compiler lands: plain manifests without expressions.
fn stand_in(definition: &Value, crds: &CrdIndex) -> Compilation {
    use kro_graph::{Node, NodeIndex, NodeKind, Reads};
    let refuse = |errors: String| Compilation { graph: None, errors };
    let resources = definition.at(&["spec", "resources"]).and_then(Value::as_list).unwrap_or_default();
    let mut nodes = Vec::new();
    for manifest in resources {
        let Some(gvk) = kro_engine::object::gvk(manifest) else {
            return refuse("no compiler yet".into());
        };
        let kind = GroupKind { kind: gvk.kind.clone(), group: gvk.group.clone() };
        let Some((resource, namespaced)) = locate(&kind, crds) else {
            return refuse(format!("schema not found: {gvk}"));
        };
        let name = kro_engine::object::name(manifest);
        nodes.push(Node {
            id: kro_value::format_smolstr!("{}{}", gvk.kind.to_lowercase(), name.replace(['-', '.'], "")),
            kind: NodeKind::Resource,
            gvk,
            plural: resource.plural,
            namespaced,
            dependencies: Vec::new(),
            soft_dependencies: nodes.len().checked_sub(1).map(|last| NodeIndex(last as u32)).into_iter().collect(),
            wave: nodes.len() as u32 + 1,
            template: manifest.clone(),
            fields: Vec::new(),
            include_when: Vec::new(),
            ready_when: Vec::new(),
            for_each: Vec::new(),
            reads: Reads::Everything,
        });
    }
    let graph = Graph {
        name: kro_engine::object::name(definition).into(),
        instance: None,
        order: (0..nodes.len()).map(|index| NodeIndex(index as u32)).collect(),
        topological_order: Vec::new(),
        nodes,
        status: Vec::new(),
        conditions: Vec::new(),
        spec_hash: crate::digest_of_spec(definition),
        default_namespace: Some("default".into()),
    };
    Compilation { graph: Some(Arc::new(graph)), errors: String::new() }
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
