use kro_engine::Timestamp;
use kro_manager::{ApiRequest, KubernetesEvent, Verb, path};
use kro_value::{Str, Value, format_smolstr};

/// The request that records an Event of the core group. `number` makes its name unique within this process.
pub(crate) fn creation(event: &KubernetesEvent, now: Timestamp, number: u64) -> ApiRequest {
    let regarding = &event.regarding;
    // Events about cluster-scoped objects live in `default`, as client-go puts them.
    let namespace = if regarding.namespace.is_empty() { "default" } else { regarding.namespace.as_str() };
    let name = format_smolstr!("{}.{:x}{number:x}", regarding.name, now.as_ms());
    let kind = if event.warning { "Warning" } else { "Normal" };
    let time = Value::from(now.to_rfc3339());
    let body = Value::map([
        ("apiVersion", Value::from("v1")),
        ("kind", Value::from("Event")),
        ("metadata", Value::map([("name", Value::from(name)), ("namespace", Value::from(namespace))])),
        ("involvedObject", involved(event)),
        ("reason", Value::from(event.reason.clone())),
        ("message", Value::from(event.message.as_str())),
        ("type", Value::from(kind)),
        ("source", Value::map([("component", Value::from(event.component.clone()))])),
        ("reportingComponent", Value::from(event.component.clone())),
        ("reportingInstance", Value::from("")),
        ("firstTimestamp", time.clone()),
        ("lastTimestamp", time),
        ("count", Value::Int(1)),
    ]);
    let path = path::collection("", "v1", Some(namespace), "events");
    ApiRequest { verb: Verb::Create, path, query: Vec::new(), body: Some(body) }
}

fn involved(event: &KubernetesEvent) -> Value {
    let regarding = &event.regarding;
    let fields: [(&str, &Str); 5] = [
        ("apiVersion", &regarding.api_version),
        ("kind", &regarding.kind),
        ("namespace", &regarding.namespace),
        ("name", &regarding.name),
        ("uid", &regarding.uid),
    ];
    Value::map(
        fields.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, Value::from(text.clone()))),
    )
}
