//! A real kube-apiserver answers a script.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use kro_value::{Value, from_json, from_json_bytes};
use tokio::time::{sleep, timeout};

use super::answer::{Normalizer, Raw};
use super::script::{Action, Script, Sent, Session};
use crate::client::Client;
use crate::control_plane::ControlPlane;

/// How long an event may take.
const EVENT_MAX: Duration = Duration::from_secs(3);

/// Creates a definition and waits until its objects can be made.
pub async fn define(control_plane: &ControlPlane, definition: &str) {
    let mut real = Real::connect(control_plane).await;
    let target = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let sent = simple("POST", target, Some(definition.to_owned()));
    let raw = real.send(&sent, "").await;
    real.settle(&sent, &raw).await;
}

/// The answers to all steps of a script; a watch waits for as many events as `expected` has.
pub async fn run(control_plane: &ControlPlane, script: &Script, expected: &[Value]) -> Vec<Value> {
    let mut session = Session::new(script);
    let mut real = Real::connect(control_plane).await;
    let namespace = format!(r#"{{"metadata":{{"name":"{}"}}}}"#, session.namespace());
    real.send(&simple("POST", "/api/v1/namespaces", Some(namespace)), "").await;
    let mut normalizer = Normalizer::new(&script.token);
    let mut answers: Vec<Value> = Vec::new();
    for step in session.steps() {
        match session.action(step) {
            Action::Settle(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
            Action::Events { name, ended } => {
                let expected = expected.get(answers.len()).and_then(|answer| answer.get("events")?.as_list());
                let events = real.events(&name, expected.map_or(0, <[Value]>::len), ended).await;
                answers.push(normalizer.events(&events));
            }
            Action::Send(sent) => {
                let raw = real.send(&sent, step.str_at(&["watch"]).unwrap_or("watch")).await;
                real.settle(&sent, &raw).await;
                session.learn(step, &raw.value());
                answers.push(normalizer.answer(step, &raw));
            }
        }
    }
    answers
}

fn simple(method: &str, target: &str, body: Option<String>) -> Sent {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    Sent { method: method.to_owned(), target: target.to_owned(), body, headers }
}

/// A watch with what came of it so far.
struct Watch {
    body: Incoming,
    buffer: Vec<u8>,
    ended: bool,
}

struct Real<'a> {
    control_plane: &'a ControlPlane,
    client: Client,
    watches: BTreeMap<String, Watch>,
}

impl<'a> Real<'a> {
    async fn connect(control_plane: &'a ControlPlane) -> Self {
        Self { control_plane, client: control_plane.endpoint().connect().await, watches: BTreeMap::new() }
    }

    async fn send(&mut self, sent: &Sent, watch: &str) -> Raw {
        let mut builder = Request::builder().method(sent.method.as_str()).uri(&sent.target);
        builder = builder
            .header("Host", "localhost")
            .header("Authorization", format!("Bearer {}", self.control_plane.endpoint().token));
        for (name, value) in &sent.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(Bytes::from(sent.body.clone().unwrap_or_default()))).unwrap();
        let is_watch = sent.method == "GET" && sent.target.contains("watch=");
        // A watch keeps its connection.
        let mut own = if is_watch { Some(self.control_plane.endpoint().connect().await) } else { None };
        let response = own.as_mut().unwrap_or(&mut self.client).send(request).await;
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let mut raw = Raw {
            status: response.status().as_u16(),
            content_type: header("Content-Type").unwrap_or_default(),
            warnings: response
                .headers()
                .get_all("Warning")
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect(),
            body: Vec::new(),
            watch: is_watch && response.status().as_u16() == 200 && header("Content-Length").is_none(),
        };
        let body = response.into_body();
        if raw.watch {
            self.watches.insert(watch.to_owned(), Watch { body, buffer: Vec::new(), ended: false });
            std::mem::forget(own); // the connection lives as long as the test
        } else {
            raw.body = body.collect().await.unwrap().to_bytes().to_vec();
        }
        raw
    }

    async fn events(&mut self, name: &str, wanted: usize, ended: bool) -> Vec<Value> {
        let Some(watch) = self.watches.get_mut(name) else { return Vec::new() };
        let mut events = Vec::new();
        loop {
            while let Some(end) = watch.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = watch.buffer.drain(..=end).collect();
                events.push(from_json_bytes(&line).unwrap());
            }
            let patience = if events.len() < wanted || ended { EVENT_MAX } else { Duration::from_millis(200) };
            if watch.ended {
                return events;
            }
            match timeout(patience, watch.body.frame()).await {
                Ok(Some(Ok(frame))) => watch.buffer.extend(frame.into_data().unwrap_or_default()),
                Ok(_) => watch.ended = true,
                Err(_) => return events,
            }
        }
    }

    /// What the embedded API does at once takes a real server some time.
    async fn settle(&mut self, sent: &Sent, raw: &Raw) {
        if sent.method == "GET" || raw.status >= 300 {
            return;
        }
        if sent.target.contains("/customresourcedefinitions") {
            match sent.method.as_str() {
                "POST" if !sent.target.contains("dryRun") => self.until_served(&raw.value()).await,
                _ => sleep(Duration::from_millis(800)).await,
            }
        } else if sent.target.contains("rbac.authorization.k8s.io") || sent.target.ends_with("/namespaces") {
            sleep(Duration::from_millis(400)).await;
        }
    }

    async fn until_served(&mut self, definition: &Value) {
        let name = definition.str_at(&["metadata", "name"]).unwrap();
        let target = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        for _ in 0..60 {
            let answer = self.send(&simple("GET", &target, None), "").await;
            let text = String::from_utf8(answer.body).unwrap();
            if text.contains(r#""reason":"NotAccepted""#) || is_true(&text, "Established") {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        let group = definition.str_at(&["spec", "group"]).unwrap();
        for _ in 0..60 {
            if self.send(&simple("GET", &format!("/apis/{group}"), None), "").await.status == 200 {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        // The handlers of a new kind come up a little later.
        let version = definition.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default();
        let version = version.first().and_then(|version| version.str_at(&["name"])).unwrap_or_default();
        let plural = definition.str_at(&["spec", "names", "plural"]).unwrap();
        for _ in 0..20 {
            if self.send(&simple("GET", &format!("/apis/{group}/{version}/{plural}"), None), "").await.status == 200 {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn is_true(definition: &str, condition: &str) -> bool {
    let definition = from_json(definition).unwrap();
    let conditions = definition.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default().to_vec();
    conditions
        .iter()
        .any(|found| found.str_at(&["type"]) == Some(condition) && found.str_at(&["status"]) == Some("True"))
}
