use std::cell::RefCell;
use std::rc::Rc;

use kro_apiserver::{ApiServer, Method, Profile};
use kro_engine::Timestamp;
use kro_manager::ApiRequest;
use kro_sim::{Fate, FaultPlan, Simulation};
use kro_value::Value;

use crate::{Answer, Cluster, Fault, ObjectRef, Record, Refusal, Simulated};

/// 2026-01-01T00:00:00Z
const START: Timestamp = Timestamp::from_ms(1_767_225_600_000);

/// The embedded API with the controllers of a control plane but no workloads: scenarios play those themselves.
pub struct Embedded {
    simulation: Simulation,
    faults: Rc<RefCell<Faults>>,
}

/// What fails: what the scenario says, and one fault of the matrix.
#[derive(Default)]
struct Faults {
    refusals: Vec<Refusal>,
    injected: Option<Fault>,
}

/// The simulation's share of them.
struct Plan(Rc<RefCell<Faults>>);

impl Faults {
    fn find(&mut self, line: &str) -> Option<&Refusal> {
        let refusal = self.refusals.iter_mut().find(|one| one.times > 0 && line.contains(&one.matching))?;
        refusal.times = refusal.times.saturating_sub(1);
        Some(refusal)
    }
}

impl FaultPlan for Plan {
    fn decide(&mut self, number: u64, request: &ApiRequest) -> Fate {
        let mut faults = self.0.borrow_mut();
        let method = if request.verb == kro_manager::Verb::Apply { "APPLY" } else { request.verb.method() };
        // What a scenario refuses must not get through because of a fault.
        match faults.find(&format!("{method} {}", request.path)) {
            Some(refusal) if refusal.status == 0 => return Fate::Lose,
            Some(refusal) => return Fate::Refuse(refusal.status, refusal.reason.clone(), refusal.message.clone()),
            None => {}
        }
        match &faults.injected {
            Some(Fault::Request { number: nth, fate }) if *nth == number => fate.clone(),
            _ => Fate::Answer,
        }
    }

    fn refuse_watch(&mut self, path: &str) -> Option<(u16, String, String)> {
        let mut faults = self.0.borrow_mut();
        let refusal = faults.find(&format!("LIST {path}"))?;
        Some((refusal.status, refusal.reason.clone(), refusal.message.clone()))
    }

    fn lag_ms(&mut self, number: u64) -> i64 {
        match &self.0.borrow().injected {
            Some(Fault::Watch { number: nth, lag_ms }) if *nth == number => *lag_ms,
            _ => 0,
        }
    }
}

impl Embedded {
    /// A fresh cluster with kro's own CRDs and a running controller.
    pub fn start() -> Self {
        Self::with_fault(None)
    }

    /// The same with one fault.
    pub fn with_fault(fault: Option<Fault>) -> Self {
        let config = kro_apiserver::Config { profile: Profile::ControlPlane, ..kro_apiserver::Config::default() };
        let server = ApiServer::new(config, jiff_time(START));
        let faults = Rc::new(RefCell::new(Faults { refusals: Vec::new(), injected: fault }));
        let mut simulation = Simulation::new(server, kro_manager::Config::default(), START);
        simulation.set_faults(Some(Box::new(Plan(faults.clone()))));
        let mut embedded = Self { simulation, faults };
        for crd in kro_manager::custom_resource_definitions() {
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            let answer = embedded.request("POST", path, "application/json", Some(&crd));
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        embedded.simulation.start_manager();
        embedded
    }

    /// An object as clients see it: custom resources get defaults and lose unknown fields when they are read, whatever was
    /// valid when they were written.
    fn as_read(&mut self, object: Value) -> Value {
        let group =
            object.str_at(&["apiVersion"]).and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
        let is_custom = group.contains('.') && !group.ends_with(".k8s.io");
        let read = is_custom.then(|| ObjectRef::of(&object, "default").get(self)).flatten();
        read.unwrap_or(object)
    }

    /// What runs underneath.
    pub fn simulation(&mut self) -> &mut Simulation {
        &mut self.simulation
    }
}

fn jiff_time(time: Timestamp) -> kro_apiserver::Timestamp {
    kro_apiserver::Timestamp::from_millisecond(time.as_ms()).unwrap_or(kro_apiserver::Timestamp::UNIX_EPOCH)
}

impl Cluster for Embedded {
    fn request(&mut self, method: &str, target: &str, content_type: &str, body: Option<&Value>) -> Answer {
        let method = Method::parse(method).unwrap_or(Method::Get);
        let answer = self.simulation.request(method, target, body.map(|body| (content_type, body)));
        Answer { status: answer.status, body: answer.body }
    }

    fn now_ms(&self) -> i64 {
        self.simulation.now().as_ms()
    }

    fn progress(&mut self, deadline_ms: i64) -> Result<bool, String> {
        self.simulation.settle()?;
        self.simulation.progress(Timestamp::from_ms(deadline_ms))
    }

    fn stop_controller(&mut self) {
        self.simulation.stop_manager();
    }

    fn restart_controller(&mut self) {
        self.simulation.start_manager();
    }

    fn configure(&mut self, config: kro_manager::Config) {
        self.simulation.configure(config);
    }

    fn restart_controller_after(&mut self, requests: usize) -> Result<(), String> {
        let deadline = self.simulation.now().plus_ms(600_000);
        while self.simulation.trace().requests.len() < requests {
            if !self.simulation.step() && !self.simulation.progress(deadline)? {
                return Err(format!("the controller never sent {requests} requests"));
            }
        }
        self.simulation.start_manager();
        Ok(())
    }

    fn records(&mut self) -> Vec<Record> {
        let requests = &self.simulation.trace().requests;
        let record = |request: &kro_sim::RequestRecord| Record {
            method: request.method,
            target: request.target.clone(),
            status: request.status,
        };
        requests.iter().map(record).collect()
    }

    fn events(&mut self) -> Vec<Value> {
        let event = |event: &kro_manager::KubernetesEvent| {
            let kind = if event.warning { "Warning" } else { "Normal" };
            Value::map([
                ("kind", Value::String(event.regarding.kind.clone())),
                ("name", Value::String(event.regarding.name.clone())),
                ("type", Value::from(kind)),
                ("reason", Value::String(event.reason.clone())),
                ("message", Value::from(event.message.as_str())),
            ])
        };
        self.simulation.trace().events.iter().map(event).collect()
    }

    fn rest_ms(&self) -> i64 {
        60_000
    }

    fn simulated(&mut self) -> Option<&mut dyn Simulated> {
        Some(self)
    }
}

impl Simulated for Embedded {
    fn refuse(&mut self, refusal: Refusal) {
        self.faults.borrow_mut().refusals.push(refusal);
    }

    fn heal(&mut self) {
        self.faults.borrow_mut().refusals.clear();
    }

    fn cut_watches(&mut self) {
        self.simulation.cut_watches();
    }

    fn logs(&self) -> Vec<String> {
        self.simulation.trace().logs.iter().map(|line| format!("{line:?}")).collect()
    }

    fn labels(&self) -> Vec<String> {
        let gauges = self.simulation.gauges().into_iter().flat_map(|gauge| gauge.labels).map(|(_, value)| value);
        gauges.chain(self.simulation.trace().labels.iter().cloned()).map(String::from).collect()
    }

    fn objects(&mut self) -> Vec<Value> {
        let stored: Vec<Value> = self.simulation.server().objects().collect();
        stored.into_iter().map(|object| self.as_read(object)).collect()
    }
}
