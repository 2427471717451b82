//! Definitions without a schema: each is its own single instance.

use crate::scenario::{Scenario, condition, yaml};

const RGDS: &str = "/apis/kro.run/v1alpha1/resourcegraphdefinitions";

const TWO: &str = r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: two}
spec:
  resources:
    - {apiVersion: v1, kind: ConfigMap, metadata: {name: first}, data: {a: b}}
    - {apiVersion: v1, kind: ConfigMap, metadata: {name: second}, data: {a: "${firstConfigMap.data.a}c"}}
"#;

fn ready(scenario: &mut Scenario, path: &str) {
    let path = path.to_owned();
    scenario.wait("the definition is ready", move |sim| {
        let answer = sim.request(kro_apiserver::Method::Get, &path, None);
        condition(&answer.body, "Ready").0 == "True" && sim.view().is_ready()
    });
}

fn two() -> Scenario {
    let mut scenario = Scenario::new();
    scenario.create(RGDS, &yaml(TWO));
    ready(&mut scenario, &format!("{RGDS}/two"));
    scenario
}

#[test]
fn becomes_ready_with_the_fewest_requests_and_then_rests() {
    let mut scenario = two();
    let children = "/api/v1/namespaces/default/configmaps";
    let first = scenario.must_get(&format!("{children}/first"));
    assert_eq!(first.str_at(&["metadata", "labels", "kro.run/node-id"]), Some("firstConfigMap"));
    assert!(scenario.get(&format!("{children}/second")).is_some());
    let definition = scenario.must_get(&format!("{RGDS}/two"));
    assert_eq!(definition.str_at(&["status", "state"]), Some("Active"), "{definition}");
    let requests: Vec<String> =
        scenario.requests_since(0).iter().map(|request| format!("{} {}", request.method, request.target)).collect();
    assert_eq!(requests.len(), 6, "{requests:#?}");
    let before = scenario.request_count();
    scenario.sim.advance(60_000).unwrap();
    assert_eq!(scenario.requests_since(before), [], "at rest");
}

#[test]
fn heals_what_is_deleted_and_edited() {
    let mut scenario = two();
    let path = "/api/v1/namespaces/default/configmaps/first";
    scenario.delete(path);
    scenario.settle();
    assert_eq!(scenario.must_get(path).str_at(&["data", "a"]), Some("b"));
    scenario.patch(path, r#"{"data":{"a":"drifted","other":"stays"}}"#);
    scenario.settle();
    let healed = scenario.must_get(path);
    assert_eq!(healed.at(&["data"]).unwrap().to_string(), r#"{"a":"b","other":"stays"}"#);
    scenario.patch(path, r#"{"metadata":{"labels":{"kro.run/owned":null}}}"#);
    scenario.settle();
    assert_eq!(scenario.must_get(path).str_at(&["metadata", "labels", "kro.run/owned"]), Some("true"));
}

#[test]
fn prunes_what_is_removed_from_the_definition() {
    let mut scenario = two();
    let resources = yaml(TWO).at(&["spec", "resources"]).unwrap().as_list().unwrap()[..1].to_vec();
    scenario
        .patch(&format!("{RGDS}/two"), &format!(r#"{{"spec":{{"resources":{}}}}}"#, kro_value::Value::from(resources)));
    scenario.settle();
    assert!(scenario.get("/api/v1/namespaces/default/configmaps/first").is_some());
    assert!(scenario.get("/api/v1/namespaces/default/configmaps/second").is_none());
    ready(&mut scenario, &format!("{RGDS}/two"));
    let revisions = scenario.must_get("/apis/internal.kro.run/v1alpha1/graphrevisions");
    assert_eq!(revisions.at(&["items"]).unwrap().as_list().unwrap().len(), 2);
}

#[test]
fn is_deleted_in_reverse_order_with_its_definition() {
    let mut scenario = two();
    let before = scenario.request_count();
    scenario.delete(&format!("{RGDS}/two"));
    scenario.wait("the definition is gone", |sim| {
        sim.request(kro_apiserver::Method::Get, &format!("{RGDS}/two"), None).status == 404
    });
    let deletes: Vec<&str> = scenario
        .requests_since(before)
        .iter()
        .filter(|request| request.method == "DELETE")
        .map(|request| request.target.as_str())
        .collect();
    let children = "/api/v1/namespaces/default/configmaps";
    assert_eq!(deletes, [format!("{children}/second"), format!("{children}/first")]);
    scenario.sim.advance(60_000).unwrap();
    assert_eq!(
        scenario.must_get("/apis/internal.kro.run/v1alpha1/graphrevisions").at(&["items"]).unwrap().to_string(),
        "[]"
    );
}

#[test]
fn a_restart_reads_lists_and_nothing_else() {
    let mut scenario = two();
    let before = scenario.request_count();
    scenario.sim.start_manager();
    scenario.sim.advance(60_000).unwrap();
    assert_eq!(scenario.requests_since(before), []);
    assert!(scenario.sim.view().is_ready(), "{:#?}", scenario.sim.view());
}
