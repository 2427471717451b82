//! What stands in the way of an instance is said in its conditions, with what a person can do about it.

use kro_apiserver::Method;
use kro_value::Value;

use crate::scenario::{Scenario, condition, yaml};

const RGDS: &str = "/apis/kro.run/v1alpha1/resourcegraphdefinitions";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const BOXES: &str = "/apis/kro.run/v1alpha1/namespaces/default/boxes";

/// A definition `name` of kind `kind` with one ConfigMap.
fn definition(name: &str, kind: &str, annotations: &str) -> Value {
    yaml(&format!(
        r#"
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {{name: {name}}}
spec:
  schema:
    apiVersion: v1alpha1
    kind: {kind}
    spec: {{text: string, target: string}}
  resources:
    - id: map
      template:
        apiVersion: v1
        kind: ConfigMap
        metadata: {{name: "${{schema.spec.target}}", annotations: {annotations}}}
        immutable: true
        data: {{text: "${{schema.spec.text}}"}}
"#
    ))
}

fn serve(scenario: &mut Scenario, definition: &Value) {
    scenario.create(RGDS, definition);
    let name = definition.str_at(&["metadata", "name"]).unwrap().to_owned();
    scenario.wait("the definition is ready", move |sim| {
        let answer = sim.request(Method::Get, &format!("{RGDS}/{name}"), None);
        condition(&answer.body, "Ready").0 == "True"
    });
}

fn instance(kind: &str, name: &str, target: &str) -> Value {
    yaml(&format!(
        "{{apiVersion: kro.run/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {{text: one, target: {target}}}}}"
    ))
}

/// Waits until `Ready` has a status, and gives its message.
fn await_ready(scenario: &mut Scenario, path: &str, status: &str, words: &str) -> String {
    let (path, words) = (path.to_owned(), words.to_owned());
    let found = |object: &Value| {
        let (found, _, message) = condition(object, "Ready");
        (found == status && message.contains(&words)).then(|| message.to_owned())
    };
    scenario.wait(&format!("{path} is {status}: {words}"), |sim| {
        found(&sim.request(Method::Get, &path, None).body).is_some()
    });
    found(&scenario.must_get(&path)).unwrap()
}

fn boxed(annotations: &str) -> Scenario {
    let mut scenario = Scenario::new();
    serve(&mut scenario, &definition("box", "Box", annotations));
    scenario.create(BOXES, &instance("Box", "b", "b"));
    await_ready(&mut scenario, &format!("{BOXES}/b"), "True", "");
    scenario
}

#[test]
fn a_field_that_cannot_change_is_named_and_nothing_is_deleted() {
    let mut scenario = boxed("{}");
    let uid = scenario.must_get(&format!("{CONFIG_MAPS}/b")).at(&["metadata", "uid"]).cloned();
    scenario.patch(&format!("{BOXES}/b"), r#"{"spec":{"text":"two"}}"#);
    let message = await_ready(&mut scenario, &format!("{BOXES}/b"), "False", "immutable");
    for words in ["field data of ConfigMap default/b cannot be changed", "kro.run/replace-immutable", "next retry 20"] {
        assert!(message.contains(words), "{message}");
    }
    scenario.sim.advance(60_000).unwrap();
    assert_eq!(scenario.must_get(&format!("{CONFIG_MAPS}/b")).at(&["metadata", "uid"]).cloned(), uid);
}

#[test]
fn an_object_is_replaced_where_its_template_says_so() {
    let mut scenario = boxed(r#"{kro.run/replace-immutable: "true"}"#);
    scenario.patch(&format!("{BOXES}/b"), r#"{"spec":{"text":"two"}}"#);
    scenario.wait("replaced", |sim| {
        let map = sim.request(Method::Get, &format!("{CONFIG_MAPS}/b"), None).body;
        map.str_at(&["data", "text"]) == Some("two")
    });
    await_ready(&mut scenario, &format!("{BOXES}/b"), "True", "");
    let events: Vec<&str> = scenario.sim.trace().events.iter().map(|event| event.message.as_str()).collect();
    let expected = "ConfigMap default/b is deleted and created again, because its field data cannot be changed";
    assert_eq!(events, [expected]);
}

#[test]
fn an_object_of_somebody_else_is_not_taken_and_its_owner_is_named() {
    let mut scenario = boxed("{}");
    serve(&mut scenario, &definition("crate", "Crate", "{}"));
    let crates = "/apis/kro.run/v1alpha1/namespaces/default/crates";
    scenario.create(crates, &instance("Crate", "c", "b"));
    let message = await_ready(&mut scenario, &format!("{crates}/c"), "False", "belongs to");
    let expected = r#"(owner: Box "default/b", by metadata.labels["applyset.kubernetes.io/part-of"])"#;
    assert!(message.contains(expected), "{message}");
    let map = scenario.must_get(&format!("{CONFIG_MAPS}/b"));
    assert_eq!(map.str_at(&["metadata", "labels", "kro.run/instance-name"]), Some("b"));
    // It gets the object as soon as the owner lets go of it, without a timer.
    scenario.delete(&format!("{BOXES}/b"));
    await_ready(&mut scenario, &format!("{crates}/c"), "True", "");
}

#[test]
fn a_rival_controller_is_named_and_slows_kro_down() {
    let mut scenario = Scenario::new();
    let mut mutable = definition("box", "Box", "{}");
    let resources = mutable.at(&["spec", "resources"]).unwrap().as_list().unwrap().to_vec();
    let mut map = resources[0].clone();
    map.remove_at(&["template", "immutable"]);
    mutable.set_at(&["spec", "resources"], Value::list([map]));
    serve(&mut scenario, &mutable);
    scenario.create(BOXES, &instance("Box", "b", "b"));
    await_ready(&mut scenario, &format!("{BOXES}/b"), "True", "");
    let before = scenario.request_count();
    let rival = yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {text: rival}}");
    let target = format!("{CONFIG_MAPS}/b?fieldManager=rival&force=true");
    for _ in 0..50 {
        let answer = scenario.sim.request(Method::Patch, &target, Some(("application/apply-patch+yaml", &rival)));
        assert_eq!(answer.status, 200, "{}", answer.body);
        scenario.settle();
    }
    let message = await_ready(&mut scenario, &format!("{BOXES}/b"), "False", "as fast as kro restores it");
    assert!(message.contains(r#"field manager "rival""#) && message.contains("(fields: data.text)"), "{message}");
    let applies = scenario.requests_since(before).iter().filter(|request| request.method == "APPLY").count();
    assert!(applies <= 31, "{applies}");
    // Once the rival is gone kro restores the object by itself.
    await_ready(&mut scenario, &format!("{BOXES}/b"), "True", "");
    assert_eq!(scenario.must_get(&format!("{CONFIG_MAPS}/b")).str_at(&["data", "text"]), Some("one"));
}

#[test]
fn a_deletion_that_is_held_up_names_object_finalizer_and_owner() {
    let mut scenario = boxed("{}");
    let held = r#"{"metadata":{"finalizers":["backup.example.com/done"]}}"#;
    let body = kro_value::from_json(held).unwrap();
    let target = format!("{CONFIG_MAPS}/b?fieldManager=backup-operator");
    let answer = scenario.sim.request(Method::Patch, &target, Some(("application/merge-patch+json", &body)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    scenario.settle();
    scenario.delete(&format!("{BOXES}/b"));
    let message = await_ready(&mut scenario, &format!("{BOXES}/b"), "Unknown", "backup.example.com/done");
    let expected = r#"ConfigMap "default/b" is held by finalizer "backup.example.com/done", set by backup-operator"#;
    assert!(message.contains(expected), "{message}");
    let events: Vec<&str> = scenario.sim.trace().events.iter().map(|event| event.message.as_str()).collect();
    assert!(events.iter().any(|event| event.contains(expected)), "{events:?}");
    let before = scenario.request_count();
    scenario.sim.advance(600_000).unwrap();
    assert_eq!(scenario.requests_since(before), [], "waits without asking");
    scenario.patch(&format!("{CONFIG_MAPS}/b"), r#"{"metadata":{"finalizers":null}}"#);
    scenario.wait("gone", |sim| sim.request(Method::Get, &format!("{BOXES}/b"), None).status == 404);
}
