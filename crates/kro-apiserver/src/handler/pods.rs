//! Subresources of Pods that are no views of the object: `eviction`, `binding`, `log`.

use kro_apimachinery::{LabelSelector, Status};
use kro_value::{Value, from_json};

use crate::state::State;
use crate::uri::Query;
use crate::write::metadata::time_text;
use crate::write::{Call, DeleteOptions};
use crate::{GroupResource, Response};

/// 201 with a Status, as the reference answers what creates nothing.
fn done() -> Response {
    let mut status = Status { code: 201, ..Status::default() }.to_value();
    status.set_at(&["code"], Value::Int(201));
    status.remove_at(&["details"]);
    Response::json(201, &status)
}

/// Deletes a Pod, unless a disruption budget says no.
pub(super) fn evict(state: &mut State, call: &mut Call, eviction: &Value) -> Result<Response, Status> {
    let pod = state.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
    let is_running = pod.value.str_at(&["status", "phase"]) == Some("Running");
    let budgets = GroupResource::new("policy", "poddisruptionbudgets");
    let table = state.store.table(&budgets);
    let refuses = |budget: &Value| {
        let selector = budget.at(&["spec", "selector"]).map(LabelSelector::from_value);
        let allowed = budget.at(&["status", "disruptionsAllowed"]).and_then(Value::as_i64).unwrap_or_default();
        selector.is_some_and(|selector| selector.matches(pod.labels())) && allowed <= 0
    };
    let is_refused = table.is_some_and(|table| {
        table.in_namespace(Some(call.namespace.as_str())).any(|(_, budget)| refuses(&budget.value))
    });
    if is_running && is_refused {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        return Err(Status::failure(429, "TooManyRequests", message));
    }
    let options = DeleteOptions::parse(eviction.get("deleteOptions"), &Query::default())?;
    state.delete(call, &options)?;
    Ok(done())
}

/// Puts a Pod on a node.
pub(super) fn bind(state: &mut State, call: &mut Call, binding: &Value) -> Result<Response, Status> {
    let live = state.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
    let node = binding.str_at(&["target", "name"]).unwrap_or_default();
    let mut pod = call.view(&live);
    if let Some(taken) = pod.str_at(&["spec", "nodeName"]).filter(|name| !name.is_empty()) {
        let why = format!("pod {} is already assigned to node {taken:?}", call.name);
        let group = &call.resource.id.group;
        return Err(Status::conflict(group, "pods/binding", &call.name, &why));
    }
    pod.set_at(&["spec", "nodeName"], node.into());
    let condition = Value::map([
        ("type", Value::from("PodScheduled")),
        ("status", "True".into()),
        ("lastProbeTime", Value::Null),
        ("lastTransitionTime", time_text(call.now).into()),
    ]);
    let conditions = pod.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let others = conditions.iter().filter(|condition| condition.str_at(&["type"]) != Some("PodScheduled"));
    let conditions: Value = others.cloned().chain([condition]).collect();
    pod.set_at(&["status", "conditions"], conditions);
    state.replace_whole(call, &live, pod)?;
    Ok(done())
}

/// What a simulated container printed: one line that says that nothing runs.
pub(super) fn log(state: &State, call: &Call, query: &Query) -> Result<Response, Status> {
    let pod = &state.store.get(&call.resource.id, &call.key()).ok_or_else(|| call.not_found())?.value;
    let names = |key: &str| {
        let list = pod.at(&["spec", key]).and_then(Value::as_list).unwrap_or_default();
        list.iter().filter_map(|container| container.str_at(&["name"])).collect::<Vec<_>>()
    };
    let (containers, inits) = (names("containers"), names("initContainers"));
    let asked = query.text("container");
    let name = &call.name;
    let container = match (asked, containers.as_slice()) {
        ("", [only]) => *only,
        ("", _) => {
            let known = containers.join(" ");
            return Err(Status::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{known}]"
            )));
        }
        (asked, _) if containers.contains(&asked) || inits.contains(&asked) => asked,
        (asked, _) => return Err(Status::bad_request(format!("container {asked} is not valid for pod {name}"))),
    };
    match pod.str_at(&["status", "phase"]) {
        Some("Running" | "Succeeded" | "Failed") => {
            Ok(Response::text(200, format!("{container}: simulated, nothing runs here\n")))
        }
        _ if pod.str_at(&["spec", "nodeName"]).is_none_or(str::is_empty) => {
            Err(Status::bad_request(format!("pod {name} does not have a host assigned")))
        }
        _ => Err(Status::bad_request(format!(
            "container {container:?} in pod {name:?} is waiting to start: ContainerCreating"
        ))),
    }
}

/// The body of a subresource; nothing counts as empty.
pub(super) fn body(value: Value) -> Value {
    if value.is_null() { from_json("{}").unwrap_or_default() } else { value }
}
