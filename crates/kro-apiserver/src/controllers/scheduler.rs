//! The scheduler: gives Pods a node. Every node takes every Pod: selectors, taints and resources are not simulated.

use jiff::Timestamp;
use kro_value::Value;

use super::delays::after;
use super::driver::Controller;
use super::known::{Known, NODES, PODS};
use super::queue::Queue;
use super::{Api, Delays, Key, object};
use crate::{Change, ChangeKind};

/// Gives Pods the first node that takes any.
pub(super) struct Scheduler {
    pub(super) delays: Delays,
}

impl Controller for Scheduler {
    const NAME: &'static str = "default-scheduler";
    const WATCHES: &'static [&'static Known] = &[&PODS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        if change.kind != ChangeKind::Deleted && waits(&change.object) {
            queue.add(object::key(&change.object), after(now, self.delays.schedule));
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, _: Timestamp) -> Option<Timestamp> {
        let pod = api.get(&PODS, &key.namespace, &key.name).filter(waits)?;
        let takes = |node: &Value| node.at(&["spec", "unschedulable"]).and_then(Value::as_bool) != Some(true);
        let node = api.list(&NODES, None).into_iter().find(takes)?;
        let node = object::name(&node);
        let mut bound = pod;
        bound.set_at(&["spec", "nodeName"], node.into());
        let pod = api.replace(&PODS, bound, "binding")?;
        let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
        api.event(&pod, "Normal", "Scheduled", &message);
        None
    }
}

/// True for a Pod that this scheduler has to place.
fn waits(pod: &Value) -> bool {
    pod.str_at(&["spec", "nodeName"]).is_none_or(str::is_empty)
        && object::is_active(pod)
        && object::list(pod, &["spec", "schedulingGates"]).is_empty()
        && pod.str_at(&["spec", "schedulerName"]).is_none_or(|name| name == Scheduler::NAME)
}
