//! The instance side: from an instance to its children, its status and its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kro_api::condition as cond;
use kro_api::metadata as wire;
use kro_engine::applyset::{Inventory, applyset_id_of};
use kro_engine::marks::{self, Definition, Owner};
use kro_engine::object::{self, GroupKind, ObjectId};
use kro_engine::snapshot::{Outcome, Record};
use kro_engine::status::{self, Verdict};
use kro_engine::{Apply, Input, InstanceState as State, Plan, Timestamp, Views};
use kro_graph::Graph;
use kro_value::{Str, Value, format_smolstr};

use crate::graphs::is_single;
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::records::{CHURN_MAX, CHURN_WINDOW_MS};
use crate::removal::Pruned;
use crate::retry::{Failure, Refusal};
use crate::snapshot::World;
use crate::view::NodeView;
use crate::watches::{User, Wanted};
use crate::work::{InstanceStep, Priority, Purpose, WorkItem};
use crate::{ApiRequest, ApiResponse, LogLevel, TransportError};

/// What is remembered of one instance.
#[derive(Debug, Default)]
pub(crate) struct InstanceMemory {
    /// The definition it belongs to.
    pub graph: Str,
    /// Its ApplySet.
    pub applyset: Str,
    /// The last apply of each child.
    pub records: BTreeMap<ObjectId, Record>,
    /// Children whose apply failed.
    pub failures: BTreeMap<ObjectId, Failure>,
    /// Children whose deletion failed.
    pub delete_failures: BTreeMap<ObjectId, Failure>,
    /// Requests about the instance itself that failed.
    pub own_failures: BTreeMap<Own, Failure>,
    /// The request about the instance itself that is under way.
    pub own_in_flight: Option<Own>,
    /// Children that are being deleted: their UIDs.
    pub deleting: BTreeSet<Str>,
    /// Deletes under way.
    pub deletes_in_flight: usize,
    /// Something was pruned since the inventory was last written.
    pub has_pruned: bool,
    /// Objects that it wants and somebody else has.
    pub contested: BTreeSet<ObjectId>,
    /// Watches that it needs besides those of its definition.
    pub watches: Vec<Wanted>,
    /// `ResourcesReady` of an instance without a status of its own, and the revision it is about.
    pub verdict: Option<(i64, Verdict)>,
    /// For the live view.
    pub shown: Shown,
    /// What the deletion was last said to wait for.
    pub blocked_by: String,
    /// Applies of one object in the present window: since when, and how many.
    churn: BTreeMap<ObjectId, (Timestamp, u32)>,
}

/// What the live view shows of an instance.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shown {
    pub state: Str,
    pub message: String,
    pub is_ready: bool,
    pub since: Timestamp,
    pub nodes: Vec<NodeView>,
}

/// Requests about an instance itself: one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Own {
    Mark,
    Inventory,
    Status,
    RemoveFinalizer,
    Refresh,
}

impl InstanceMemory {
    /// The earliest retry that is still to come.
    pub fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        let children = self.failures.values().chain(self.delete_failures.values());
        children.chain(self.own_failures.values()).map(|failure| failure.retry_at).filter(|at| *at > now).min()
    }

    /// Children whose apply is not answered yet.
    pub fn is_applying(&self) -> bool {
        self.records.values().any(|record| record.outcome == Outcome::InFlight)
    }

    /// An apply got no answer a moment ago: the server may have acted on it, and the watch may not show it yet.
    pub fn is_unsure(&self, now: Timestamp) -> bool {
        self.failures.values().any(|failure| failure.status == 0 && !failure.is_due(now))
    }

    /// What failed because somebody else was faster is tried again at once, a few times.
    fn retry_conflicts(&mut self, now: Timestamp) {
        let conflicts = self.own_failures.values_mut().filter(|failure| failure.status == 409 && failure.attempts <= 3);
        conflicts.for_each(|failure| failure.retry_at = now);
    }

    /// The failure of a request about the instance, while it waits for its retry.
    fn blocked(&self, own: Own, now: Timestamp) -> Option<&Failure> {
        self.own_failures.get(&own).filter(|failure| !failure.is_due(now))
    }
}

/// A pass over one instance.
struct Pass<'a> {
    id: &'a ObjectId,
    object: Value,
    resource: Resource,
    /// `None` for a definition that is its own instance.
    definition: Option<Definition>,
    /// Of its graph.
    views: Arc<Views>,
}

impl Manager {
    /// Brings one instance as far as it gets without an answer, and sees to it that what failed is tried again.
    pub(crate) fn step_instance(&mut self, id: &ObjectId) {
        if self.is_synced() {
            self.advance_instance(id);
            self.wake_instance(id);
        }
    }

    fn advance_instance(&mut self, id: &ObjectId) {
        let Some((object, resource, graph)) = self.instance(id) else {
            return self.drop_instance(id);
        };
        let memory = self.instances.entry(id.clone()).or_default();
        if memory.graph != graph || memory.applyset.is_empty() {
            memory.graph = graph.clone();
            memory.applyset = applyset_id_of(&object);
            self.by_applyset.insert(memory.applyset.clone(), id.clone());
        }
        if memory.own_in_flight.is_some() {
            return;
        }
        if object::is_terminating(&object) {
            return self.delete_instance(id, &object, &resource);
        }
        self.out.count("instance_reconcile_total", vec![("gvr", resource.label())]);
        let serving = self.serving(&graph).map(|serving| (serving.graph.clone(), serving.views.clone()));
        let Some((compiled, views)) = serving else {
            return self.report_unresolved(id, &object, &resource, &graph);
        };
        let uid = self.definition(&graph).map(|definition| Str::new(object::uid(&definition))).unwrap_or_default();
        let definition = compiled.instance.is_some().then_some(Definition { name: graph, uid });
        self.reconcile(&Pass { id, object, resource, definition, views }, &compiled);
    }

    /// The live instance, where it is served, and the name of its definition.
    fn instance(&self, id: &ObjectId) -> Option<(Value, Resource, Str)> {
        if id.group_kind.kind == kro_api::RGD_KIND && id.group_kind.group == kro_api::GROUP {
            let object = self.definition(&id.name).filter(is_single)?;
            return Some((object, crate::graphs::resource(), id.name.clone()));
        }
        let crd = self.crds.of_kind(&id.group_kind)?;
        let graph = crd.definition.clone()?;
        let wanted = Wanted::all(crate::watches::Role::Instances, &crd.gvk(), &crd.plural);
        let watch = self.watches.find(&wanted.target)?;
        let object = watch.get(&id.namespace, &id.name)?.object.clone();
        Some((object, crd.resource(), graph))
    }

    /// The instance is gone.
    fn drop_instance(&mut self, id: &ObjectId) {
        if let Some(memory) = self.instances.remove(id) {
            if self.by_applyset.get(&memory.applyset) == Some(id) {
                self.by_applyset.remove(&memory.applyset);
            }
            for contested in &memory.contested {
                self.contested.remove(&(contested.clone(), id.clone()));
            }
            if !memory.watches.is_empty() {
                self.watches.retain_only(&User::Instance(id.clone()), Vec::new(), &mut self.out);
            }
        }
        self.out.wake(&WorkItem::Instance(id.clone()), None);
    }

    /// Lets an instance have exactly these watches besides those of its definition.
    pub(crate) fn watch_for(&mut self, id: &ObjectId, mut wanted: Vec<Wanted>) {
        wanted.sort_by(|left, right| left.target.cmp(&right.target));
        wanted.dedup();
        let Some(memory) = self.instances.get_mut(id).filter(|memory| memory.watches != wanted) else {
            return;
        };
        memory.watches = wanted.clone();
        self.watches.retain_only(&User::Instance(id.clone()), wanted, &mut self.out);
    }

    fn reconcile(&mut self, pass: &Pass<'_>, graph: &Graph) {
        let Some(owner) = Owner::of(&pass.object, &self.config.version) else {
            return;
        };
        if marks::is_suspended(&pass.object) {
            return self.suspend(pass);
        }
        let Some(plan) = self.plan(pass, graph, &owner) else {
            return;
        };
        self.measure_plan(&pass.resource, graph, &plan);
        self.show_plan(pass, graph, &plan);
        self.note_settled(pass.id, &plan);
        self.note_contested(pass.id, graph, &plan);
        let is_held = self.prepare(pass, &plan);
        if is_held {
            return;
        }
        for apply in &plan.applies {
            self.send_apply(pass.id, graph, apply);
        }
        if plan.is_busy() || self.is_under_way(pass.id) {
            return;
        }
        let pruned = match plan.is_prunable() {
            true => self.prune(pass.id, &pass.object, &pass.resource, graph, &plan),
            false => Pruned::All,
        };
        match pruned {
            Pruned::UnderWay => {}
            Pruned::All => self.report(pass, graph, &plan, None),
            Pruned::Failed(why) => self.report(pass, graph, &plan, Some(why)),
        }
    }

    fn is_under_way(&self, id: &ObjectId) -> bool {
        self.instances.get(id).is_some_and(|memory| memory.is_applying() || memory.own_in_flight.is_some())
    }

    /// Makes the plan, with the watches that it needs.
    fn plan(&mut self, pass: &Pass<'_>, graph: &Graph, owner: &Owner) -> Option<Plan> {
        let now = self.now;
        let memory = self.instances.get_mut(pass.id)?;
        for (id, failure) in &memory.failures {
            if let Some(Record { outcome: Outcome::Failed { is_due, .. }, .. }) = memory.records.get_mut(id) {
                *is_due = failure.is_due(now);
            }
        }
        let plan = match self.make_plan(pass, graph, owner)? {
            Ok(plan) => plan,
            Err(panic) => {
                self.note_panic(pass.id, &panic);
                return None;
            }
        };
        let mut wanted: Vec<Wanted> =
            plan.externals.iter().map(|target| crate::snapshot::external_watch(graph, target)).collect();
        wanted.extend(self.inventory_watches(&pass.object, Some(graph)));
        let is_new = self.instances.get(pass.id).is_some_and(|memory| memory.watches.len() < wanted.len());
        self.watch_for(pass.id, wanted);
        // A watch that somebody else has already may have the answer at once.
        if is_new { self.make_plan(pass, graph, owner)?.ok() } else { Some(plan) }
    }

    /// What the engine makes of what is known now; `Err` holds the words of a panic.
    fn make_plan(&self, pass: &Pass<'_>, graph: &Graph, owner: &Owner) -> Option<Result<Plan, String>> {
        let memory = self.instances.get(pass.id)?;
        let world = World { graph, watches: &self.watches, records: &memory.records };
        let input = Input {
            graph,
            views: &pass.views,
            instance: &pass.object,
            owner,
            snapshot: &world,
            collection_size_max: self.config.collection_size_max,
        };
        Some(crate::guard(|| kro_engine::plan(input)))
    }

    /// A bug is caught at the edge of one work item, reported, and backed off.
    fn note_panic(&mut self, id: &ObjectId, panic: &str) {
        let fields = vec![("instance", format_smolstr!("{id}")), ("panic", Str::new(panic))];
        self.out.log(LogLevel::Error, "planning an instance panicked; this is a bug in kro", fields);
        self.measure_panic(id);
        let refusal = Refusal { message: Str::new(panic), status: 0, is_gone: false, retry_after_s: None };
        self.note_own_failure(id, Own::Refresh, refusal);
    }

    /// Kinds in the inventory of an instance that its graph does not name (any more): they have to be watched for pruning
    /// and deletion.
    pub(crate) fn inventory_watches(&self, instance: &Value, graph: Option<&Graph>) -> Vec<Wanted> {
        let Ok(inventory) = Inventory::read(instance) else {
            return Vec::new();
        };
        let is_named = |kind: &GroupKind| {
            let same = |node: &kro_graph::Node| node.gvk.group == kind.group && node.gvk.kind == kind.kind;
            graph.is_some_and(|graph| graph.nodes.iter().any(|node| !node.kind.is_external() && same(node)))
        };
        inventory.group_kinds.iter().filter(|kind| !is_named(kind)).filter_map(|kind| self.children_of(kind)).collect()
    }

    /// The watch of what kro owns of a kind; `None` for a kind that nobody serves.
    pub(crate) fn children_of(&self, kind: &GroupKind) -> Option<Wanted> {
        let is_it =
            |watch: &&crate::watches::Watch| watch.wanted.target.group == kind.group && watch.wanted.kind == kind.kind;
        if let Some(watch) = self.watches.with_role(crate::watches::Role::Children).find(is_it) {
            return Some(watch.wanted.clone());
        }
        let (resource, _) = crate::compiler::locate(kind, &self.crds)?;
        let gvk = kro_graph::Gvk::new(kind.group.clone(), resource.version, kind.kind.clone());
        Some(Wanted::children(&gvk, &resource.plural))
    }

    fn note_settled(&mut self, id: &ObjectId, plan: &Plan) {
        let Some(memory) = self.instances.get_mut(id) else {
            return;
        };
        for settled in &plan.settled {
            let record = Record { body: settled.body, outcome: Outcome::Applied { own_digest: settled.own_digest } };
            memory.records.insert(settled.id.clone(), record);
            memory.failures.remove(&settled.id);
        }
        if plan.is_prunable() {
            memory.records.retain(|id, _| plan.desired.contains_key(id));
            memory.failures.retain(|id, _| plan.desired.contains_key(id));
        }
    }

    /// Objects that somebody else has wake the instance when they change.
    fn note_contested(&mut self, id: &ObjectId, graph: &Graph, plan: &Plan) {
        let Some(memory) = self.instances.get_mut(id) else {
            return;
        };
        let is_failed = |node: &kro_graph::NodeIndex| plan.nodes[node.get()].is_apply_failure;
        let contested: BTreeSet<ObjectId> =
            plan.desired.iter().filter(|(_, node)| is_failed(node)).map(|(id, _)| id.clone()).collect();
        let _ = graph;
        if memory.contested != contested {
            for old in std::mem::replace(&mut memory.contested, contested.clone()) {
                self.contested.remove(&(old, id.clone()));
            }
            self.contested.extend(contested.into_iter().map(|object| (object, id.clone())));
        }
    }

    /// Marks and inventory, which have to be on the server before the first apply. True while they are not.
    fn prepare(&mut self, pass: &Pass<'_>, plan: &Plan) -> bool {
        let persisted = match Inventory::read(&pass.object) {
            Ok(inventory) => inventory,
            Err(error) => {
                self.report_problem(
                    pass,
                    cond::RESOURCES_READY,
                    "NotReady",
                    &format!("resource reconciliation failed: project failed: {error}"),
                );
                return true;
            }
        };
        let wanted = persisted.union(&plan.inventory);
        if !is_marked(pass) {
            if let Some(why) = self.invalid_before_mark(pass) {
                self.report_problem(pass, cond::INSTANCE_MANAGED, "ManagementFailed", &why);
                return true;
            }
            return self.mark(pass, &wanted);
        }
        let is_hashed = object::annotation(&pass.object, wire::ANNOTATION_INVENTORY_HASH)
            .is_some_and(|hash| hash == persisted.hash(&applyset_id_of(&pass.object)));
        if is_hashed && wanted == persisted {
            return false;
        }
        let request = self.inventory_request(&pass.object, &pass.resource, &wanted);
        if !self.send_own(pass.id, Own::Inventory, request) {
            let why = self.own_failure_text(pass.id, Own::Inventory);
            let text = format!("resource reconciliation failed: failed to patch instance with applyset labels: {why}");
            self.report_problem(pass, cond::RESOURCES_READY, "NotReady", &text);
        }
        true
    }

    /// An inventory that is there before the finalizer has to be sound: deletion will rely on it.
    fn invalid_before_mark(&self, pass: &Pass<'_>) -> Option<String> {
        let is_new = !object::has_finalizer(&pass.object, wire::FINALIZER) && Inventory::is_on(&pass.object);
        let error = is_new.then(|| Inventory::validate(&pass.object).err()).flatten()?;
        Some(format!(
            "finalizer/labeling failed: cannot install the finalizer with an invalid ApplySet inventory: {error}"
        ))
    }

    fn mark(&mut self, pass: &Pass<'_>, inventory: &Inventory) -> bool {
        let labels =
            pass.definition.as_ref().map(|definition| marks::instance_labels(definition, &self.config.version));
        let labels: Vec<(&'static str, Str)> = labels.into_iter().flatten().collect();
        let body = marks::mark_instance(&pass.object, &labels, inventory, &self.config.version);
        let (namespace, name) = (object::namespace(&pass.object), object::name(&pass.object));
        let request = pass.resource.apply(namespace, name, wire::MANAGER_LABELLER, body);
        if !self.send_own(pass.id, Own::Mark, request) {
            let why = format!("finalizer/labeling failed: {}", self.own_failure_text(pass.id, Own::Mark));
            self.report_problem(pass, cond::INSTANCE_MANAGED, "ManagementFailed", &why);
        }
        true
    }

    pub(crate) fn inventory_request(&self, object: &Value, resource: &Resource, inventory: &Inventory) -> ApiRequest {
        let body = marks::inventory_body(object, inventory, &self.config.version);
        resource.apply(object::namespace(object), object::name(object), wire::MANAGER_APPLYSET_PARENT, body)
    }

    /// Sends a request about the instance itself; false while it waits for its retry.
    pub(crate) fn send_own(&mut self, id: &ObjectId, own: Own, request: ApiRequest) -> bool {
        let now = self.now;
        let Some(memory) = self.instances.get_mut(id) else {
            return false;
        };
        if memory.blocked(own, now).is_some() {
            return false;
        }
        memory.own_in_flight = Some(own);
        let step = match own {
            Own::Mark => InstanceStep::Mark,
            Own::Inventory => InstanceStep::Inventory,
            Own::Status => InstanceStep::Status,
            Own::RemoveFinalizer => InstanceStep::RemoveFinalizer,
            Own::Refresh => InstanceStep::Refresh,
        };
        self.out.send(request, Purpose::Instance(id.clone(), step));
        true
    }

    pub(crate) fn own_failure_text(&self, id: &ObjectId, own: Own) -> Str {
        let failure = self.instances.get(id).and_then(|memory| memory.own_failures.get(&own));
        failure.map(|failure| failure.message.clone()).unwrap_or_default()
    }

    fn send_apply(&mut self, id: &ObjectId, graph: &Graph, apply: &Apply) {
        if self.is_churning(id, &apply.id) {
            return self.slow_down(id, apply);
        }
        let node = graph.node(apply.node);
        let resource = Resource::new(&node.gvk.group, &node.gvk.version, &node.plural);
        let child = &apply.id;
        let request = resource.apply(&child.namespace, &child.name, wire::MANAGER_APPLYSET, apply.body.clone());
        let step = InstanceStep::Apply { resource, id: child.clone(), digest: apply.digest };
        if let Some(memory) = self.instances.get_mut(id) {
            memory.records.insert(child.clone(), Record { body: apply.digest, outcome: Outcome::InFlight });
        }
        self.out.send(request, Purpose::Instance(id.clone(), step));
    }

    /// Counts an apply. True when the object was applied so often that somebody must be undoing it.
    fn is_churning(&mut self, id: &ObjectId, child: &ObjectId) -> bool {
        let now = self.now;
        let Some(memory) = self.instances.get_mut(id) else {
            return false;
        };
        let churn = memory.churn.entry(child.clone()).or_insert((now, 0));
        if now.since_ms(churn.0) > CHURN_WINDOW_MS {
            *churn = (now, 0);
        }
        churn.1 += 1;
        churn.1 > CHURN_MAX
    }

    fn slow_down(&mut self, id: &ObjectId, apply: &Apply) {
        let message = format_smolstr!(
            "somebody else changes {} as fast as kro restores it ({CHURN_MAX} times in {} s); look for another \
             controller that writes the same fields",
            apply.id,
            CHURN_WINDOW_MS / 1000
        );
        let refusal = Refusal { message, status: 429, is_gone: false, retry_after_s: Some(10) };
        self.note_apply_failure(id, &apply.id, apply.digest, refusal);
        self.enqueue(WorkItem::Instance(id.clone()), Priority::Fresh);
    }

    /// Sets the timer of the next retry.
    pub(crate) fn wake_instance(&mut self, id: &ObjectId) {
        let at = self.instances.get(id).and_then(|memory| memory.next_retry(self.now));
        self.out.wake(&WorkItem::Instance(id.clone()), at);
    }

    /// Takes in the answer to a request of the instance side.
    pub(crate) fn answer_instance(
        &mut self,
        id: &ObjectId,
        step: &InstanceStep,
        result: Result<ApiResponse, TransportError>,
    ) {
        match step {
            InstanceStep::Apply { resource, id: child, digest } => {
                self.answer_apply(id, resource, child, *digest, result);
            }
            InstanceStep::Delete { resource, id: child, uid } => self.answer_delete(id, resource, child, uid, result),
            InstanceStep::Mark => self.answer_own(id, Own::Mark, result),
            InstanceStep::Inventory => self.answer_own(id, Own::Inventory, result),
            InstanceStep::Status => self.answer_own(id, Own::Status, result),
            InstanceStep::RemoveFinalizer => self.answer_own(id, Own::RemoveFinalizer, result),
            InstanceStep::Refresh => self.answer_own(id, Own::Refresh, result),
        }
        self.enqueue(WorkItem::Instance(id.clone()), Priority::Fresh);
    }

    fn answer_own(&mut self, id: &ObjectId, own: Own, result: Result<ApiResponse, TransportError>) {
        let refusal = Refusal::of(&result);
        let now = self.now;
        if let Some(memory) = self.instances.get_mut(id) {
            memory.own_in_flight = None;
            if refusal.is_none() {
                memory.own_failures.remove(&own);
                if own == Own::Refresh {
                    memory.retry_conflicts(now);
                }
                if own == Own::Inventory {
                    memory.has_pruned = false;
                }
            }
        }
        match refusal {
            None => {
                let body = result.map(|response| response.body).unwrap_or_default();
                self.show_instance(id, own, body);
            }
            // It is gone: the watch will say so, but until then nothing is sent for it.
            Some(refusal) if refusal.is_gone => {
                if let Some((object, _, _)) = self.instance(id) {
                    let single = self.is_single(id);
                    let role = if single { crate::watches::Role::Definitions } else { crate::watches::Role::Instances };
                    self.hide(role, &id.group_kind, &object);
                }
            }
            Some(refusal) => {
                let is_conflict = refusal.status == 409 && own != Own::Refresh;
                self.note_own_failure(id, own, refusal);
                if is_conflict {
                    self.refresh(id);
                }
            }
        }
    }

    /// Reads the instance again: somebody else was faster.
    fn refresh(&mut self, id: &ObjectId) {
        if let Some((object, resource, _)) = self.instance(id) {
            let request = resource.get(object::namespace(&object), object::name(&object));
            self.send_own(id, Own::Refresh, request);
        }
    }

    /// What the server returned is newer than what the watch shows.
    fn show_instance(&mut self, id: &ObjectId, own: Own, body: Value) {
        if object::name(&body).is_empty() || body.str_at(&["kind"]) == Some("Status") {
            return;
        }
        let role = if self.is_single(id) { crate::watches::Role::Definitions } else { crate::watches::Role::Instances };
        let is_last = object::finalizers(&body).next().is_none() && object::is_terminating(&body);
        if own == Own::RemoveFinalizer && is_last {
            return self.hide(role, &id.group_kind, &body);
        }
        self.show_of_kind(role, &id.group_kind, body);
    }

    pub(crate) fn is_single(&self, id: &ObjectId) -> bool {
        id.group_kind.kind == kro_api::RGD_KIND && id.group_kind.group == kro_api::GROUP
    }

    pub(crate) fn note_own_failure(&mut self, id: &ObjectId, own: Own, refusal: Refusal) {
        let bounds = self.bounds();
        let fields = vec![
            ("instance", format_smolstr!("{id}")),
            ("step", format_smolstr!("{own:?}")),
            ("error", refusal.message.clone()),
        ];
        self.out.log(LogLevel::Warning, "a request for an instance failed", fields);
        if let Some(memory) = self.instances.get_mut(id) {
            let previous = memory.own_failures.get(&own);
            let failure = Failure::again(previous, refusal, bounds, &mut self.jitter, self.now);
            memory.own_failures.insert(own, failure);
        }
    }

    fn answer_apply(
        &mut self,
        id: &ObjectId,
        resource: &Resource,
        child: &ObjectId,
        digest: u64,
        result: Result<ApiResponse, TransportError>,
    ) {
        match Refusal::of(&result) {
            None => {
                let body = result.map(|response| response.body).unwrap_or_default();
                let fields = kro_engine::drift::own_fields(&body);
                let own_digest = kro_engine::drift::own_digest(&body, fields);
                if let Some(memory) = self.instances.get_mut(id) {
                    let record = Record { body: digest, outcome: Outcome::Applied { own_digest } };
                    memory.records.insert(child.clone(), record);
                    memory.failures.remove(child);
                }
                self.show_child(resource, body);
            }
            Some(refusal) => self.note_apply_failure(id, child, digest, refusal),
        }
    }

    fn note_apply_failure(&mut self, id: &ObjectId, child: &ObjectId, digest: u64, refusal: Refusal) {
        let bounds = self.bounds();
        let fields = vec![
            ("instance", format_smolstr!("{id}")),
            ("child", format_smolstr!("{child}")),
            ("error", refusal.message.clone()),
        ];
        self.out.log(LogLevel::Warning, "an apply failed", fields);
        let Some(memory) = self.instances.get_mut(id) else {
            return;
        };
        let message = refusal.message.clone();
        let previous = memory.failures.get(child);
        let failure = Failure::again(previous, refusal, bounds, &mut self.jitter, self.now);
        memory.failures.insert(child.clone(), failure);
        let outcome = Outcome::Failed { message, is_due: false };
        memory.records.insert(child.clone(), Record { body: digest, outcome });
    }

    /// Suspended: marked, but no child is read or written. What was projected stays.
    fn suspend(&mut self, pass: &Pass<'_>) {
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
    fn report(&mut self, pass: &Pass<'_>, graph: &Graph, plan: &Plan, prune_failure: Option<String>) {
        let mut verdict = status::verdict(plan);
        if let Some(why) = prune_failure.filter(|_| verdict.status == cond::TRUE) {
            let message = format!("resource reconciliation failed: {why}");
            verdict = Verdict { status: cond::FALSE, reason: "NotReady", message };
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

    fn write_status(
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
    fn report_problem(&mut self, pass: &Pass<'_>, kind: &'static str, reason: &'static str, message: &str) {
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
    fn report_unresolved(&mut self, id: &ObjectId, object: &Value, resource: &Resource, graph: &str) {
        // A definition that is gone serves nobody; its instances can only be deleted.
        if self.definition(graph).is_none() || self.is_single(id) {
            return;
        }
        let message = match self.latest_revision(graph) {
            Some(number) => format!("latest issued graph revision {number} failed"),
            None => "latest issued graph revision not available".to_owned(),
        };
        self.show_state(id, "ERROR", &message, false);
        let labels = vec![("gvr", resource.label()), ("reason", Str::new_static("not_available"))];
        self.out.count("instance_graph_resolution_failures_total", labels);
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
    fn show_plan(&mut self, pass: &Pass<'_>, graph: &Graph, plan: &Plan) {
        let verdict = status::verdict(plan);
        let state = plan.state();
        let is_ready = state == State::Active && !plan.is_busy();
        let now = self.now;
        let Some(memory) = self.instances.get_mut(pass.id) else {
            return;
        };
        let previous = std::mem::take(&mut memory.shown.nodes);
        memory.shown.nodes = graph
            .order
            .iter()
            .map(|index| {
                let (node, plan) = (graph.node(*index), &plan.nodes[index.get()]);
                let name = match plan.objects.as_slice() {
                    [] => Str::new_static(""),
                    [one] => one.name.clone(),
                    many => format_smolstr!("{} items", many.len()),
                };
                let state = Str::new_static(plan.state.as_str());
                let earlier = previous.iter().find(|earlier| earlier.id == node.id && earlier.state == state);
                NodeView {
                    id: node.id.clone(),
                    kind: node.gvk.kind.clone(),
                    name,
                    state,
                    reason: plan.message.clone(),
                    since: earlier.map_or(now, |earlier| earlier.since),
                }
            })
            .collect();
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

fn is_marked(pass: &Pass<'_>) -> bool {
    match &pass.definition {
        Some(definition) => {
            marks::is_marked(&pass.object, definition) && object::label(&pass.object, wire::LABEL_APPLYSET_ID).is_some()
        }
        None => {
            object::has_finalizer(&pass.object, wire::FINALIZER)
                && object::label(&pass.object, wire::LABEL_APPLYSET_ID).is_some()
        }
    }
}

/// The projected fields of a live status.
pub(crate) fn kept_fields(object: &Value) -> Value {
    let mut fields = object.at(&["status"]).cloned().unwrap_or_default();
    fields.ensure_map().retain(|key, _| key != "conditions" && key != "state");
    fields
}
