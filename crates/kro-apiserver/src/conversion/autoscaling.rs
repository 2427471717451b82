//! HorizontalPodAutoscalers between autoscaling/v1 and v2. What v1 cannot say is kept in annotations, as the reference does.

use kro_value::{Value, from_json, to_json};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// Lists and objects of v2, and the annotation that holds them in v1.
const KEPT: &[(&[&str], &str)] = &[
    (&["spec", "metrics"], METRICS),
    (&["spec", "behavior"], BEHAVIOR),
    (&["status", "currentMetrics"], CURRENT),
    (&["status", "conditions"], CONDITIONS),
];

pub(super) fn to_v1(scaler: &mut Value) {
    if scaler.get("status").is_some() && scaler.at(&["status", "currentReplicas"]).is_none() {
        scaler.set_at(&["status", "currentReplicas"], Value::Int(0)); // v1 always writes it
    }
    scaler.set_at(&["apiVersion"], "autoscaling/v1".into());
    take_cpu(
        scaler,
        &["spec", "metrics"],
        &["spec", "targetCPUUtilizationPercentage"],
        &["target", "averageUtilization"],
    );
    take_cpu(
        scaler,
        &["status", "currentMetrics"],
        &["status", "currentCPUUtilizationPercentage"],
        &["current", "averageUtilization"],
    );
    for (path, annotation) in KEPT {
        match scaler.remove_at(path) {
            Some(Value::Null) | None => {}
            Some(Value::List(items)) if items.is_empty() => {}
            Some(value) => scaler.set_at(&["metadata", "annotations", annotation], to_json(&value).into()),
        }
    }
}

pub(super) fn to_v2(scaler: &mut Value) {
    scaler.set_at(&["apiVersion"], "autoscaling/v2".into());
    for (path, annotation) in KEPT {
        let kept = scaler.remove_at(&["metadata", "annotations", annotation]);
        if let Some(value) = kept.as_ref().and_then(Value::as_str).and_then(|text| from_json(text).ok()) {
            scaler.set_at(path, value);
        }
    }
    if scaler.at(&["metadata", "annotations"]).and_then(Value::as_map).is_some_and(kro_value::Map::is_empty) {
        scaler.remove_at(&["metadata", "annotations"]);
    }
    if scaler.at(&["status", "currentReplicas"]) == Some(&Value::Int(0)) {
        scaler.remove_at(&["status", "currentReplicas"]);
    }
    if scaler.get("status").is_some() && scaler.at(&["status", "currentMetrics"]).is_none() {
        scaler.set_at(&["status", "currentMetrics"], Value::Null); // and v2 this
    }
    if let Some(percent) = scaler.remove_at(&["spec", "targetCPUUtilizationPercentage"]) {
        let target = Value::map([("type", Value::from("Utilization")), ("averageUtilization", percent)]);
        add_cpu(scaler, &["spec", "metrics"], "target", target);
    }
    if let Some(percent) = scaler.remove_at(&["status", "currentCPUUtilizationPercentage"]) {
        add_cpu(scaler, &["status", "currentMetrics"], "current", Value::map([("averageUtilization", percent)]));
    }
}

/// Moves the processor's utilisation out of a list of metrics.
fn take_cpu(scaler: &mut Value, list: &[&str], to: &[&str], utilization: &[&str]) {
    let metrics = scaler.at(list).and_then(Value::as_list).unwrap_or_default().to_vec();
    let percent = |metric: &Value| {
        let resource = metric.get("resource").filter(|resource| resource.str_at(&["name"]) == Some("cpu"))?;
        resource.at(utilization).cloned()
    };
    let Some(index) = metrics.iter().position(|metric| percent(metric).is_some()) else { return };
    scaler.set_at(to, percent(&metrics[index]).unwrap_or_default());
    let rest = metrics.into_iter().enumerate().filter(|(at, _)| *at != index).map(|(_, metric)| metric);
    scaler.set_at(list, rest.collect());
}

fn add_cpu(scaler: &mut Value, list: &[&str], key: &'static str, value: Value) {
    let mut metrics = scaler.at(list).and_then(Value::as_list).unwrap_or_default().to_vec();
    let resource = Value::map([("name", Value::from("cpu")), (key, value)]);
    metrics.insert(0, Value::map([("type", Value::from("Resource")), ("resource", resource)]));
    scaler.set_at(list, metrics.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let text = r#"{"apiVersion":"autoscaling/v2","metadata":{},"spec":{"behavior":{"x":1},"metrics":[
            {"resource":{"name":"cpu","target":{"averageUtilization":70,"type":"Utilization"}},"type":"Resource"},
            {"type":"Pods","pods":{}}]}}"#;
        let mut scaler = from_json(text).unwrap();
        to_v1(&mut scaler);
        assert_eq!(scaler.at(&["spec", "targetCPUUtilizationPercentage"]), Some(&Value::Int(70)));
        assert!(scaler.at(&["metadata", "annotations", BEHAVIOR]).is_some());
        to_v2(&mut scaler);
        assert_eq!(scaler, from_json(text).unwrap());
    }
}
