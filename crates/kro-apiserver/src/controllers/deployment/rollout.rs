use kro_value::Value;

use super::super::object;
use super::{HASH_LABEL, revision};

/// How old Pods make room for new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    /// All old ones go first.
    Recreate,
    /// Step by step: so many more than wanted at most, so many fewer at most.
    Rolling { surge: i64, unavailable: i64 },
}

impl Strategy {
    fn of(deployment: &Value) -> Self {
        if deployment.str_at(&["spec", "strategy", "type"]) == Some("Recreate") {
            return Self::Recreate;
        }
        let replicas = object::replicas(deployment);
        let number = |key: &str, round_up: bool| {
            let written = deployment.at(&["spec", "strategy", "rollingUpdate", key]);
            written.map_or_else(|| percent("25%", replicas, round_up), |value| resolve(value, replicas, round_up))
        };
        let (surge, unavailable) = (number("maxSurge", true), number("maxUnavailable", false));
        // Without any room there would be no progress.
        Self::Rolling { surge, unavailable: if surge == 0 { unavailable.max(1) } else { unavailable } }
    }

    /// How many Pods more than wanted there may be.
    pub(super) fn surge(self) -> i64 {
        if let Self::Rolling { surge, .. } = self { surge } else { 0 }
    }

    /// How many Pods fewer than wanted may be available.
    pub(super) fn unavailable(self, replicas: i64) -> i64 {
        if let Self::Rolling { unavailable, .. } = self { unavailable.min(replicas) } else { 0 }
    }
}

fn resolve(value: &Value, total: i64, round_up: bool) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::String(text) => percent(text, total, round_up),
        _ => 0,
    }
}

fn percent(text: &str, total: i64, round_up: bool) -> i64 {
    let share = text.strip_suffix('%').and_then(|digits| digits.parse::<i64>().ok()).unwrap_or_default();
    let product = share.saturating_mul(total);
    if round_up { product.saturating_add(99) / 100 } else { product / 100 }
}

/// A Deployment with its ReplicaSets.
pub(super) struct Rollout {
    pub(super) deployment: Value,
    pub(super) strategy: Strategy,
    /// The ReplicaSet of the current template.
    pub(super) new: Option<Value>,
    /// The others, oldest revision first.
    pub(super) old: Vec<Value>,
    /// The new ReplicaSet was made just now.
    pub(super) created: bool,
}

impl Rollout {
    pub(super) fn new(deployment: Value, mut sets: Vec<Value>) -> Self {
        sets.sort_by_key(|set| (revision(set), object::time_at(set, &["metadata", "creationTimestamp"])));
        let place = sets.iter().position(|set| has_template_of(set, &deployment));
        let new = place.map(|place| sets.remove(place));
        Self { strategy: Strategy::of(&deployment), deployment, new, old: sets, created: false }
    }

    /// Every ReplicaSet, the new one last.
    pub(super) fn sets(&self) -> impl Iterator<Item = &Value> {
        self.old.iter().chain(&self.new)
    }

    /// True when no old ReplicaSet runs: then only the count can differ.
    pub(super) fn is_only_scaled(&self) -> bool {
        self.old.iter().all(|set| object::replicas(set) == 0 && object::int(set, &["status", "replicas"]) == 0)
    }

    fn wanted(&self) -> i64 {
        self.sets().map(object::replicas).sum()
    }

    /// The new ReplicaSet may grow as far as the surge allows.
    pub(super) fn replicas_of_new(&self) -> i64 {
        let target = object::replicas(&self.deployment);
        let present = self.new.as_ref().map_or(0, object::replicas);
        match self.strategy {
            Strategy::Recreate if self.is_only_scaled() => target,
            Strategy::Recreate => 0,
            Strategy::Rolling { .. } if present > target => target,
            Strategy::Rolling { surge, .. } => {
                let room = (target + surge - self.wanted()).max(0);
                present + room.min(target - present)
            }
        }
    }

    /// Old ReplicaSets shrink as far as availability allows: first by what is not available anyway.
    pub(super) fn replicas_of_old(&self) -> Vec<i64> {
        let available = |set: &Value| object::int(set, &["status", "availableReplicas"]);
        let mut replicas: Vec<i64> = self.old.iter().map(object::replicas).collect();
        let target = object::replicas(&self.deployment);
        let least = target - self.strategy.unavailable(target);
        let missing = self.new.as_ref().map_or(0, |set| (object::replicas(set) - available(set)).max(0));
        let mut room = (self.wanted() - least - missing).max(0);
        for (set, replicas) in self.old.iter().zip(&mut replicas) {
            let step = (*replicas - available(set)).clamp(0, room);
            *replicas -= step;
            room -= step;
        }
        let mut surplus = (self.sets().map(available).sum::<i64>() - least).max(0);
        for replicas in &mut replicas {
            let step = surplus.min(room).min(*replicas);
            *replicas -= step;
            room -= step;
            surplus -= step;
        }
        replicas
    }
}

fn has_template_of(set: &Value, deployment: &Value) -> bool {
    let mut template = set.at(&["spec", "template"]).cloned().unwrap_or_default();
    template.remove_at(&["metadata", "labels", HASH_LABEL]);
    deployment.at(&["spec", "template"]) == Some(&template)
}

#[cfg(test)]
mod tests {
    use super::super::super::value;
    use super::*;

    fn set(name: &str, image: &str, replicas: i64, available: i64) -> Value {
        value!({
            "metadata": { "name": name, "annotations": { "deployment.kubernetes.io/revision": name } },
            "spec": {
                "replicas": replicas,
                "template": { "metadata": { "labels": { "a": "b", HASH_LABEL: name } }, "spec": image }
            },
            "status": { "replicas": replicas, "availableReplicas": available }
        })
    }

    fn rollout(replicas: i64, strategy: Value, sets: Vec<Value>) -> Rollout {
        let template = value!({ "metadata": { "labels": { "a": "b" } }, "spec": "new" });
        let deployment = value!({ "spec": { "replicas": replicas, "strategy": strategy, "template": template } });
        Rollout::new(deployment, sets)
    }

    fn rolling(surge: impl Into<Value>, unavailable: impl Into<Value>) -> Value {
        value!({ "rollingUpdate": { "maxSurge": (surge.into()), "maxUnavailable": (unavailable.into()) } })
    }

    #[test]
    fn the_new_set_is_the_one_with_the_template() {
        let rollout = rollout(3, Value::Null, vec![set("2", "new", 1, 0), set("1", "old", 3, 3)]);
        assert_eq!(rollout.new.as_ref().map(object::name), Some("2"));
        assert_eq!(rollout.old.iter().map(object::name).collect::<Vec<_>>(), ["1"]);
    }

    #[test]
    fn steps_keep_within_surge_and_availability() {
        // replicas, strategy, old (replicas, available), new (replicas, available): next new, next old
        let cases = [
            (4, rolling(1, 1), (4, 4), (0, 0), 1, 3),
            (4, rolling(1, 0), (4, 4), (1, 0), 1, 4),
            (4, rolling(1, 0), (4, 4), (1, 1), 1, 3),
            (4, rolling("50%", "25%"), (4, 4), (0, 0), 2, 3),
            (4, rolling(0, 0), (4, 4), (0, 0), 0, 3),
            (4, rolling(1, 1), (4, 0), (1, 0), 1, 3),
            (2, rolling(1, 0), (4, 4), (0, 0), 0, 2),
            (4, rolling(1, 1), (0, 0), (6, 6), 4, 0),
        ];
        for (replicas, strategy, old, new, next_new, next_old) in cases {
            let text = format!("{replicas} {strategy} {old:?} {new:?}");
            let rollout =
                rollout(replicas, strategy, vec![set("1", "old", old.0, old.1), set("2", "new", new.0, new.1)]);
            assert_eq!(rollout.replicas_of_new(), next_new, "new of {text}");
            if next_new == new.0 {
                assert_eq!(rollout.replicas_of_old(), [next_old], "old of {text}");
            }
        }
    }

    #[test]
    fn recreate_waits_for_the_old_ones() {
        let recreate = value!({ "type": "Recreate" });
        assert_eq!(rollout(3, recreate.clone(), vec![set("1", "old", 3, 3)]).replicas_of_new(), 0);
        assert_eq!(rollout(3, recreate, vec![set("1", "old", 0, 0)]).replicas_of_new(), 3);
    }
}
