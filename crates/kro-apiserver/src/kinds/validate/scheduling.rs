//! Where Pods may run.

use kro_apimachinery::names;

use super::place::{Place, Seen};

pub(super) const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn all(spec: &Place<'_>) {
    spec.get("nodeSelector").labels();
    spec.get("tolerations").items().iter().for_each(toleration);
    let affinity = spec.get("affinity");
    node_affinity(&affinity.get("nodeAffinity"));
    pod_affinity(&affinity.get("podAffinity"));
    pod_affinity(&affinity.get("podAntiAffinity"));
    spread(&spec.get("topologySpreadConstraints"));
    let mut seen = Seen::default();
    for gate in spec.get("schedulingGates").items() {
        let name = gate.get("name").named(&gate.path);
        let problems = names::qualified_name_errors(name.text());
        if problems.is_empty() && !seen.is_new(name.text()) {
            name.duplicate();
        }
        name.invalid_each(problems);
    }
}

fn toleration(toleration: &Place<'_>) {
    let (key, operator) = (toleration.get("key"), toleration.get("operator"));
    key.if_set(|key| key.invalid_each(names::label_key_errors(key.text())));
    if key.is_empty() && operator.text() != "Exists" {
        let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        operator.invalid_as(operator.text(), detail);
    }
    let (effect, value) = (toleration.get("effect"), toleration.get("value"));
    if toleration.get("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
        effect.invalid_as(effect.text(), "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    match operator.text() {
        "" | "Equal" => {
            let problems = names::label_value_errors(value.text());
            if !problems.is_empty() {
                operator.invalid_as(value.text(), problems.join(";"));
            }
        }
        "Exists" if !value.is_empty() => {
            operator.invalid_as(value.text(), "value must be empty when `operator` is 'Exists'");
        }
        "Exists" => {}
        _ => operator.unsupported(&["Equal", "Exists"]),
    }
    effect.one_of(EFFECTS);
}

fn node_affinity(affinity: &Place<'_>) {
    let required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution");
    if required.is_set() {
        node_selector(&required);
    }
    for term in affinity.get("preferredDuringSchedulingIgnoredDuringExecution").items() {
        weight(&term);
        node_term(&term.get("preference"));
    }
}

pub(super) fn node_selector(selector: &Place<'_>) {
    let terms = selector.get("nodeSelectorTerms");
    terms.require("must have at least one node selector term");
    terms.items().iter().for_each(node_term);
}

fn node_term(term: &Place<'_>) {
    for requirement in term.get("matchExpressions").items() {
        requirement.selector_values(&["Gt", "Lt"]);
        let key = requirement.get("key");
        key.invalid_each(names::label_key_errors(key.text()));
    }
}

fn pod_affinity(affinity: &Place<'_>) {
    affinity.get("requiredDuringSchedulingIgnoredDuringExecution").items().iter().for_each(pod_term);
    for term in affinity.get("preferredDuringSchedulingIgnoredDuringExecution").items() {
        weight(&term);
        pod_term(&term.get("podAffinityTerm"));
    }
}

fn pod_term(term: &Place<'_>) {
    term.get("labelSelector").label_selector();
    term.get("namespaceSelector").label_selector();
    for namespace in term.get("namespaces").items() {
        let named = namespace.named(format!("{}.namespace", term.path));
        named.dns_label();
    }
    let key = term.get("topologyKey");
    key.require("can not be empty");
    key.invalid_each(names::label_key_errors(key.text()));
}

fn weight(term: &Place<'_>) {
    let weight = term.get("weight");
    let number = weight.int().unwrap_or_default();
    if !(1..=100).contains(&number) {
        weight.invalid_as(number, "must be in the range 1-100");
    }
}

fn spread(constraints: &Place<'_>) {
    let mut seen = Seen::default();
    for constraint in constraints.items() {
        constraint.get("maxSkew").positive("must be greater than zero");
        let (key, when) = (constraint.get("topologyKey"), constraint.get("whenUnsatisfiable"));
        key.require("can not be empty");
        when.require_one_of(&["DoNotSchedule", "ScheduleAnyway"]);
        constraint.get("labelSelector").label_selector();
        let pair = format!("{{{}, {}}}", key.text(), when.text());
        if !seen.is_new(&pair) {
            // The reference names the first of the two.
            let first = constraints.items().into_iter().find(|other| {
                other.get("topologyKey").text() == key.text() && other.get("whenUnsatisfiable").text() == when.text()
            });
            let first = first.map_or_else(|| constraint.path.clone(), |first| first.path);
            constraint.named(format!("{first}.{{topologyKey, whenUnsatisfiable}}")).duplicate_of(pair.as_str());
        }
    }
}
