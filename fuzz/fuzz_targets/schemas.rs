//! Any schema in a CustomResourceDefinition, and any object of it: checks, pruning, defaults, validation, rules.
#![no_main]

use kro_apiserver::{ApiServer, Config, Method, Request, Response, Timestamp};
use kro_value::{Value, from_json, to_json};
use libfuzzer_sys::fuzz_target;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const THINGS: &str = "/apis/example.com/v1/namespaces/default/things";
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn send(server: &mut ApiServer, method: Method, target: &str, content_type: &str, body: &Value) -> Response {
    server.handle(&Request::new(method, target).with_body(content_type, to_json(body)), NOW)
}

fn crd(schema: Value) -> Value {
    let text = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
        "spec":{"group":"example.com","scope":"Namespaced","names":{"kind":"Thing","plural":"things"},
        "versions":[{"name":"v1","served":true,"storage":true,"schema":{}}]}}"#;
    let mut crd = from_json(text).expect("sound");
    let mut version = crd.at(&["spec", "versions"]).and_then(Value::as_list).expect("a list")[0].clone();
    version.set_at(&["schema", "openAPIV3Schema"], schema);
    crd.set_at(&["spec", "versions"], Value::list([version]));
    crd
}

// A line each: the schema, an object, a patch.
fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let mut next = || from_json(lines.next().unwrap_or_default());
    let (Ok(schema), Ok(mut object)) = (next(), next()) else { return };
    let patch = next();
    let mut server = ApiServer::new(Config::default(), NOW);
    if send(&mut server, Method::Post, CRDS, "application/json", &crd(schema)).status != 201 || object.as_map().is_none() {
        return;
    }
    while server.tick(NOW) {}
    object.set_at(&["apiVersion"], Value::from("example.com/v1"));
    object.set_at(&["kind"], Value::from("Thing"));
    object.set_at(&["metadata"], Value::map([("name", Value::from("a"))]));
    let made = send(&mut server, Method::Post, THINGS, "application/json", &object);
    let path = format!("{THINGS}/a");
    if made.status == 201 {
        let read = server.handle(&Request::new(Method::Get, &path), NOW);
        assert_eq!(read.bytes(), made.bytes(), "what is stored is what was answered");
    }
    if let Ok(patch) = patch {
        send(&mut server, Method::Patch, &path, "application/merge-patch+json", &patch);
    }
    object.set_at(&["extra"], Value::from("x"));
    send(&mut server, Method::Patch, &format!("{path}?fieldManager=m&force=true"), "application/apply-patch+yaml", &object);
    server.handle(&Request::new(Method::Get, "/openapi/v3/apis/example.com/v1"), NOW);
});
