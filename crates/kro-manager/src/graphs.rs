//! The definition side: from a ResourceGraphDefinition to a graph that serves instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use kro_api::condition as cond;
use kro_api::metadata as wire;
use kro_engine::conditions::ConditionSet;
use kro_engine::marks::Definition;
use kro_engine::object::{self, GroupKind, ObjectId};
use kro_engine::{Timestamp, Views};
use kro_graph::{Graph, Gvk, InstanceApi};
use kro_value::{Str, Value, format_smolstr};

use crate::compiler::{Compilation, compile};
use crate::digest_of_spec;
use crate::ensure_crd::{self, CrdAction};
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::retry::{Failure, Refusal};
use crate::watches::{Role, User, Wanted};
use crate::work::{GraphStep, Priority, Purpose, WorkItem};
use crate::{ApiRequest, ApiResponse, LogLevel, TransportError, crds, revisions};

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
    /// Digests of the CRD that was written, and of what the server made of it.
    crd_written: Option<(u64, u64)>,
}

impl GraphState {
    /// Something its compilation read has changed.
    pub fn forget_compilation(&mut self) {
        self.compiled = None;
        self.compiled_revision = None;
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
                let compilation = compile(object, &self.crds, &self.config);
                state.compiled = Some((digest, compilation.clone()));
                self.measure_build(name, compilation.graph.is_some());
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

    pub(crate) fn serving(&self, name: &str) -> Option<&Serving> {
        self.graphs.get(name)?.serving.as_ref()
    }

    /// Sees to it that the newest revision is that of the spec. `Some`: something has to happen first.
    fn settle_revision(&mut self, pass: &mut Pass, graph: &Arc<Graph>, all: &[Value]) -> Option<Next> {
        let newest = all.first();
        if newest.is_some_and(object::is_terminating) {
            pass.conditions.set(
                cond::GRAPH_REVISIONS_RESOLVED,
                cond::UNKNOWN,
                "WaitingForGraphRevisionSettlement",
                "waiting for terminating graph revisions to settle",
            );
            return Some(Next::Rest);
        }
        let Some(latest) = newest.filter(|latest| self.is_revision_of(pass, graph, latest)) else {
            return Some(self.issue_revision(pass, graph, all));
        };
        let number = revisions::number(latest);
        let resource = revisions::resource();
        let name = object::name(latest);
        if !revisions::is_owned(latest, &pass.object) {
            let owners = revisions::adopted_owners(latest, &pass.object);
            let mut body = patch_head(latest);
            body.set_at(&["metadata", "ownerReferences"], owners);
            return Some(Next::Request(GraphStep::AdoptRevision, resource.merge_patch("", name, body)));
        }
        if !object::has_finalizer(latest, wire::FINALIZER) {
            return Some(Next::Request(GraphStep::RevisionFinalizer, finalizer_patch(&resource, latest, true)));
        }
        let message = format!("revision {number} compiled and active");
        pass.conditions.set(cond::GRAPH_REVISIONS_RESOLVED, cond::TRUE, "Resolved", message);
        self.revision_status(latest, graph)
    }

    /// Whether a revision holds the spec that was compiled. Compares what the snapshot compiles to, never labels.
    fn is_revision_of(&mut self, pass: &Pass, graph: &Graph, revision: &Value) -> bool {
        let snapshot = revision.at(&["spec", "snapshot", "spec"]);
        if snapshot == pass.object.at(&["spec"]) {
            return true;
        }
        let compilation = self.revision_compilation(&pass.name, revision);
        compilation.graph.is_some_and(|compiled| compiled.spec_hash == graph.spec_hash)
    }

    fn revision_compilation(&mut self, name: &Str, revision: &Value) -> Compilation {
        let uid = Str::new(object::uid(revision));
        let state = self.graphs.entry(name.clone()).or_default();
        match &state.compiled_revision {
            Some((compiled, compilation)) if *compiled == uid => compilation.clone(),
            _ => {
                let compilation = compile(&revisions::snapshot_definition(revision), &self.crds, &self.config);
                state.compiled_revision = Some((uid, compilation.clone()));
                self.measure_revision_build(compilation.graph.is_some());
                compilation
            }
        }
    }

    fn issue_revision(&mut self, pass: &mut Pass, graph: &Arc<Graph>, all: &[Value]) -> Next {
        let highest = all.first().map_or(0, revisions::number);
        let number = pass.last_issued.max(highest) + 1;
        let step = GraphStep::CreateRevision(number);
        if let Some(failure) = self.failure_of(&pass.name, &step) {
            let name = revisions::name(&pass.name, number);
            let message = format!("creating graph revision {name:?}: {}", failure.message);
            pass.conditions.set(cond::GRAPH_REVISIONS_RESOLVED, cond::FALSE, "Failed", message);
        }
        let body = revisions::body(&pass.object, graph, number, &self.config.version);
        Next::Request(step, revisions::resource().create(body))
    }

    /// A revision says that it was verified.
    fn revision_status(&self, revision: &Value, graph: &Graph) -> Option<Next> {
        let mut conditions = ConditionSet::load(revision, &[cond::GRAPH_VERIFIED], self.now);
        conditions.set(cond::GRAPH_VERIFIED, cond::TRUE, "Verified", "graph revision compiled and verified");
        let (order, resources) = revisions::topology(graph);
        let status =
            Value::map([("conditions", conditions.to_value()), ("resources", resources), ("topologicalOrder", order)]);
        let live = revision.at(&["status"]).cloned().unwrap_or_default();
        if covers(&live, &status) {
            return None;
        }
        let name = object::name(revision);
        let mut request = revisions::resource().merge_patch("", name, Value::map([("status", status)]));
        request.path.push_str("/status");
        Some(Next::Request(GraphStep::RevisionStatus, request))
    }

    /// From a compiled graph with its revision to watched instances.
    fn serve(&mut self, pass: &mut Pass, graph: &Arc<Graph>, number: i64, live: &[&Value]) -> Next {
        let Some(api) = &graph.instance else {
            self.set_serving(&pass.name, Serving::new(number, graph.clone()));
            let message = "the definition has no schema and is its own instance";
            pass.conditions.set(cond::KIND_READY, cond::TRUE, "Ready", message);
            pass.conditions.set(cond::CONTROLLER_READY, cond::TRUE, "Running", "controller is running");
            self.single_verdict(pass);
            return Next::Rest;
        };
        match self.ensure_crd(pass, api) {
            Ok(None) => {}
            Ok(Some(next)) => {
                self.serve_older(pass, live);
                return next;
            }
            Err(why) => {
                pass.conditions.set(cond::KIND_READY, cond::FALSE, "Failed", why);
                self.serve_older(pass, live);
                return Next::Rest;
            }
        }
        self.set_serving(&pass.name, Serving::new(number, graph.clone()));
        let wanted = Wanted::all(Role::Instances, &api.gvk(), &api.plural);
        match self.watches.find(&wanted.target) {
            Some(watch) if watch.is_synced => {
                pass.conditions.set(cond::CONTROLLER_READY, cond::TRUE, "Running", "controller is running");
            }
            Some(watch) => {
                if let Some(failure) = &watch.failure {
                    let message = format!("cannot watch instances: {}", failure.message);
                    pass.conditions.set(cond::CONTROLLER_READY, cond::FALSE, "FailedToStart", message);
                }
            }
            None => {}
        }
        if !pass.conditions.is_true(cond::CONTROLLER_READY) {
            let name = format!("{}.{}", api.plural, api.group);
            pass.patience = self.patience(self.crds.get(&name).map(|crd| &crd.object));
        }
        Next::Rest
    }

    /// How long a new CRD may take to be served before the status says that it is not; `None` when that is over.
    fn patience(&self, crd: Option<&Value>) -> Option<Timestamp> {
        const PATIENCE_MS: i64 = 3_000;
        let created = Timestamp::parse(object::text(crd?, "creationTimestamp"))?;
        Some(created.plus_ms(PATIENCE_MS)).filter(|until| *until > self.now)
    }

    /// `Ok(None)`: the CRD is as wanted and served.
    fn ensure_crd(&mut self, pass: &mut Pass, api: &InstanceApi) -> Result<Option<Next>, String> {
        let definition = pass.definition();
        let desired = ensure_crd::desired(api, &definition, &self.config.version);
        let name = Str::new(object::name(&desired));
        let live = self.crds.get(&name).map(|crd| crd.object.clone());
        let allow = object::annotation(&pass.object, wire::ANNOTATION_ALLOW_BREAKING) == Some("true");
        let written = self.graphs.get(&pass.name).and_then(|state| state.crd_written);
        let digests = live.as_ref().map(|live| (kro_engine::digest::Digest::of(&desired), digest_of_spec(live)));
        let request = match ensure_crd::decide(&desired, live.as_ref(), &definition, allow) {
            CrdAction::Refuse(why) => return Err(why),
            CrdAction::Create(body) => Some(crds::resource().create(body)),
            // The server normalised what was written: doing it again changes nothing.
            CrdAction::Patch(_) if written.is_some() && written == digests => None,
            CrdAction::Patch(body) => Some(crds::resource().merge_patch("", &name, body)),
            CrdAction::Keep => None,
        };
        if let Some(request) = request {
            let failed = self.failure_of(&pass.name, &GraphStep::Crd);
            if let Some(failure) = failed.filter(|failure| !failure.is_due(self.now)) {
                let verb = if live.is_some() { "patch" } else { "create" };
                return Err(format!("failed to {verb} CRD: {}", failure.message));
            }
            return Ok(Some(Next::Request(GraphStep::Crd, request)));
        }
        let is_established = live.as_ref().is_some_and(crds::is_established);
        if !is_established {
            pass.patience = self.patience(live.as_ref());
            return Ok(Some(Next::Rest));
        }
        let kind =
            live.as_ref().and_then(|live| live.str_at(&["status", "acceptedNames", "kind"])).unwrap_or(&api.kind);
        pass.conditions.set(cond::KIND_READY, cond::TRUE, "Ready", format!("kind {kind} has been accepted and ready"));
        Ok(None)
    }

    /// While the newest revision cannot serve, the newest one whose CRD is in place does.
    fn serve_older(&mut self, pass: &Pass, live: &[&Value]) {
        if self.serving(&pass.name).is_some() {
            return;
        }
        for revision in live {
            let Some(graph) = self.revision_compilation(&pass.name, revision).graph else {
                continue;
            };
            let fits = graph.instance.as_ref().is_none_or(|api| {
                let desired = ensure_crd::desired(api, &pass.definition(), &self.config.version);
                let live = self.crds.get(object::name(&desired));
                live.is_some_and(|live| live.is_established && ensure_crd::fits(&desired, &live.object))
            });
            if fits {
                let serving = Serving::new(revisions::number(revision), graph);
                return self.set_serving(&pass.name, serving);
            }
        }
    }

    /// Instances are reconciled with this graph from now on.
    fn set_serving(&mut self, name: &Str, serving: Serving) {
        let state = self.graphs.entry(name.clone()).or_default();
        let is_same = state
            .serving
            .as_ref()
            .is_some_and(|current| current.revision == serving.revision && Arc::ptr_eq(&current.graph, &serving.graph));
        if is_same {
            return;
        }
        let wanted = serving.graph.nodes.iter().filter(|node| !node.kind.is_external());
        let wanted = wanted.map(|node| Wanted::children(&node.gvk, &node.plural)).collect();
        state.serving = Some(serving);
        self.watches.retain_only(&User::Graph(name.clone()), wanted, &mut self.out);
        self.enqueue_instances(name, Priority::Resync);
    }

    /// The readiness of the resources of a definition that is its own instance.
    fn single_verdict(&mut self, pass: &mut Pass) {
        let id = single_id(&pass.name);
        let revision = self.serving(&pass.name).map_or(0, |serving| serving.revision);
        let verdict = self.instances.get(&id).and_then(|memory| memory.verdict.clone());
        match verdict.filter(|(judged, _)| *judged == revision) {
            Some((_, verdict)) => {
                pass.conditions.set(cond::RESOURCES_READY, verdict.status, verdict.reason, verdict.message);
            }
            None => {
                pass.is_undecided = true;
                self.enqueue(WorkItem::Instance(id), Priority::Fresh);
            }
        }
    }

    /// The revision that goes because there are too many.
    fn collect_revisions(&self, live: &[&Value]) -> Option<Next> {
        let max = self.config.graph_revisions_max;
        let old = live.get(max).filter(|_| max > 0)?;
        let request = revisions::resource().delete("", object::name(old), object::uid(old));
        Some(Next::Request(GraphStep::DeleteRevision, request))
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

    /// Revisions that terminate lose their finalizer: nothing of them is kept but memory.
    fn release_revisions(&mut self, name: &Str) {
        let Some(watch) = self.watch_of(Role::Revisions) else {
            return;
        };
        let is_leaving =
            |revision: &Value| object::is_terminating(revision) && object::has_finalizer(revision, wire::FINALIZER);
        let leaving: Vec<Value> = revisions::of_definition(watch, name).into_iter().filter(is_leaving).collect();
        for revision in leaving {
            let uid = Str::new(object::uid(&revision));
            if self.releasing.insert(uid.clone()) {
                let request = finalizer_patch(&revisions::resource(), &revision, false);
                self.out.send(request, Purpose::Graph(name.clone(), GraphStep::ReleaseRevision(uid)));
            }
        }
    }

    /// The definition is gone.
    fn drop_graph(&mut self, name: &Str) {
        if self.graphs.remove(name).is_some() {
            self.watches.retain_only(&User::Graph(name.clone()), Vec::new(), &mut self.out);
            self.enqueue(WorkItem::Instance(single_id(name)), Priority::Fresh);
        }
        self.out.wake(&WorkItem::Graph(name.clone()), None);
    }

    /// Deletion was asked for. Instances outlive their definition, and can still be deleted without it.
    fn delete_graph(&mut self, name: &Str, object: &Value) {
        if is_single(object) {
            return self.enqueue(WorkItem::Instance(single_id(name)), Priority::Fresh);
        }
        if !object::has_finalizer(object, wire::FINALIZER) {
            return;
        }
        let next = match self.crd_to_delete(name) {
            Some(crd) if object::is_terminating(&crd) => return self.wake_graph(name),
            Some(crd) => (GraphStep::Crd, crds::resource().delete("", object::name(&crd), object::uid(&crd))),
            None => (GraphStep::RemoveFinalizer, finalizer_patch(&resource(), object, false)),
        };
        if self.is_blocked(name, &next.0) {
            return self.wake_graph(name);
        }
        self.send_graph(name, next.0, next.1);
    }

    /// The generated CRD, if it goes with its definition. While it terminates, its instances are still taken care of.
    fn crd_to_delete(&self, name: &str) -> Option<Value> {
        let is_its = |(_, crd): &(&Str, &crds::Crd)| crd.definition.as_deref() == Some(name);
        let crd = self.crds.iter().find(is_its).filter(|_| self.config.allow_crd_deletion)?;
        Some(crd.1.object.clone())
    }

    /// Takes in the answer to a request of the definition side.
    pub(crate) fn answer_graph(&mut self, name: &Str, step: &GraphStep, result: Result<ApiResponse, TransportError>) {
        let refusal = Refusal::of(&result);
        let body = result.map(|response| response.body).unwrap_or_default();
        match &refusal {
            None => self.take_graph_answer(name, step, body),
            // Somebody else did it, or it is not needed any more.
            Some(refusal) if is_settled_elsewhere(step, refusal.is_gone) => self.forget_definition(name, step),
            Some(refusal) => self.note_graph_failure(name, step, refusal.clone()),
        }
        if let GraphStep::ReleaseRevision(uid) = step {
            // Once it is released it stays in the set, so that an old picture of it does not send another patch.
            if refusal.as_ref().is_some_and(|refusal| !refusal.is_gone) {
                self.releasing.remove(uid);
            }
        } else if let Some(state) = self.graphs.get_mut(name) {
            if state.in_flight.as_ref() == Some(step) {
                state.in_flight = None;
            }
            if refusal.is_none() {
                state.failures.remove(step);
            }
        }
        self.enqueue(WorkItem::Graph(name.clone()), Priority::Fresh);
    }

    /// What the server returned is newer than what the watches show.
    fn take_graph_answer(&mut self, name: &Str, step: &GraphStep, body: Value) {
        let role = match step {
            GraphStep::AddFinalizer | GraphStep::RemoveFinalizer | GraphStep::Status | GraphStep::Refresh => {
                Role::Definitions
            }
            GraphStep::Crd => Role::Crds,
            _ => Role::Revisions,
        };
        if body.str_at(&["kind"]) == Some("Status") || object::name(&body).is_empty() {
            return;
        }
        if *step == GraphStep::Crd && !object::is_terminating(&body) {
            self.note_crd_written(name, &body);
        }
        let is_last = object::is_terminating(&body) && object::finalizers(&body).next().is_none();
        match is_last && matches!(step, GraphStep::RemoveFinalizer) {
            true => self.hide(role, &single_id("").group_kind, &body),
            false => self.show(role, body),
        }
    }

    /// The server does not know the definition any more: the watch will say so, but until then nothing is sent for it.
    fn forget_definition(&mut self, name: &Str, step: &GraphStep) {
        let is_about_it = matches!(
            step,
            GraphStep::AddFinalizer | GraphStep::RemoveFinalizer | GraphStep::Status | GraphStep::Refresh
        );
        if let Some(object) = self.definition(name).filter(|_| is_about_it) {
            self.hide(Role::Definitions, &single_id("").group_kind, &object);
        }
    }

    fn note_crd_written(&mut self, name: &Str, live: &Value) {
        let definition = self.definition(name);
        let Some(state) = self.graphs.get_mut(name) else {
            return;
        };
        let graph = state.compiled.as_ref().and_then(|(_, compilation)| compilation.graph.clone());
        if let (Some(graph), Some(definition)) = (graph, definition) {
            let definition = Definition { name: name.clone(), uid: object::uid(&definition).into() };
            let desired =
                graph.instance.as_ref().map(|api| ensure_crd::desired(api, &definition, &self.config.version));
            state.crd_written = desired.map(|desired| (kro_engine::digest::Digest::of(&desired), digest_of_spec(live)));
        }
    }

    fn note_graph_failure(&mut self, name: &Str, step: &GraphStep, refusal: Refusal) {
        let fields = vec![
            ("definition", name.clone()),
            ("step", format_smolstr!("{step:?}")),
            ("error", refusal.message.clone()),
        ];
        self.out.log(LogLevel::Warning, "a request for a definition failed", fields);
        let is_conflict = refusal.status == 409;
        let bounds = self.bounds();
        let Some(state) = self.graphs.get_mut(name) else {
            return;
        };
        let failure = Failure::again(state.failures.get(step), refusal, bounds, &mut self.jitter, self.now);
        state.failures.insert(step.clone(), failure);
        if is_conflict && !matches!(step, GraphStep::ReleaseRevision(_)) {
            let request = resource().get("", name);
            self.out.send(request, Purpose::Graph(name.clone(), GraphStep::Refresh));
        }
    }
}

/// An answer that is as good as a success.
fn is_settled_elsewhere(step: &GraphStep, is_gone: bool) -> bool {
    match step {
        GraphStep::CreateRevision(_) | GraphStep::Crd => false,
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
