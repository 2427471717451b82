//! The embedded API answers a script.

use std::collections::BTreeMap;

use kro_apiserver::{ApiServer, Authorization, Config, Method, Profile, Request, Timestamp, User, WatchId};
use kro_value::{Value, from_json_bytes, to_json};

use super::answer::{Normalizer, Raw};
use super::script::{Action, Script, Sent, Session};

struct Embedded {
    server: ApiServer,
    now: Timestamp,
    watches: BTreeMap<String, WatchId>,
}

/// The answers to all steps of a script.
pub fn run(script: &Script) -> Vec<Value> {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let config = Config {
        profile: Profile::Bare,
        authorization: Authorization::Rbac,
        resource_version: 500_000,
        ..Config::default()
    };
    let mut embedded = Embedded { server: ApiServer::new(config, now), now, watches: BTreeMap::new() };
    let mut session = Session::new(script);
    embedded.create_namespace(&session.namespace());
    script.setup.iter().for_each(|definition| embedded.define(definition));
    let mut normalizer = Normalizer::new(&script.token);
    let mut answers = Vec::new();
    for step in session.steps() {
        match session.action(step) {
            Action::Settle(_) => {}
            Action::Events { name, .. } => answers.push(normalizer.events(&embedded.events(&name))),
            Action::Send(sent) => {
                let raw = embedded.send(&sent, step.str_at(&["watch"]).unwrap_or("watch"));
                session.learn(step, &raw.value());
                answers.push(normalizer.answer(step, &raw));
            }
        }
    }
    answers
}

impl Embedded {
    fn create_namespace(&mut self, name: &str) {
        let body = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
        let request = Request::new(Method::Post, "/api/v1/namespaces").with_body("application/json", body);
        assert_eq!(self.server.handle(&request, self.now).status, 201);
    }

    fn define(&mut self, definition: &Value) {
        let request = Request::new(Method::Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
        let request = request.with_body("application/json", to_json(definition));
        assert_eq!(self.server.handle(&request, self.now).status, 201);
        self.server.tick(self.now);
    }

    fn send(&mut self, sent: &Sent, watch: &str) -> Raw {
        let mut request = Request::new(Method::parse(&sent.method).unwrap(), &sent.target).by(User::admin());
        if let Some(body) = &sent.body {
            let content_type = sent.headers.iter().find(|(name, _)| name == "Content-Type").unwrap();
            request = request.with_body(&content_type.1, body.clone());
        }
        for (name, value) in sent.headers.iter().filter(|(name, _)| name != "Content-Type") {
            request = request.with_header(name, value);
        }
        let response = self.server.handle(&request, self.now);
        self.server.tick(self.now);
        if let Some(id) = response.watch() {
            self.watches.insert(watch.to_owned(), id);
        }
        Raw {
            status: response.status,
            content_type: response.headers.get("Content-Type").unwrap_or_default().to_owned(),
            warnings: response.headers.all("Warning").map(ToOwned::to_owned).collect(),
            body: response.bytes().to_vec(),
            watch: response.watch().is_some(),
        }
    }

    fn events(&mut self, name: &str) -> Vec<Value> {
        // A watch that was refused shows nothing.
        let Some(id) = self.watches.get(name).copied() else { return Vec::new() };
        let poll = self.server.next_events(id, self.now);
        poll.chunks.iter().map(|chunk| from_json_bytes(chunk).unwrap()).collect()
    }
}
