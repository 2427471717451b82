//! Autoscalers, budgets, quotas, limits and priorities.

use kro_apimachinery::{FieldError, names};
use kro_value::Value;

use super::container::{quantity, resource_name};
use super::place::{Findings, Place, Seen};

const METRICS: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];

pub(super) fn autoscaler(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let (least, most) = (spec.get("minReplicas"), spec.get("maxReplicas"));
    let metrics = spec.get("metrics");
    if least.int().is_some_and(|number| number < 1) {
        least.invalid("must be greater than or equal to 1");
    }
    if least.int() == Some(0)
        && !metrics.items().iter().any(|metric| matches!(metric.get("type").text(), "Object" | "External"))
    {
        metrics.forbidden("must specify at least one Object or External metric to support scaling to zero replicas");
    }
    let number = most.int().unwrap_or_default();
    if number < 1 {
        most.required("must be set and greater than 0");
    }
    if least.int().is_some_and(|least| number < least) {
        most.invalid_as(number, "must be greater than or equal to `minReplicas`");
    }
    target(&spec.get("scaleTargetRef"));
    metrics.items().iter().for_each(metric);
    for direction in ["scaleUp", "scaleDown"] {
        let rules = spec.at(&["behavior", direction]);
        if rules.is_set() {
            scaling(&rules);
        }
    }
    findings.into_errors()
}

fn target(reference: &Place<'_>) {
    for key in ["kind", "name"] {
        let part = reference.get(key);
        if part.require("") {
            part.invalid_each(names::path_segment_errors(part.text()));
        }
    }
    let version = reference.get("apiVersion");
    // Kinds of the core group are scaled too.
    if version.text().is_empty() {
        version.invalid_as("", "apiVersion must specify API group");
    }
}

fn metric(metric: &Place<'_>) {
    let kind = metric.get("type");
    if !kind.require("must specify a metric source type") {
        return;
    }
    let key = match kind.text() {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => {
            // The reference says it twice.
            kind.unsupported(METRICS);
            kind.unsupported(METRICS);
            return;
        }
    };
    let source = metric.get(key);
    if !source.is_set() {
        return source.required("must populate information for the given metric source");
    }
    match key {
        "resource" | "containerResource" => {
            source.get("name").require("must specify a resource name");
            resource_target(&source.get("target"));
        }
        _ => {
            let name = source.at(&["metric", "name"]);
            if name.require("must specify a metric name") {
                name.invalid_each(names::path_segment_errors(name.text()));
            }
            target_amounts(&source.get("target"));
        }
    }
}

fn resource_target(target: &Place<'_>) {
    target_amounts(target);
    let (utilization, average) = (target.get("averageUtilization"), target.get("averageValue"));
    match (utilization.is_set(), average.is_set()) {
        (false, false) => utilization.required("must set either a target raw value or a target utilization"),
        (true, true) => average.forbidden("may not set both a target raw value and a target utilization"),
        _ => {}
    }
}

fn target_amounts(target: &Place<'_>) {
    let kind = target.get("type");
    if kind.require("must specify a metric target type")
        && !matches!(kind.text(), "Utilization" | "Value" | "AverageValue")
    {
        kind.invalid("must be either Utilization, Value, or AverageValue");
    }
    target.get("averageUtilization").positive("must be greater than 0");
    for key in ["value", "averageValue"] {
        let amount = target.get(key);
        if amount.quantity().is_some_and(|quantity| quantity.sign() <= 0) {
            amount.invalid("must be positive");
        }
    }
}

fn scaling(rules: &Place<'_>) {
    let window = rules.get("stabilizationWindowSeconds");
    if window.int().is_some_and(|seconds| seconds < 0) {
        window.invalid("must be greater than or equal to zero");
    } else if window.int().is_some_and(|seconds| seconds > 3600) {
        window.invalid("must be less than or equal to 3600");
    }
    rules.get("selectPolicy").one_of(&["Disabled", "Max", "Min"]);
    let policies = rules.get("policies");
    policies.require("must specify at least one Policy");
    for policy in policies.items() {
        policy.get("type").one_of(&["Percent", "Pods"]);
        for key in ["value", "periodSeconds"] {
            let number = policy.get(key);
            if number.int().unwrap_or_default() <= 0 {
                number.invalid_as(number.int().unwrap_or_default(), "must be greater than zero");
            }
        }
        let period = policy.get("periodSeconds");
        if period.int().is_some_and(|seconds| seconds > 1800) {
            period.invalid("must be less than or equal to 1800");
        }
    }
}

pub(super) fn budget(object: &Value) -> Vec<FieldError> {
    const SPEC: &[(&str, &str)] = &[
        ("MinAvailable", "minAvailable"),
        ("Selector", "selector"),
        ("MaxUnavailable", "maxUnavailable"),
        ("UnhealthyPodEvictionPolicy", "unhealthyPodEvictionPolicy"),
    ];
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let amounts = [spec.get("minAvailable"), spec.get("maxUnavailable")];
    if amounts.iter().all(Place::is_set) {
        spec.invalid_raw(spec.go_struct(SPEC), "minAvailable and maxUnavailable cannot be both set");
    }
    for amount in amounts.iter().filter(|amount| amount.is_set()) {
        amount.int_or_percent();
        amount.at_most_100_percent();
    }
    spec.get("selector").label_selector();
    spec.get("unhealthyPodEvictionPolicy").one_of(&["AlwaysAllow", "IfHealthyBudget"]);
    findings.into_errors()
}

pub(super) fn budget_status(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let status = Place::root(object, &findings).get("status");
    for key in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
        status.get(key).non_negative();
    }
    findings.into_errors()
}

pub(super) fn quota(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    const SCOPES: &[&str] =
        &["Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"];
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let hard = spec.get("hard");
    for (name, amount) in hard.entries() {
        resource_name(name, &amount);
        if !name.contains('/') && !is_quota_name(name) {
            amount.invalid_as(name, "must be a standard resource for quota");
        }
        quantity(name, &amount);
    }
    let scopes = spec.get("scopes");
    let given: Vec<Place<'_>> = scopes.items();
    let has = |scope: &str| given.iter().any(|place| place.text() == scope);
    for scope in &given {
        if !SCOPES.contains(&scope.text()) {
            scopes.invalid("unsupported scope");
        } else if scope.text() != "BestEffort"
            || hard.entries().iter().any(|(name, _)| *name != "pods" && !name.starts_with("count/pods"))
        {
            let is_of_pods = |name: &str| name == "pods" || name.contains("cpu") || name.contains("memory");
            if hard.entries().iter().any(|(name, _)| !is_of_pods(name)) {
                scopes.invalid("unsupported scope applied to resource");
            }
        }
    }
    if has("BestEffort") && has("NotBestEffort") || has("Terminating") && has("NotTerminating") {
        scopes.invalid("conflicting scopes");
    }
    if let Some(live) = live {
        scopes.immutable(&Place::root(live, &findings).at(&["spec", "scopes"]));
        // What may not be set is not looked at.
        if !findings.is_empty() {
            let only = Findings::default();
            Place::root(object, &only)
                .at(&["spec", "scopes"])
                .immutable(&Place::root(live, &only).at(&["spec", "scopes"]));
            if !only.is_empty() {
                return only.into_errors();
            }
        }
    }
    findings.into_errors()
}

fn is_quota_name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "configmaps",
        "cpu",
        "ephemeral-storage",
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "memory",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
        "requests.storage",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    ];
    NAMES.contains(&name) || name.starts_with("requests.hugepages-") || name.starts_with("hugepages-")
}

pub(super) fn limit_range(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let limits = Place::root(object, &findings).at(&["spec", "limits"]);
    let mut seen = Seen::default();
    for limit in limits.items() {
        limit_of(&limit, &mut seen);
    }
    findings.into_errors()
}

fn limit_of(limit: &Place<'_>, seen: &mut Seen) {
    let kind = limit.get("type");
    let is_standard = matches!(kind.text(), "Pod" | "Container" | "PersistentVolumeClaim");
    kind.invalid_each(names::qualified_name_errors(kind.text()));
    if !is_standard && !kind.text().contains('/') {
        kind.invalid_as(kind.text(), "must be a standard limit type or fully qualified");
    }
    if !seen.is_new(kind.text()) {
        kind.duplicate();
    }
    let (least, most) = (limit.get("min"), limit.get("max"));
    let (default, request) = (limit.get("default"), limit.get("defaultRequest"));
    if kind.text() == "Pod" {
        for place in [&default, &request] {
            if !place.is_empty() {
                place.forbidden("may not be specified when `type` is 'Pod'");
            }
        }
    }
    if kind.text() == "PersistentVolumeClaim" && !least.get("storage").is_set() && !most.get("storage").is_set() {
        let detail = "either minimum or maximum storage value is required, but neither was provided";
        limit.get("limits").required(detail);
    }
    let mut all: Vec<&str> =
        [&least, &most, &default, &request].iter().flat_map(|map| map.entries()).map(|(name, _)| name).collect();
    all.sort_unstable();
    all.dedup();
    let greater = |left: &Place<'_>, right: &Place<'_>| match (left.quantity(), right.quantity()) {
        (Some(left), Some(right)) => left.compare(&right).is_gt(),
        _ => false,
    };
    let is_pod = kind.text() == "Pod";
    for name in all {
        let [least, most, default, request] =
            [&least, &most, &default, &request].map(|map| map.get(name).named(format!("{}[{name}]", map.path)));
        let say = |at: &Place<'_>, value: &Place<'_>, one: (&str, &Place<'_>), other: (&str, &Place<'_>)| {
            let detail =
                format!("{} value {} is greater than {} value {}", one.0, one.1.text(), other.0, other.1.text());
            at.invalid_as(value.text(), detail);
        };
        if greater(&least, &most) {
            say(&least, &least, ("min", &least), ("max", &most));
        }
        if is_pod {
            continue;
        }
        if greater(&least, &request) {
            say(&request, &request, ("min", &least), ("default request", &request));
        }
        if greater(&request, &most) {
            say(&request, &request, ("default request", &request), ("max", &most));
        }
        if greater(&request, &default) {
            say(&request, &request, ("default request", &request), ("default", &default));
        }
        // The reference shows the limit here, not the default.
        if greater(&least, &default) {
            say(&default, &least, ("min", &least), ("default", &default));
        }
        if greater(&default, &most) {
            say(&default, &most, ("default", &default), ("max", &most));
        }
    }
    for (name, ratio) in limit.get("maxLimitRequestRatio").entries() {
        if ratio.quantity().is_some_and(|quantity| quantity.as_f64() < 1.0) {
            ratio.invalid(format!("ratio {} is less than 1", ratio.text()));
        }
        let _ = name;
    }
}

pub(super) fn priority_class(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    const MOST: i64 = 1_000_000_000;
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let (name, value, policy) = (root.at(&["metadata", "name"]), root.get("value"), root.get("preemptionPolicy"));
    if let Some(live) = live {
        let old = Place::root(live, &findings);
        if value.int().unwrap_or_default() != old.get("value").int().unwrap_or_default() {
            value.forbidden("may not be changed in an update.");
        }
        policy.immutable(&old.get("preemptionPolicy"));
        return findings.into_errors();
    }
    if name.text().starts_with("system-") {
        if !matches!(name.text(), "system-cluster-critical" | "system-node-critical") {
            name.forbidden(format!("priority class names with 'system-' prefix are reserved for system use only. error: {} is not a known system priority class", name.text()));
        }
    } else if value.int().is_some_and(|value| value > MOST) {
        value.forbidden(format!("maximum allowed value of a user defined priority is {MOST}"));
    }
    policy.one_of(&["PreemptLowerPriority", "Never"]);
    findings.into_errors()
}
