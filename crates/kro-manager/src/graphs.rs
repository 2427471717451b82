//! The definition side: from a ResourceGraphDefinition to a graph that serves instances.

mod answers;
mod deletion;
mod revision;
mod serving;

use std::collections::BTreeMap;
use std::sync::Arc;

use kro_api::condition as cond;
use kro_api::metadata as wire;
use kro_engine::conditions::ConditionSet;
use kro_engine::marks::Definition;
use kro_engine::object::{self, GroupKind, ObjectId};
use kro_engine::{Timestamp, Views};
use kro_graph::{Graph, Gvk};
use kro_value::{Str, Value};

use crate::compiler::{Compilation, compile};
use crate::digest_of_spec;
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::retry::Failure;
use crate::served::Discovery;
use crate::watches::Role;
use crate::work::{GraphStep, Purpose, WorkItem};
use crate::{ApiRequest, revisions};

/// What a definition's `Ready` depends on.
const DEPENDENTS: &[&str] =
    &[cond::GRAPH_REVISIONS_RESOLVED, cond::GRAPH_ACCEPTED, cond::KIND_READY, cond::CONTROLLER_READY];
/// The same for a definition that is its own instance.
const DEPENDENTS_OF_SINGLE: &[&str] = &[
    cond::GRAPH_REVISIONS_RESOLVED,
    cond::GRAPH_ACCEPTED,
    cond::KIND_READY,
    cond::CONTROLLER_READY,
    cond::RESOURCES_READY,
];

/// Where definitions are served.
pub(crate) fn resource() -> Resource {
    Resource::new(kro_api::GROUP, kro_api::VERSION, kro_api::RGD_PLURAL)
}

/// Their kind.
pub(crate) fn gvk() -> Gvk {
    Gvk::new(kro_api::GROUP, kro_api::VERSION, kro_api::RGD_KIND)
}

/// The identity of a definition as its own instance.
pub(crate) fn single_id(name: &str) -> ObjectId {
    ObjectId {
        group_kind: GroupKind::new(kro_api::GROUP, kro_api::RGD_KIND),
        namespace: Str::new_static(""),
        name: name.into(),
    }
}

/// True for a definition without `spec.schema`: it is its own single instance.
pub(crate) fn is_single(definition: &Value) -> bool {
    definition.at(&["spec", "schema"]).is_none_or(Value::is_null)
}

/// The graph that instances are reconciled with.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    /// Number of its revision.
    pub revision: i64,
    pub graph: Arc<Graph>,
    pub views: Arc<Views>,
}

impl Serving {
    fn new(revision: i64, graph: Arc<Graph>) -> Self {
        Self { revision, views: Arc::new(Views::of(&graph)), graph }
    }
}

/// What is remembered of one definition.
#[derive(Debug, Default)]
pub(crate) struct GraphState {
    /// Digest of the spec that was compiled, and the result.
    compiled: Option<(u64, Compilation)>,
    /// UID of the revision that was compiled besides, and the result.
    compiled_revision: Option<(Str, Compilation)>,
    pub serving: Option<Serving>,
    /// The request under way.
    in_flight: Option<GraphStep>,
    /// Requests that failed, until they succeed or are not needed any more.
    failures: BTreeMap<GraphStep, Failure>,
    /// The resource version of the ownerless revision for which the definition was read.
    confirmed_for: Option<Str>,
    /// Digests of the CRD that was written, and of what the server made of it.
    crd_written: Option<(u64, u64)>,
    /// Digest of the CRD that was in place once, which a status that tells of a failure does not say any more.
    crd_in_place: Option<u64>,
}

impl GraphState {
    /// Something its compilation read has changed.
    pub fn forget_compilation(&mut self) {
        self.compiled = None;
        self.compiled_revision = None;
    }

    /// True while it uses a kind that nobody knows.
    pub fn misses_kinds(&self) -> bool {
        self.compiled.as_ref().is_some_and(|(_, compilation)| !compilation.missing.is_empty())
    }

    /// True while a request of it is not answered.
    pub fn is_under_way(&self) -> bool {
        self.in_flight.is_some()
    }

    /// The earliest retry that is still to come.
    fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        self.failures.values().map(|failure| failure.retry_at).filter(|at| *at > now).min()
    }
}

/// How far a definition gets.
enum Next {
    /// Send this, and go on with the answer.
    Request(GraphStep, ApiRequest),
    /// Nothing to send: all is done, or something has to happen first.
    Rest,
}

/// A pass over one definition.
struct Pass {
    object: Value,
    name: Str,
    conditions: ConditionSet,
    /// The graph whose topology is reported; `None` clears it.
    topology: Topology,
    last_issued: i64,
    /// A part of the status is not known yet: nothing is written.
    is_undecided: bool,
    /// Until then the server is expected to do its part, and nothing is written either.
    patience: Option<Timestamp>,
}

enum Topology {
    Keep,
    Clear,
    Of(Arc<Graph>),
}

impl Pass {
    fn definition(&self) -> Definition {
        Definition { name: self.name.clone(), uid: object::uid(&self.object).into() }
    }
}

impl Manager {
    /// Brings one definition as far as it gets without an answer.
    pub(crate) fn step_graph(&mut self, name: &Str) {
        if !self.is_synced() {
            return;
        }
        self.release_revisions(name);
        let Some(object) = self.definition(name) else {
            return self.drop_graph(name);
        };
        if self.graphs.entry(name.clone()).or_default().in_flight.is_some() {
            return;
        }
        if object::is_terminating(&object) {
            return self.delete_graph(name, &object);
        }
        let dependents = if is_single(&object) { DEPENDENTS_OF_SINGLE } else { DEPENDENTS };
        let last_issued = object.at(&["status", "lastIssuedRevision"]).and_then(Value::as_i64).unwrap_or_default();
        let mut pass = Pass {
            conditions: ConditionSet::load(&object, dependents, self.now),
            name: name.clone(),
            object,
            topology: Topology::Keep,
            last_issued,
            is_undecided: false,
            patience: None,
        };
        let next = self.advance_graph(&mut pass);
        self.finish_pass(pass, next);
    }

    /// The number of the newest live revision.
    pub(crate) fn latest_revision(&self, name: &str) -> Option<i64> {
        let revisions = revisions::of_definition(self.watch_of(Role::Revisions)?, name);
        revisions.iter().find(|revision| !object::is_terminating(revision)).map(revisions::number)
    }

    /// The live definition.
    pub(crate) fn definition(&self, name: &str) -> Option<Value> {
        self.watch_of(Role::Definitions)?.get("", name).map(|observed| observed.object.clone())
    }

    fn finish_pass(&mut self, pass: Pass, next: Next) {
        let next = match next {
            Next::Request(step, request) if !self.is_blocked(&pass.name, &step) => Next::Request(step, request),
            _ => self.status_write(&pass),
        };
        if let Next::Request(step, request) = next
            && !self.is_blocked(&pass.name, &step)
        {
            self.send_graph(&pass.name, step, request);
        }
        match pass.patience {
            Some(at) => self.out.wake(&WorkItem::Graph(pass.name.clone()), Some(at)),
            None => self.wake_graph(&pass.name),
        }
    }

    fn send_graph(&mut self, name: &Str, step: GraphStep, request: ApiRequest) {
        if let Some(state) = self.graphs.get_mut(name) {
            state.in_flight = Some(step.clone());
        }
        self.out.send(request, Purpose::Graph(name.clone(), step));
    }

    /// The timer of the next retry. What is due is not waited for: it was tried, or it is not needed any more.
    fn wake_graph(&mut self, name: &Str) {
        let at = self.graphs.get(name).and_then(|state| state.next_retry(self.now));
        self.out.wake(&WorkItem::Graph(name.clone()), at);
    }

    /// True while a step that failed waits for its retry.
    fn is_blocked(&self, name: &str, step: &GraphStep) -> bool {
        let failure = self.graphs.get(name).and_then(|state| state.failures.get(step));
        failure.is_some_and(|failure| !failure.is_due(self.now))
    }

    fn failure_of(&self, name: &str, step: &GraphStep) -> Option<&Failure> {
        self.graphs.get(name)?.failures.get(step)
    }

    fn advance_graph(&mut self, pass: &mut Pass) -> Next {
        // A definition that is its own instance gets it together with its inventory.
        if !is_single(&pass.object) && !object::has_finalizer(&pass.object, wire::FINALIZER) {
            return Next::Request(GraphStep::AddFinalizer, finalizer_patch(&resource(), &pass.object, true));
        }
        let compilation = self.compilation(&pass.name, &pass.object);
        match self.discover(&pass.object, &compilation.missing) {
            Discovery::Request(step, request) if !self.is_blocked(&pass.name, &step) => {
                return Next::Request(step, request);
            }
            Discovery::Waiting => {
                pass.is_undecided = true;
                return Next::Rest;
            }
            Discovery::Request(..) | Discovery::Done => {}
        }
        let revisions = self.watch_of(Role::Revisions).map(|watch| revisions::of_definition(watch, &pass.name));
        let revisions = revisions.unwrap_or_default();
        let live: Vec<&Value> = revisions.iter().filter(|revision| !object::is_terminating(revision)).collect();
        pass.last_issued = pass.last_issued.max(live.first().map_or(0, |revision| revisions::number(revision)));
        let Some(graph) = compilation.graph else {
            self.measure_resolution("failed");
            return self.refuse_graph(pass, &live, &compilation.errors);
        };
        pass.conditions.set(cond::GRAPH_ACCEPTED, cond::TRUE, "Valid", "resource graph and schema are valid");
        if let Some(next) = self.settle_revision(pass, &graph, &revisions) {
            match &next {
                Next::Request(GraphStep::CreateRevision(_), _) => self.measure_resolution("issue"),
                Next::Request(..) => {}
                Next::Rest => self.measure_resolution("wait"),
            }
            return next;
        }
        self.measure_resolution("serve");
        pass.topology = Topology::Of(graph.clone());
        let number = live.first().map_or(0, |revision| revisions::number(revision));
        let next = self.serve(pass, &graph, number, &live);
        match next {
            Next::Rest => self.collect_revisions(&live).unwrap_or(Next::Rest),
            next => next,
        }
    }

    fn compilation(&mut self, name: &Str, object: &Value) -> Compilation {
        let digest = digest_of_spec(object);
        let state = self.graphs.entry(name.clone()).or_default();
        match &state.compiled {
            Some((compiled, compilation)) if *compiled == digest => compilation.clone(),
            _ => {
                let compilation = compile(object, &self.crds, &self.served, &self.config);
                state.compiled = Some((digest, compilation.clone()));
                self.measure_build(name, compilation.graph.is_some());
                if compilation.is_panic {
                    self.measure_compiler_panic();
                }
                compilation
            }
        }
    }

    /// The definition does not compile: instances stay with the newest revision that does.
    fn refuse_graph(&mut self, pass: &mut Pass, live: &[&Value], errors: &str) -> Next {
        pass.topology = Topology::Clear;
        pass.conditions.set(cond::GRAPH_ACCEPTED, cond::FALSE, "InvalidResourceGraph", errors);
        if !live.is_empty() {
            self.serve_older(pass, live);
        }
        if let (Some(latest), Some(_)) = (live.first(), self.serving(&pass.name)) {
            let message = format!("revision {} compiled and active", revisions::number(latest));
            pass.conditions.set(cond::GRAPH_REVISIONS_RESOLVED, cond::TRUE, "Resolved", message);
        }
        Next::Rest
    }

    fn status_write(&self, pass: &Pass) -> Next {
        if pass.is_undecided || pass.patience.is_some() {
            return Next::Rest;
        }
        let is_true = |kind| pass.conditions.is_true(kind);
        let is_active = is_true(cond::GRAPH_ACCEPTED) && is_true(cond::KIND_READY) && is_true(cond::CONTROLLER_READY);
        let live = pass.object.at(&["status"]).cloned().unwrap_or_default();
        let mut status = Value::Map(kro_value::Map::new());
        status.set_at(&["conditions"], pass.conditions.to_value());
        status.set_at(&["state"], Value::from(if is_active { "Active" } else { "Inactive" }));
        if pass.last_issued > 0 {
            status.set_at(&["lastIssuedRevision"], Value::Int(pass.last_issued));
        }
        let (order, resources) = match &pass.topology {
            Topology::Keep => (live.get("topologicalOrder").cloned(), live.get("resources").cloned()),
            Topology::Clear => (None, None),
            Topology::Of(graph) => {
                let (order, resources) = revisions::topology(graph);
                (Some(order), Some(resources))
            }
        };
        for (key, value) in [("topologicalOrder", order), ("resources", resources)] {
            let is_empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
            match value.filter(|value| !is_empty(value)) {
                Some(value) => status.set_at(&[key], value),
                None if live.get(key).is_some_and(|value| !is_empty(value)) => status.set_at(&[key], Value::Null),
                None => {}
            }
        }
        if covers(&live, &status) {
            return Next::Rest;
        }
        let mut body = patch_head(&pass.object);
        body.set_at(&["status"], status);
        let mut request = resource().merge_patch("", &pass.name, body);
        request.path.push_str("/status");
        Next::Request(GraphStep::Status, request)
    }
}

/// An answer that is as good as a success.
fn is_settled_elsewhere(step: &GraphStep, is_gone: bool) -> bool {
    match step {
        GraphStep::CreateRevision(_) | GraphStep::Crd => false,
        GraphStep::Locate(..) | GraphStep::Discover(..) | GraphStep::Describe(..) => false,
        _ => is_gone,
    }
}

/// `metadata.resourceVersion`, so that a patch never hits another state than the one it was made for.
fn patch_head(object: &Value) -> Value {
    let mut body = Value::Map(kro_value::Map::new());
    body.set_at(&["metadata", "resourceVersion"], Value::from(object::resource_version(object)));
    body
}

/// A merge patch with the whole list of finalizers, with or without kro's.
pub(crate) fn finalizer_patch(resource: &Resource, object: &Value, is_wanted: bool) -> ApiRequest {
    let others = object::finalizers(object).filter(|finalizer| *finalizer != wire::FINALIZER);
    let own = is_wanted.then_some(wire::FINALIZER);
    let mut body = patch_head(object);
    body.set_at(&["metadata", "finalizers"], Value::list(others.chain(own).map(Value::from)));
    resource.merge_patch(object::namespace(object), object::name(object), body)
}

/// True when a merge patch of `patch` would change nothing.
fn covers(live: &Value, patch: &Value) -> bool {
    match (live, patch) {
        (live, Value::Map(patch)) => patch.iter().all(|(key, value)| match live.get(key) {
            Some(found) => covers(found, value),
            None => value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty),
        }),
        (live, patch) => live == patch,
    }
}

/// The kinds that a definition's resources name.
pub(crate) fn kinds_of(definition: &Value) -> Vec<GroupKind> {
    let resources = definition.at(&["spec", "resources"]).and_then(Value::as_list).unwrap_or_default();
    let kind_of = |entry: &Value| {
        let place = ["template", "externalRef"].into_iter().find_map(|key| entry.get(key)).unwrap_or(entry);
        object::gvk(place).map(|gvk| GroupKind { kind: gvk.kind, group: gvk.group })
    };
    resources.iter().filter_map(kind_of).collect()
}
