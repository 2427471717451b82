//! From a compiled graph to watched instances.

use std::sync::Arc;

use kro_api::condition as cond;
use kro_api::metadata as wire;
use kro_engine::Timestamp;
use kro_engine::object;
use kro_graph::{Graph, InstanceApi};
use kro_value::{Str, Value};

use super::{Next, Pass, Serving, single_id};
use crate::ensure_crd::{self, CrdAction};
use crate::manager::Manager;
use crate::watches::{Role, User, Wanted};
use crate::work::{GraphStep, Priority, WorkItem};
use crate::{crds, digest_of_crd, revisions};

impl Manager {
    pub(crate) fn serving(&self, name: &str) -> Option<&Serving> {
        self.graphs.get(name)?.serving.as_ref()
    }

    /// From a compiled graph with its revision to watched instances.
    pub(super) fn serve(&mut self, pass: &mut Pass, graph: &Arc<Graph>, number: i64, live: &[&Value]) -> Next {
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
    pub(super) fn patience(&self, crd: Option<&Value>) -> Option<Timestamp> {
        const PATIENCE_MS: i64 = 3_000;
        let created = Timestamp::parse(object::text(crd?, "creationTimestamp"))?;
        Some(created.plus_ms(PATIENCE_MS)).filter(|until| *until > self.now)
    }

    /// `Ok(None)`: the CRD is as wanted and served.
    pub(super) fn ensure_crd(&mut self, pass: &mut Pass, api: &InstanceApi) -> Result<Option<Next>, String> {
        let definition = pass.definition();
        let desired = ensure_crd::desired(api, &definition, &self.config.version);
        let name = Str::new(object::name(&desired));
        let live = self.crds.get(&name).map(|crd| crd.object.clone());
        let allow = object::annotation(&pass.object, wire::ANNOTATION_ALLOW_BREAKING) == Some("true");
        let written = self.graphs.get(&pass.name).and_then(|state| state.crd_written);
        let digests = live.as_ref().map(|live| (kro_engine::digest::Digest::of(&desired), digest_of_crd(live)));
        let allow = self.was_in_place(pass, api, &desired) || allow;
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

    /// True when the CRD was already what this definition wants: by this process, or by the status of the definition.
    fn was_in_place(&mut self, pass: &Pass, api: &InstanceApi, desired: &Value) -> bool {
        let digest = kro_engine::digest::Digest::of(desired);
        let told = pass.conditions.get(cond::KIND_READY).is_some_and(|condition| {
            condition.is_true() && condition.observed_generation == object::generation(&pass.object)
        });
        let Some(state) = self.graphs.get_mut(&pass.name) else {
            return told;
        };
        let served = state.serving.as_ref().and_then(|serving| serving.graph.instance.as_ref());
        let is_written = state.crd_written.is_some_and(|(written, _)| written == digest);
        if told || is_written || served.is_some_and(|old| old.crd == api.crd) {
            state.crd_in_place = Some(digest);
        }
        state.crd_in_place == Some(digest)
    }

    /// While the newest revision cannot serve, the newest one whose CRD is in place does.
    pub(super) fn serve_older(&mut self, pass: &Pass, live: &[&Value]) {
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
    pub(super) fn set_serving(&mut self, name: &Str, serving: Serving) {
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
    pub(super) fn single_verdict(&mut self, pass: &mut Pass) {
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
}
