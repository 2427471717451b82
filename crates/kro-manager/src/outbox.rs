//! What a call of the manager gives back, and what it has under way.

use std::collections::{BTreeMap, VecDeque};

use kro_engine::Timestamp;
use kro_value::{Str, Value, format_smolstr};

use crate::work::Purpose;
use crate::{
    ApiRequest, Effect, LogLevel, LogLine, Metric, MetricChange, RequestId, TimerId, Verb, WatchId, WatchTarget,
};

/// Collects effects and remembers why each request was sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    effects: Vec<Effect>,
    last_id: u64,
    requests: BTreeMap<RequestId, Purpose>,
    /// Requests whose turn has not come, and since when they wait: too many are in flight.
    waiting: VecDeque<(RequestId, ApiRequest, Timestamp)>,
    /// The time of the event that is being handled.
    pub now: Timestamp,
    in_flight_max: usize,
    timers: BTreeMap<TimerId, (Timestamp, crate::work::WorkItem)>,
    timer_of: BTreeMap<crate::work::WorkItem, TimerId>,
}

impl Outbox {
    /// An outbox that lets at most so many requests be in flight.
    pub fn new(in_flight_max: usize) -> Self {
        Self { in_flight_max: in_flight_max.max(1), ..Self::default() }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// All effects since the last call.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Requests that are not answered yet, sent or about to be.
    pub fn in_flight(&self) -> usize {
        self.requests.len()
    }

    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.values().map(|(at, _)| *at).min()
    }

    pub fn send(&mut self, request: ApiRequest, purpose: Purpose) {
        let id = RequestId(self.next_id());
        self.requests.insert(id, purpose);
        if self.requests.len() > self.in_flight_max {
            self.waiting.push_back((id, request, self.now));
        } else {
            self.release(id, request, self.now);
        }
    }

    #[allow(clippy::cast_precision_loss)] // far below 2^52
    fn release(&mut self, id: RequestId, request: ApiRequest, since: Timestamp) {
        let labels = vec![("verb", Str::new_static(request.verb.method()))];
        let waited = self.now.since_ms(since) as f64 / 1000.0;
        self.observe("rest_client_rate_limiter_duration_seconds", labels, waited);
        self.effects.push(Effect::Request { id, request });
    }

    /// What was not sent yet never will be.
    pub fn hold_back(&mut self) {
        self.waiting.clear();
    }

    /// Why an answered request was sent; `None` if it is not under way.
    pub fn answered(&mut self, id: RequestId) -> Option<Purpose> {
        let purpose = self.requests.remove(&id)?;
        if let Some((id, request, since)) = self.waiting.pop_front() {
            self.release(id, request, since);
        }
        Some(purpose)
    }

    pub fn watch(&mut self, target: WatchTarget) -> WatchId {
        let id = WatchId(self.next_id());
        self.effects.push(Effect::Watch { id, target });
        id
    }

    pub fn unwatch(&mut self, id: WatchId) {
        self.effects.push(Effect::Unwatch { id });
    }

    /// Sets, moves or (with `None`) cancels the one timer of a work item.
    pub fn wake(&mut self, item: &crate::work::WorkItem, at: Option<Timestamp>) {
        let current = self.timer_of.get(item).copied();
        if let (Some(id), Some(at)) = (current, at)
            && self.timers.get(&id).is_some_and(|(set, _)| *set == at)
        {
            return;
        }
        if let Some(id) = current {
            self.timers.remove(&id);
            self.timer_of.remove(item);
            self.effects.push(Effect::CancelTimer { id });
        }
        if let Some(at) = at {
            let id = TimerId(self.next_id());
            self.timers.insert(id, (at, item.clone()));
            self.timer_of.insert(item.clone(), id);
            self.effects.push(Effect::SetTimer { id, at });
        }
    }

    /// The work item of a timer that is due; `None` for one that was cancelled.
    pub fn fired(&mut self, id: TimerId) -> Option<crate::work::WorkItem> {
        let (_, item) = self.timers.remove(&id)?;
        self.timer_of.remove(&item);
        Some(item)
    }

    pub fn log(&mut self, level: LogLevel, message: &'static str, fields: Vec<(&'static str, Str)>) {
        self.effects.push(Effect::Log(LogLine { level, message: Str::new_static(message), fields }));
    }

    pub fn event(&mut self, event: crate::KubernetesEvent) {
        self.effects.push(Effect::Event(event));
    }

    #[allow(clippy::cast_precision_loss)] // far below 2^52
    pub fn add(&mut self, name: &'static str, labels: Vec<(&'static str, Str)>, count: usize) {
        self.effects.push(Effect::Metric(Metric { name, labels, change: MetricChange::Add(count as f64) }));
    }

    pub fn observe(&mut self, name: &'static str, labels: Vec<(&'static str, Str)>, value: f64) {
        self.effects.push(Effect::Metric(Metric { name, labels, change: MetricChange::Observe(value) }));
    }

    pub fn count(&mut self, name: &'static str, labels: Vec<(&'static str, Str)>) {
        self.effects.push(Effect::Metric(Metric { name, labels, change: MetricChange::Add(1.0) }));
    }
}

/// Where a kind is served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resource {
    pub group: Str,
    pub version: Str,
    pub plural: Str,
}

impl Resource {
    pub fn new(group: &str, version: &str, plural: &str) -> Self {
        Self { group: group.into(), version: version.into(), plural: plural.into() }
    }

    fn path(&self, namespace: &str, name: &str) -> String {
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        crate::path::object(&self.group, &self.version, namespace, &self.plural, name)
    }

    pub fn get(&self, namespace: &str, name: &str) -> ApiRequest {
        ApiRequest { verb: Verb::Get, path: self.path(namespace, name), query: Vec::new(), body: None }
    }

    /// Of a cluster-scoped object.
    pub fn create(&self, body: Value) -> ApiRequest {
        let path = crate::path::collection(&self.group, &self.version, None, &self.plural);
        ApiRequest { verb: Verb::Create, path, query: Vec::new(), body: Some(body) }
    }

    pub fn apply(&self, namespace: &str, name: &str, manager: &'static str, body: Value) -> ApiRequest {
        let query = vec![("fieldManager", Str::new_static(manager)), ("force", Str::new_static("true"))];
        ApiRequest { verb: Verb::Apply, path: self.path(namespace, name), query, body: Some(body) }
    }

    /// The same without taking fields that other managers own: they are a conflict.
    pub fn apply_unless_owned(&self, namespace: &str, name: &str, manager: &'static str, body: Value) -> ApiRequest {
        let query = vec![("fieldManager", Str::new_static(manager))];
        ApiRequest { query, ..self.apply(namespace, name, manager, body) }
    }

    pub fn merge_patch(&self, namespace: &str, name: &str, body: Value) -> ApiRequest {
        ApiRequest { verb: Verb::MergePatch, path: self.path(namespace, name), query: Vec::new(), body: Some(body) }
    }

    pub fn update_status(&self, namespace: &str, name: &str, body: Value) -> ApiRequest {
        let path = format!("{}/status", self.path(namespace, name));
        ApiRequest { verb: Verb::Update, path, query: Vec::new(), body: Some(body) }
    }

    /// Deletes exactly the object with this UID, and what it owns in the background.
    pub fn delete(&self, namespace: &str, name: &str, uid: &str) -> ApiRequest {
        let body = Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", Value::from("DeleteOptions")),
            ("propagationPolicy", Value::from("Background")),
            ("preconditions", Value::map([("uid", Value::from(uid))])),
        ]);
        ApiRequest { verb: Verb::Delete, path: self.path(namespace, name), query: Vec::new(), body: Some(body) }
    }

    /// `group/version, Resource=plural`
    pub fn label(&self) -> Str {
        format_smolstr!("{}/{}, Resource={}", self.group, self.version, self.plural)
    }
}
