use kro_apiserver::{ApiServer, Method, Profile};
use kro_engine::Timestamp;
use kro_sim::Simulation;
use kro_value::Value;

use crate::{Answer, Cluster, Record};

/// 2026-01-01T00:00:00Z
const START: Timestamp = Timestamp::from_ms(1_767_225_600_000);

/// The embedded API with the controllers of a control plane but no workloads: scenarios play those themselves.
pub struct Embedded {
    simulation: Simulation,
}

impl Embedded {
    /// A fresh cluster with kro's own CRDs and a running controller.
    pub fn start() -> Self {
        let config = kro_apiserver::Config { profile: Profile::ControlPlane, ..kro_apiserver::Config::default() };
        let now = jiff_time(START);
        let server = ApiServer::new(config, now);
        let mut embedded = Self { simulation: Simulation::new(server, kro_manager::Config::default(), START) };
        for crd in kro_manager::custom_resource_definitions() {
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            let answer = embedded.request("POST", path, "application/json", Some(&crd));
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        embedded.simulation.start_manager();
        embedded
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

    fn restart_controller(&mut self) {
        self.simulation.start_manager();
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

    fn rest_ms(&self) -> i64 {
        60_000
    }
}
