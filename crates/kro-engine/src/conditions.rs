//! Conditions of RGDs, GraphRevisions and instances: one root, `Ready`, and the conditions it depends on.

use kro_api::condition as wire;
use kro_value::{Map, Str, Value, format_smolstr};

use crate::Timestamp;

/// One entry of `status.conditions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `type`
    pub kind: Str,
    /// `True`, `False` or `Unknown`.
    pub status: Str,
    /// Machine-readable reason.
    pub reason: Str,
    /// For people.
    pub message: Str,
    /// When the status changed last.
    pub last_transition: Option<Timestamp>,
    /// The generation it was set for; 0 when unknown.
    pub observed_generation: i64,
}

impl Condition {
    /// Reads one entry; `None` without a type.
    pub fn read(value: &Value) -> Option<Self> {
        let text = |key| Str::new(value.str_at(&[key]).unwrap_or_default());
        let kind = text("type");
        let observed = value.at(&["observedGeneration"]).and_then(Value::as_i64);
        (!kind.is_empty()).then(|| Self {
            kind,
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
            last_transition: value.str_at(&["lastTransitionTime"]).and_then(Timestamp::parse),
            observed_generation: observed.unwrap_or_default(),
        })
    }

    /// The entry as JSON, always with `reason` and `message`.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if let Some(time) = self.last_transition {
            map.insert("lastTransitionTime", Value::String(time.to_rfc3339()));
        }
        map.insert("message", Value::String(self.message.clone()));
        if self.observed_generation > 0 {
            map.insert("observedGeneration", Value::Int(self.observed_generation));
        }
        for (key, text) in [("reason", &self.reason), ("status", &self.status), ("type", &self.kind)] {
            map.insert(key, Value::String(text.clone()));
        }
        Value::Map(map)
    }

    /// True for status `True`.
    pub fn is_true(&self) -> bool {
        self.status == wire::TRUE
    }
}

/// The object that conditions belong to, and the time at which they are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// `metadata.generation` of the object.
    pub generation: i64,
    /// Now, in whole seconds or finer.
    pub now: Timestamp,
    /// `metadata.creationTimestamp` of the object.
    pub created: Option<Timestamp>,
    /// True when the object has a deletion timestamp.
    pub terminating: bool,
}

impl Moment {
    /// For an object.
    pub fn of(object: &Value, now: Timestamp) -> Self {
        Self {
            generation: crate::object::generation(object),
            now,
            created: Timestamp::parse(crate::object::text(object, "creationTimestamp")),
            terminating: crate::object::is_terminating(object),
        }
    }
}

/// Root and dependents of one object, in their written order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionSet {
    dependents: &'static [&'static str],
    moment: Moment,
    conditions: Vec<Condition>,
}

impl ConditionSet {
    /// Continues with the conditions of a status; other types are dropped, missing ones are created `Unknown`, the
    /// root first.
    pub fn load(object: &Value, dependents: &'static [&'static str], now: Timestamp) -> Self {
        let list = object.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
        let known =
            |condition: &Condition| condition.kind == wire::READY || dependents.contains(&condition.kind.as_str());
        let mut conditions: Vec<Condition> = Vec::with_capacity(dependents.len() + 1);
        for condition in list.iter().filter_map(Condition::read).filter(known) {
            if !conditions.iter().any(|earlier| earlier.kind == condition.kind) {
                conditions.push(condition);
            }
        }
        let mut set = Self { dependents, moment: Moment::of(object, now), conditions };
        for kind in std::iter::once(&wire::READY).chain(dependents) {
            if set.get(kind).is_none() {
                set.conditions.push(set.awaiting(kind));
            }
        }
        set.sort();
        set
    }

    fn awaiting(&self, kind: &str) -> Condition {
        Condition {
            kind: kind.into(),
            status: Str::new_static(wire::UNKNOWN),
            reason: Str::new_static(wire::REASON_AWAITING),
            message: format_smolstr!("condition \"{kind}\" is awaiting reconciliation"),
            last_transition: self.moment.created,
            observed_generation: self.moment.generation,
        }
    }

    /// The condition of a type.
    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// All in their written order: by transition time, the root last.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter()
    }

    /// All as JSON.
    pub fn to_value(&self) -> Value {
        self.conditions.iter().map(Condition::to_value).collect()
    }

    /// True when a condition is `True`, whatever its generation.
    pub fn is_true(&self, kind: &str) -> bool {
        self.get(kind).is_some_and(Condition::is_true)
    }

    /// True when the root is `True` for the current generation.
    pub fn is_ready(&self) -> bool {
        let current = |root: &Condition| root.is_true() && root.observed_generation == self.moment.generation;
        self.get(wire::READY).is_some_and(current)
    }

    /// Sets one dependent. Its transition time changes only with its status. When nothing changes, nothing happens;
    /// otherwise the root follows.
    pub fn set(&mut self, kind: &'static str, status: &'static str, reason: &str, message: impl Into<Str>) {
        if self.put(kind, status, reason, message.into()) {
            if self.moment.terminating {
                for condition in &mut self.conditions {
                    condition.observed_generation = self.moment.generation;
                }
            }
            self.sort();
            self.recompute_root();
            self.sort();
        }
    }

    fn put(&mut self, kind: &str, status: &str, reason: &str, message: Str) -> bool {
        let previous = self.get(kind).cloned();
        let kept = previous.as_ref().filter(|previous| previous.status == status);
        let condition = Condition {
            kind: kind.into(),
            status: status.into(),
            reason: reason.into(),
            message,
            last_transition: kept.map_or(Some(self.moment.now), |previous| previous.last_transition),
            observed_generation: self.moment.generation,
        };
        if previous.as_ref() == Some(&condition) {
            return false;
        }
        self.conditions.retain(|earlier| earlier.kind != kind);
        self.conditions.push(condition);
        true
    }

    /// By transition time (a missing one first), stable, the root last.
    fn sort(&mut self) {
        let second = |time: Option<Timestamp>| time.map(|time| time.as_ms().div_euclid(1000));
        let position = |kind: &str| self.dependents.iter().position(|one| *one == kind);
        self.conditions.sort_by_key(|condition| {
            (condition.kind == wire::READY, second(condition.last_transition), position(&condition.kind))
        });
    }

    fn recompute_root(&mut self) {
        let generation = self.moment.generation;
        let dependents = || self.conditions.iter().filter(|condition| condition.kind != wire::READY);
        let latest = |status: &'static str| {
            dependents()
                .filter(|condition| condition.status == status)
                .max_by_key(|condition| condition.last_transition)
        };
        let healthy = |condition: &Condition| condition.is_true() && condition.observed_generation == generation;
        if dependents().all(healthy) {
            self.put(wire::READY, wire::TRUE, wire::READY, Str::new_static(""));
        } else if let Some(cause) = latest(wire::FALSE).or_else(|| latest(wire::UNKNOWN)).cloned() {
            self.put(wire::READY, &cause.status, &cause.reason, cause.message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENTS: &[&str] = &[wire::INSTANCE_MANAGED, wire::GRAPH_RESOLVED, wire::RESOURCES_READY];

    fn object() -> Value {
        kro_value::from_json(r#"{"metadata":{"generation":2,"creationTimestamp":"2026-01-01T00:00:00Z"}}"#).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:10Z").unwrap().plus_ms(second * 1000)
    }

    fn kinds(set: &ConditionSet) -> Vec<&str> {
        set.iter().map(|condition| condition.kind.as_str()).collect()
    }

    #[test]
    fn starts_unknown_since_creation() {
        let set = ConditionSet::load(&object(), DEPENDENTS, at(0));
        let root = set.get(wire::READY).unwrap();
        assert_eq!((root.status.as_str(), root.reason.as_str()), ("Unknown", "AwaitingReconciliation"));
        assert_eq!(root.message, "condition \"Ready\" is awaiting reconciliation");
        assert_eq!(root.last_transition, Timestamp::parse("2026-01-01T00:00:00Z"));
        assert_eq!(kinds(&set), ["InstanceManaged", "GraphResolved", "ResourcesReady", "Ready"]);
    }

    #[test]
    fn a_healthy_object_ends_in_the_canonical_order() {
        let mut set = ConditionSet::load(&object(), DEPENDENTS, at(0));
        set.set(wire::INSTANCE_MANAGED, wire::TRUE, "Managed", "m");
        set.set(wire::GRAPH_RESOLVED, wire::TRUE, "Resolved", "g");
        assert!(!set.is_ready());
        set.set(wire::RESOURCES_READY, wire::TRUE, "AllResourcesReady", "r");
        assert!(set.is_ready());
        assert_eq!(kinds(&set), ["InstanceManaged", "GraphResolved", "ResourcesReady", "Ready"]);
        let root = set.get(wire::READY).unwrap();
        assert_eq!((root.reason.as_str(), root.message.as_str(), root.last_transition), ("Ready", "", Some(at(0))));
    }

    #[test]
    fn the_latest_false_dependent_decides_before_any_unknown_one() {
        let mut set = ConditionSet::load(&object(), DEPENDENTS, at(0));
        set.set(wire::INSTANCE_MANAGED, wire::FALSE, "ManagementFailed", "first");
        assert_eq!(set.get(wire::READY).unwrap().message, "first");
        set.moment.now = at(1);
        set.set(wire::RESOURCES_READY, wire::FALSE, "NotReady", "second");
        assert_eq!(set.get(wire::READY).unwrap().message, "second");
        set.set(wire::RESOURCES_READY, wire::UNKNOWN, "UnderDeletion", "third");
        assert_eq!(set.get(wire::READY).unwrap().message, "first");
    }

    #[test]
    fn transition_time_follows_the_status_only_and_equal_sets_change_nothing() {
        let mut set = ConditionSet::load(&object(), DEPENDENTS, at(0));
        set.set(wire::RESOURCES_READY, wire::FALSE, "NotReady", "a");
        set.moment.now = at(5);
        set.set(wire::RESOURCES_READY, wire::FALSE, "NotReady", "b");
        assert_eq!(set.get(wire::RESOURCES_READY).unwrap().last_transition, Some(at(0)));
        let before = set.clone();
        set.set(wire::RESOURCES_READY, wire::FALSE, "NotReady", "b");
        assert_eq!(set, before);
        set.set(wire::RESOURCES_READY, wire::TRUE, "AllResourcesReady", "");
        assert_eq!(set.get(wire::RESOURCES_READY).unwrap().last_transition, Some(at(5)));
    }

    #[test]
    fn stale_generations_hold_the_root_back() {
        let mut set = ConditionSet::load(&object(), DEPENDENTS, at(0));
        for kind in DEPENDENTS {
            set.set(kind, wire::TRUE, "r", "m");
        }
        let mut later = object();
        later.set_at(&["status", "conditions"], set.to_value());
        later.set_at(&["metadata", "generation"], Value::Int(3));
        let mut set = ConditionSet::load(&later, DEPENDENTS, at(1));
        set.set(wire::INSTANCE_MANAGED, wire::TRUE, "r", "m");
        assert!(set.is_true(wire::READY) && !set.is_ready(), "left as it is, for the old generation");
        set.set(wire::GRAPH_RESOLVED, wire::TRUE, "r", "m");
        set.set(wire::RESOURCES_READY, wire::TRUE, "r", "m");
        assert!(set.is_ready());
    }

    #[test]
    fn deletion_lifts_all_generations() {
        let mut object = object();
        object.set_at(&["metadata", "deletionTimestamp"], Value::from("2026-01-01T00:00:05Z"));
        object.set_at(&["metadata", "generation"], Value::Int(7));
        let mut set = ConditionSet::load(&object, DEPENDENTS, at(0));
        set.conditions.iter_mut().for_each(|condition| condition.observed_generation = 1);
        set.set(wire::RESOURCES_READY, wire::UNKNOWN, "UnderDeletion", "deleting resources");
        assert!(set.iter().all(|condition| condition.observed_generation == 7));
    }

    #[test]
    fn foreign_and_repeated_types_are_dropped() {
        let mut object = object();
        let entries =
            r#"[{"type":"Old","status":"True"},{"type":"Ready","status":"True"},{"type":"Ready","status":"False"}]"#;
        object.set_at(&["status", "conditions"], kro_value::from_json(entries).unwrap());
        let set = ConditionSet::load(&object, DEPENDENTS, at(0));
        assert_eq!(kinds(&set).len(), 4);
        assert!(set.is_true(wire::READY));
    }
}
