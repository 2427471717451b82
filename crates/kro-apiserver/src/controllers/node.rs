//! The one node of the simulated cluster.

use jiff::Timestamp;
use kro_value::Value;

use super::known::NODES;
use super::{Api, object, value};
use crate::{Access, Change, Reactor};

/// Its name.
pub(super) const NODE: &str = "sim-node-0";
/// Its address.
pub(super) const ADDRESS: &str = "172.18.0.2";

/// Registers the node at the start. Like a kubelet, it does not come back by itself when somebody deletes the node.
pub(super) struct NodeRegistration {
    registered: bool,
}

impl NodeRegistration {
    pub(super) fn new() -> Self {
        Self { registered: false }
    }
}

impl Reactor for NodeRegistration {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn observe(&mut self, _: &Change, _: Timestamp) {}

    fn run(&mut self, access: &mut Access<'_>, now: Timestamp) {
        self.registered = true;
        let mut api = Api::new(access, "kubelet", now);
        if api.get(&NODES, "", NODE).is_some() {
            return; // a restored cluster
        }
        if let Some(node) = api.create(&NODES, "", node()) {
            api.replace_status(&NODES, &node, status(now));
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        (!self.registered).then_some(Timestamp::MIN)
    }
}

fn node() -> Value {
    value!({
        "metadata": {
            "name": NODE,
            "labels": { "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" }
        },
        "spec": { "podCIDR": "10.244.0.0/16", "podCIDRs": ["10.244.0.0/16"] }
    })
}

fn status(now: Timestamp) -> Value {
    let room = value!({ "cpu": "1000", "memory": "4Ti", "ephemeral-storage": "10Ti", "pods": "10000" });
    let condition = |kind: &str, state: &str, reason: &str, message: &str| {
        value!({
            "type": kind, "status": state, "reason": reason, "message": message,
            "lastHeartbeatTime": (object::time(now)), "lastTransitionTime": (object::time(now))
        })
    };
    value!({
        "capacity": (room.clone()), "allocatable": room,
        "addresses": [{ "type": "InternalIP", "address": ADDRESS }, { "type": "Hostname", "address": NODE }],
        "conditions": [
            (condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")),
            (condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure")),
            (condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available")),
            (condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
        ],
        "nodeInfo": {
            "architecture": "amd64", "operatingSystem": "linux", "osImage": "simulated", "kernelVersion": "0.0.0",
            "containerRuntimeVersion": "sim://0", "kubeletVersion": "v1.36.3", "kubeProxyVersion": "",
            "bootID": "", "machineID": "", "systemUUID": ""
        }
    })
}
