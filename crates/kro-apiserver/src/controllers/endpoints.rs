//! Endpoints: which Pods a Service leads to.

use jiff::Timestamp;
use kro_apimachinery::LabelSelector;
use kro_value::{Map, Value, format_smolstr};

use super::api::Deletion;
use super::delays::after;
use super::driver::Controller;
use super::known::{ENDPOINT_SLICES, Known, PODS, SERVICES};
use super::queue::Queue;
use super::{Api, Delays, Key, object, value};
use crate::{Change, ChangeKind};

const SERVICE_LABEL: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";
/// The API takes no more in one slice.
const ENDPOINTS_MAX: usize = 1000;

/// Keeps one EndpointSlice per Service with a selector.
pub(super) struct EndpointSlices {
    pub(super) delays: Delays,
}

impl Controller for EndpointSlices {
    const NAME: &'static str = "endpointslice-controller";
    const WATCHES: &'static [&'static Known] = &[&SERVICES, &PODS, &ENDPOINT_SLICES];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let object = &change.object;
        let key = if SERVICES.is(&change.resource.id) {
            Some(object::key(object))
        } else if PODS.is(&change.resource.id) {
            // Which Services select the Pod is known when the live state is at hand.
            let same = change.previous.as_ref().is_some_and(|previous| view(previous) == view(object));
            let matters = !same || change.kind == ChangeKind::Deleted;
            matters.then(|| Key::new(object::namespace(object), ""))
        } else {
            object::controller_key(object, "Service")
        };
        if let Some(key) = key {
            queue.add(key, after(now, self.delays.endpoints));
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, _: Timestamp) -> Option<Timestamp> {
        if key.name.is_empty() {
            for service in api.list(&SERVICES, Some(&key.namespace)) {
                sync_service(&service, api);
            }
        } else if let Some(service) = api.get(&SERVICES, &key.namespace, &key.name) {
            sync_service(&service, api);
        }
        None
    }
}

/// What of a Pod its endpoint shows.
fn view(pod: &Value) -> impl PartialEq {
    let ports = object::list(pod, &["spec", "containers"]).iter().map(|container| container.get("ports").cloned());
    (
        object::labels(pod).cloned(),
        pod.at(&["status", "podIP"]).cloned(),
        pod.at(&["spec", "nodeName"]).cloned(),
        object::is_true(pod, "Ready"),
        object::is_active(pod),
        ports.collect::<Vec<_>>(),
    )
}

fn sync_service(service: &Value, api: &mut Api<'_, '_>) {
    let selector = service.at(&["spec", "selector"]).and_then(Value::as_map).filter(|selector| !selector.is_empty());
    let is_external = service.str_at(&["spec", "type"]) == Some("ExternalName");
    let slices = api.controlled(&ENDPOINT_SLICES, service);
    let Some(selector) = selector.filter(|_| !is_external) else {
        return slices.iter().for_each(|slice| api.delete(&ENDPOINT_SLICES, slice, Deletion::BACKGROUND));
    };
    if object::is_terminating(service) {
        return;
    }
    let pods = selected(service, selector, api);
    let wanted = slice(service, &pods);
    match slices.first() {
        None => {
            api.create(&ENDPOINT_SLICES, object::namespace(service), wanted);
        }
        Some(present) => {
            let parts = ["endpoints", "ports"];
            let differs = parts.iter().any(|part| object::list(present, &[part]) != object::list(&wanted, &[part]));
            let labels = wanted.at(&["metadata", "labels"]).and_then(Value::as_map).cloned();
            if differs || object::labels(present) != labels.as_ref() {
                let mut replaced = present.clone();
                replaced.set_at(&["metadata", "labels"], labels.unwrap_or_default().into());
                for part in parts {
                    replaced.set_at(&[part], wanted.get(part).cloned().unwrap_or_default());
                }
                api.replace(&ENDPOINT_SLICES, replaced, "");
            }
        }
    }
}

/// The Pods with an address that a Service selects.
fn selected(service: &Value, selector: &Map, api: &Api<'_, '_>) -> Vec<Value> {
    let labels = selector.iter().filter_map(|(key, text)| Some((key.as_str(), text.as_str()?)));
    let selector = LabelSelector::of_labels(labels);
    let Some(resource) = api.access().resource(PODS.group, PODS.plural) else { return Vec::new() };
    let mut pods = api.access().select(&resource, Some(object::namespace(service)), &selector);
    pods.retain(|pod| {
        let ended = matches!(pod.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"));
        pod.str_at(&["status", "podIP"]).is_some() && !ended
    });
    pods.truncate(ENDPOINTS_MAX);
    pods
}

fn slice(service: &Value, pods: &[Value]) -> Value {
    let mut labels = object::labels(service).cloned().unwrap_or_default();
    labels.insert(SERVICE_LABEL, object::name(service).into());
    labels.insert(MANAGED_BY, MANAGER.into());
    if service.str_at(&["spec", "clusterIP"]) == Some("None") {
        labels.insert("service.kubernetes.io/headless", "".into());
    }
    let ports = object::list(service, &["spec", "ports"]).iter().filter_map(|port| resolve(port, pods));
    value!({
        "metadata": {
            "generateName": (format_smolstr!("{}-", object::name(service))),
            "labels": labels,
            "ownerReferences": [(object::controller_reference(service))]
        },
        "addressType": "IPv4",
        "endpoints": (pods.iter().map(endpoint).collect::<Value>()),
        "ports": (ports.collect::<Value>())
    })
}

fn endpoint(pod: &Value) -> Value {
    let terminating = object::is_terminating(pod);
    let ready = object::is_true(pod, "Ready");
    let target = value!({
        "kind": "Pod", "namespace": (object::namespace(pod)),
        "name": (object::name(pod)), "uid": (object::uid(pod))
    });
    value!({
        "addresses": [(pod.str_at(&["status", "podIP"]).unwrap_or_default())],
        "conditions": { "ready": (ready && !terminating), "serving": ready, "terminating": terminating },
        "nodeName": (pod.str_at(&["spec", "nodeName"]).unwrap_or_default()),
        "targetRef": target
    })
}

/// A port of the Service as a number; one that is named is looked up in the Pods.
fn resolve(port: &Value, pods: &[Value]) -> Option<Value> {
    let number = match port.get("targetPort") {
        Some(Value::Int(number)) => *number,
        Some(Value::String(name)) => pods.iter().find_map(|pod| container_port(pod, name))?,
        _ => object::int(port, &["port"]),
    };
    let mut resolved = value!({
        "name": (port.str_at(&["name"]).unwrap_or_default()),
        "port": number,
        "protocol": (port.str_at(&["protocol"]).unwrap_or("TCP"))
    });
    if let Some(protocol) = port.get("appProtocol") {
        resolved.set_at(&["appProtocol"], protocol.clone());
    }
    Some(resolved)
}

fn container_port(pod: &Value, name: &str) -> Option<i64> {
    let containers = object::list(pod, &["spec", "containers"]).iter();
    let mut ports = containers.flat_map(|container| object::list(container, &["ports"]));
    ports.find(|port| port.str_at(&["name"]) == Some(name)).map(|port| object::int(port, &["containerPort"]))
}
