use kro_value::Value;

use super::{each, fill, member, text};

pub(super) fn service(object: &mut Value) {
    fill(object, &["spec", "type"], "ClusterIP");
    fill(object, &["spec", "sessionAffinity"], "None");
    member(object, "spec", |spec| {
        each(spec, "ports", |port| {
            fill(port, &["protocol"], "TCP");
            let own = port.get("port").cloned().unwrap_or_default();
            let target = port.get("targetPort");
            if target.is_none_or(|target| *target == Value::Int(0) || target.as_str() == Some("")) {
                port.set_at(&["targetPort"], own);
            }
        });
        if text(spec, &["sessionAffinity"]) == "ClientIP" {
            fill(spec, &["sessionAffinityConfig", "clientIP", "timeoutSeconds"], Value::Int(10_800));
        }
        if text(spec, &["sessionAffinity"]) == "None" {
            spec.remove_at(&["sessionAffinityConfig"]);
        }
        let kind = text(spec, &["type"]);
        let is_external = matches!(kind.as_str(), "NodePort" | "LoadBalancer");
        if is_external {
            fill(spec, &["externalTrafficPolicy"], "Cluster");
        }
        if is_external || kind == "ClusterIP" {
            fill(spec, &["internalTrafficPolicy"], "Cluster");
        }
        if kind == "LoadBalancer" {
            fill(spec, &["allocateLoadBalancerNodePorts"], true);
        }
    });
    // An address that the load balancer gives has a mode.
    let entries = object.at(&["status", "loadBalancer", "ingress"]).and_then(Value::as_list).map(<[Value]>::to_vec);
    if let Some(mut entries) = entries {
        for entry in entries.iter_mut().filter(|entry| entry.get("ip").is_some()) {
            fill(entry, &["ipMode"], "VIP");
        }
        object.set_at(&["status", "loadBalancer", "ingress"], entries.into());
    }
}

pub(super) fn endpoints(object: &mut Value) {
    each(object, "subsets", |subset| each(subset, "ports", |port| fill(port, &["protocol"], "TCP")));
}

pub(super) fn endpoint_slice(object: &mut Value) {
    each(object, "ports", |port| {
        fill(port, &["name"], "");
        fill(port, &["protocol"], "TCP");
    });
}

pub(super) fn network_policy(object: &mut Value) {
    member(object, "spec", |spec| {
        for key in ["ingress", "egress"] {
            each(spec, key, |rule| each(rule, "ports", |port| fill(port, &["protocol"], "TCP")));
        }
        let has_types = spec.get("policyTypes").and_then(Value::as_list).is_some_and(|types| !types.is_empty());
        if has_types {
            return;
        }
        let mut types = vec![Value::from("Ingress")];
        if spec.get("egress").and_then(Value::as_list).is_some_and(|rules| !rules.is_empty()) {
            types.push("Egress".into());
        }
        spec.set_at(&["policyTypes"], types.into());
    });
}
