//! Taking objects away: pruning what an instance does not want any more, and its deletion.

use kro_api::condition as cond;
use kro_api::metadata as wire;
use kro_engine::applyset::{Inventory, applyset_id_of};
use kro_engine::deletion::{describe_holdup, next_prune, next_wave};
use kro_engine::object::{self, ObjectId};
use kro_engine::status::{self, Verdict};
use kro_engine::{InstanceState as State, Plan};
use kro_graph::Graph;
use kro_value::{Str, Value};

use crate::graphs::finalizer_patch;
use crate::instances::{Own, kept_fields};
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::retry::{Failure, Refusal};
use crate::watches::Wanted;
use crate::work::{InstanceStep, Purpose};
use crate::{ApiResponse, TransportError};

/// How far pruning got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pruned {
    /// Nothing is left to do.
    All,
    /// Requests are under way.
    UnderWay,
    /// A delete failed: why.
    Failed(String),
}

/// A live member of an ApplySet, and where it is served.
struct Member {
    resource: Resource,
    object: Value,
}

impl Manager {
    /// All members that the watches of an inventory's kinds show; `None` while one of them does not show all yet.
    fn members(&self, instance: &Value, inventory: &Inventory) -> Option<Vec<Member>> {
        let applyset = applyset_id_of(instance);
        let mut members = Vec::new();
        for kind in &inventory.group_kinds {
            // A kind that nobody serves has no objects.
            let Some(wanted) = self.children_of(kind) else {
                continue;
            };
            let watch = self.watches.find(&wanted.target).filter(|watch| watch.is_settled())?;
            let target = &watch.wanted.target;
            let resource = Resource::new(&target.group, &target.version, &target.plural);
            let found = watch.members(&applyset).map(|observed| observed.object.clone());
            members.extend(found.map(|object| Member { resource: resource.clone(), object }));
        }
        Some(members)
    }

    /// Deletes what the instance does not want any more.
    pub(crate) fn prune(
        &mut self,
        id: &ObjectId,
        instance: &Value,
        resource: &Resource,
        graph: &Graph,
        plan: &Plan,
    ) -> Pruned {
        let persisted = Inventory::read(instance).unwrap_or_default();
        let Some(members) = self.members(instance, &persisted.union(&plan.inventory)) else {
            return Pruned::UnderWay;
        };
        let is_retired = |object: &&Value| ObjectId::of(object).is_some_and(|id| !plan.desired.contains_key(&id));
        let retired: Vec<&Value> = members.iter().map(|member| &member.object).filter(is_retired).collect();
        if retired.is_empty() {
            return self.shrink(id, instance, resource, &persisted, &plan.inventory);
        }
        self.forget_begun(id, &retired);
        let next = next_prune(&retired, |node| graph.find(node).is_some());
        let chosen: Vec<&Member> =
            members.iter().filter(|member| next.iter().any(|object| object.same(&member.object))).collect();
        let is_sent = self.delete_members(id, &chosen);
        if is_sent || self.is_deleting(id) {
            return Pruned::UnderWay;
        }
        // What only terminates is handled: the status does not wait for it, but its kind stays in the inventory.
        let failures = self.instances.get(id).map(|memory| &memory.delete_failures);
        match failures.and_then(|failures| failures.values().next()) {
            Some(failure) if failure.status == 409 => {
                Pruned::Failed("prune encountered UID conflicts; retrying".into())
            }
            Some(failure) => Pruned::Failed(format!("prune failed: {}", failure.message)),
            None => Pruned::All,
        }
    }

    /// A delete whose answer was lost did not fail if what was asked for has begun.
    fn forget_begun(&mut self, id: &ObjectId, members: &[&Value]) {
        if let Some(memory) = self.instances.get_mut(id) {
            let begun = members.iter().filter(|object| object::is_terminating(object));
            begun
                .filter_map(|object| ObjectId::of(object))
                .for_each(|child| drop(memory.delete_failures.remove(&child)));
        }
    }

    /// The inventory names only what is there.
    fn shrink(
        &mut self,
        id: &ObjectId,
        instance: &Value,
        resource: &Resource,
        persisted: &Inventory,
        batch: &Inventory,
    ) -> Pruned {
        let Some(memory) = self.instances.get_mut(id) else {
            return Pruned::All;
        };
        memory.deleting.clear();
        memory.delete_failures.clear();
        if persisted == batch {
            return Pruned::All;
        }
        let request = self.inventory_request(instance, resource, batch);
        // Failing to shrink it is no harm.
        if self.send_own(id, Own::Inventory, request) { Pruned::UnderWay } else { Pruned::All }
    }

    fn is_deleting(&self, id: &ObjectId) -> bool {
        self.instances.get(id).is_some_and(|memory| memory.deletes_in_flight > 0)
    }

    /// Sends the deletes of members that are not on their way out yet. True when one was sent.
    fn delete_members(&mut self, id: &ObjectId, members: &[&Member]) -> bool {
        let now = self.now;
        let mut is_sent = false;
        for member in members {
            let (namespace, name) = (object::namespace(&member.object), object::name(&member.object));
            let uid = Str::new(object::uid(&member.object));
            let (Some(child), Some(memory)) = (ObjectId::of(&member.object), self.instances.get_mut(id)) else {
                continue;
            };
            let is_waiting = memory.delete_failures.get(&child).is_some_and(|failure| !failure.is_due(now));
            if object::is_terminating(&member.object) || is_waiting || !memory.deleting.insert(uid.clone()) {
                continue;
            }
            memory.deletes_in_flight += 1;
            is_sent = true;
            let request = member.resource.delete(namespace, name, &uid);
            let step = InstanceStep::Delete { resource: member.resource.clone(), id: child, uid };
            self.out.send(request, Purpose::Instance(id.clone(), step));
        }
        is_sent
    }

    /// Deletes a child because one of its fields cannot be changed; once it is gone it is applied anew. False when there
    /// is nothing of ours to delete, or its deletion waits for a retry.
    pub(crate) fn replace_child(&mut self, id: &ObjectId, resource: &Resource, child: &ObjectId, field: &str) -> bool {
        let applyset = self.instances.get(id).map(|memory| memory.applyset.clone()).unwrap_or_default();
        let live = self.children_of(&child.group_kind).and_then(|wanted| self.watches.find(&wanted.target));
        let live = live.and_then(|watch| watch.get(&child.namespace, &child.name));
        let is_ours = |object: &Value| object::label(object, wire::LABEL_APPLYSET_PART_OF) == Some(applyset.as_str());
        let Some(object) = live.map(|live| live.object.clone()).filter(is_ours) else {
            return false;
        };
        let member = Member { resource: resource.clone(), object };
        let is_sent = self.delete_members(id, &[&member]);
        if is_sent {
            self.record_replacement(id, child, field);
        }
        is_sent
    }

    /// Takes in the answer to a delete.
    pub(crate) fn answer_delete(
        &mut self,
        id: &ObjectId,
        resource: &Resource,
        child: &ObjectId,
        uid: &Str,
        result: Result<ApiResponse, TransportError>,
    ) {
        let bounds = self.bounds();
        let refusal = Refusal::of(&result);
        if let Some(memory) = self.instances.get_mut(id) {
            memory.deletes_in_flight = memory.deletes_in_flight.saturating_sub(1);
            match &refusal {
                None => {
                    memory.delete_failures.remove(child);
                    // What is wanted again starts anew.
                    memory.failures.remove(child);
                    memory.children.forget(child);
                }
                Some(refusal) if refusal.is_gone => {}
                Some(refusal) => {
                    memory.deleting.remove(uid);
                    let previous = memory.delete_failures.get(child);
                    let failure = Failure::again(previous, refusal.clone(), bounds, &mut self.jitter, self.now);
                    memory.delete_failures.insert(child.clone(), failure);
                }
            }
        }
        let is_gone = match &result {
            Ok(response) if response.is_gone() => true,
            Ok(response) if response.is_success() => !object::is_terminating(&response.body),
            _ => return,
        };
        if is_gone {
            if let Some(memory) = self.instances.get_mut(id) {
                memory.deleting.remove(uid);
            }
            self.hide_child(resource, child, uid);
        } else if let Ok(response) = result {
            self.show_child(resource, response.body);
        }
    }

    /// Deletion was asked for: members go wave by wave, then the finalizer. Needs neither graph nor expressions.
    pub(crate) fn delete_instance(&mut self, id: &ObjectId, object: &Value, resource: &Resource) {
        self.show_state(id, "DELETING", "deleting resources", false);
        if !object::has_finalizer(object, wire::FINALIZER) {
            return;
        }
        let inventory = match Inventory::validate(object) {
            Ok(inventory) => inventory,
            // A definition whose children were never marked has none.
            Err(_) if self.is_single(id) && !Inventory::is_on(object) => Inventory::default(),
            Err(error) => {
                let why = format!("deletion blocked: validate deletion inventory: {error}");
                return self.report_deletion(id, object, resource, &why);
            }
        };
        let wanted: Vec<Wanted> = inventory.group_kinds.iter().filter_map(|kind| self.children_of(kind)).collect();
        self.watch_for(id, wanted);
        let Some(members) = self.members(object, &inventory) else {
            return self.report_blind(id, object, resource, &inventory);
        };
        if self.instances.get(id).is_some_and(|memory| memory.deletes_in_flight > 0 || memory.is_applying()) {
            return;
        }
        if members.is_empty() {
            let is_unsure = self.instances.get(id).is_some_and(|memory| memory.is_unsure(self.now));
            if !is_unsure {
                self.remove_finalizer(id, object, resource);
            }
            return;
        }
        let objects: Vec<&Value> = members.iter().map(|member| &member.object).collect();
        self.forget_begun(id, &objects);
        let wave = next_wave(&objects);
        let chosen: Vec<&Member> =
            members.iter().filter(|member| wave.iter().any(|object| object.same(&member.object))).collect();
        if !self.delete_members(id, &chosen) {
            let why = self.describe_deletion(id, &wave);
            self.report_deletion(id, object, resource, &why);
        }
    }

    fn describe_deletion(&self, id: &ObjectId, wave: &[&Value]) -> String {
        let failures = self.instances.get(id).map(|memory| &memory.delete_failures);
        let failure_of = |object: &&Value| failures?.get(&ObjectId::of(object)?);
        if let Some(failure) = wave.iter().find_map(failure_of) {
            let is_conflict = failure.status == 409;
            let why =
                if is_conflict { "deletion encountered UID conflicts; retrying" } else { failure.message.as_str() };
            return format!("deletion blocked: {why}");
        }
        let holdups: Vec<String> = wave.iter().take(3).map(|object| describe_holdup(object)).collect();
        let more = if wave.len() > 3 { format!(" and {} more", wave.len() - 3) } else { String::new() };
        format!("deleting resources: {}{more}", holdups.join(", "))
    }

    /// The kinds of the inventory cannot all be seen.
    fn report_blind(&mut self, id: &ObjectId, object: &Value, resource: &Resource, inventory: &Inventory) {
        let failure = inventory.group_kinds.iter().find_map(|kind| {
            let watch = self.watches.find(&self.children_of(kind)?.target)?;
            watch.failure.as_ref().filter(|_| !watch.is_settled()).map(|failure| format!("{kind}: {}", failure.message))
        });
        if let Some(failure) = failure {
            let why = format!("deletion blocked: list deletion inventory: {failure}");
            self.report_deletion(id, object, resource, &why);
        }
    }

    fn remove_finalizer(&mut self, id: &ObjectId, object: &Value, resource: &Resource) {
        let request = finalizer_patch(resource, object, false);
        if !self.send_own(id, Own::RemoveFinalizer, request) && !self.is_single(id) {
            let why = format!("failed removing finalizer: {}", self.own_failure_text(id, Own::RemoveFinalizer));
            let mut conditions = status::instance_conditions(object, self.now);
            conditions.set(cond::INSTANCE_MANAGED, cond::FALSE, "ManagementFailed", why);
            let status = status::assemble(kept_fields(object), conditions.to_value(), State::Deleting);
            self.put_status(id, object, resource, status);
        }
    }

    /// Writes the status of a deletion that waits for something.
    fn report_deletion(&mut self, id: &ObjectId, object: &Value, resource: &Resource, message: &str) {
        self.show_state(id, "DELETING", message, false);
        self.record_blocked(id, object, resource, message);
        let verdict = Verdict { status: cond::UNKNOWN, reason: "UnderDeletion", message: message.to_owned() };
        if self.is_single(id) {
            return self.report_single(id, verdict);
        }
        let mut conditions = status::instance_conditions(object, self.now);
        conditions.set(cond::RESOURCES_READY, verdict.status, verdict.reason, message);
        let list = match is_authored(object) {
            true => kro_engine::author::deletion_conditions(object, &conditions),
            false => conditions.to_value(),
        };
        let status = status::assemble(kept_fields(object), list, State::Deleting);
        self.put_status(id, object, resource, status);
    }
}

/// True when the persisted conditions are those of the definition's author: kro's own are not among them.
fn is_authored(object: &Value) -> bool {
    let list = object.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let is_own = |entry: &Value| entry.str_at(&["type"]) == Some(cond::INSTANCE_MANAGED);
    !list.is_empty() && !list.iter().any(is_own)
}
