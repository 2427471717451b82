//! The pipeline from a definition to a graph.

use std::sync::Arc;

use kro_diagnostics::codes::{graph as graph_codes, shape as shape_codes};
use kro_diagnostics::{Diagnostic, Diagnostics};
use kro_schema::simple::{self, Tree};
use kro_value::{FieldPath, Str, Value};

use crate::assembly::{self, Parts};
use crate::definition::Definition;
use crate::dependencies::{self, Causes};
use crate::draft::{self, NodeDraft};
use crate::parse::Parser;
use crate::report::Report;
use crate::resource::{self, Resource};
use crate::schemas::{CrdSchemas, SchemaSources};
use crate::scope::Scope;
use crate::status::{self, Status};
use crate::{Graph, Gvk, NodeIndex, SchemaSource, Source, branches, shape, typing};

/// Limits and switches of a compilation.
#[derive(Debug, Clone)]
pub struct CompileOptions {
    /// How many dimensions a `forEach` may have.
    pub collection_dimensions_max: usize,
    /// How many resources a definition may have.
    pub resources_max: usize,
    /// The feature gate `CELOmitFunction`: allows `omit()` in templates.
    pub omit_function: bool,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { collection_dimensions_max: 10, resources_max: 5000, omit_function: false }
    }
}

/// What a compilation gives.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// The graph; `None` when there are errors.
    pub graph: Option<Arc<Graph>>,
    /// Everything there is to say about the definition.
    pub diagnostics: Diagnostics,
    /// Kinds without a schema, sorted; the rest of the definition was checked without them.
    pub missing_kinds: Vec<Gvk>,
}

/// Compiles a definition: all stages run, however many mistakes the ones before found.
pub fn compile(source: &Source, schemas: &dyn SchemaSource, options: &CompileOptions) -> Compiled {
    let mut report = Report::new(source);
    let definition = shape::read(&mut report, options);
    let spec_schema = definition.schema.as_ref().map(|_| compile_spec(&mut report));
    let own_crds = CrdSchemas::new(resource::own_crds(&definition));
    let sources = SchemaSources::new([schemas, &own_crds]);
    let mut missing_kinds = Vec::new();
    let resources: Vec<Option<Resource<'_>>> = definition
        .resources
        .iter()
        .map(|entry| resource::read(&mut report, &definition, entry, &sources, &mut missing_kinds))
        .collect();
    let parser = Parser::default();
    let scope = scope(&parser, &definition, &resources, options);
    let drafts = read_drafts(&mut report, &scope, &definition, &resources);
    let status = match &definition.schema {
        Some(block) => status::read(&mut report, &scope, &block.status),
        None => Status::default(),
    };
    let default_namespace = default_namespace(&mut report, &definition, &resources);
    let dependencies = order(&mut report, &definition, &resources, &drafts, default_namespace.as_deref());
    warn_of_unused(&mut report, &definition, &drafts, &status);
    branches::check(&mut report, &definition, &drafts);
    let instance_schema = spec_schema.as_ref().map(|spec| typing::instance_schema(&definition, spec));
    let typed = typing::check(&mut report, &definition, instance_schema.as_ref(), &resources, &drafts, &status);
    missing_kinds.sort();
    missing_kinds.dedup();
    let parts = Parts {
        definition: &definition,
        spec_schema,
        instance_schema,
        resources: &resources,
        drafts,
        status,
        typed,
        dependencies,
        default_namespace,
    };
    let graph = assembly::assemble(&mut report, parts).filter(|_| !report.has_errors()).map(Arc::new);
    Compiled { graph, diagnostics: report.finish(), missing_kinds }
}

/// The schema of the instance's spec, from SimpleSchema.
fn compile_spec(report: &mut Report<'_>) -> Value {
    let path = |key: &str| FieldPath::fields(["spec", "schema", key]);
    let source = report.source();
    let tree = |key: &str| -> Option<Tree<'_>> {
        let path = path(key);
        match &source.document {
            Some(document) => Some(Tree::from_node(document.root.at_path(&path)?, path)),
            None => Some(Tree::from_value(source.value.at_path(&path)?, path)),
        }
    };
    let compiled = simple::compile(tree("spec").as_ref(), tree("types").as_ref());
    report.extend(compiled.diagnostics);
    compiled.schema
}

fn scope<'p>(
    parser: &'p Parser,
    definition: &Definition,
    resources: &[Option<Resource<'_>>],
    options: &CompileOptions,
) -> Scope<'p> {
    let entries = || indices(definition).zip(&definition.resources);
    let has_selector = |node: &NodeIndex| resources[node.get()].as_ref().is_some_and(|resource| resource.has_selector);
    Scope {
        parser,
        // Of repeated ids, which were reported, the first counts.
        ids: entries().map(|(node, entry)| (entry.id.clone(), node)).rev().collect(),
        iterators: definition
            .resources
            .iter()
            .map(|entry| entry.for_each.iter().map(|(name, _)| name.clone()).collect())
            .collect(),
        external_collections: indices(definition).filter(has_selector).collect(),
        has_schema: definition.schema.is_some(),
        omit_function: options.omit_function,
    }
}

fn read_drafts<'d>(
    report: &mut Report<'_>,
    scope: &Scope<'_>,
    definition: &'d Definition,
    resources: &'d [Option<Resource<'_>>],
) -> Vec<NodeDraft<'d>> {
    let read = |(node, entry): (NodeIndex, _)| {
        draft::read(report, scope, definition, node, entry, resources[node.get()].as_ref())
    };
    indices(definition).zip(&definition.resources).map(read).collect()
}

fn order(
    report: &mut Report<'_>,
    definition: &Definition,
    resources: &[Option<Resource<'_>>],
    drafts: &[NodeDraft<'_>],
    default_namespace: Option<&str>,
) -> dependencies::Dependencies {
    let mut causes = Causes::new(drafts.len());
    for (node, draft) in indices(definition).zip(drafts) {
        draft.add_causes(&mut causes, node);
    }
    let ids: Vec<&str> = definition.resources.iter().map(|entry| entry.id.as_str()).collect();
    dependencies::order(report, causes, resources, &ids, default_namespace, definition.schema.is_some())
}

/// Where manifests without a namespace go, in a graph without a schema.
fn default_namespace(
    report: &mut Report<'_>,
    definition: &Definition,
    resources: &[Option<Resource<'_>>],
) -> Option<Str> {
    if definition.schema.is_some() {
        return None;
    }
    let namespaces: Vec<&str> = resources
        .iter()
        .flatten()
        .filter(|resource| {
            resource.gvk.group.is_empty() && resource.gvk.kind == "Namespace" && !resource.entry.is_external
        })
        .filter_map(|resource| resource.entry.object.str_at(&["metadata", "name"]))
        .collect();
    let (namespace, why) = match (&definition.default_namespace, namespaces.as_slice()) {
        (Some(chosen), _) => (chosen.clone(), "as the annotation kro.run/default-namespace says"),
        (None, [only]) => (Str::new(only), "the only Namespace of the graph"),
        (None, []) => (Str::new_static("default"), "since the graph has no Namespace of its own"),
        (None, _) => (Str::new_static("default"), "since the graph has several Namespaces"),
    };
    let goes_there = |resource: &&Resource<'_>| {
        resource.namespaced()
            && !resource.has_selector
            && resource.entry.object.str_at(&["metadata", "namespace"]).is_none_or(str::is_empty)
    };
    let ids: Vec<&str> =
        resources.iter().flatten().filter(goes_there).map(|resource| resource.entry.id.as_str()).collect();
    if !ids.is_empty() {
        let message = format!("resources without a namespace go to namespace {namespace:?}, {why}: {}", ids.join(", "));
        let note = Diagnostic::new(shape_codes::DEFAULT_NAMESPACE, kro_diagnostics::Severity::Note, message);
        let help = "the annotation kro.run/default-namespace on the definition decides otherwise";
        report.push_key(note.at(FieldPath::fields(["spec", "resources"])).help(help));
    }
    Some(namespace)
}

/// Warns of external references that nothing reads and nothing waits for.
fn warn_of_unused(report: &mut Report<'_>, definition: &Definition, drafts: &[NodeDraft<'_>], status: &Status) {
    let mut is_used = vec![false; drafts.len()];
    let inputs = drafts.iter().flat_map(NodeDraft::inputs).map(|resolved| &resolved.references);
    let items = status.fields.iter().chain(&status.conditions).map(|item| &item.references);
    inputs.chain(items).flat_map(|references| &references.nodes).for_each(|node| is_used[node.get()] = true);
    for ((entry, draft), _) in definition.resources.iter().zip(drafts).zip(&is_used).filter(|(_, used)| !**used) {
        if entry.is_external && draft.ready_when.is_empty() && !report.has_errors() {
            let message = format!("nothing reads the external reference {:?}", entry.id);
            let diagnostic = Diagnostic::warning(graph_codes::UNUSED, message).about(entry.id.as_str());
            report.push(diagnostic.at(entry.path.clone()).help("remove it, or read it somewhere"));
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // bounded by CompileOptions::resources_max
fn indices(definition: &Definition) -> impl DoubleEndedIterator<Item = NodeIndex> + ExactSizeIterator + use<> {
    (0..definition.resources.len() as u32).map(NodeIndex)
}
