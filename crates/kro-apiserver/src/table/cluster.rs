//! Columns of networks, storage, access and everything else.

use jiff::Timestamp;
use kro_value::Value;

use super::column::{
    AGE, CREATED_AT, Column, NAME, age_at, boolean, count, integer, items, joined, labels, number, selector, string,
    string_or, text, wide,
};

pub(super) const PLAIN: &[Column] = &[NAME, AGE];

pub(super) const ENDPOINTS: &[Column] = &[NAME, text("Endpoints", |object, _| endpoints(object).into()), AGE];

/// The first three addresses with their ports.
fn endpoints(object: &Value) -> String {
    let mut all = Vec::new();
    for subset in items(object, &["subsets"]) {
        let addresses = items(subset, &["addresses"]).iter().map(|address| string(address, &["ip"]));
        let ports: Vec<i64> = items(subset, &["ports"]).iter().map(|port| number(port, &["port"])).collect();
        for address in addresses {
            if ports.is_empty() {
                all.push(address.to_owned());
            }
            all.extend(ports.iter().map(|port| format!("{address}:{port}")));
        }
    }
    let shown = all.iter().take(3).cloned().collect::<Vec<_>>().join(",");
    match all.len() {
        0 => "<none>".to_owned(),
        count if count > 3 => format!("{shown} + {} more...", count - 3),
        _ => shown,
    }
}

pub(super) const QUOTAS: &[Column] = &[
    NAME,
    text("Request", |quota, _| used_of_hard(quota, false).into()),
    text("Limit", |quota, _| used_of_hard(quota, true).into()),
    AGE,
];

/// What is used of what may be used, as far as the status says.
fn used_of_hard(quota: &Value, of_limits: bool) -> String {
    let hard = quota.at(&["status", "hard"]).and_then(Value::as_map).into_iter().flatten();
    let of = hard.filter(|(name, _)| name.starts_with("limits.") == of_limits);
    let pair = |(name, hard): (&kro_value::Str, &Value)| {
        let used = string(quota, &["status", "used", name]);
        format!("{name}: {}/{}", if used.is_empty() { "0" } else { used }, hard.as_str().unwrap_or_default())
    };
    of.map(pair).collect::<Vec<_>>().join(", ")
}

pub(super) const CREATED: &[Column] = &[NAME, CREATED_AT];

pub(super) const SERVICES: &[Column] = &[
    NAME,
    text("Type", |service, _| string(service, &["spec", "type"]).into()),
    text("Cluster-IP", |service, _| string_or(service, &["spec", "clusterIP"], "<none>")),
    text("External-IP", |service, _| external_ip(service)),
    text("Port(s)", |service, _| ports(service)),
    AGE,
    wide("Selector", |service, _| labels(service, &["spec", "selector"])),
];

pub(super) const INGRESSES: &[Column] = &[
    NAME,
    text("Class", |ingress, _| string_or(ingress, &["spec", "ingressClassName"], "<none>")),
    text("Hosts", |ingress, _| {
        let hosts: Vec<&str> =
            items(ingress, &["spec", "rules"]).iter().filter_map(|rule| rule.str_at(&["host"])).collect();
        if hosts.is_empty() { "*".into() } else { hosts.join(",").into() }
    }),
    text("Address", |ingress, _| addresses(ingress).join(",").into()),
    text("Ports", |ingress, _| {
        let secure = !items(ingress, &["spec", "tls"]).is_empty();
        (if secure { "80, 443" } else { "80" }).into()
    }),
    AGE,
];

pub(super) const INGRESS_CLASSES: &[Column] = &[
    NAME,
    text("Controller", |class, _| string(class, &["spec", "controller"]).into()),
    text("Parameters", |class, _| match class.at(&["spec", "parameters"]) {
        Some(reference) => {
            let group = reference.str_at(&["apiGroup"]).map_or(String::new(), |group| format!(".{group}"));
            format!("{}{group}/{}", string(reference, &["kind"]), string(reference, &["name"])).into()
        }
        None => "<none>".into(),
    }),
    AGE,
];

pub(super) const NETWORK_POLICIES: &[Column] =
    &[NAME, text("Pod-Selector", |policy, _| selector(policy, &["spec", "podSelector"])), AGE];

pub(super) const ENDPOINT_SLICES: &[Column] = &[
    NAME,
    text("AddressType", |slice, _| string(slice, &["addressType"]).into()),
    text("Ports", |slice, _| {
        let ports: Vec<String> =
            items(slice, &["ports"]).iter().map(|port| number(port, &["port"]).to_string()).collect();
        if ports.is_empty() { "<unset>".into() } else { ports.join(",").into() }
    }),
    text("Endpoints", |slice, _| {
        let addresses = items(slice, &["endpoints"]).iter().flat_map(|endpoint| items(endpoint, &["addresses"]));
        let addresses: Vec<&str> = addresses.filter_map(Value::as_str).collect();
        match addresses.len() {
            0 => "<unset>".into(),
            1..4 => addresses.join(",").into(),
            more => format!("{} + {} more...", addresses[..3].join(","), more - 3).into(),
        }
    }),
    AGE,
];

pub(super) const CONFIG_MAPS: &[Column] =
    &[NAME, text("Data", |map, _| (count(map, &["data"]) + count(map, &["binaryData"])).into()), AGE];

pub(super) const SECRETS: &[Column] = &[
    NAME,
    text("Type", |secret, _| string(secret, &["type"]).into()),
    text("Data", |secret, _| count(secret, &["data"]).into()),
    AGE,
];

pub(super) const NAMESPACES: &[Column] =
    &[NAME, text("Status", |namespace, _| string(namespace, &["status", "phase"]).into()), AGE];

pub(super) const NODES: &[Column] = &[
    NAME,
    text("Status", |node, _| {
        let conditions = items(node, &["status", "conditions"]);
        let ready = conditions.iter().find(|condition| string(condition, &["type"]) == "Ready");
        let status = match ready.map(|condition| string(condition, &["status"])) {
            Some("True") => "Ready",
            Some("False") => "NotReady",
            _ => "Unknown",
        };
        let cordoned = node.at(&["spec", "unschedulable"]).and_then(Value::as_bool) == Some(true);
        (if cordoned { format!("{status},SchedulingDisabled") } else { status.to_owned() }).into()
    }),
    text("Roles", |node, _| {
        let labels = node.at(&["metadata", "labels"]).and_then(Value::as_map);
        let keys = labels.into_iter().flatten().map(|(key, _)| key.as_str());
        joined(keys.filter_map(|key| key.strip_prefix("node-role.kubernetes.io/")))
    }),
    AGE,
    text("Version", |node, _| string(node, &["status", "nodeInfo", "kubeletVersion"]).into()),
    wide("Internal-IP", |node, _| node_address(node, "InternalIP")),
    wide("External-IP", |node, _| node_address(node, "ExternalIP")),
    wide("OS-Image", |node, _| string_or(node, &["status", "nodeInfo", "osImage"], "<unknown>")),
    wide("Kernel-Version", |node, _| string_or(node, &["status", "nodeInfo", "kernelVersion"], "<unknown>")),
    wide("Container-Runtime", |node, _| {
        string_or(node, &["status", "nodeInfo", "containerRuntimeVersion"], "<unknown>")
    }),
];

pub(super) const VOLUME_CLAIMS: &[Column] = &[
    NAME,
    text("Status", |claim, _| status_or_terminating(claim)),
    text("Volume", |claim, _| string(claim, &["spec", "volumeName"]).into()),
    text("Capacity", |claim, _| string(claim, &["status", "capacity", "storage"]).into()),
    text("Access Modes", |claim, _| access_modes(claim, &["status", "accessModes"])),
    text("StorageClass", |claim, _| string(claim, &["spec", "storageClassName"]).into()),
    text("VolumeAttributesClass", |claim, _| string_or(claim, &["spec", "volumeAttributesClassName"], "<unset>")),
    AGE,
    wide("VolumeMode", |claim, _| string_or(claim, &["spec", "volumeMode"], "<unset>")),
];

pub(super) const VOLUMES: &[Column] = &[
    NAME,
    text("Capacity", |volume, _| string(volume, &["spec", "capacity", "storage"]).into()),
    text("Access Modes", |volume, _| access_modes(volume, &["spec", "accessModes"])),
    text("Reclaim Policy", |volume, _| string(volume, &["spec", "persistentVolumeReclaimPolicy"]).into()),
    text("Status", |volume, _| status_or_terminating(volume)),
    text("Claim", |volume, _| match volume.at(&["spec", "claimRef"]) {
        Some(claim) => format!("{}/{}", string(claim, &["namespace"]), string(claim, &["name"])).into(),
        None => "".into(),
    }),
    text("StorageClass", |volume, _| string(volume, &["spec", "storageClassName"]).into()),
    text("VolumeAttributesClass", |volume, _| string_or(volume, &["spec", "volumeAttributesClassName"], "<unset>")),
    text("Reason", |volume, _| string(volume, &["status", "reason"]).into()),
    AGE,
    wide("VolumeMode", |volume, _| string_or(volume, &["spec", "volumeMode"], "<unset>")),
];

pub(super) const STORAGE_CLASSES: &[Column] = &[
    NAME,
    text("Provisioner", |class, _| string(class, &["provisioner"]).into()),
    text("ReclaimPolicy", |class, _| string_or(class, &["reclaimPolicy"], "Delete")),
    text("VolumeBindingMode", |class, _| string_or(class, &["volumeBindingMode"], "Immediate")),
    text("AllowVolumeExpansion", |class, _| {
        class.get("allowVolumeExpansion").and_then(Value::as_bool).unwrap_or(false).into()
    }),
    AGE,
];

pub(super) const BINDINGS: &[Column] = &[
    NAME,
    text("Role", |binding, _| {
        format!("{}/{}", string(binding, &["roleRef", "kind"]), string(binding, &["roleRef", "name"])).into()
    }),
    AGE,
    wide("Users", |binding, _| subjects(binding, "User")),
    wide("Groups", |binding, _| subjects(binding, "Group")),
    wide("ServiceAccounts", |binding, _| subjects(binding, "ServiceAccount")),
];

pub(super) const EVENTS: &[Column] = &[
    text("Last Seen", last_seen),
    text("Type", |event, _| string(event, &["type"]).into()),
    text("Reason", |event, _| string(event, &["reason"]).into()),
    text("Object", |event, _| {
        let object = involved(event);
        format!("{}/{}", string(object, &["kind"]).to_lowercase(), string(object, &["name"])).into()
    }),
    wide("Subobject", |event, _| string(involved(event), &["fieldPath"]).into()),
    wide("Source", |event, _| event_source(event)),
    text("Message", |event, _| {
        event.str_at(&["message"]).or_else(|| event.str_at(&["note"])).unwrap_or_default().trim().into()
    }),
    wide("First Seen", first_seen),
    wide("Count", |event, _| match event.at(&["series", "count"]).and_then(Value::as_i64) {
        Some(count) => count.into(),
        None => number(event, &["count"]).max(1).into(),
    }),
    Column { wide: true, ..NAME },
];

pub(super) const LEASES: &[Column] =
    &[NAME, text("Holder", |lease, _| string(lease, &["spec", "holderIdentity"]).into()), AGE];

pub(super) const PRIORITY_CLASSES: &[Column] = &[
    NAME,
    integer("Value", |class, _| number(class, &["value"]).into()),
    boolean("Global-Default", |class, _| class.get("globalDefault").and_then(Value::as_bool).unwrap_or(false).into()),
    AGE,
    text("PreemptionPolicy", |class, _| string_or(class, &["preemptionPolicy"], "<unset>")),
];

pub(super) const API_SERVICES: &[Column] = &[
    NAME,
    text("Service", |service, _| match service.at(&["spec", "service"]) {
        Some(service) => format!("{}/{}", string(service, &["namespace"]), string(service, &["name"])).into(),
        None => "Local".into(),
    }),
    text("Available", |service, _| {
        let conditions = items(service, &["status", "conditions"]);
        let available = conditions.iter().find(|condition| string(condition, &["type"]) == "Available");
        available.map_or("Unknown", |condition| string(condition, &["status"])).into()
    }),
    AGE,
];

pub(super) const ADMISSION_POLICIES: &[Column] = &[
    NAME,
    integer("Validations", |policy, _| count(policy, &["spec", "validations"]).into()),
    text("ParamKind", |policy, _| match policy.at(&["spec", "paramKind"]) {
        Some(kind) => format!("{}/{}", string(kind, &["apiVersion"]), string(kind, &["kind"])).into(),
        None => "<unset>".into(),
    }),
    AGE,
];

pub(super) const ADMISSION_BINDINGS: &[Column] = &[
    NAME,
    text("PolicyName", |binding, _| string(binding, &["spec", "policyName"]).into()),
    text("ParamRef", |binding, _| string_or(binding, &["spec", "paramRef", "name"], "<unset>")),
    AGE,
];

fn addresses(object: &Value) -> Vec<&str> {
    let entries = items(object, &["status", "loadBalancer", "ingress"]).iter();
    entries.filter_map(|entry| entry.str_at(&["ip"]).or_else(|| entry.str_at(&["hostname"]))).collect()
}

fn external_ip(service: &Value) -> Value {
    let given: Vec<&str> = items(service, &["spec", "externalIPs"]).iter().filter_map(Value::as_str).collect();
    match string(service, &["spec", "type"]) {
        "ExternalName" => string(service, &["spec", "externalName"]).into(),
        "LoadBalancer" => {
            let all: Vec<&str> = addresses(service).into_iter().chain(given).collect();
            if all.is_empty() { "<pending>".into() } else { all.join(",").into() }
        }
        _ => joined(given.into_iter()),
    }
}

fn ports(service: &Value) -> Value {
    let text = |port: &Value| {
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
        match number(port, &["nodePort"]) {
            0 => format!("{}/{protocol}", number(port, &["port"])),
            node => format!("{}:{node}/{protocol}", number(port, &["port"])),
        }
    };
    let ports: Vec<String> = items(service, &["spec", "ports"]).iter().map(text).collect();
    if ports.is_empty() { "<none>".into() } else { ports.join(",").into() }
}

fn node_address(node: &Value, kind: &str) -> Value {
    let addresses = items(node, &["status", "addresses"]);
    let address = addresses.iter().find(|address| string(address, &["type"]) == kind);
    address.map_or("<none>", |address| string(address, &["address"])).into()
}

fn status_or_terminating(object: &Value) -> Value {
    if object.str_at(&["metadata", "deletionTimestamp"]).is_some() {
        return "Terminating".into();
    }
    string(object, &["status", "phase"]).into()
}

fn access_modes(object: &Value, path: &[&str]) -> Value {
    let short = |mode: &str| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    let modes: Vec<&str> = items(object, path).iter().filter_map(Value::as_str).map(short).collect();
    modes.join(",").into()
}

fn subjects(binding: &Value, kind: &str) -> Value {
    let subjects = items(binding, &["subjects"]).iter().filter(|subject| string(subject, &["kind"]) == kind);
    let name = |subject: &Value| match string(subject, &["namespace"]) {
        "" => string(subject, &["name"]).to_owned(),
        namespace => format!("{namespace}/{}", string(subject, &["name"])),
    };
    subjects.map(name).collect::<Vec<_>>().join(", ").into()
}

fn involved(event: &Value) -> &Value {
    event.get("involvedObject").or_else(|| event.get("regarding")).unwrap_or(&Value::Null)
}

fn event_source(event: &Value) -> Value {
    let component = event.str_at(&["source", "component"]).or_else(|| event.str_at(&["reportingComponent"]));
    let component = component.or_else(|| event.str_at(&["reportingController"])).unwrap_or_default();
    match event.str_at(&["source", "host"]).filter(|host| !host.is_empty()) {
        Some(host) => format!("{component}, {host}").into(),
        None => component.into(),
    }
}

fn last_seen(event: &Value, now: Timestamp) -> Value {
    let times = [&["series", "lastObservedTime"][..], &["lastTimestamp"], &["deprecatedLastTimestamp"], &["eventTime"]];
    times
        .into_iter()
        .find(|path| event.str_at(path).is_some())
        .map_or("<unknown>".into(), |path| age_at(event, path, now, ""))
}

fn first_seen(event: &Value, now: Timestamp) -> Value {
    let times = [&["firstTimestamp"][..], &["deprecatedFirstTimestamp"], &["eventTime"]];
    times
        .into_iter()
        .find(|path| event.str_at(path).is_some())
        .map_or("<unknown>".into(), |path| age_at(event, path, now, ""))
}
