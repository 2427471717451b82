//! GraphRevisions of a definition: the newest one is that of its spec.

use std::sync::Arc;

use kro_api::condition as cond;
use kro_api::metadata as wire;
use kro_engine::conditions::ConditionSet;
use kro_engine::object;
use kro_graph::Graph;
use kro_value::{Str, Value};

use super::{Next, Pass, covers, finalizer_patch, patch_head, resource};
use crate::compiler::{Compilation, compile};
use crate::manager::Manager;
use crate::revisions;
use crate::watches::Role;
use crate::work::{GraphStep, Purpose};

impl Manager {
    /// Sees to it that the newest revision is that of the spec. `Some`: something has to happen first.
    pub(super) fn settle_revision(&mut self, pass: &mut Pass, graph: &Arc<Graph>, all: &[Value]) -> Option<Next> {
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
            if let Some(next) = self.confirm_definition(&pass.name, latest) {
                return Some(next);
            }
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

    /// A revision without its owner may be one that was let go because the definition is deleted, which the watch need not
    /// show yet. `Some`: that has to be asked first.
    fn confirm_definition(&mut self, name: &Str, revision: &Value) -> Option<Next> {
        let version = Some(Str::new(object::resource_version(revision)));
        let state = self.graphs.get_mut(name)?;
        if state.confirmed_for == version {
            return None;
        }
        state.confirmed_for = version;
        Some(Next::Request(GraphStep::Refresh, resource().get("", name)))
    }

    /// Whether a revision holds the spec that was compiled. Compares what the snapshot compiles to, never labels.
    pub(super) fn is_revision_of(&mut self, pass: &Pass, graph: &Graph, revision: &Value) -> bool {
        let snapshot = revision.at(&["spec", "snapshot", "spec"]);
        if snapshot == pass.object.at(&["spec"]) {
            return true;
        }
        let compilation = self.revision_compilation(&pass.name, revision);
        compilation.graph.is_some_and(|compiled| compiled.spec_hash == graph.spec_hash)
    }

    pub(super) fn revision_compilation(&mut self, name: &Str, revision: &Value) -> Compilation {
        let uid = Str::new(object::uid(revision));
        let state = self.graphs.entry(name.clone()).or_default();
        match &state.compiled_revision {
            Some((compiled, compilation)) if *compiled == uid => compilation.clone(),
            _ => {
                let compilation =
                    compile(&revisions::snapshot_definition(revision), &self.crds, &self.served, &self.config);
                state.compiled_revision = Some((uid, compilation.clone()));
                self.measure_revision_build(compilation.graph.is_some());
                compilation
            }
        }
    }

    pub(super) fn issue_revision(&mut self, pass: &mut Pass, graph: &Arc<Graph>, all: &[Value]) -> Next {
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
    pub(super) fn revision_status(&self, revision: &Value, graph: &Graph) -> Option<Next> {
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

    /// The revision that goes because there are too many.
    pub(super) fn collect_revisions(&self, live: &[&Value]) -> Option<Next> {
        let max = self.config.graph_revisions_max;
        let old = live.get(max).filter(|_| max > 0)?;
        let request = revisions::resource().delete("", object::name(old), object::uid(old));
        Some(Next::Request(GraphStep::DeleteRevision, request))
    }

    /// Revisions that terminate lose their finalizer: nothing of them is kept but memory.
    pub(super) fn release_revisions(&mut self, name: &Str) {
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
}
