//! Last stage: puts the graph together.

use std::sync::Arc;

use foldhash::HashMap;
use kro_cel::Environment;
use kro_schema::structural::Schema;
use kro_value::{FieldPath, Map, Segment, Str, Value};

use crate::crd;
use crate::definition::{Definition, SchemaBlock};
use crate::dependencies::Dependencies;
use crate::draft::{NodeDraft, Resolved};
use crate::expression::Draft;
use crate::report::Report;
use crate::resource::Resource;
use crate::scope::{self, Read, References};
use crate::status::{Item, Status};
use crate::typing::Typed;
use crate::{Dimension, Expression, Field, Graph, InstanceApi, Node, NodeIndex, NodeKind, Reads, StatusField, hash};

/// Everything the stages found.
pub(crate) struct Parts<'d> {
    pub definition: &'d Definition,
    pub spec_schema: Option<Value>,
    /// The schema of `schema` in expressions.
    pub instance_schema: Option<Schema>,
    pub resources: &'d [Option<Resource<'d>>],
    pub drafts: Vec<NodeDraft<'d>>,
    pub status: Status,
    pub typed: Typed,
    pub dependencies: Dependencies,
    pub default_namespace: Option<Str>,
}

/// The graph; `None` where an error of an earlier stage leaves a hole.
pub(crate) fn assemble(report: &mut Report<'_>, parts: Parts<'_>) -> Option<Graph> {
    if report.has_errors() {
        return None;
    }
    let environment = &parts.typed.environment;
    let by_root = reads_by_root(&parts);
    let nodes = (0..)
        .map(NodeIndex)
        .zip(parts.resources)
        .map(|(index, resource)| node(report, &parts, &by_root, index, resource.as_ref()?));
    let nodes = nodes.collect::<Option<Vec<Node>>>()?;
    let instance = match (&parts.definition.schema, &parts.instance_schema) {
        (Some(block), Some(schema)) => Some(instance(block, schema, &parts)),
        _ => None,
    };
    let spec = report.source().value.get("spec").cloned().unwrap_or_default();
    Some(Graph {
        name: parts.definition.name.clone(),
        instance,
        nodes,
        order: parts.dependencies.order.clone(),
        topological_order: parts.dependencies.topological_order.clone(),
        status: parts.status.fields.iter().map(|item| status_field(report, environment, item)).collect(),
        conditions: parts
            .status
            .conditions
            .iter()
            .map(|item| expression(report, environment, &item.draft, &item.references))
            .collect(),
        spec_hash: hash::hash_spec(&spec),
        default_namespace: parts.default_namespace,
    })
}

fn node(
    report: &Report<'_>,
    parts: &Parts<'_>,
    by_root: &HashMap<&str, Vec<&Read>>,
    index: NodeIndex,
    resource: &Resource<'_>,
) -> Option<Node> {
    let entry = resource.entry;
    let resolved_kind = resource.kind.as_ref()?;
    let draft = &parts.drafts[index.get()];
    let kind = match (entry.is_external, resource.has_selector, entry.for_each.is_empty()) {
        (true, true, _) => NodeKind::ExternalCollection,
        (true, false, _) => NodeKind::External,
        (false, _, false) => NodeKind::Collection,
        (false, _, true) => NodeKind::Resource,
    };
    let environment = &parts.typed.environment;
    let expressions =
        |resolved: &[Resolved<'_>]| resolved.iter().map(|resolved| compiled(report, environment, resolved)).collect();
    let dimension = |(name, resolved): &(Str, Resolved)| Dimension {
        name: name.clone(),
        expression: compiled(report, environment, resolved),
    };
    Some(Node {
        id: entry.id.clone(),
        kind,
        gvk: resource.gvk.clone(),
        plural: resolved_kind.plural.clone(),
        namespaced: resolved_kind.namespaced,
        schema: resolved_kind.schema.clone(),
        dependencies: parts.dependencies.hard[index.get()].clone(),
        soft_dependencies: parts.dependencies.soft[index.get()].clone(),
        wave: parts.dependencies.waves[index.get()],
        template: entry.object.clone(),
        fields: fields(report, environment, draft),
        include_when: expressions(&draft.include_when),
        ready_when: expressions(&draft.ready_when),
        for_each: draft.for_each.iter().map(dimension).collect(),
        reads: reads(by_root, draft, &entry.id, kind),
    })
}

fn fields(report: &Report<'_>, environment: &Environment, draft: &NodeDraft<'_>) -> Vec<Field> {
    let field = |field: &crate::draft::FieldDraft<'_>| Field {
        path: field.site.path.clone(),
        expression: compiled(report, environment, &field.resolved),
        format: field.site.target.as_ref().and_then(|target| target.format()).map(Str::new),
    };
    draft.fields.iter().map(field).collect()
}

/// All reads of the graph's expressions by the variable they begin with; `each` belongs to single nodes and is left out.
fn reads_by_root<'p>(parts: &'p Parts<'_>) -> HashMap<&'p str, Vec<&'p Read>> {
    let items = parts.status.fields.iter().chain(&parts.status.conditions);
    let reads = parts.drafts.iter().flat_map(NodeDraft::reads).chain(items.flat_map(Item::reads));
    let mut by_root: HashMap<&str, Vec<&Read>> = HashMap::default();
    for read in reads {
        by_root.entry(&read.root).or_default().push(read);
    }
    by_root
}

/// What all expressions of the graph read of a node.
fn reads(by_root: &HashMap<&str, Vec<&Read>>, draft: &NodeDraft<'_>, id: &str, kind: NodeKind) -> Reads {
    let others = by_root.get(id).map(Vec::as_slice).unwrap_or_default();
    let own = draft.ready_when.iter().flat_map(Resolved::reads);
    let by_id = scope::reads(others.iter().copied(), kind.is_collection());
    let by_each = scope::reads(own.filter(|read| read.root == "each"), false);
    match (by_id, by_each) {
        (Reads::Paths(left), Reads::Paths(right)) => Reads::Paths(merge(left, right)),
        _ => Reads::Everything,
    }
}

fn merge(left: Vec<FieldPath>, right: Vec<FieldPath>) -> Vec<FieldPath> {
    let mut paths = left;
    paths.extend(right);
    paths.sort();
    paths.dedup_by(|later, first| later.starts_with(first));
    paths
}

fn instance(block: &SchemaBlock, schema: &Schema, parts: &Parts<'_>) -> InstanceApi {
    let spec = parts.spec_schema.clone().unwrap_or_default();
    let plural = crd::plural(block);
    InstanceApi {
        group: block.group.clone(),
        version: block.version.clone(),
        kind: block.kind.clone(),
        plural: plural.clone(),
        namespaced: block.namespaced,
        schema: schema.clone(),
        crd: crd::build(block, &plural, spec, status_schema(&parts.status, &parts.typed.status_schemas)),
    }
}

/// The schema of the author's status fields.
fn status_schema(status: &Status, leaves: &[Value]) -> Value {
    let mut schema = Value::default();
    schema.ensure_map();
    for (item, leaf) in status.fields.iter().zip(leaves) {
        place(&mut schema, item.path.segments(), leaf.clone());
    }
    schema
}

/// Puts the schema of a leaf where a path says: objects for keys, lists for positions. Items of one list share a schema;
/// where they differ it is free-form.
fn place(schema: &mut Value, path: &[Segment], leaf: Value) {
    let is_empty = schema.as_map().is_none_or(Map::is_empty);
    let fits = match path.first() {
        None => is_empty || *schema == leaf,
        Some(Segment::Field(_)) => is_empty || schema.get("properties").is_some(),
        Some(Segment::Index(_)) => is_empty || schema.str_at(&["type"]) == Some("array"),
    };
    if !fits {
        *schema = free_form();
        return;
    }
    match path {
        [] => *schema = leaf,
        [Segment::Field(name), rest @ ..] => {
            schema.set_at(&["type"], "object".into());
            let properties = schema.ensure_map().entry_or_null("properties").ensure_map();
            place(properties.entry_or_null(name), rest, leaf);
        }
        [Segment::Index(_), rest @ ..] => {
            schema.set_at(&["type"], "array".into());
            place(schema.ensure_map().entry_or_null("items"), rest, leaf);
        }
    }
}

fn free_form() -> Value {
    Value::map([("x-kubernetes-preserve-unknown-fields", true.into())])
}

fn status_field(report: &Report<'_>, environment: &Environment, item: &Item) -> StatusField {
    StatusField { path: item.path.clone(), expression: expression(report, environment, &item.draft, &item.references) }
}

fn compiled(report: &Report<'_>, environment: &Environment, resolved: &Resolved<'_>) -> Arc<Expression> {
    expression(report, environment, &resolved.draft, &resolved.references)
}

fn expression(
    report: &Report<'_>,
    environment: &Environment,
    draft: &Draft<'_>,
    references: &References,
) -> Arc<Expression> {
    Arc::new(Expression {
        text: draft.text.clone(),
        is_template: draft.is_template,
        program: draft.parse.program(environment),
        references: references.nodes.clone(),
        reads_instance: references.instance,
        reads_each: references.each,
        reads_runtime: references.runtime,
        iterators: references.iterators.clone(),
        span: draft.whole_span(report),
    })
}
