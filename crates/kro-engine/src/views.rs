//! How expressions see live objects: through the schemas by which they were type-checked.

use std::sync::Arc;

use kro_cel::value::CelValue;
use kro_cel::view::typed;
use kro_graph::{Graph, NodeIndex, Reads};
use kro_schema::structural::{Schema, default};
use kro_schema::view::SchemaView;
use kro_value::Value;

/// The views of a graph's kinds. Made once for a graph and used by every plan of it: what is below a place of a schema is
/// prepared when it is first read, and kept.
#[derive(Debug, Clone)]
pub struct Views {
    instance: Option<SchemaView>,
    /// The schema of the instance's `spec`.
    spec: Option<Schema>,
    nodes: Vec<SchemaView>,
    reads: Vec<Arc<Reads>>,
}

impl Views {
    /// The views of a graph.
    pub fn of(graph: &Graph) -> Self {
        let view = |node: &kro_graph::Node| {
            let view = SchemaView::new(node.schema.clone());
            if node.kind.is_collection() { view.list_of() } else { view }
        };
        Self {
            instance: graph.instance.as_ref().map(|api| SchemaView::new(api.schema.clone())),
            spec: graph.instance.as_ref().and_then(|api| api.schema.property("spec")),
            nodes: graph.nodes.iter().map(view).collect(),
            reads: graph.nodes.iter().map(|node| Arc::new(node.reads.clone())).collect(),
        }
    }

    /// What the graph reads of a node's objects.
    pub fn reads(&self, index: NodeIndex) -> Option<&Arc<Reads>> {
        self.reads.get(index.get())
    }

    /// What a node's id stands for. An object that does not fit its schema is seen as plain JSON.
    pub(crate) fn node(&self, index: NodeIndex, value: &Value) -> CelValue {
        seen(value, self.nodes.get(index.get()))
    }

    /// The instance, as `schema`. It is what the API server answers by the graph's own schema: a default that is new
    /// in a definition counts at once, although an API server tells of it in no event and reads it into stored objects
    /// only when they are read again.
    pub(crate) fn instance(&self, value: &Value) -> CelValue {
        let mut value = value.clone();
        if let (Some(schema), Some(spec)) = (&self.spec, value.as_map_mut().and_then(|map| map.get_mut("spec"))) {
            default(schema, spec);
        }
        seen(&value, self.instance.as_ref())
    }

    /// Everything that was observed, by the index of the node.
    pub(crate) fn bind(&self, observed: &[Option<Value>]) -> Vec<Option<CelValue>> {
        let seen =
            |(index, value): (u32, &Option<Value>)| value.as_ref().map(|value| self.node(NodeIndex(index), value));
        (0..).zip(observed).map(seen).collect()
    }
}

fn seen(value: &Value, view: Option<&SchemaView>) -> CelValue {
    let viewed = view.and_then(|view| typed(value, view).ok());
    viewed.unwrap_or_else(|| CelValue::from_json(value.clone()))
}
