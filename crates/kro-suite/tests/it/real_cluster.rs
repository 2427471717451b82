//! A real API server as the suite sees it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Request;
use http_body_util::BodyExt;
use kro_controller::{Client, Controller, RequestRecord, Settings};
use kro_suite::{Answer, Cluster, Record, Simulated};
use kro_value::{Value, from_json_bytes, to_json};
use kube_client::client::Body;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How often something is looked at that is waited for.
const INTERVAL: Duration = Duration::from_millis(50);

/// A controller that runs, and the requests it sent so far.
pub struct Process {
    runtime: Arc<Runtime>,
    client: Client,
    state: Mutex<State>,
}

struct State {
    controller: Option<Controller>,
    settings: Settings,
    incoming: UnboundedReceiver<RequestRecord>,
    records: Vec<Record>,
}

impl Process {
    /// Starts a controller.
    pub fn new(runtime: Arc<Runtime>, client: Client) -> Self {
        let process = Self::idle(runtime, client);
        process.restart();
        process
    }

    /// Nothing runs yet.
    fn idle(runtime: Arc<Runtime>, client: Client) -> Self {
        let (requests, incoming) = unbounded_channel();
        let settings = Settings { requests: Some(requests), ..Settings::default() };
        let state = Mutex::new(State { controller: None, settings, incoming, records: Vec::new() });
        Self { runtime, client, state }
    }

    fn restart(&self) {
        let mut state = self.state.lock().unwrap();
        state.controller = None;
        let _inside = self.runtime.enter();
        state.controller = Some(Controller::start(self.client.clone(), state.settings.clone()));
    }

    fn records(&self) -> Vec<Record> {
        let mut state = self.state.lock().unwrap();
        while let Ok(request) = state.incoming.try_recv() {
            state.records.push(Record { method: request.method, target: request.target, status: request.status });
        }
        state.records.clone()
    }
}

/// One scenario's share of a real API server.
pub struct RealCluster {
    process: Arc<Process>,
    namespace: String,
    /// What marks requests as the scenario's besides its namespace; nothing when all are.
    names: Vec<String>,
    started: Instant,
    /// All requests are the scenario's, but for those about revisions that the garbage collector takes late.
    is_exclusive: bool,
}

impl RealCluster {
    pub fn new(process: Arc<Process>, namespace: &str, names: Vec<String>) -> Self {
        Self { process, namespace: namespace.to_owned(), names, started: Instant::now(), is_exclusive: false }
    }

    /// With a controller of its own.
    pub fn exclusive(self) -> Self {
        Self { is_exclusive: true, ..self }
    }

    /// Creates kro's own CRDs, and waits until they are served.
    pub fn install(runtime: Arc<Runtime>, client: Client) {
        let mut cluster = Self::new(Arc::new(Process::idle(runtime, client)), "default", Vec::new());
        let base = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        for crd in kro_manager::custom_resource_definitions() {
            let answer = cluster.request("POST", base, "application/json", Some(&crd));
            assert!(matches!(answer.status, 201 | 409), "{}", answer.body);
        }
        let paths =
            ["/apis/kro.run/v1alpha1/resourcegraphdefinitions", "/apis/internal.kro.run/v1alpha1/graphrevisions"];
        for path in paths {
            let is_served = |cluster: &mut dyn Cluster| cluster.request("GET", path, "", None).status == 200;
            assert_eq!(kro_suite::wait(&mut cluster, 30_000, is_served), Ok(true), "{path}");
        }
    }

    /// Creates the namespace of the scenario.
    pub fn create_namespace(&mut self) {
        let body = Value::map([("metadata", Value::map([("name", Value::from(self.namespace.as_str()))]))]);
        let answer = self.request("POST", "/api/v1/namespaces", "application/json", Some(&body));
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    fn is_own(&self, record: &Record) -> bool {
        let path = record.target.split('?').next().unwrap_or_default();
        // A plural is a little longer than its kind, and a revision has the name of its definition and a number.
        let is_name = |part: &str| {
            let word = part.split('.').next().unwrap_or_default();
            self.names.iter().any(|name| {
                word.strip_prefix(name.as_str()).is_some_and(|rest| rest.len() <= 3 || rest.starts_with("-r0"))
            })
        };
        if self.is_exclusive && !path.contains("/graphrevisions/") {
            return true;
        }
        self.names.is_empty() || path.split('/').any(|part| part == self.namespace || is_name(part))
    }
}

impl Cluster for RealCluster {
    fn request(&mut self, method: &str, target: &str, content_type: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(target).header("User-Agent", "user");
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(to_json(body).into_bytes()));
        let request = request.body(body).unwrap();
        let client = self.process.client.clone();
        self.process.runtime.block_on(async move {
            let response = client.send(request).await.expect("the API server answers");
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.expect("the API server answers").to_bytes();
            Answer { status, body: from_json_bytes(&bytes).unwrap_or_default() }
        })
    }

    fn namespace(&self) -> &str {
        &self.namespace
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap()
    }

    fn progress(&mut self, deadline_ms: i64) -> Result<bool, String> {
        if self.now_ms() >= deadline_ms {
            return Ok(false);
        }
        std::thread::sleep(INTERVAL);
        Ok(true)
    }

    fn stop_controller(&mut self) {
        self.process.state.lock().unwrap().controller = None;
    }

    fn restart_controller(&mut self) {
        self.process.restart();
    }

    fn configure(&mut self, config: kro_manager::Config) {
        self.process.state.lock().unwrap().settings.manager = config;
    }

    fn restart_controller_after(&mut self, requests: usize) -> Result<(), String> {
        let deadline = self.now_ms() + 60_000;
        while self.records().len() < requests {
            if self.now_ms() >= deadline {
                return Err(format!("the controller never sent {requests} requests"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.restart_controller();
        Ok(())
    }

    fn records(&mut self) -> Vec<Record> {
        let mut records = self.process.records();
        records.retain(|record| self.is_own(record));
        records
    }

    fn events(&mut self) -> Vec<Value> {
        let answer = self.request("GET", "/api/v1/events", "", None);
        let items = answer.body.get("items").and_then(Value::as_list).unwrap_or_default();
        let event = |event: &Value| {
            let text = |keys: &[&str]| event.at(keys).cloned().unwrap_or_default();
            Value::map([
                ("kind", text(&["involvedObject", "kind"])),
                ("name", text(&["involvedObject", "name"])),
                ("type", text(&["type"])),
                ("reason", text(&["reason"])),
                ("message", text(&["message"])),
            ])
        };
        items.iter().map(event).collect()
    }

    fn rest_ms(&self) -> i64 {
        1_500
    }

    fn simulated(&mut self) -> Option<&mut dyn Simulated> {
        None
    }
}
