//! The status of an instance, on the cluster and in the live view.

use std::sync::Arc;

use kro_api::condition as cond;
use kro_engine::applyset::Inventory;
use kro_engine::object::{self, ObjectId};
use kro_engine::status::{self, Verdict};
use kro_engine::{InstanceState as State, Plan};
use kro_graph::{Graph, NodeIndex};
use kro_value::{Str, Value, format_smolstr};

use super::memory::ShownNode;
use super::{Own, Pass, is_marked, kept_fields};
use crate::LogLevel;
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::work::{Priority, WorkItem};

impl Manager {
    /// Suspended: marked, but no child is read or written. What was projected stays.
    pub(super) fn suspend(&mut self, pass: &Pass<'_>) {
        if !is_marked(pass) {
            let inventory = Inventory::read(&pass.object).unwrap_or_default();
            if let Some(why) = self.invalid_before_mark(pass) {
                return self.report_problem(pass, cond::INSTANCE_MANAGED, "ManagementFailed", &why);
            }
            self.mark(pass, &inventory);
            return;
        }
        let verdict = Verdict {
            status: cond::FALSE,
            reason: "ReconciliationSuspended",
            message: "reconciliation suspended via kro.run/reconcile annotation".into(),
        };
        let fields = kept_fields(&pass.object);
        self.write_status(pass, fields, &verdict, State::Active, None);
        self.show_state(pass.id, "ACTIVE", &verdict.message, false);
    }

    /// Projects and writes the status of a finished pass.
    pub(super) fn report(&mut self, pass: &Pass<'_>, graph: &Graph, plan: &Plan, prune_failure: Option<String>) {
        let mut verdict = status::verdict(plan);
        if let Some(why) = prune_failure.filter(|_| verdict.status == cond::TRUE) {
            let message = format!("resource reconciliation failed: {why}");
            verdict = Verdict { status: cond::FALSE, reason: "NotReady", message };
        }
        let retry = self.instances.get(pass.id).and_then(|memory| memory.next_retry(self.now));
        if let Some(at) = retry.filter(|_| verdict.status == cond::FALSE) {
            verdict.message.push_str(&format!(" (next retry {})", at.to_rfc3339()));
        }
        if pass.definition.is_none() {
            return self.report_single(pass.id, verdict);
        }
        let projection = status::project(graph, &pass.views, &pass.object, &plan.observed);
        for (path, why) in &projection.failures {
            let fields = vec![
                ("instance", format_smolstr!("{}", pass.id)),
                ("field", format_smolstr!("{path}")),
                ("error", Str::new(why)),
            ];
            self.out.log(LogLevel::Warning, "a status field cannot be computed", fields);
        }
        self.write_status(pass, projection.fields, &verdict, plan.state(), Some((graph, plan)));
    }

    /// The status of a definition that is its own instance is that of the definition.
    pub(crate) fn report_single(&mut self, id: &ObjectId, verdict: Verdict) {
        let revision = self.serving(&id.name).map_or(0, |serving| serving.revision);
        let Some(memory) = self.instances.get_mut(id) else {
            return;
        };
        let verdict = Some((revision, verdict));
        if memory.verdict != verdict {
            memory.verdict = verdict;
            self.enqueue(WorkItem::Graph(id.name.clone()), Priority::Fresh);
        }
    }

    pub(super) fn write_status(
        &mut self,
        pass: &Pass<'_>,
        fields: Value,
        verdict: &Verdict,
        state: State,
        planned: Option<(&Graph, &Plan)>,
    ) {
        let mut conditions = status::instance_conditions(&pass.object, self.now);
        let managed = "instance is properly managed with finalizers and labels";
        conditions.set(cond::INSTANCE_MANAGED, cond::TRUE, "Managed", managed);
        let resolved = "runtime graph created and all resources resolved";
        conditions.set(cond::GRAPH_RESOLVED, cond::TRUE, "Resolved", resolved);
        conditions.set(cond::RESOURCES_READY, verdict.status, verdict.reason, verdict.message.as_str());
        if pass.definition.is_none() {
            return self.report_single(pass.id, verdict.clone());
        }
        let (list, is_degraded) = match planned {
            Some((graph, plan)) if !graph.conditions.is_empty() => {
                let authored = kro_engine::author::author_conditions(
                    graph,
                    &pass.views,
                    &pass.object,
                    &plan.observed,
                    &conditions,
                    self.now,
                );
                (authored.list, authored.is_degraded)
            }
            _ => (conditions.to_value(), false),
        };
        let state = if is_degraded { State::Error } else { state };
        let status = status::assemble(fields, list, state);
        self.put_status(pass.id, &pass.object, &pass.resource, status);
    }

    /// Reports a problem with one condition; projected fields stay.
    pub(super) fn report_problem(&mut self, pass: &Pass<'_>, kind: &'static str, reason: &'static str, message: &str) {
        self.show_state(pass.id, "ERROR", message, false);
        let verdict = Verdict { status: cond::FALSE, reason, message: message.to_owned() };
        if pass.definition.is_none() {
            return self.report_single(pass.id, verdict);
        }
        let mut conditions = status::instance_conditions(&pass.object, self.now);
        conditions.set(kind, cond::FALSE, reason, message);
        let status = status::assemble(kept_fields(&pass.object), conditions.to_value(), State::Error);
        self.put_status(pass.id, &pass.object, &pass.resource, status);
    }

    /// There is no graph for the instance.
    pub(super) fn report_unresolved(&mut self, id: &ObjectId, object: &Value, resource: &Resource, graph: &str) {
        // A definition that is gone serves nobody; its instances can only be deleted.
        if self.definition(graph).is_none() || self.is_single(id) {
            return;
        }
        let latest = self.latest_revision(graph);
        let message = match latest {
            Some(number) => format!("latest issued graph revision {number} failed"),
            None => "latest issued graph revision not available".to_owned(),
        };
        self.show_state(id, "ERROR", &message, false);
        self.measure_unresolved(resource, graph, latest);
        let mut conditions = status::instance_conditions(object, self.now);
        conditions.set(cond::GRAPH_RESOLVED, cond::FALSE, "ResolutionFailed", message);
        let status = status::assemble(kept_fields(object), conditions.to_value(), State::Error);
        self.put_status(id, object, resource, status);
    }

    /// Writes a status that differs from the live one.
    pub(crate) fn put_status(&mut self, id: &ObjectId, object: &Value, resource: &Resource, status: Value) {
        if object.at(&["status"]) == Some(&status) {
            return;
        }
        let mut body = Value::Map(kro_value::Map::new());
        for key in ["apiVersion", "kind"] {
            body.set_at(&[key], object.at(&[key]).cloned().unwrap_or_default());
        }
        for key in ["name", "namespace", "uid", "resourceVersion"] {
            if let Some(value) = object.at(&["metadata", key]) {
                body.set_at(&["metadata", key], value.clone());
            }
        }
        body.set_at(&["status"], status.clone());
        let request = resource.update_status(object::namespace(object), object::name(object), body);
        if self.send_own(id, Own::Status, request) {
            self.record_status(object, resource, &status);
        }
    }

    /// Updates the live view after a plan.
    pub(super) fn show_plan(&mut self, pass: &Pass<'_>, graph: &Arc<Graph>, plan: &Plan) {
        let verdict = status::verdict(plan);
        let state = plan.state();
        let is_ready = state == State::Active && !plan.is_busy();
        let now = self.now;
        let Some(memory) = self.instances.get_mut(pass.id) else {
            return;
        };
        let previous = std::mem::take(&mut memory.shown.nodes);
        let is_same_graph = memory.shown.graph.as_ref().is_some_and(|earlier| Arc::ptr_eq(earlier, graph));
        let shown = |(at, index): (usize, &NodeIndex)| {
            let plan = &plan.nodes[index.get()];
            let name = match plan.objects.as_slice() {
                [] => Str::new_static(""),
                [one] => one.name.clone(),
                many => format_smolstr!("{} items", many.len()),
            };
            let state = plan.state.as_str();
            let earlier = previous.get(at).filter(|earlier| is_same_graph && earlier.state == state);
            ShownNode {
                name,
                state,
                reason: Some(plan.message.as_str()).filter(|text| !text.is_empty()).map(Box::from),
                since: earlier.map_or(now, |earlier| earlier.since),
            }
        };
        memory.shown.nodes = graph.order.iter().enumerate().map(shown).collect();
        memory.shown.graph = Some(Arc::clone(graph));
        let message = if is_ready { String::new() } else { verdict.message };
        self.show_state(pass.id, state.as_str(), &message, is_ready);
    }

    pub(crate) fn show_state(&mut self, id: &ObjectId, state: &'static str, message: &str, is_ready: bool) {
        let now = self.now;
        if let Some(memory) = self.instances.get_mut(id) {
            if memory.shown.state != state {
                memory.shown.since = now;
                memory.shown.state = Str::new_static(state);
            }
            memory.shown.message = message.to_owned();
            memory.shown.is_ready = is_ready;
        }
    }
}
