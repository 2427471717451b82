//! Whatever request fails, and wherever the manager is killed, the cluster ends as if nothing had happened.

use kro_apiserver::Method;
use kro_manager::ApiRequest;
use kro_sim::{Fate, FaultPlan};
use kro_value::Value;

use crate::scenario::{Scenario, condition, yaml};

const RGDS: &str = "/apis/kro.run/v1alpha1/resourcegraphdefinitions";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const INSTANCES: &str = "/apis/kro.run/v1alpha1/namespaces/default/pairs";

const PAIR: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: pair}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Pair
    spec: {text: string, extra: "boolean | default=true"}
    status: {last: "${second.metadata.name}"}
  resources:
    - id: first
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-first"}, data: {text: "${schema.spec.text}"}}
    - id: second
      template: {apiVersion: v1, kind: ConfigMap, metadata: {name: "${schema.metadata.name}-second"}, data: {text: "${first.data.text}"}}
    - id: third
      includeWhen: ["${schema.spec.extra}"]
      template: {apiVersion: v1, kind: Secret, metadata: {name: "${schema.metadata.name}-third"}}
"#;

struct Nth(u64, Fate);

impl FaultPlan for Nth {
    fn decide(&mut self, sent: u64, _: &ApiRequest) -> Fate {
        if sent == self.0 { self.1.clone() } else { Fate::Answer }
    }
}

fn is_ready(sim: &mut kro_sim::Simulation, text: &str) -> bool {
    let instance = sim.request(Method::Get, &format!("{INSTANCES}/p"), None).body;
    let second = sim.request(Method::Get, &format!("{CONFIG_MAPS}/p-second"), None).body;
    let generation = instance.at(&["metadata", "generation"]);
    let conditions = instance.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    condition(&instance, "Ready").0 == "True"
        && conditions.iter().all(|condition| condition.at(&["observedGeneration"]) == generation)
        && second.str_at(&["data", "text"]) == Some(text)
}

/// Creates, changes, shrinks and deletes an instance; says how many requests the manager sent.
fn live_and_end(what: &str, prepare: impl FnOnce(&mut Scenario), mut between: impl FnMut(&mut Scenario)) -> usize {
    let mut scenario = Scenario::new();
    prepare(&mut scenario);
    scenario.create(RGDS, &yaml(PAIR));
    scenario
        .wait(&format!("{what}: the kind is served"), |sim| sim.request(Method::Get, INSTANCES, None).status == 200);
    scenario
        .create(INSTANCES, &yaml("{apiVersion: kro.run/v1alpha1, kind: Pair, metadata: {name: p}, spec: {text: one}}"));
    between(&mut scenario);
    scenario.wait(&format!("{what}: ready"), |sim| is_ready(sim, "one"));
    scenario.patch(&format!("{INSTANCES}/p"), r#"{"spec":{"text":"two","extra":false}}"#);
    between(&mut scenario);
    scenario.wait(&format!("{what}: changed and pruned"), |sim| {
        let third = sim.request(Method::Get, "/api/v1/namespaces/default/secrets/p-third", None);
        is_ready(sim, "two") && third.status == 404
    });
    scenario.delete(&format!("{INSTANCES}/p"));
    between(&mut scenario);
    scenario
        .wait(&format!("{what}: gone"), |sim| sim.request(Method::Get, &format!("{INSTANCES}/p"), None).status == 404);
    let left = scenario.must_get(CONFIG_MAPS);
    let names: Vec<&str> = left
        .at(&["items"])
        .unwrap()
        .as_list()
        .unwrap()
        .iter()
        .filter_map(|item| item.str_at(&["metadata", "name"]))
        .collect();
    assert!(!names.iter().any(|name| name.starts_with("p-")), "{what}: leaked {names:?}");
    scenario.request_count()
}

#[test]
fn any_request_may_fail_in_any_way() {
    let total = live_and_end("no fault", |_| {}, |_| {});
    assert!(total < 25, "{total} requests");
    let fates = [
        Fate::refuse(500, "InternalError"),
        Fate::refuse(409, "Conflict"),
        Fate::refuse(429, "TooManyRequests"),
        Fate::Lose,
        Fate::LoseAnswer,
    ];
    for nth in 1..=total as u64 {
        for fate in &fates {
            let what = format!("request {nth}: {fate:?}");
            live_and_end(&what, |scenario| scenario.sim.set_faults(Some(Box::new(Nth(nth, fate.clone())))), |_| {});
        }
    }
}

#[test]
fn the_manager_may_be_killed_anywhere() {
    for steps in 0..40 {
        let kill = |scenario: &mut Scenario| {
            for _ in 0..steps {
                scenario.sim.step();
            }
            scenario.sim.start_manager();
        };
        live_and_end(&format!("killed after {steps} steps"), |_| {}, kill);
    }
}

#[test]
fn watches_may_break_anywhere() {
    for steps in 0..40 {
        let cut = |scenario: &mut Scenario| {
            for _ in 0..steps {
                scenario.sim.step();
            }
            scenario.sim.cut_watches();
        };
        live_and_end(&format!("watches cut after {steps} steps"), |_| {}, cut);
    }
}
