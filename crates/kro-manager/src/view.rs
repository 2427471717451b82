use kro_api::condition as cond;
use kro_engine::Timestamp;
use kro_engine::object::{self, ObjectId};
use kro_value::{Str, Value};

use crate::graphs::{is_single, single_id};
use crate::manager::Manager;
use crate::watches::{Role, Watch};

/// What the manager knows at one moment, for a live display. Everything is in a stable order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// All definitions by name.
    pub graphs: Vec<GraphView>,
    /// Requests that were sent and not answered yet.
    pub requests_in_flight: usize,
    /// When the next timer is due: the time of the next retry.
    pub next_timer: Option<Timestamp>,
}

impl View {
    /// True when every definition and every instance is ready and nothing is under way.
    pub fn is_ready(&self) -> bool {
        self.requests_in_flight == 0
            && self.graphs.iter().all(|graph| graph.ready && graph.instances.iter().all(|instance| instance.ready))
    }
}

/// One definition.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphView {
    /// Name of the definition.
    pub name: Str,
    /// The kind it defines; empty for a definition without a schema.
    pub kind: Str,
    /// Its `Ready` condition at the current generation.
    pub ready: bool,
    /// Refused as it stands, at the current generation: only a change of it, or of the kinds it uses, helps.
    pub refused: bool,
    /// Its `status.state`; empty before the first status.
    pub state: Str,
    /// Why it is not ready; empty when it is.
    pub message: Str,
    /// The revision that serves instances; 0 for none.
    pub revision: i64,
    /// Its instances by namespace and name. A definition without a schema is its own single instance.
    pub instances: Vec<InstanceView>,
}

/// One instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceView {
    /// Namespace; empty when cluster-scoped.
    pub namespace: Str,
    /// Name.
    pub name: Str,
    /// True when all its nodes are ready or skipped.
    pub ready: bool,
    /// `ACTIVE`, `IN_PROGRESS`, `ERROR` or `DELETING`.
    pub state: Str,
    /// Why it is not ready; empty when it is.
    pub message: String,
    /// Since when it has this state.
    pub since: Timestamp,
    /// When it is tried again after a failure.
    pub next_retry: Option<Timestamp>,
    /// Its nodes in apply order.
    pub nodes: Vec<NodeView>,
}

/// One node of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeView {
    /// Id of the resource.
    pub id: Str,
    /// Kind of its objects.
    pub kind: Str,
    /// Name of its object, or `<n> items` of a collection; empty while unknown.
    pub name: Str,
    /// `SYNCED`, `IN_PROGRESS`, `WAITING_FOR_READINESS`, `SKIPPED`, `DELETING` or `ERROR`.
    pub state: Str,
    /// Why it is not synced; empty when it is.
    pub reason: String,
    /// Since when it has this state.
    pub since: Timestamp,
}

impl Manager {
    /// What is known at this moment.
    pub fn view(&self) -> View {
        let definitions = self.watch_of(Role::Definitions).into_iter().flat_map(Watch::objects);
        View {
            graphs: definitions.map(|observed| self.graph_view(&observed.object)).collect(),
            requests_in_flight: self.out.in_flight(),
            next_timer: self.out.next_timer(),
        }
    }

    fn graph_view(&self, definition: &Value) -> GraphView {
        let name = Str::new(object::name(definition));
        let conditions = definition.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
        let root = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some(cond::READY));
        let text = |key: &str| root.and_then(|root| root.str_at(&[key])).unwrap_or_default();
        let generation = root.and_then(|root| root.at(&["observedGeneration"])).and_then(Value::as_i64);
        let ready = text("status") == cond::TRUE && generation == Some(object::generation(definition));
        let is_false = |condition: &Value| {
            let kind = condition.str_at(&["type"]).unwrap_or_default();
            [cond::GRAPH_ACCEPTED, cond::KIND_READY].contains(&kind)
                && condition.str_at(&["status"]) == Some(cond::FALSE)
                && condition.get("observedGeneration").and_then(Value::as_i64) == Some(object::generation(definition))
        };
        let own = is_single(definition).then(|| single_id(&name));
        let is_its = |id: &ObjectId, graph: &Str| own.as_ref().map_or(*graph == name, |own| own == id);
        let instances = self.instances.iter().filter(|(id, memory)| is_its(id, &memory.graph));
        GraphView {
            kind: definition.str_at(&["spec", "schema", "kind"]).unwrap_or_default().into(),
            ready,
            refused: conditions.iter().any(is_false),
            state: definition.str_at(&["status", "state"]).unwrap_or_default().into(),
            message: if ready { Str::new_static("") } else { text("message").into() },
            revision: self.serving(&name).map_or(0, |serving| serving.revision),
            instances: instances.map(|(id, memory)| instance_view(id, memory, self.now)).collect(),
            name,
        }
    }
}

fn instance_view(id: &ObjectId, memory: &crate::instances::InstanceMemory, now: Timestamp) -> InstanceView {
    let shown = &memory.shown;
    InstanceView {
        namespace: id.namespace.clone(),
        name: id.name.clone(),
        ready: shown.is_ready,
        state: shown.state.clone(),
        message: shown.message.clone(),
        since: shown.since,
        next_retry: memory.next_retry(now),
        nodes: shown.node_views(),
    }
}
