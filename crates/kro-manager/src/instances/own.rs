//! Requests about the instance itself: marks, inventory, and what comes back.

use kro_api::condition as cond;
use kro_api::metadata as wire;
use kro_engine::Plan;
use kro_engine::applyset::{Inventory, applyset_id_of};
use kro_engine::marks;
use kro_engine::object::{self, ObjectId};
use kro_value::{Str, Value, format_smolstr};

use super::{Own, Pass, is_marked};
use crate::manager::Manager;
use crate::outbox::Resource;
use crate::retry::{Failure, Refusal};
use crate::watches::Role;
use crate::work::{InstanceStep, Purpose};
use crate::{ApiRequest, ApiResponse, LogLevel, TransportError};

impl Manager {
    /// Marks and inventory, which have to be on the server before the first apply. True while they are not.
    pub(super) fn prepare(&mut self, pass: &Pass<'_>, plan: &Plan) -> bool {
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
    pub(super) fn invalid_before_mark(&self, pass: &Pass<'_>) -> Option<String> {
        let is_new = !object::has_finalizer(&pass.object, wire::FINALIZER) && Inventory::is_on(&pass.object);
        let error = is_new.then(|| Inventory::validate(&pass.object).err()).flatten()?;
        Some(format!(
            "finalizer/labeling failed: cannot install the finalizer with an invalid ApplySet inventory: {error}"
        ))
    }

    pub(super) fn mark(&mut self, pass: &Pass<'_>, inventory: &Inventory) -> bool {
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

    pub(super) fn answer_own(&mut self, id: &ObjectId, own: Own, result: Result<ApiResponse, TransportError>) {
        let refusal = Refusal::of(&result);
        let now = self.now;
        if let Some(memory) = self.instances.get_mut(id) {
            memory.own_in_flight = None;
            if refusal.is_none() {
                memory.own_failures.remove(&own);
                if own == Own::Refresh {
                    memory.retry_conflicts(now);
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
                    let role = if single { Role::Definitions } else { Role::Instances };
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
    pub(super) fn refresh(&mut self, id: &ObjectId) {
        if let Some((object, resource, _)) = self.instance(id) {
            let request = resource.get(object::namespace(&object), object::name(&object));
            self.send_own(id, Own::Refresh, request);
        }
    }

    /// What the server returned is newer than what the watch shows.
    pub(super) fn show_instance(&mut self, id: &ObjectId, own: Own, body: Value) {
        if object::name(&body).is_empty() || body.str_at(&["kind"]) == Some("Status") {
            return;
        }
        let role = if self.is_single(id) { Role::Definitions } else { Role::Instances };
        let is_last = object::finalizers(&body).next().is_none() && object::is_terminating(&body);
        if own == Own::RemoveFinalizer && is_last {
            return self.hide(role, &id.group_kind, &body);
        }
        self.show_of_kind(role, &id.group_kind, body);
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
}
