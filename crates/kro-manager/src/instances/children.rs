//! Applies of children, and what comes back.

use std::collections::BTreeSet;

use kro_api::metadata as wire;
use kro_engine::drift;
use kro_engine::object::{self, ObjectId};
use kro_engine::snapshot::{Outcome, Record};
use kro_engine::{Apply, Plan};
use kro_graph::{Graph, Gvk};
use kro_value::format_smolstr;

use super::Pass;
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::records::{CHURN_MAX, CHURN_WINDOW_MS};
use crate::retry::{Failure, Refusal};
use crate::watches::Wanted;
use crate::work::{InstanceStep, Priority, Purpose, WorkItem};
use crate::{ApiResponse, LogLevel, TransportError, immutable};

impl Manager {
    pub(super) fn note_settled(&mut self, pass: &Pass<'_>, graph: &Graph, plan: &Plan) {
        let Some(memory) = self.instances.get_mut(pass.id) else {
            return;
        };
        for settled in &plan.settled {
            let record = Record { body: settled.body, outcome: Outcome::Applied { own_digest: settled.own_digest } };
            memory.children.note(&settled.id, record);
            memory.failures.remove(&settled.id);
            if let Some(reads) = pass.views.reads(settled.node) {
                let node = graph.node(settled.node);
                let target = Wanted::children(&node.gvk, &node.plural).target;
                if let Some(watch) = self.watches.find_mut(&target) {
                    watch.trim(&settled.id, reads);
                }
            }
        }
        if plan.is_prunable() {
            memory.children.keep(|id| plan.desired.contains_key(id));
            memory.failures.retain(|id, _| plan.desired.contains_key(id));
        }
    }

    /// Objects that somebody else has wake the instance when they change.
    pub(super) fn note_contested(&mut self, id: &ObjectId, plan: &Plan) {
        let Some(memory) = self.instances.get_mut(id) else {
            return;
        };
        let is_failed = |node: &kro_graph::NodeIndex| plan.nodes[node.get()].is_apply_failure;
        let contested: BTreeSet<ObjectId> =
            plan.desired.iter().filter(|(_, node)| is_failed(node)).map(|(id, _)| id.clone()).collect();
        if memory.contested != contested {
            for old in std::mem::replace(&mut memory.contested, contested.clone()) {
                self.give_up_on(&old, id);
            }
            for object in contested {
                self.contested.entry(object).or_default().insert(id.clone());
            }
        }
    }

    /// An instance does not wait for an object of somebody else any more.
    pub(super) fn give_up_on(&mut self, object: &ObjectId, id: &ObjectId) {
        if let Some(waiting) = self.contested.get_mut(object) {
            waiting.remove(id);
            if waiting.is_empty() {
                self.contested.remove(object);
            }
        }
    }

    pub(super) fn send_apply(&mut self, id: &ObjectId, graph: &Graph, apply: &Apply) {
        let now = self.now;
        let Some(memory) = self.instances.get_mut(id) else {
            return;
        };
        memory.children.note(&apply.id, Record { body: apply.digest, outcome: Outcome::InFlight });
        // So often that somebody must be undoing it.
        if memory.children.count_apply(&apply.id, now) > CHURN_MAX {
            return self.slow_down(id, graph, apply);
        }
        let node = graph.node(apply.node);
        let resource = Resource::new(&node.gvk.group, &node.gvk.version, &node.plural);
        let child = &apply.id;
        let is_inspected = memory.inspected.contains(child);
        // The watch shows what kro owns. Something else may be there, and belong to somebody.
        let is_forced = is_inspected || self.knows_child(&resource, child);
        let body = apply.body.clone();
        let request = match is_forced {
            true => resource.apply(&child.namespace, &child.name, wire::MANAGER_APPLYSET, body),
            false => resource.apply_unless_owned(&child.namespace, &child.name, wire::MANAGER_APPLYSET, body),
        };
        let may_replace = object::annotation(&apply.body, wire::ANNOTATION_REPLACE_IMMUTABLE) == Some("true");
        let step = InstanceStep::Apply { resource, id: child.clone(), digest: apply.digest, may_replace, is_forced };
        self.out.send(request, Purpose::Instance(id.clone(), step));
    }

    pub(super) fn slow_down(&mut self, id: &ObjectId, graph: &Graph, apply: &Apply) {
        let node = graph.node(apply.node);
        let live = self.watches.find(&Wanted::children(&node.gvk, &node.plural).target);
        let live = live.and_then(|watch| watch.get(&apply.id.namespace, &apply.id.name));
        let (who, what) = match live.and_then(|live| live.writer.as_deref()) {
            Some(writer) => {
                let fields = drift::contested_fields(&apply.body, &writer.fields).join(", ");
                let what = if fields.is_empty() { String::new() } else { format!(" (fields: {fields})") };
                (format!("field manager {:?}", writer.manager), what)
            }
            None => ("somebody else".to_owned(), String::new()),
        };
        let message = format_smolstr!(
            "{who} changes {} as fast as kro restores it{what}: {CHURN_MAX} times in {} s; only one of them may write \
             these fields",
            apply.id,
            CHURN_WINDOW_MS / 1000
        );
        let refusal = Refusal { message, status: 429, is_gone: false, retry_after_s: Some(10) };
        self.note_apply_failure(id, &apply.id, apply.digest, refusal);
        self.enqueue(WorkItem::Instance(id.clone()), Priority::Fresh);
    }

    pub(super) fn answer_apply(
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
                let fields = drift::own_fields(&body);
                let own_digest = drift::own_digest(&body, fields.as_deref());
                if let Some(memory) = self.instances.get_mut(id) {
                    let record = Record { body: digest, outcome: Outcome::Applied { own_digest } };
                    memory.children.note(child, record);
                    memory.failures.remove(child);
                    memory.inspected.remove(child);
                }
                self.show_child(resource, body);
            }
            Some(refusal) => self.note_apply_failure(id, child, digest, refusal),
        }
    }

    /// Somebody else wrote fields of a child that is to be made: whose is it?
    pub(super) fn inspect(&mut self, id: &ObjectId, resource: &Resource, child: &ObjectId, digest: u64) {
        let request = resource.get(&child.namespace, &child.name);
        let step = InstanceStep::Inspect { resource: resource.clone(), id: child.clone(), digest };
        self.out.send(request, Purpose::Instance(id.clone(), step));
    }

    pub(super) fn answer_inspect(
        &mut self,
        id: &ObjectId,
        resource: &Resource,
        child: &ObjectId,
        digest: u64,
        result: Result<ApiResponse, TransportError>,
    ) {
        if let Some(refusal) = Refusal::of(&result).filter(|refusal| !refusal.is_gone) {
            return self.note_apply_failure(id, child, digest, refusal);
        }
        let Some(memory) = self.instances.get_mut(id) else {
            return;
        };
        let live = result.map(|response| response.body).unwrap_or_default();
        let gvk = Gvk::new(resource.group.clone(), resource.version.clone(), child.group_kind.kind.clone());
        match kro_engine::foreign_owner(&live, &gvk, &memory.applyset) {
            Some(message) => {
                let refusal = Refusal { message: message.into(), status: 409, is_gone: false, retry_after_s: None };
                self.note_apply_failure(id, child, digest, refusal);
            }
            None => {
                memory.children.forget(child);
                memory.inspected.insert(child.clone());
            }
        }
    }

    /// The server does not let a field change: the object is replaced if its template says so.
    pub(super) fn refuse_change(
        &mut self,
        id: &ObjectId,
        resource: &Resource,
        child: &ObjectId,
        (digest, may_replace): (u64, bool),
        response: &ApiResponse,
    ) {
        let field = immutable::field_of(&response.body).unwrap_or_default();
        let is_replaced = may_replace && self.replace_child(id, resource, child, &field);
        let advice = if is_replaced {
            format!("{child} is deleted and created again, because its field {field} cannot be changed")
        } else if may_replace {
            format!("field {field} of {child} cannot be changed; it will be deleted and created again")
        } else {
            format!(
                "field {field} of {child} cannot be changed; to let kro delete the object and create it again, set the \
                 annotation {}: \"true\" in its template",
                wire::ANNOTATION_REPLACE_IMMUTABLE
            )
        };
        let message = format_smolstr!("{}; {advice}", response.message());
        let refusal = Refusal { message, status: response.status, is_gone: false, retry_after_s: None };
        self.note_apply_failure(id, child, digest, refusal);
    }

    pub(super) fn note_apply_failure(&mut self, id: &ObjectId, child: &ObjectId, digest: u64, refusal: Refusal) {
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
        memory.children.note(child, Record { body: digest, outcome });
    }
}
