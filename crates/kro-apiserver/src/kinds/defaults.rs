//! Defaults of built-in kinds: what the reference fills in when it decodes an object.

mod access;
mod network;
mod pod;
mod storage;
mod workloads;

use kro_value::{Str, Value};

use crate::GroupResource;

/// Fills in the defaults of a kind.
pub(crate) fn apply(id: &GroupResource, object: &mut Value) {
    match (id.group.as_str(), id.resource.as_str()) {
        ("", "pods") => {
            pod::pod(object);
            let ip = text(object, &["status", "podIP"]);
            if !ip.is_empty() {
                let ips = Value::list([Value::map([("ip", Value::from(ip))])]);
                fill(object, &["status", "podIPs"], ips);
            }
        }
        ("", "podtemplates") => member(object, "template", pod::template),
        ("", "replicationcontrollers") => workloads::replication_controller(object),
        ("apps", "deployments") => workloads::deployment(object),
        ("apps", "replicasets") => workloads::replica_set(object),
        ("apps", "statefulsets") => workloads::stateful_set(object),
        ("apps", "daemonsets") => workloads::daemon_set(object),
        ("batch", "jobs") => workloads::job(object),
        ("batch", "cronjobs") => workloads::cron_job(object),
        ("autoscaling", _) if object.str_at(&["apiVersion"]) == Some("autoscaling/v1") => {
            member(object, "spec", |spec| fill(spec, &["minReplicas"], 1));
        }
        ("autoscaling", _) => workloads::autoscaler(object),
        ("", "services") => network::service(object),
        ("", "endpoints") => network::endpoints(object),
        ("discovery.k8s.io", _) => network::endpoint_slice(object),
        ("networking.k8s.io", "networkpolicies") => network::network_policy(object),
        ("", "secrets") => storage::secret(object),
        ("", "limitranges") => storage::limit_range(object),
        ("", "persistentvolumeclaims") => storage::volume_claim(object),
        ("", "persistentvolumes") => storage::volume(object),
        ("storage.k8s.io", "storageclasses") => storage::storage_class(object),
        ("storage.k8s.io", "csidrivers") => storage::csi_driver(object),
        ("", "nodes") => {
            if let Some(capacity) = object.at(&["status", "capacity"]).cloned() {
                fill(object, &["status", "allocatable"], capacity);
            }
        }
        ("", "namespaces") => access::namespace(object),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => access::binding(object),
        ("scheduling.k8s.io", _) => fill(object, &["preemptionPolicy"], "PreemptLowerPriority"),
        ("admissionregistration.k8s.io", _) => access::admission(object),
        ("apiextensions.k8s.io", _) => crate::crd::strategy::default(object),
        _ => {}
    }
}

/// Sets a value that is absent or null; members of an absent parent are set only when the parent is there.
fn fill(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if object.at(path).is_none_or(Value::is_null) {
        object.set_at(path, value.into());
    }
}

/// Changes a member that is there.
fn member(object: &mut Value, key: &str, change: impl FnOnce(&mut Value)) {
    if let Some(value) = object.as_map_mut().and_then(|map| map.get_mut(key)).filter(|value| !value.is_null()) {
        change(value);
    }
}

/// Changes every item of a list that is there.
fn each(object: &mut Value, key: &str, mut change: impl FnMut(&mut Value)) {
    member(object, key, |list| list.as_list_mut().into_iter().flatten().for_each(&mut change));
}

fn text(object: &Value, path: &[&str]) -> Str {
    object.str_at(path).map(Str::new).unwrap_or_default()
}

fn empty_map() -> Value {
    Value::Map(kro_value::Map::new())
}
