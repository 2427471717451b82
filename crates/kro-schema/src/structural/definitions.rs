use std::fmt;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use kro_value::{Map, Str, Value};

use super::node::Node;
use super::{GroupVersionKind, Schema};

/// Where references lead.
pub(super) trait NodeSource: Send + Sync {
    fn node(&self, name: &str) -> Option<Arc<Node>>;
}

/// The named schemas that references lead to, such as the `components.schemas` of one OpenAPI v3 document.
///
/// A definition is parsed when it is first asked for. Cheap to clone.
#[derive(Clone)]
pub struct Definitions {
    set: Arc<Set>,
}

/// Gives the JSON of the definition at a position, for data that is not decoded until needed.
pub(crate) type LoadDefinition = fn(usize) -> Value;

struct Set {
    /// Sorted by name, and found by hash: names are long and much alike.
    entries: IndexMap<Str, Slot, RandomState>,
    load: Option<LoadDefinition>,
}

struct Slot {
    json: Value,
    parsed: OnceLock<Arc<Node>>,
}

impl Definitions {
    /// Definitions from a map of names to schemas.
    pub fn from_map(schemas: &Map) -> Self {
        let entry = |(name, json): (&Str, &Value)| (name.clone(), Slot { json: json.clone(), parsed: OnceLock::new() });
        Self { set: Arc::new(Set { entries: schemas.iter().map(entry).collect(), load: None }) }
    }

    /// Definitions of an OpenAPI document: `components.schemas` (v3) or `definitions` (v2); none when it has neither.
    pub fn from_document(document: &Value) -> Self {
        let schemas = document.at(&["components", "schemas"]).or_else(|| document.get("definitions"));
        Self::from_map(schemas.and_then(Value::as_map).unwrap_or(&Map::new()))
    }

    /// Definitions whose JSON is fetched by position among the names, which are sorted.
    pub(crate) fn lazy(names: impl Iterator<Item = Str>, load: LoadDefinition) -> Self {
        let entry = |name| (name, Slot { json: Value::Null, parsed: OnceLock::new() });
        Self { set: Arc::new(Set { entries: names.map(entry).collect(), load: Some(load) }) }
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        self.set.entries.keys()
    }

    /// A schema by its name; references inside lead to this set.
    pub fn get(&self, name: &str) -> Option<Schema> {
        let node = self.set.node(name)?;
        Some(Schema::resolve(node, Some(&(Arc::clone(&self.set) as Arc<dyn NodeSource>))).named(name))
    }

    /// A schema that is not in the set itself, with references leading here.
    pub fn schema(&self, json: &Value) -> Schema {
        Schema::resolve(Node::parse(json), Some(&(Arc::clone(&self.set) as Arc<dyn NodeSource>)))
    }

    /// The schema of a kind: the one that lists it under `x-kubernetes-group-version-kind`.
    ///
    /// Looks at every definition, so keep the result.
    pub fn find(&self, group: &str, version: &str, kind: &str) -> Option<Schema> {
        let wanted = |gvk: &GroupVersionKind| gvk.group == group && gvk.version == version && gvk.kind == kind;
        self.names().filter_map(|name| self.get(name)).find(|schema| schema.group_version_kinds().iter().any(wanted))
    }
}

impl NodeSource for Set {
    fn node(&self, name: &str) -> Option<Arc<Node>> {
        let (index, _, slot) = self.entries.get_full(name)?;
        let parse = || match self.load {
            Some(load) => Node::parse(&load(index)),
            None => Node::parse(&slot.json),
        };
        Some(Arc::clone(slot.parsed.get_or_init(parse)))
    }
}

impl fmt::Debug for Definitions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.names()).finish()
    }
}
