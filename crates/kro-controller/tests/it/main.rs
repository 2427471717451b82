//! The driver on the embedded API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test code
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // an edge

mod aggregated;
mod busy;
mod election;
mod endpoints;
mod shutdown;

use kro_apiserver::{ApiServer, Bytes, Config, Method, Request, Timestamp, User};
use kro_controller::{Client, RequestRecord, Settings, install};
use kro_serve::{Clock, Server};
use kro_value::{Value, from_json_bytes, to_json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// An embedded API whose time is that of tokio.
struct World {
    server: Server,
}

impl World {
    /// With kro's own kinds.
    async fn start() -> Self {
        let now = Timestamp::from_second(1_767_225_600).unwrap();
        let server = Server::new(ApiServer::new(Config::default(), now), Clock::runtime(now));
        let world = Self { server };
        install(&world.client(), &kro_manager::custom_resource_definitions()).await.unwrap();
        world
    }

    fn client(&self) -> Client {
        Client::new(self.server.in_process(User::admin()), "default")
    }

    fn request(&self, method: Method, target: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = Request::new(method, target);
        if let Some(body) = body {
            request = request.with_body("application/json", Bytes::from(to_json(body)));
        }
        let response = self.server.handle(&request);
        (response.status, from_json_bytes(response.bytes()).unwrap_or_default())
    }

    fn create(&self, target: &str, yaml: &str) {
        let parsed = kro_value::from_json(yaml).unwrap();
        let (status, answer) = self.request(Method::Post, target, Some(&parsed));
        assert_eq!(status, 201, "{answer}");
    }

    /// A definition and an instance of it.
    fn create_graph(&self) {
        self.create("/apis/kro.run/v1alpha1/resourcegraphdefinitions", DEFINITION);
    }

    fn create_instance(&self) {
        self.create("/apis/kro.run/v1alpha1/namespaces/default/notes", INSTANCE);
    }

    fn is_there(&self, target: &str) -> bool {
        self.request(Method::Get, target, None).0 == 200
    }
}

const DEFINITION: &str = r#"{
    "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "notes"},
    "spec": {
        "schema": {"apiVersion": "v1alpha1", "kind": "Note", "spec": {"text": "string"}},
        "resources": [{"id": "config", "template": {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${schema.metadata.name}"},
            "data": {"text": "${schema.spec.text}"}}}]}}"#;
const INSTANCE: &str = r#"{
    "apiVersion": "kro.run/v1alpha1", "kind": "Note", "metadata": {"name": "one"}, "spec": {"text": "hello"}}"#;
const CONFIG_MAP: &str = "/api/v1/namespaces/default/configmaps/one";
const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/notes.kro.run";

/// Waits until something holds; tokio's clock is paused, so waiting takes no time.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

/// Settings that report every request.
fn watched(settings: Settings) -> (Settings, UnboundedReceiver<RequestRecord>) {
    let (requests, records) = unbounded_channel();
    (Settings { requests: Some(requests), ..settings }, records)
}
