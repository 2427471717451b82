//! Aggregated ClusterRoles: rules that are the union of other roles' rules.

use jiff::Timestamp;
use kro_apimachinery::LabelSelector;
use kro_value::Value;

use super::driver::Controller;
use super::known::{CLUSTER_ROLES, Known};
use super::queue::Queue;
use super::{Api, Key, object, value};
use crate::Change;

/// Recomputes them when any ClusterRole changes.
pub(super) struct ClusterRoleAggregation;

impl Controller for ClusterRoleAggregation {
    const NAME: &'static str = "clusterrole-aggregation-controller";
    const WATCHES: &'static [&'static Known] = &[&CLUSTER_ROLES];

    fn observe(&mut self, _: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        queue.add(Key::new("", ""), now);
    }

    fn sync(&mut self, _: &Key, api: &mut Api<'_, '_>, _: Timestamp) -> Option<Timestamp> {
        let roles = api.list(&CLUSTER_ROLES, None);
        for role in roles.iter().filter(|role| role.get("aggregationRule").is_some()) {
            let rules = union(role, &roles);
            if object::list(role, &["rules"]) != rules {
                api.patch(&CLUSTER_ROLES, role, &value!({ "rules": rules }));
            }
        }
        None
    }
}

/// The rules of every other role that is selected, in order of names, each once.
fn union(role: &Value, roles: &[Value]) -> Vec<Value> {
    let selectors = object::list(role, &["aggregationRule", "clusterRoleSelectors"]);
    let selectors: Vec<LabelSelector> = selectors.iter().map(LabelSelector::from_value).collect();
    let is_selected = |other: &&Value| {
        object::name(other) != object::name(role)
            && selectors.iter().any(|selector| selector.matches(object::labels(other)))
    };
    let mut rules: Vec<Value> = Vec::new();
    for rule in roles.iter().filter(is_selected).flat_map(|other| object::list(other, &["rules"])) {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    rules
}
