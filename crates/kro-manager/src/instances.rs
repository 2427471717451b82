//! The instance side: from an instance to its children, its status and its end.

mod children;
mod children_memory;
mod memory;
mod own;
mod report;

use std::sync::Arc;

use kro_api::metadata as wire;
use kro_engine::applyset::{Inventory, applyset_id_of};
use kro_engine::marks::{self, Definition, Owner};
use kro_engine::object::{self, GroupKind, ObjectId};
use kro_engine::{Input, Plan, Views};
use kro_graph::Graph;
use kro_value::{Str, Value, format_smolstr};

pub(crate) use children_memory::Children;
pub(crate) use memory::{InstanceMemory, Own};

use crate::graphs::is_single;
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::removal::Pruned;
use crate::retry::Refusal;
use crate::snapshot::World;
use crate::watches::{User, Wanted};
use crate::work::{InstanceStep, Priority, WorkItem};
use crate::{ApiResponse, LogLevel, TransportError, immutable};

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
    pub(crate) fn instance(&self, id: &ObjectId) -> Option<(Value, Resource, Str)> {
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
            memory.contested.iter().for_each(|object| self.give_up_on(object, id));
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

    fn reconcile(&mut self, pass: &Pass<'_>, graph: &Arc<Graph>) {
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
        self.note_settled(pass, graph, &plan);
        self.note_contested(pass.id, &plan);
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
            memory.children.set_due(id, failure.is_due(now));
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
        let world = World { graph, watches: &self.watches, children: &memory.children };
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
        let (resource, _) = crate::compiler::locate(kind, &self.crds, &self.served)?;
        let gvk = kro_graph::Gvk::new(kind.group.clone(), resource.version, kind.kind.clone());
        Some(Wanted::children(&gvk, &resource.plural))
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
            InstanceStep::Apply { resource, id: child, digest, may_replace, is_forced } => match result {
                Ok(response) if response.status == 409 && !is_forced => self.inspect(id, resource, child, *digest),
                Ok(response) if response.status == 422 && immutable::field_of(&response.body).is_some() => {
                    self.refuse_change(id, resource, child, (*digest, *may_replace), &response);
                }
                result => self.answer_apply(id, resource, child, *digest, result),
            },
            InstanceStep::Inspect { resource, id: child, digest } => {
                self.answer_inspect(id, resource, child, *digest, result);
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

    pub(crate) fn is_single(&self, id: &ObjectId) -> bool {
        id.group_kind.kind == kro_api::RGD_KIND && id.group_kind.group == kro_api::GROUP
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
