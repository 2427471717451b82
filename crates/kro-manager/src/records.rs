//! Kubernetes Events and metrics of the instance side.

use kro_api::condition as cond;
use kro_engine::conditions::Condition;
use kro_engine::object::{self, ObjectId};
use kro_value::{Str, Value, format_smolstr};

use crate::manager::Manager;
use crate::outbox::Resource;
use crate::{KubernetesEvent, ObjectReference};

/// How often one object may be applied in [`CHURN_WINDOW_MS`] before kro slows down.
pub(crate) const CHURN_MAX: u32 = 30;
/// The window in which applies of one object are counted.
pub(crate) const CHURN_WINDOW_MS: i64 = 60_000;

fn reference(object: &Value) -> ObjectReference {
    let text = |key: &str| Str::new(object.str_at(&[key]).unwrap_or_default());
    ObjectReference {
        api_version: text("apiVersion"),
        kind: text("kind"),
        namespace: object::namespace(object).into(),
        name: object::name(object).into(),
        uid: object::uid(object).into(),
    }
}

fn component(resource: &Resource) -> Str {
    format_smolstr!("kro/{}.{}-controller", resource.plural, resource.group)
}

fn conditions(status: Option<&Value>) -> Vec<Condition> {
    let list = status.and_then(|status| status.at(&["conditions"])).and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Condition::read).collect()
}

impl Manager {
    /// What a new status means: one Event for each condition whose status changes (behind its feature gate), and a
    /// count of state transitions.
    pub(crate) fn record_status(&mut self, object: &Value, resource: &Resource, status: &Value) {
        let state =
            |status: Option<&Value>| Str::new(status.and_then(|status| status.str_at(&["state"])).unwrap_or_default());
        let (from, to) = (state(object.at(&["status"])), state(Some(status)));
        if from != to {
            let gvk = object::gvk(object).map(|gvk| format_smolstr!("{gvk}")).unwrap_or_default();
            let labels = vec![("gvr", gvk), ("from_state", from), ("to_state", to)];
            self.out.count("instance_state_transitions_total", labels);
        }
        if self.config.instance_condition_events {
            self.record_conditions(object, resource, status);
        }
    }

    fn record_conditions(&mut self, object: &Value, resource: &Resource, status: &Value) {
        let before = conditions(object.at(&["status"]));
        for condition in conditions(Some(status)) {
            let old = before.iter().find(|old| old.kind == condition.kind).map_or("none", |old| old.status.as_str());
            if old == condition.status {
                continue;
            }
            self.out.event(KubernetesEvent {
                regarding: reference(object),
                warning: condition.status != cond::TRUE,
                reason: condition.kind.clone(),
                message: format!("{old} -> {}: {}", condition.status, condition.reason),
                component: component(resource),
            });
        }
    }

    /// An object is replaced.
    pub(crate) fn record_replacement(&mut self, id: &ObjectId, child: &ObjectId, field: &str) {
        if let Some((object, resource, _)) = self.instance(id) {
            self.out.event(KubernetesEvent {
                regarding: reference(&object),
                warning: false,
                reason: Str::new_static("Replaced"),
                message: format!("{child} is deleted and created again, because its field {field} cannot be changed"),
                component: component(&resource),
            });
        }
    }

    /// A deletion does not get on: says so once for each cause.
    pub(crate) fn record_blocked(&mut self, id: &ObjectId, object: &Value, resource: &Resource, message: &str) {
        let Some(memory) = self.instances.get_mut(id).filter(|memory| memory.blocked_by != message) else {
            return;
        };
        memory.blocked_by = message.to_owned();
        self.out.event(KubernetesEvent {
            regarding: reference(object),
            warning: true,
            reason: Str::new_static("DeletionBlocked"),
            message: message.to_owned(),
            component: component(resource),
        });
    }
}
