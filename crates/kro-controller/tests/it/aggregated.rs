//! Kinds of an aggregated API server: a layer around the embedded API plays it.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use kro_apiserver::{Method, User};
use kro_controller::{Client, Controller, Settings};
use kro_serve::ApiService;
use kube_client::client::Body;
use tower_service::Service;

use crate::{World, until};

const RESOURCES: &str = r#"{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "weather.example.org/v1",
    "resources": [{"name": "forecasts", "singularName": "forecast", "namespaced": true, "kind": "Forecast",
        "verbs": ["get", "list", "watch", "create", "patch", "delete"]}]}"#;
const DOCUMENT: &str = r#"{"openapi": "3.0.0", "components": {"schemas": {"org.example.weather.v1.Forecast": {
    "type": "object",
    "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer"}}}},
    "x-kubernetes-group-version-kind": [{"group": "weather.example.org", "version": "v1", "kind": "Forecast"}]}}}}"#;
const INDEX: &str = r#"{"paths": {"apis/weather.example.org/v1": {
    "serverRelativeURL": "/openapi/v3/apis/weather.example.org/v1?hash=HASH"}}}"#;
const SERVICE: &str = r#"{"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
    "metadata": {"name": "v1.weather.example.org"},
    "spec": {"group": "weather.example.org", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
        "service": {"name": "weather", "namespace": "default"}}}"#;
const SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
const DEFINITION: &str = r#"{
    "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "trips"},
    "spec": {
        "schema": {"apiVersion": "v1alpha1", "kind": "Trip", "spec": {"place": "string", "days": "integer"}},
        "resources": [{"id": "forecast", "template": {
            "apiVersion": "weather.example.org/v1", "kind": "Forecast", "metadata": {"name": "${schema.metadata.name}"},
            "spec": {"place": "${schema.spec.place}", "DAYS": "${schema.spec.days}"}}}]}}"#;

type AnyError = Box<dyn std::error::Error + Send + Sync>;
/// A body of whatever service.
pub type AnyBody = UnsyncBoxBody<Bytes, AnyError>;

/// Answers what an aggregated API server would, and leaves the rest to the embedded API.
#[derive(Clone)]
struct Aggregator {
    inner: ApiService,
    asked: Arc<Mutex<Vec<String>>>,
    /// That of the document.
    hash: Arc<Mutex<&'static str>>,
}

impl Service<Request<Body>> for Aggregator {
    type Response = Response<AnyBody>;
    type Error = <ApiService as Service<Request<Body>>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<Body>>::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let text = match path.as_str() {
            "/apis/weather.example.org/v1" => RESOURCES.to_owned(),
            "/openapi/v3" => INDEX.replace("HASH", *self.hash.lock().unwrap()),
            "/openapi/v3/apis/weather.example.org/v1" => DOCUMENT.to_owned(),
            _ => {
                let answer = self.inner.call(request);
                return Box::pin(async move { Ok(answer.await?.map(|body| body.map_err(Into::into).boxed_unsync())) });
            }
        };
        self.asked.lock().unwrap().push(request.uri().to_string());
        Box::pin(async move { Ok(Response::new(Full::from(text).map_err(Into::into).boxed_unsync())) })
    }
}

fn condition(world: &World, kind: &str) -> (String, String) {
    let (_, definition) = world.request(Method::Get, "/apis/kro.run/v1alpha1/resourcegraphdefinitions/trips", None);
    let conditions = definition.at(&["status", "conditions"]).and_then(|list| list.as_list()).unwrap_or_default();
    let found = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some(kind));
    let text = |key: &str| found.and_then(|found| found.str_at(&[key])).unwrap_or_default().to_owned();
    (text("status"), text("message"))
}

#[tokio::test(start_paused = true)]
async fn their_schemas_are_asked_for_when_a_definition_needs_them() {
    let world = World::start().await;
    let (asked, hash) = (Arc::default(), Arc::new(Mutex::new("A1")));
    let inner = world.server.in_process(User::admin());
    let service = Aggregator { inner, asked: Arc::clone(&asked), hash: Arc::clone(&hash) };
    let _controller = Controller::start(Client::new(service, "default"), Settings::default());
    world.create("/apis/kro.run/v1alpha1/resourcegraphdefinitions", DEFINITION);
    until("the kind is missed", || condition(&world, "GraphAccepted").1.contains("schema not found")).await;
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new(), "nobody serves this group: there is nothing to ask");
    // The server is registered: the definition is checked against its schema.
    world.create(SERVICES, SERVICE);
    until("its schema is used", || condition(&world, "GraphAccepted").1.contains("DAYS")).await;
    let document = |hash: &str| format!("/openapi/v3/apis/weather.example.org/v1?hash={hash}");
    let mut expected = ["/openapi/v3", "/apis/weather.example.org/v1", &document("A1")].map(str::to_owned).to_vec();
    assert_eq!(*asked.lock().unwrap(), expected);
    let mut fixed = kro_value::from_json(&DEFINITION.replace("DAYS", "days")).unwrap();
    let path = "/apis/kro.run/v1alpha1/resourcegraphdefinitions/trips";
    let (_, stored) = world.request(Method::Get, path, None);
    fixed.set_at(&["metadata"], stored.get("metadata").cloned().unwrap());
    assert_eq!(world.request(Method::Put, path, Some(&fixed)).0, 200);
    until("it is accepted", || condition(&world, "GraphAccepted").0 == "True").await;
    until("its kind is served", || {
        world.is_there("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trips.kro.run")
    })
    .await;
    assert_eq!(*asked.lock().unwrap(), expected, "what is known is not asked for again");
    // Another server takes over the group: it may serve something else. The hash tells.
    for (server, new_hash) in [("storm", "A1"), ("tempest", "B2")] {
        *hash.lock().unwrap() = new_hash;
        let target = format!("{SERVICES}/v1.weather.example.org");
        let (_, mut service) = world.request(Method::Get, &target, None);
        service.set_at(&["spec", "service", "name"], server.into());
        assert_eq!(world.request(Method::Put, &target, Some(&service)).0, 200);
        expected.push("/openapi/v3".to_owned());
        if new_hash == "B2" {
            expected.extend(["/apis/weather.example.org/v1".to_owned(), document("B2")]);
        }
        until("it is asked again", || asked.lock().unwrap().len() == expected.len()).await;
        assert_eq!(*asked.lock().unwrap(), expected);
        assert_eq!(condition(&world, "GraphAccepted").0, "True");
    }
}
