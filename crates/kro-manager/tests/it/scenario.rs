//! A simulation with kro's CRDs installed, and short ways to ask it things.

use kro_apiserver::{ApiServer, Method};
use kro_manager::{Config, Timestamp, custom_resource_definitions};
use kro_sim::{RequestRecord, Simulation};
use kro_value::Value;

pub const START_MS: i64 = 1_764_000_000_000;

pub struct Scenario {
    pub sim: Simulation,
}

impl Scenario {
    pub fn new() -> Self {
        Self::with(Config { seed: 1, version: "v1.0.0".into(), ..Config::default() })
    }

    pub fn with(config: Config) -> Self {
        let now = Timestamp::from_ms(START_MS);
        let server_time = format!("{now}").parse().unwrap();
        let server = ApiServer::new(kro_apiserver::Config::default(), server_time);
        let mut sim = Simulation::new(server, config, now);
        for crd in custom_resource_definitions() {
            let answer = sim.request(
                Method::Post,
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                Some(("application/json", &crd)),
            );
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        sim.settle().unwrap();
        let mut scenario = Self { sim };
        scenario.sim.start_manager();
        scenario.settle();
        scenario
    }

    pub fn settle(&mut self) {
        self.sim.settle().unwrap();
    }

    /// Lets time pass until it is true; fails with the live view otherwise.
    pub fn wait(&mut self, what: &str, done: impl FnMut(&mut Simulation) -> bool) {
        let reached = self.sim.run_until(120_000, done);
        if reached.is_err() {
            let requests = &self.sim.trace().requests;
            let last: Vec<String> = requests
                .iter()
                .take(30)
                .map(|request| format!("{} {} {}", request.method, request.target, request.status))
                .collect();
            panic!("{reached:?}\n{last:#?}\n{:#?}", self.sim.trace().logs.iter().rev().take(5).collect::<Vec<_>>());
        }
        if !reached.unwrap() {
            panic!("never: {what}\n{:#?}\n{:#?}", self.sim.view(), self.sim.trace().logs);
        }
    }

    pub fn get(&mut self, path: &str) -> Option<Value> {
        let answer = self.sim.request(Method::Get, path, None);
        (answer.status == 200).then_some(answer.body)
    }

    pub fn must_get(&mut self, path: &str) -> Value {
        self.get(path).unwrap_or_else(|| panic!("no {path}\n{:#?}", self.sim.trace().logs))
    }

    pub fn create(&mut self, collection: &str, object: &Value) -> Value {
        let answer = self.sim.request(Method::Post, collection, Some(("application/json", object)));
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body
    }

    pub fn patch(&mut self, path: &str, json: &str) -> Value {
        let body = kro_value::from_json(json).unwrap();
        let answer = self.sim.request(Method::Patch, path, Some(("application/merge-patch+json", &body)));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub fn delete(&mut self, path: &str) {
        let answer = self.sim.request(Method::Delete, path, None);
        assert!(answer.status < 300, "{}", answer.body);
    }

    /// Requests of the manager since a position in the trace.
    pub fn requests_since(&self, position: usize) -> &[RequestRecord] {
        &self.sim.trace().requests[position..]
    }

    pub fn request_count(&self) -> usize {
        self.sim.trace().requests.len()
    }
}

/// A document of YAML.
pub fn yaml(text: &str) -> Value {
    let parsed = kro_yaml::parse(text, kro_diagnostics::FileId(0));
    assert!(!parsed.diagnostics.has_errors(), "{:?}", parsed.diagnostics);
    parsed.documents[0].root.to_value()
}

/// The status of a condition.
pub fn condition<'a>(object: &'a Value, kind: &str) -> (&'a str, &'a str, &'a str) {
    let list = object.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let found = list.iter().find(|entry| entry.str_at(&["type"]) == Some(kind));
    let text = |key: &str| found.and_then(|entry| entry.str_at(&[key])).unwrap_or_default();
    (text("status"), text("reason"), text("message"))
}
