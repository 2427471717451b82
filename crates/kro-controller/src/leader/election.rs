use std::time::Duration;

use kro_engine::Timestamp;
use kro_manager::{ApiRequest, ApiResponse, KubernetesEvent, ObjectReference, TransportError, Verb, path};
use kro_value::{Str, Value};

use super::{LeaderElection, micro_time};

/// The election as one process sees it: decides what to send, performs nothing, reads no clock.
#[derive(Debug)]
pub struct Election {
    settings: LeaderElection,
    /// The Lease as it was last seen.
    lease: Value,
    /// When it was first seen like this. The clocks of others are not trusted, only that they renew.
    seen_at: Timestamp,
    /// When the present try began.
    began_at: Timestamp,
    /// When the try began that last renewed the Lease: others count from a later moment.
    renewed_at: Timestamp,
    is_leader: bool,
    /// How often the present try looked at the Lease.
    reads: usize,
}

/// A try that looked so often and still cannot write has failed.
const READS_MAX: usize = 2;

/// What comes next in one try.
#[derive(Debug, PartialEq)]
pub enum Step {
    Send(ApiRequest),
    /// This try is over; [`Election::is_leader`] tells how.
    Done,
    /// The server did not answer, or not as it should.
    Failed(String),
}

impl Election {
    pub fn new(settings: LeaderElection) -> Self {
        let never = Timestamp::from_ms(0);
        Self {
            settings,
            lease: Value::Null,
            seen_at: never,
            began_at: never,
            renewed_at: never,
            is_leader: false,
            reads: 0,
        }
    }

    pub fn is_leader(&self) -> bool {
        self.is_leader
    }

    /// Who holds the Lease; empty when nobody does.
    pub fn holder(&self) -> &str {
        self.lease.str_at(&["spec", "holderIdentity"]).unwrap_or_default()
    }

    /// How long the leader may still try to renew.
    pub fn deadline(&self, now: Timestamp) -> Option<Duration> {
        let left = ms(self.settings.renew_deadline) - now.since_ms(self.renewed_at);
        self.is_leader.then(|| Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }

    /// Begins a try: a leader renews what it knows, all others look first.
    pub fn begin(&mut self, now: Timestamp) -> Step {
        self.began_at = now;
        self.reads = 0;
        if self.is_leader { Step::Send(self.write(now)) } else { self.look() }
    }

    /// Takes an answer in.
    pub fn answered(
        &mut self,
        request: &ApiRequest,
        answer: Result<ApiResponse, TransportError>,
        now: Timestamp,
    ) -> Step {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Step::Failed(error.message.to_string()),
        };
        match (request.verb, answer.status) {
            (Verb::Get, 404) => {
                self.see(Value::Null, now);
                Step::Send(self.write(now))
            }
            (Verb::Get, 200) => {
                self.see(answer.body, now);
                self.decide(now)
            }
            (Verb::Create | Verb::Update, 200 | 201) => {
                self.see(answer.body, now);
                self.renewed_at = self.began_at;
                self.is_leader = true;
                Step::Done
            }
            // Somebody else was faster, or the Lease was deleted (servers refuse that in several ways): look again.
            (Verb::Create | Verb::Update, _) if self.reads < READS_MAX => self.look(),
            (_, status) => Step::Failed(format!("status {status}: {}", answer.message())),
        }
    }

    /// A leader that could not renew in time leads no more.
    pub fn expire(&mut self, now: Timestamp) {
        if self.is_leader && now.since_ms(self.renewed_at) >= ms(self.settings.renew_deadline) {
            self.is_leader = false;
        }
    }

    /// Gives the Lease back, so that nobody has to wait for its end.
    pub fn release(&mut self, now: Timestamp) -> Option<ApiRequest> {
        if !std::mem::take(&mut self.is_leader) {
            return None;
        }
        let mut lease = self.lease.clone();
        let time = Value::from(micro_time(now));
        lease.set_at(&["spec", "holderIdentity"], "".into());
        lease.set_at(&["spec", "leaseDurationSeconds"], 1.into());
        lease.set_at(&["spec", "renewTime"], time.clone());
        lease.set_at(&["spec", "acquireTime"], time);
        Some(self.update(lease))
    }

    /// The Event that tells who leads.
    pub fn event(&self) -> KubernetesEvent {
        let text = |keys: &[&str]| Str::new(self.lease.str_at(keys).unwrap_or_default());
        KubernetesEvent {
            regarding: ObjectReference {
                api_version: Str::new_static("coordination.k8s.io/v1"),
                kind: Str::new_static("Lease"),
                namespace: Str::new(&self.settings.namespace),
                name: Str::new(&self.settings.name),
                uid: text(&["metadata", "uid"]),
            },
            warning: false,
            reason: Str::new_static("LeaderElection"),
            message: format!("{} became leader", self.settings.identity),
            component: Str::new(&self.settings.identity),
        }
    }

    fn see(&mut self, lease: Value, now: Timestamp) {
        if lease.get("spec") != self.lease.get("spec") {
            self.seen_at = now;
        }
        self.lease = lease;
    }

    fn decide(&mut self, now: Timestamp) -> Step {
        if self.holder() == self.settings.identity || self.is_free(now) {
            return Step::Send(self.write(now));
        }
        self.is_leader = false;
        Step::Done
    }

    fn is_free(&self, now: Timestamp) -> bool {
        let seconds = self.lease.at(&["spec", "leaseDurationSeconds"]).and_then(Value::as_i64).unwrap_or(0);
        self.holder().is_empty() || now.since_ms(self.seen_at) >= seconds.saturating_mul(1000)
    }

    fn look(&mut self) -> Step {
        self.reads += 1;
        Step::Send(self.read())
    }

    fn read(&self) -> ApiRequest {
        ApiRequest { verb: Verb::Get, path: self.path(), query: Vec::new(), body: None }
    }

    /// Takes or renews the Lease.
    fn write(&self, now: Timestamp) -> ApiRequest {
        let is_mine = self.holder() == self.settings.identity;
        let time = Value::from(micro_time(now));
        let transitions = self.lease.at(&["spec", "leaseTransitions"]).and_then(Value::as_i64);
        let acquired = self.lease.at(&["spec", "acquireTime"]).filter(|_| is_mine).cloned();
        let spec = Value::map([
            ("holderIdentity", Value::from(self.settings.identity.as_str())),
            ("leaseDurationSeconds", i64::try_from(self.settings.lease_duration.as_secs()).unwrap_or(i64::MAX).into()),
            ("acquireTime", acquired.unwrap_or_else(|| time.clone())),
            ("renewTime", time),
            ("leaseTransitions", transitions.map_or(0, |count| count + i64::from(!is_mine)).into()),
        ]);
        if !self.lease.is_null() {
            let mut lease = self.lease.clone();
            lease.set_at(&["spec"], spec);
            return self.update(lease);
        }
        let LeaderElection { name, namespace, .. } = &self.settings;
        let metadata = [("name", Value::from(name.as_str())), ("namespace", Value::from(namespace.as_str()))];
        let lease = Value::map([
            ("apiVersion", Value::from("coordination.k8s.io/v1")),
            ("kind", Value::from("Lease")),
            ("metadata", Value::map(metadata)),
            ("spec", spec),
        ]);
        let path = path::collection("coordination.k8s.io", "v1", Some(namespace), "leases");
        ApiRequest { verb: Verb::Create, path, query: Vec::new(), body: Some(lease) }
    }

    /// Holds only if nobody wrote in between: the Lease carries its resource version.
    fn update(&self, lease: Value) -> ApiRequest {
        ApiRequest { verb: Verb::Update, path: self.path(), query: Vec::new(), body: Some(lease) }
    }

    fn path(&self) -> String {
        let LeaderElection { name, namespace, .. } = &self.settings;
        path::object("coordination.k8s.io", "v1", Some(namespace), "leases", name)
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
