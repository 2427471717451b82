//! Bodies, patches and schemas that nobody sane would send to the embedded API.
#![no_main]

use kro_apiserver::{ApiServer, Config, Method, Request, Timestamp};
use libfuzzer_sys::fuzz_target;

const TYPES: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

const TARGETS: &[(Method, &str)] = &[
    (Method::Post, "/api/v1/namespaces/default/pods"),
    (Method::Post, "/apis/apps/v1/namespaces/default/deployments"),
    (Method::Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    (Method::Patch, "/apis/apps/v1/namespaces/default/deployments/a?fieldManager=m"),
    (Method::Put, "/api/v1/namespaces/default/services/a"),
    (Method::Delete, "/api/v1/namespaces/default"),
];

fuzz_target!(|data: &[u8]| {
    let [kind, target, body @ ..] = data else { return };
    let now = Timestamp::UNIX_EPOCH;
    let mut server = ApiServer::new(Config::default(), now);
    let minimal = r#"{"metadata":{"name":"a"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#;
    let create = Request::new(Method::Post, "/apis/apps/v1/namespaces/default/deployments");
    server.handle(&create.with_body("application/json", minimal), now);
    let (method, path) = TARGETS[usize::from(*target) % TARGETS.len()];
    let kind = TYPES[usize::from(*kind) % TYPES.len()];
    server.handle(&Request::new(method, path).with_body(kind, body.to_vec()), now);
});
