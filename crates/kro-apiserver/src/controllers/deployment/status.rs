use jiff::Timestamp;
use kro_value::Value;

use super::super::delays::after;
use super::super::known::DEPLOYMENTS;
use super::super::{Api, object, outcome, value};
use super::rollout::Rollout;

/// The sums over all ReplicaSets.
struct Counts {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
    unavailable: i64,
}

fn counts(rollout: &Rollout) -> Counts {
    let sum = |key: &str| rollout.sets().map(|set| object::int(set, &["status", key])).sum();
    let wanted: i64 = rollout.sets().map(object::replicas).sum();
    let available = sum("availableReplicas");
    Counts {
        replicas: sum("replicas"),
        updated: rollout.new.as_ref().map_or(0, |set| object::int(set, &["status", "replicas"])),
        ready: sum("readyReplicas"),
        available,
        unavailable: (wanted - available).max(0),
    }
}

/// True when every Pod is of the new template, available, and no other is left.
pub(super) fn is_complete(rollout: &Rollout) -> bool {
    let (counts, wanted) = (counts(rollout), object::replicas(&rollout.deployment));
    counts.updated == wanted && counts.replicas == wanted && counts.available == wanted
}

/// Writes the status; says when the progress deadline passes.
pub(super) fn write(rollout: &Rollout, api: &mut Api<'_, '_>, now: Timestamp) -> Option<Timestamp> {
    let deployment = &rollout.deployment;
    let counts = counts(rollout);
    let mut status = object::counts(&[
        ("observedGeneration", object::generation(deployment)),
        ("replicas", counts.replicas),
        ("updatedReplicas", counts.updated),
        ("readyReplicas", counts.ready),
        ("availableReplicas", counts.available),
        ("unavailableReplicas", counts.unavailable),
    ]);
    let conditions = object::list(deployment, &["status", "conditions"]);
    let conditions = progressing(rollout, &counts, conditions, now);
    let conditions = available(rollout, &counts, &conditions, now);
    let deadline = deadline(rollout, &conditions);
    status.insert("conditions", conditions.into());
    api.replace_status(&DEPLOYMENTS, deployment, outcome::with_asked_status(deployment, status.into()));
    deadline.filter(|deadline| *deadline > now)
}

fn available(rollout: &Rollout, counts: &Counts, conditions: &[Value], now: Timestamp) -> Vec<Value> {
    let wanted = object::replicas(&rollout.deployment);
    let (state, reason, message) = if counts.available >= wanted - rollout.strategy.unavailable(wanted) {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    set(conditions, value!({ "type": "Available", "status": state, "reason": reason, "message": message }), now)
}

fn progressing(rollout: &Rollout, counts: &Counts, conditions: &[Value], now: Timestamp) -> Vec<Value> {
    let present = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some("Progressing"));
    let reason = present.and_then(|condition| condition.str_at(&["reason"])).unwrap_or_default();
    let Some(new) = &rollout.new else { return conditions.to_vec() };
    let name = object::name(new);
    let (state, reason, message) = if rollout.created {
        ("True", "NewReplicaSetCreated", format!("Created new replica set \"{name}\""))
    } else if is_complete(rollout) {
        ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{name}\" has successfully progressed."))
    } else if reason == "NewReplicaSetAvailable" && counts.replicas == counts.updated {
        return conditions.to_vec(); // Pods of a finished rollout come and go
    } else if moved(rollout, counts) || present.is_none() {
        ("True", "ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing."))
    } else if deadline(rollout, conditions).is_some_and(|deadline| deadline <= now) {
        ("False", "ProgressDeadlineExceeded", format!("ReplicaSet \"{name}\" has timed out progressing."))
    } else {
        return conditions.to_vec();
    };
    let condition = value!({ "type": "Progressing", "status": state, "reason": reason, "message": message });
    let moved = moved(rollout, counts) && state == "True" && reason == "ReplicaSetUpdated";
    let mut conditions = set(conditions, condition, now);
    if moved {
        touch(&mut conditions, "Progressing", now);
    }
    conditions
}

/// True when there is more of the new, less of the old, or more that is ready than in the status so far.
fn moved(rollout: &Rollout, counts: &Counts) -> bool {
    let before = |key: &str| object::int(&rollout.deployment, &["status", key]);
    counts.updated > before("updatedReplicas")
        || counts.replicas - counts.updated < before("replicas") - before("updatedReplicas")
        || counts.ready > before("readyReplicas")
        || counts.available > before("availableReplicas")
}

/// When a rollout that does not move counts as failed.
fn deadline(rollout: &Rollout, conditions: &[Value]) -> Option<Timestamp> {
    let progressing = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some("Progressing"))?;
    let reason = progressing.str_at(&["reason"])?;
    if is_complete(rollout) || matches!(reason, "NewReplicaSetAvailable" | "ProgressDeadlineExceeded") {
        return None;
    }
    let seconds = object::int(&rollout.deployment, &["spec", "progressDeadlineSeconds"]);
    let since = object::time_at(progressing, &["lastUpdateTime"])?;
    let seconds = u64::try_from(seconds).ok().filter(|seconds| (1..i32::MAX as u64).contains(seconds))?;
    Some(after(since, std::time::Duration::from_secs(seconds)))
}

/// Sets a condition; its update time changes with its reason or status.
fn set(conditions: &[Value], condition: Value, now: Timestamp) -> Vec<Value> {
    let kind = condition.str_at(&["type"]).unwrap_or_default().to_owned();
    let present = conditions.iter().find(|present| present.str_at(&["type"]) == Some(&kind));
    let same = present.is_some_and(|present| {
        present.get("reason") == condition.get("reason") && present.get("status") == condition.get("status")
    });
    let mut conditions = object::with_condition(conditions, condition, now);
    if !same {
        touch(&mut conditions, &kind, now);
    }
    conditions
}

fn touch(conditions: &mut [Value], kind: &str, now: Timestamp) {
    if let Some(condition) = conditions.iter_mut().find(|condition| condition.str_at(&["type"]) == Some(kind)) {
        condition.set_at(&["lastUpdateTime"], object::time(now).into());
    }
}
