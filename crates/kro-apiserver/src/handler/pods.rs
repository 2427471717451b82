//! Subresources of Pods that are no views of the object: `eviction`, `binding`, `log`.

use kro_apimachinery::{Cause, LabelSelector, Status};
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
    let named = eviction.str_at(&["metadata", "name"]).unwrap_or_default();
    if !named.is_empty() && named != call.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let pod = state.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
    let options = DeleteOptions::parse(eviction.get("deleteOptions"), &Query::default())?;
    // A Pod that does not run yet, or no more, is missed by nobody.
    if pod.value.str_at(&["status", "phase"]) == Some("Running") {
        disrupt(state, call, &pod.value)?;
    }
    state.delete(call, &options)?;
    Ok(done())
}

/// Takes one disruption from the budget of a Pod.
fn disrupt(state: &mut State, call: &Call, pod: &Value) -> Result<(), Status> {
    let id = GroupResource::new("policy", "poddisruptionbudgets");
    let labels = pod.at(&["metadata", "labels"]).and_then(Value::as_map);
    let table = state.store.table(&id).into_iter();
    let in_namespace = table.flat_map(|table| table.in_namespace(Some(call.namespace.as_str())));
    let selects = |budget: &Value| {
        let selector = budget.at(&["spec", "selector"]).map(LabelSelector::from_value);
        selector.is_some_and(|selector| selector.matches(labels))
    };
    let mut budgets: Vec<_> = in_namespace
        .filter(|(_, budget)| selects(&budget.value))
        .map(|(key, budget)| (key.clone(), budget.clone()))
        .collect();
    let Some((key, stored)) = budgets.pop() else { return Ok(()) };
    if !budgets.is_empty() {
        let message =
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        return Err(Status::internal(message));
    }
    let budget = &stored.value;
    let number = |path: &[&str]| budget.at(path).and_then(Value::as_i64).unwrap_or_default();
    if number(&["status", "observedGeneration"]) < number(&["metadata", "generation"]) {
        let why = format!("The disruption budget {} is still being processed by the server.", key.name);
        return Err(over_budget(why, 10));
    }
    let allowed = number(&["status", "disruptionsAllowed"]);
    if allowed <= 0 {
        let (needed, healthy) = (number(&["status", "desiredHealthy"]), number(&["status", "currentHealthy"]));
        let why = format!("The disruption budget {} needs {needed} healthy pods and has {healthy} currently", key.name);
        return Err(over_budget(why, 0));
    }
    if call.dry_run {
        return Ok(());
    }
    let mut changed = budget.clone();
    changed.set_at(&["status", "disruptionsAllowed"], Value::Int(allowed - 1));
    changed.set_at(&["status", "disruptedPods", &call.name], time_text(call.now).into());
    let event = state.store.put(&id, &key, changed, stored.schema_revision);
    state.announce(&id, &event);
    Ok(())
}

fn over_budget(why: String, retry_after_seconds: u32) -> Status {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let cause = Cause { reason: "DisruptionBudget".into(), message: why, field: String::new() };
    let mut status = Status::failure(429, "TooManyRequests", message).with_causes(vec![cause]);
    if let Some(details) = &mut status.details {
        details.retry_after_seconds = retry_after_seconds;
    }
    status
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
