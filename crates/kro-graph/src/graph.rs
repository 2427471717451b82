//! The compiled form of a definition: what the engine plans from.
//!
//! Everything here is immutable and shared: a [`Graph`] is built once per definition and used by every instance, from
//! any thread.

use std::fmt;
use std::sync::Arc;

use kro_diagnostics::Span;
use kro_schema::structural::Schema;
use kro_value::{FieldPath, Str, Value};

use crate::program::Program;

/// Group, version and kind of a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// API group; empty for the core group.
    pub group: Str,
    /// API version, such as `v1`.
    pub version: Str,
    /// Kind, such as `Deployment`.
    pub kind: Str,
}

impl Gvk {
    /// From its three parts.
    pub fn new(group: impl Into<Str>, version: impl Into<Str>, kind: impl Into<Str>) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// The `apiVersion` of such an object: `v1`, `apps/v1`.
    pub fn api_version(&self) -> Str {
        if self.group.is_empty() {
            return self.version.clone();
        }
        kro_value::format_smolstr!("{}/{}", self.group, self.version)
    }
}

/// `apps/v1, Kind=Deployment`, as Kubernetes prints it.
impl fmt::Display for Gvk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(formatter, "{}/", self.group)?;
        }
        write!(formatter, "{}, Kind={}", self.version, self.kind)
    }
}

/// A node of one graph: its position in [`Graph::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

impl NodeIndex {
    /// The position as an index of a slice.
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// A compiled ResourceGraphDefinition.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The name of the definition.
    pub name: Str,
    /// The API that instances have; `None` for a definition without a schema, which is its own single instance.
    pub instance: Option<InstanceApi>,
    /// The resources in the order of their declaration.
    pub nodes: Vec<Node>,
    /// The order to process nodes in: every one after those it depends on, hard and soft; repeatedly the earliest
    /// declared node whose dependencies are out.
    pub order: Vec<NodeIndex>,
    /// The order by hard dependencies alone, which `status.topologicalOrder` of the definition shows.
    pub topological_order: Vec<NodeIndex>,
    /// Fields of the instance's status, sorted by path.
    pub status: Vec<StatusField>,
    /// The author's `status.conditions` entries, in order. Each gives one condition or a list of them.
    pub conditions: Vec<Arc<Expression>>,
    /// FNV-1a of the normalised spec; printed as 16 lower-case hexadecimal digits.
    pub spec_hash: u64,
    /// Where namespaced objects go that name no namespace; `Some` only in a graph without a schema.
    pub default_namespace: Option<Str>,
}

impl Graph {
    /// The node at an index of this graph.
    ///
    /// # Panics
    /// When the index belongs to another graph.
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.nodes[index.get()]
    }

    /// The node with an id.
    pub fn find(&self, id: &str) -> Option<NodeIndex> {
        let position = self.nodes.iter().position(|node| node.id == id)?;
        u32::try_from(position).ok().map(NodeIndex)
    }

    /// All nodes with their indices, in the order of their declaration.
    pub fn indexed(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        (0..).map(NodeIndex).zip(&self.nodes)
    }

    /// The spec hash as it is written in labels: 16 lower-case hexadecimal digits.
    pub fn spec_hash_text(&self) -> String {
        format!("{:016x}", self.spec_hash)
    }
}

/// The API that a definition gives to its instances.
#[derive(Debug, Clone)]
pub struct InstanceApi {
    /// API group.
    pub group: Str,
    /// API version.
    pub version: Str,
    /// Kind.
    pub kind: Str,
    /// The resource in request paths.
    pub plural: Str,
    /// False for cluster-scoped instances.
    pub namespaced: bool,
    /// The whole CustomResourceDefinition, without the labels that need the definition's uid.
    pub crd: Value,
    /// The schema of an instance without its status: the type of `schema` in expressions.
    pub schema: Schema,
}

impl InstanceApi {
    /// Group, version and kind of instances.
    pub fn gvk(&self) -> Gvk {
        Gvk::new(self.group.clone(), self.version.clone(), self.kind.clone())
    }
}

/// What stands behind a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// One object from a template.
    Resource,
    /// A list of objects from a template and `forEach`.
    Collection,
    /// One object that somebody else owns, found by name.
    External,
    /// Objects that somebody else owns, found by a selector.
    ExternalCollection,
}

impl NodeKind {
    /// True where expressions see a list of objects.
    pub fn is_collection(self) -> bool {
        matches!(self, Self::Collection | Self::ExternalCollection)
    }

    /// True for objects that kro only reads.
    pub fn is_external(self) -> bool {
        matches!(self, Self::External | Self::ExternalCollection)
    }
}

/// A resource of a graph.
#[derive(Debug, Clone)]
pub struct Node {
    /// The id, unique in the graph.
    pub id: Str,
    /// What stands behind it.
    pub kind: NodeKind,
    /// Group, version and kind of its objects.
    pub gvk: Gvk,
    /// The resource in request paths.
    pub plural: Str,
    /// False for cluster-scoped kinds.
    pub namespaced: bool,
    /// The schema of its objects: expressions were typed by it, so they must see live objects through it.
    pub schema: Schema,
    /// The nodes that its template, `forEach` and `includeWhen` read; sorted. They must be ready before this node.
    pub dependencies: Vec<NodeIndex>,
    /// The nodes its template names natively (its Namespace, the ConfigMaps it mounts, ...); sorted, never in
    /// [`Node::dependencies`]. They give order only: nothing waits for their readiness.
    pub soft_dependencies: Vec<NodeIndex>,
    /// The deletion wave: the highest goes first, 1 goes last.
    pub wave: u32,
    /// The object as its author wrote it. At each path of [`Node::fields`] stands the author's text.
    ///
    /// For externals: `{apiVersion, kind, metadata: {name | selector, namespace?}}`, the selector a LabelSelector.
    pub template: Value,
    /// The places of the template that expressions fill, in the order of a walk (map keys sorted).
    pub fields: Vec<Field>,
    /// All must be true, or the node is left out.
    pub include_when: Vec<Arc<Expression>>,
    /// All must be true for the node to be ready. They read `each` (collections) or the node's own id.
    pub ready_when: Vec<Arc<Expression>>,
    /// The dimensions of a collection: the first is the outermost loop.
    pub for_each: Vec<Dimension>,
    /// What of its live objects the graph's expressions read.
    pub reads: Reads,
}

/// What expressions read of a node's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// Some expression takes the object as a whole, or the reader cannot tell.
    Everything,
    /// Only what lies at or below these paths of the object; sorted, none below another. Empty: nothing is read.
    Paths(Vec<FieldPath>),
}

/// A place in a template and the expression that fills it.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where in the template.
    pub path: FieldPath,
    /// What goes there. Its text is the whole string at the path.
    pub expression: Arc<Expression>,
    /// The `format` of the target where it is a string field with one (`byte`, `date-time`, ...): results that are
    /// bytes or timestamps are written in it.
    pub format: Option<Str>,
}

/// One loop of a collection.
#[derive(Debug, Clone)]
pub struct Dimension {
    /// The iterator's name in expressions of the template.
    pub name: Str,
    /// Gives the list to go through.
    pub expression: Arc<Expression>,
}

/// A field of the instance's status.
#[derive(Debug, Clone)]
pub struct StatusField {
    /// Where below `status`.
    pub path: FieldPath,
    /// What goes there.
    pub expression: Arc<Expression>,
}

/// A CEL expression of a definition.
#[derive(Clone)]
pub struct Expression {
    /// What the author wrote between `${` and `}`; for a string with other text around, the whole string.
    pub text: Str,
    /// True for a string with other text around its expressions: the result is always a string.
    pub is_template: bool,
    /// The program to evaluate.
    pub program: Program,
    /// The nodes it reads, sorted.
    pub references: Vec<NodeIndex>,
    /// True if it reads `schema`: the instance, without its status.
    pub reads_instance: bool,
    /// True if it reads `each`: one object of a collection.
    pub reads_each: bool,
    /// True if it reads `runtime`.
    pub reads_runtime: bool,
    /// The iterators of `forEach` it reads, in the order of their declaration.
    pub iterators: Vec<Str>,
    /// Where its text stands in the source.
    pub span: Option<Span>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let references: Vec<u32> = self.references.iter().map(|node| node.0).collect();
        write!(formatter, "{:?} reads {references:?}", self.text)?;
        let flags = [(self.reads_instance, "schema"), (self.reads_each, "each"), (self.reads_runtime, "runtime")];
        for (_, name) in flags.iter().filter(|(set, _)| *set) {
            write!(formatter, " {name}")?;
        }
        self.iterators.iter().try_for_each(|iterator| write!(formatter, " {iterator}"))
    }
}
