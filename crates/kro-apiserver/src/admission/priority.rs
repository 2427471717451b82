//! What a Pod says of its priority and of its overhead has to come from somewhere.

use kro_apimachinery::Status;
use kro_value::Value;

use crate::GroupResource;
use crate::state::State;
use crate::store::Key;
use crate::write::Call;

/// Gives a new Pod the priority of its class.
///
/// # Errors
/// 403 when there is no such class, or the Pod says otherwise.
pub(super) fn settle(state: &State, call: &Call, pod: &mut Value) -> Result<(), Status> {
    let text = |key: &str| pod.str_at(&["spec", key]).unwrap_or_default().to_owned();
    let named = pod.at(&["spec", "overhead"]).is_some_and(|overhead| !overhead.is_null());
    if named && text("runtimeClassName").is_empty() {
        let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
        return Err(call.forbidden(&call.name, why));
    }
    let class = class(state, call, &text("priorityClassName"))?;
    let value = class.as_ref().and_then(|class| class.get("value")?.as_i64()).unwrap_or_default();
    let policy = class.as_ref().and_then(|class| class.str_at(&["preemptionPolicy"])).unwrap_or("PreemptLowerPriority");
    if let Some(given) = pod.at(&["spec", "priority"]).and_then(Value::as_i64).filter(|given| *given != value) {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
        );
        return Err(call.forbidden(&call.name, &why));
    }
    let given = text("preemptionPolicy");
    if !given.is_empty() && given != policy {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
        );
        return Err(call.forbidden(&call.name, &why));
    }
    let name = class.as_ref().and_then(|class| class.str_at(&["metadata", "name"])).map(str::to_owned);
    if let Some(name) = name {
        pod.set_at(&["spec", "priorityClassName"], name.into());
    }
    let policy = policy.to_owned();
    pod.set_at(&["spec", "priority"], Value::Int(value));
    pod.set_at(&["spec", "preemptionPolicy"], policy.into());
    Ok(())
}

/// The class of this name; without one, the class that is everybody's.
fn class(state: &State, call: &Call, name: &str) -> Result<Option<Value>, Status> {
    let classes = GroupResource::new("scheduling.k8s.io", "priorityclasses");
    if name.is_empty() {
        let is_default = |class: &&Value| class.get("globalDefault").and_then(Value::as_bool) == Some(true);
        let all = state.store.table(&classes).into_iter().flat_map(|table| table.iter());
        return Ok(all.map(|(_, stored)| &stored.value).find(is_default).cloned());
    }
    match state.store.get(&classes, &Key::new("", name)) {
        Some(stored) => Ok(Some(stored.value.clone())),
        None => Err(call.forbidden(&call.name, &format!("no PriorityClass with name {name} was found"))),
    }
}
