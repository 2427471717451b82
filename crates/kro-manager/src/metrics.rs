//! What the manager counts. Counters go out as effects when something happens; gauges are read when somebody asks.
//!
//! Names and labels are those of the Go implementation. The label `gvr` has two spellings there, and has them here.

use kro_api::condition as cond;
use kro_engine::object::{self, ObjectId};
use kro_engine::{NodeState, Plan, Timestamp};
use kro_graph::{Graph, Node};
use kro_value::{Str, Value, format_smolstr};

use crate::manager::Manager;
use crate::outbox::Resource;
use crate::retry::Refusal;
use crate::watches::{Change, Role, Watch};
use crate::work::{GraphStep, InstanceStep, Purpose, WorkItem};
use crate::{ApiResponse, Metric, MetricChange, TransportError, WatchTarget};

impl Manager {
    /// The gauges as they stand, for a scrape.
    pub fn gauges(&self) -> Vec<Metric> {
        let watches = || self.watches.iter();
        let of_role = |role| watches().filter(move |watch| watch.wanted.role == role);
        let handlers = of_role(Role::Instances).count();
        let mut gauges = vec![
            gauge("dynamic_controller_gvr_count", Vec::new(), handlers),
            gauge("dynamic_controller_handler_count_total", vec![("type", Str::new_static("parent"))], handlers),
            gauge("dynamic_controller_queue_length", Vec::new(), self.queue.len()),
            gauge("dynamic_controller_watch_count", Vec::new(), watches().count()),
            gauge("schema_resolver_cache_size", Vec::new(), self.served.known()),
        ];
        self.queue_gauges(&mut gauges);
        for watch in of_role(Role::Instances) {
            let labels = vec![("parent_gvr", comma_label(&watch.wanted.target))];
            gauges.push(gauge("dynamic_controller_instance_watch_count", labels, watch.objects().count()));
        }
        for watch in watches().filter(|watch| matches!(watch.wanted.role, Role::Children | Role::External)) {
            let is_collection = watch.wanted.role == Role::External && !watch.wanted.target.label_selector.is_empty();
            let kind = if is_collection { "collection" } else { "scalar" };
            let labels = vec![("gvr", comma_label(&watch.wanted.target)), ("type", Str::new_static(kind))];
            gauges.push(gauge("dynamic_controller_watch_request_count", labels, watch.users().count()));
        }
        let revisions = || of_role(Role::Revisions).flat_map(Watch::objects).map(|observed| &observed.object);
        for state in ["pending", "active", "failed"] {
            let count = revisions().filter(|revision| revision_state(revision) == state).count();
            let labels = vec![("state", Str::new_static(state))];
            gauges.push(gauge("graph_revision_registry_entries", labels, count));
        }
        if self.config.instance_condition_metrics {
            of_role(Role::Instances).for_each(|watch| condition_gauges(watch, self.now, &mut gauges));
        }
        sum_alike(gauges)
    }

    /// Those that controllers of the usual framework have. A pass is over before anybody can look.
    fn queue_gauges(&self, gauges: &mut Vec<Metric>) {
        let (graphs, instances) = self.queue.lengths();
        for (labels, depth) in [(named_queue(DEFINITIONS), graphs), (named_queue(INSTANCES), instances)] {
            gauges.push(gauge("workqueue_depth", labels.clone(), depth));
            gauges.push(gauge("workqueue_unfinished_work_seconds", labels.clone(), 0));
            gauges.push(gauge("workqueue_longest_running_processor_seconds", labels, 0));
        }
        for controller in [DEFINITIONS, REVISIONS] {
            let labels = vec![("controller", Str::new_static(controller))];
            gauges.push(gauge("controller_runtime_max_concurrent_reconciles", labels.clone(), 1));
            gauges.push(gauge("controller_runtime_active_workers", labels, 0));
        }
    }

    /// Whether everything that the manager's decisions rest on is known.
    ///
    /// # Errors
    /// What is missing, for people.
    pub fn readiness(&self) -> Result<(), String> {
        for (role, name) in [
            (Role::Crds, "CustomResourceDefinitions"),
            (Role::Definitions, "ResourceGraphDefinitions"),
            (Role::Revisions, "GraphRevisions"),
        ] {
            let Some(watch) = self.watch_of(role) else {
                return Err("not started".to_owned());
            };
            match &watch.failure {
                Some(failure) if !watch.is_synced => return Err(format!("cannot list {name}: {}", failure.message)),
                _ if !watch.is_synced => return Err(format!("{name} are not listed yet")),
                _ => {}
            }
        }
        Ok(())
    }

    /// An item is about to be worked on.
    pub(crate) fn measure_work(&mut self, item: &WorkItem) {
        self.out.count("workqueue_adds_total", queue_labels(item));
        let WorkItem::Instance(id) = item else {
            return self.measure_pass(DEFINITIONS, "success");
        };
        let resource = self.resource_of(id);
        self.out.count("dynamic_controller_reconcile_total", vec![("gvr", slash_label(&resource))]);
    }

    /// A pass of one of the two controllers that are not about instances.
    fn measure_pass(&mut self, controller: &'static str, result: &'static str) {
        let labels = vec![("controller", Str::new_static(controller)), ("result", Str::new_static(result))];
        self.out.count("controller_runtime_reconcile_total", labels);
        if result == "error" {
            let labels = vec![("controller", Str::new_static(controller))];
            self.out.count("controller_runtime_reconcile_errors_total", labels);
        }
    }

    fn resource_of(&self, id: &ObjectId) -> Resource {
        match self.crds.of_kind(&id.group_kind) {
            Some(crd) => crd.resource(),
            None => crate::graphs::resource(),
        }
    }

    /// Something changed in a watch.
    pub(crate) fn measure_change(&mut self, role: Role, target: &WatchTarget, change: &Change) {
        let [old, new] = [&change.old, &change.new].map(|observed| observed.as_ref().map(|observed| &observed.object));
        let is_deleted = new.is_none();
        match role {
            Role::Definitions => {
                let (from, to) = (state(old), state(new));
                if let Some(new) = new.filter(|_| from != to) {
                    let labels = vec![("name", Str::new(object::name(new))), ("from", from), ("to", to)];
                    self.out.count("rgd_state_transitions_total", labels);
                }
            }
            Role::Revisions => {
                let [from, to] = [old, new].map(|revision| revision.map_or("none", revision_state));
                if is_deleted {
                    self.out.count("graph_revision_registry_evictions_total", Vec::new());
                } else if from != to {
                    let labels = vec![("from", Str::new_static(from)), ("to", Str::new_static(to))];
                    self.out.count("graph_revision_registry_transitions_total", labels);
                }
            }
            Role::Instances => {
                let event = match (old, new) {
                    (None, _) => "add",
                    (_, None) => "delete",
                    _ => "update",
                };
                let labels = vec![("gvr", comma_label(target)), ("event_type", Str::new_static(event))];
                self.out.count("dynamic_controller_informer_events_total", labels);
            }
            Role::Crds | Role::ApiServices | Role::Children | Role::External => {}
        }
    }

    /// A child changed, and so many instances were woken by that.
    pub(crate) fn measure_route(&mut self, target: &WatchTarget, woken: usize) {
        let label = || vec![("gvr", comma_label(target))];
        self.out.count("dynamic_controller_route_total", label());
        if woken > 0 {
            self.out.add("dynamic_controller_route_match_total", label(), woken);
        }
    }

    /// A request was answered.
    pub(crate) fn measure_answer(&mut self, purpose: &Purpose, result: &Result<ApiResponse, TransportError>) {
        let refusal = Refusal::of(result);
        match purpose {
            Purpose::Graph(name, step) => {
                if refusal.is_some() {
                    self.out.count("workqueue_retries_total", queue_labels(&WorkItem::Graph(name.clone())));
                    self.measure_pass(DEFINITIONS, "error");
                }
                self.measure_graph_answer(name, step, refusal.is_none());
            }
            Purpose::Instance(id, step) => {
                // Gone, or somebody else was faster: both are part of normal work.
                let refusal = refusal.filter(|refusal| refusal.status != 404 && refusal.status != 409);
                if refusal.is_some() && !matches!(step, InstanceStep::Refresh) {
                    self.out.count("workqueue_retries_total", queue_labels(&WorkItem::Instance(id.clone())));
                    let resource = self.resource_of(id);
                    self.out.count("instance_reconcile_errors_total", vec![("gvr", resource.label())]);
                    let label = slash_label(&resource);
                    self.out.count("dynamic_controller_handler_errors_total", vec![("gvr", label.clone())]);
                    let labels = vec![("gvr", label), ("type", Str::new_static("rate_limited"))];
                    self.out.count("dynamic_controller_requeue_total", labels);
                }
            }
        }
    }

    fn measure_graph_answer(&mut self, name: &Str, step: &GraphStep, is_success: bool) {
        match (step, is_success) {
            (GraphStep::RemoveFinalizer, true) => {
                self.out.count("rgd_deletions_total", vec![("name", name.clone())]);
                let since = self.definition(name).and_then(|object| {
                    let at = object.str_at(&["metadata", "deletionTimestamp"]).and_then(Timestamp::parse)?;
                    Some(self.now.since_ms(at))
                });
                if let Some(since) = since {
                    self.out.observe("rgd_deletion_duration_seconds", vec![("name", name.clone())], seconds(since));
                }
            }
            (GraphStep::CreateRevision(number), true) => {
                let reason = if *number == 1 { "no_revision" } else { "spec_changed" };
                self.out.count("rgd_graph_revision_issue_total", vec![("reason", Str::new_static(reason))]);
            }
            (GraphStep::DeleteRevision, true) => self.out.count("rgd_graph_revision_gc_deleted_total", Vec::new()),
            (GraphStep::DeleteRevision, false) => self.out.count("rgd_graph_revision_gc_errors_total", Vec::new()),
            (GraphStep::RevisionStatus, false) => {
                self.out.count("graph_revision_status_update_errors_total", Vec::new());
                // It had compiled, or there would have been no status to write.
                self.out.count("graph_revision_activation_deferred_total", Vec::new());
            }
            (GraphStep::Locate(..) | GraphStep::Discover(..) | GraphStep::Describe(..), false) => {
                self.out.count("schema_resolver_errors_total", Vec::new());
            }
            (GraphStep::ReleaseRevision(_), true) => {
                self.out.count("graph_revision_finalizer_evictions_total", Vec::new());
            }
            _ => {}
        }
    }

    /// A bug was caught.
    pub(crate) fn measure_panic(&mut self, id: &ObjectId) {
        let label = slash_label(&self.resource_of(id));
        self.out.count("dynamic_controller_reconcile_panics_total", vec![("gvr", label)]);
    }

    /// A bug was caught while a definition was compiled.
    pub(crate) fn measure_compiler_panic(&mut self) {
        let labels = vec![("controller", Str::new_static(DEFINITIONS))];
        self.out.count("controller_runtime_reconcile_panics_total", labels);
    }

    /// An instance has no graph (yet).
    pub(crate) fn measure_unresolved(&mut self, resource: &Resource, graph: &str, latest: Option<i64>) {
        let is_pending = latest.is_none() && self.graphs.get(graph).is_some_and(|state| state.is_under_way());
        if latest.is_none() {
            let labels = vec![("reason", Str::new_static("runtime_entry_missing"))];
            self.out.count("rgd_graph_revision_registry_miss_total", labels);
        }
        if is_pending {
            return self.out.count("instance_graph_resolution_pending_total", vec![("gvr", resource.label())]);
        }
        let reason = if latest.is_some() { "failed" } else { "not_available" };
        let labels = vec![("gvr", resource.label()), ("reason", Str::new_static(reason))];
        self.out.count("instance_graph_resolution_failures_total", labels);
    }

    /// A definition was compiled.
    pub(crate) fn measure_build(&mut self, name: &Str, is_success: bool) {
        self.out.count("rgd_graph_build_total", vec![("name", name.clone())]);
        if !is_success {
            self.out.count("rgd_graph_build_errors_total", vec![("name", name.clone())]);
        }
    }

    /// The snapshot of a revision was compiled.
    pub(crate) fn measure_revision_build(&mut self, is_success: bool) {
        let result = if is_success { "success" } else { "failed" };
        self.out.count("graph_revision_compile_total", vec![("result", Str::new_static(result))]);
        // It was compiled because memory did not have it.
        let labels = vec![("reason", Str::new_static("latest_not_warmed"))];
        self.out.count("rgd_graph_revision_registry_miss_total", labels);
        self.measure_pass(REVISIONS, if is_success { "success" } else { "error" });
    }

    /// How a pass over a definition came out: `serve`, `issue`, `wait` or `failed`.
    pub(crate) fn measure_resolution(&mut self, result: &'static str) {
        self.out.count("rgd_graph_revision_resolution_total", vec![("result", Str::new_static(result))]);
        if result == "wait" {
            self.out.count("rgd_graph_revision_wait_total", vec![("reason", Str::new_static("settling"))]);
        }
    }

    /// An instance was planned.
    pub(crate) fn measure_plan(&mut self, resource: &Resource, graph: &Graph, plan: &Plan) {
        let nodes = || graph.nodes.iter().zip(&plan.nodes);
        let rendered = || nodes().filter(|(_, plan)| !plan.is_pending && plan.state != NodeState::Skipped);
        let conditional = || nodes().filter(|(node, _)| !node.include_when.is_empty());
        self.out.count("instance_graph_resolution_success_total", vec![("gvr", resource.label())]);
        self.out.count("runtime_creation_total", Vec::new());
        for (name, count) in [
            ("runtime_node_eval_total", rendered().count()),
            ("runtime_node_eval_errors_total", nodes().filter(|(_, plan)| is_expression_error(plan)).count()),
            ("runtime_node_ignored_check_total", conditional().count()),
            ("runtime_node_ignored_total", nodes().filter(|(_, plan)| plan.state == NodeState::Skipped).count()),
            ("runtime_node_ready_check_total", rendered().filter(|(node, _)| !node.ready_when.is_empty()).count()),
            (
                "runtime_node_not_ready_total",
                nodes().filter(|(_, plan)| plan.state == NodeState::WaitingForReadiness).count(),
            ),
            ("cel_expr_eval_total", rendered().map(|(node, _)| expressions(node)).sum()),
        ] {
            if count > 0 {
                self.out.add(name, Vec::new(), count);
            }
        }
        for (_, plan) in rendered().filter(|(node, _)| node.kind.is_collection() && !node.kind.is_external()) {
            #[allow(clippy::cast_precision_loss)] // far below 2^52
            self.out.observe("runtime_collection_size", Vec::new(), plan.objects.len() as f64);
        }
    }
}

/// Names of controllers and queues, as in the Go implementation.
const DEFINITIONS: &str = "ResourceGraphDefinition";
const REVISIONS: &str = "graphrevision";
const INSTANCES: &str = "dynamic-controller-queue";

fn queue_labels(item: &WorkItem) -> Vec<(&'static str, Str)> {
    named_queue(if matches!(item, WorkItem::Graph(_)) { DEFINITIONS } else { INSTANCES })
}

/// The queue of instances belongs to no controller of the framework.
fn named_queue(name: &'static str) -> Vec<(&'static str, Str)> {
    let controller = if name == INSTANCES { "" } else { name };
    vec![("controller", Str::new_static(controller)), ("name", Str::new_static(name))]
}

fn is_expression_error(plan: &kro_engine::NodePlan) -> bool {
    plan.state == NodeState::Error && !plan.is_apply_failure
}

fn expressions(node: &Node) -> usize {
    node.fields.len() + node.include_when.len() + node.ready_when.len() + node.for_each.len()
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn gauge(name: &'static str, labels: Vec<(&'static str, Str)>, value: usize) -> Metric {
    Metric { name, labels, change: MetricChange::Set(value as f64) }
}

/// Several watches may have the same labels: their numbers add up.
fn sum_alike(gauges: Vec<Metric>) -> Vec<Metric> {
    let mut sums: Vec<Metric> = Vec::with_capacity(gauges.len());
    for gauge in gauges {
        let same = |sum: &&mut Metric| sum.name == gauge.name && sum.labels == gauge.labels;
        let MetricChange::Set(more) = gauge.change else { continue };
        // Alike ones of watches are few; series of instances all differ and are not searched for.
        let is_single = gauge.name == CONDITION_SECONDS;
        match sums.iter_mut().find(|sum| !is_single && same(sum)).map(|sum| &mut sum.change) {
            Some(MetricChange::Set(sum)) => *sum += more,
            _ => sums.push(gauge),
        }
    }
    sums
}

const CONDITION_SECONDS: &str = "instance_condition_current_status_seconds";

/// How long each condition of each instance has been as it is.
fn condition_gauges(watch: &Watch, now: Timestamp, gauges: &mut Vec<Metric>) {
    let gvr = comma_label(&watch.wanted.target);
    for instance in watch.objects().map(|observed| &observed.object) {
        let conditions = instance.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
        for condition in conditions {
            let text = |key: &str| Str::new(condition.str_at(&[key]).unwrap_or_default());
            let Some(since) = Timestamp::parse(&text("lastTransitionTime")) else { continue };
            let labels = vec![
                ("gvr", gvr.clone()),
                ("namespace", Str::new(object::namespace(instance))),
                ("name", Str::new(object::name(instance))),
                ("condition_type", text("type")),
                ("condition_status", text("status")),
                ("reason", text("reason")),
            ];
            let change = MetricChange::Set(seconds(now.since_ms(since)));
            gauges.push(Metric { name: CONDITION_SECONDS, labels, change });
        }
    }
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1000.0
}

fn state(object: Option<&Value>) -> Str {
    object.and_then(|object| object.str_at(&["status", "state"])).unwrap_or_default().into()
}

/// `pending`, `active` or `failed`, by the revision's own condition.
fn revision_state(revision: &Value) -> &'static str {
    let conditions = revision.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let verified = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some(cond::GRAPH_VERIFIED));
    match verified.and_then(|condition| condition.str_at(&["status"])) {
        Some(cond::TRUE) => "active",
        Some(cond::FALSE) => "failed",
        _ => "pending",
    }
}

/// `group/version, Resource=plural`
fn comma_label(target: &WatchTarget) -> Str {
    Resource::new(&target.group, &target.version, &target.plural).label()
}

/// `group/version/plural`
fn slash_label(resource: &Resource) -> Str {
    format_smolstr!("{}/{}/{}", resource.group, resource.version, resource.plural)
}
