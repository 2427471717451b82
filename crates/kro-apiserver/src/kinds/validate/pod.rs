//! Pods, and the templates of Pods.

use kro_apimachinery::{FieldError, names};
use kro_value::Value;

use super::place::{Findings, Place};
use super::{container, scheduling, volumes};

const DNS_POLICIES: &[&str] = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const DEADLINE_MAX: i64 = 2_147_483_647;
const FIXED: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn pod(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let pod_spec = root.get("spec");
    spec(&pod_spec);
    let policies = ["Always", "OnFailure", "Never"];
    pod_spec.get("restartPolicy").require_one_of(&policies);
    if let Some(live) = live {
        changes(&pod_spec, &Place::root(live, &findings).get("spec"));
    }
    findings.into_errors()
}

/// What may not change: nearly everything.
fn changes(spec: &Place<'_>, old: &Place<'_>) {
    for key in ["containers", "initContainers"] {
        let containers = spec.get(key);
        if containers.items().len() != old.get(key).items().len() {
            containers.forbidden("pod updates may not add or remove containers");
            return;
        }
        for container in containers.items() {
            container.get("image").require("");
        }
    }
    let (deadline, before) = (spec.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"));
    match (deadline.int(), before.int()) {
        (Some(new), Some(old)) if new > old => {
            return deadline.invalid("must be less than or equal to previous value");
        }
        (None, Some(_)) => {
            return deadline.invalid_as(Value::Null, "must not update from a positive integer to nil value");
        }
        _ => {}
    }
    if fixed(spec) != fixed(old) {
        spec.forbidden(FIXED);
    }
}

/// The spec without what may change.
fn fixed(spec: &Place<'_>) -> Value {
    let mut spec = spec.value.cloned().unwrap_or_default();
    for key in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"] {
        spec.remove_at(&[key]);
    }
    for key in ["containers", "initContainers"] {
        let mut containers = spec.get(key).and_then(Value::as_list).unwrap_or_default().to_vec();
        containers.iter_mut().for_each(|container| drop(container.remove_at(&["image"])));
        spec.set_at(&[key], containers.into());
    }
    spec
}

/// The status of a Pod says some things once.
pub(super) fn status(object: &Value, live: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let path = ["status", "qosClass"];
    let (new, old) = (Place::root(object, &findings).at(&path), Place::root(live, &findings).at(&path));
    if new.is_set() && old.is_set() {
        new.immutable(&old);
    }
    findings.into_errors()
}

/// The template of a workload; its labels are found at `template.labels`.
pub(super) fn template(template: &Place<'_>) {
    let metadata = template.get("metadata");
    metadata.get("labels").named(format!("{}.labels", template.path)).labels();
    spec(&template.get("spec"));
}

/// The spec of a Pod or of a template, but for how it restarts.
pub(super) fn spec(spec: &Place<'_>) {
    volumes::all(spec);
    container::all(spec);
    container::pod_security(&spec.get("securityContext"));
    scheduling::all(spec);
    dns(spec);
    spec.get("activeDeadlineSeconds").between(1, DEADLINE_MAX);
    for key in ["hostname", "subdomain"] {
        spec.get(key).if_set(Place::dns_label);
    }
    for key in ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] {
        spec.get(key).if_set(Place::subdomain);
    }
    for alias in spec.get("hostAliases").items() {
        alias.get("ip").ip();
        alias.get("hostnames").items().iter().for_each(Place::subdomain);
    }
    for gate in spec.get("readinessGates").items() {
        gate.get("conditionType").qualified_name();
    }
    let system = spec.get("os");
    if system.is_set() {
        system.get("name").named(&system.path).require_one_of(&["linux", "windows"]);
    }
    spec.get("preemptionPolicy").one_of(&["PreemptLowerPriority", "Never"]);
}

fn dns(spec: &Place<'_>) {
    let (policy, config) = (spec.get("dnsPolicy"), spec.get("dnsConfig"));
    policy.require_one_of(DNS_POLICIES);
    if policy.text() == "None" {
        if !config.is_set() {
            config.required("must provide `dnsConfig` when `dnsPolicy` is None");
        } else if config.get("nameservers").is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            config.get("nameservers").required(detail);
        }
    }
    config.get("nameservers").items().iter().for_each(Place::ip);
    for search in config.get("searches").items() {
        let name = search.text().strip_suffix('.').unwrap_or(search.text());
        names::search_domain_errors(name).into_iter().for_each(|detail| search.invalid_as(name, detail));
    }
    for option in config.get("options").items() {
        if option.get("name").is_empty() {
            option.required("must not be empty");
        }
    }
}

/// What is odd about a spec, though allowed.
pub(super) fn warnings(object: &Value, path: &[&str]) -> Vec<String> {
    let Some(spec) = object.at(path) else { return Vec::new() };
    let field = path.join(".");
    let list = |key: &str| spec.get(key).and_then(Value::as_list).unwrap_or_default().iter().enumerate();
    let text = |value: &Value, key: &str| value.str_at(&[key]).unwrap_or_default().to_owned();
    let nameless = list("imagePullSecrets").filter(|(_, secret)| text(secret, "name").is_empty());
    let mut warnings: Vec<String> =
        nameless.map(|(index, _)| format!("{field}.imagePullSecrets[{index}].name: invalid empty name \"\"")).collect();
    warnings.extend(volumes::warnings(spec));
    for (at, container) in list("containers") {
        for (index, port) in container.get("ports").and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
            let host = text(port, "hostIP");
            if !host.is_empty() && port.get("hostPort").is_none() {
                let number = port.get("containerPort").and_then(Value::as_i64).unwrap_or_default();
                let (name, protocol) = (text(port, "name"), text(port, "protocol"));
                warnings.push(format!("{field}.containers[{at}].ports[{index}]: hostIP set without hostPort: {{Name:{name} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{host}}}"));
            }
        }
    }
    warnings
}
