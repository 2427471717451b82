use std::collections::{BTreeSet, VecDeque};

use kro_apiserver::{ApiServer, Method, Request, User};
use kro_engine::Timestamp;
use kro_manager::{
    ApiRequest, ApiResponse, Config, Effect, Event, Manager, RequestId, TimerId, TransportError, Verb, View, WatchId,
};
use kro_value::{Value, from_json_bytes, to_json};

use crate::watch::{Watch, clock, engine_time};
use crate::{Fate, FaultPlan, RequestRecord, Trace};

/// More steps without progress of the clock than any sane run needs: a loop between manager and server.
const STEPS_MAX: usize = 200_000;

/// The answer to a request of a test or a user.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Decoded body; null when it is no JSON.
    pub body: Value,
}

/// A manager, an API server and a clock that only moves when told to.
pub struct Simulation {
    server: ApiServer,
    manager: Option<Manager>,
    config: Config,
    now: Timestamp,
    events: VecDeque<Event>,
    watches: Vec<Watch>,
    timers: BTreeSet<(Timestamp, TimerId)>,
    faults: Option<Box<dyn FaultPlan>>,
    has_crashed: bool,
    sent: u64,
    trace: Trace,
}

impl Simulation {
    /// A simulation whose manager is not started yet.
    pub fn new(server: ApiServer, config: Config, now: Timestamp) -> Self {
        Self {
            server,
            manager: None,
            config,
            now,
            events: VecDeque::new(),
            watches: Vec::new(),
            timers: BTreeSet::new(),
            faults: None,
            has_crashed: false,
            sent: 0,
            trace: Trace::default(),
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What the manager did so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the manager knows; empty while there is none.
    pub fn view(&self) -> View {
        self.manager.as_ref().map(Manager::view).unwrap_or_default()
    }

    /// The gauges of the manager; none while there is none.
    pub fn gauges(&self) -> Vec<kro_manager::Metric> {
        self.manager.as_ref().map(Manager::gauges).unwrap_or_default()
    }

    /// The server, for inspection and faults of its own.
    pub fn server(&mut self) -> &mut ApiServer {
        &mut self.server
    }

    /// Decides about every request from now on.
    pub fn set_faults(&mut self, faults: Option<Box<dyn FaultPlan>>) {
        self.faults = faults;
    }

    /// What managers that are started from now on are told.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// Starts a manager that knows nothing, in place of the one that may be running.
    pub fn start_manager(&mut self) {
        self.stop_manager();
        self.manager = Some(Manager::new(self.config.clone()));
        self.events.push_back(Event::LeadershipGained);
    }

    /// Ends the manager between two events, as a crash does.
    pub fn stop_manager(&mut self) {
        self.manager = None;
        self.events.clear();
        self.timers.clear();
        for mut watch in self.watches.drain(..) {
            watch.close(&mut self.server);
        }
    }

    /// Ends the stream of every watch; each lists again.
    pub fn cut_watches(&mut self) {
        for watch in &mut self.watches {
            watch.cut(&mut self.server, self.now);
        }
    }

    /// A request of a user; the server's controllers do not run before the next step.
    pub fn request(&mut self, method: Method, target: &str, body: Option<(&str, &Value)>) -> Answer {
        let mut request = Request::new(method, target).with_header("User-Agent", "user");
        if let Some((content_type, body)) = body {
            request = request.with_body(content_type, to_json(body));
        }
        let response = self.server.handle(&request, clock(self.now));
        Answer { status: response.status, body: from_json_bytes(response.bytes()).unwrap_or_default() }
    }

    /// Runs until nothing is due at the present time.
    ///
    /// # Errors
    /// When that never happens: the manager and the server keep each other busy.
    pub fn settle(&mut self) -> Result<(), String> {
        for _ in 0..STEPS_MAX {
            if !self.step() {
                return Ok(());
            }
        }
        Err(format!("no rest after {STEPS_MAX} steps at {}", self.now))
    }

    /// Runs, moving the clock from one due time to the next, until `done` or for `timeout_ms` of virtual time. True
    /// when `done` was.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn run_until(&mut self, timeout_ms: i64, mut done: impl FnMut(&mut Self) -> bool) -> Result<bool, String> {
        let deadline = self.now.plus_ms(timeout_ms);
        loop {
            self.settle()?;
            if done(self) {
                return Ok(true);
            }
            if !self.progress(deadline)? {
                return Ok(done(self));
            }
        }
    }

    /// Moves the clock to the next thing that is due, but not beyond `deadline`, and does all that is due then. False
    /// when there was nothing: the clock is at the deadline.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn progress(&mut self, deadline: Timestamp) -> Result<bool, String> {
        let due = self.next_due().filter(|due| *due <= deadline);
        self.now = due.unwrap_or(deadline).max(self.now);
        self.settle()?;
        Ok(due.is_some())
    }

    /// Lets this much virtual time pass.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn advance(&mut self, ms: i64) -> Result<(), String> {
        self.run_until(ms, |_| false).map(|_| ())
    }

    /// Does one thing that is due at the present time; false when there is none.
    pub fn step(&mut self) -> bool {
        if let Some(event) = self.events.pop_front() {
            self.dispatch(event);
            return true;
        }
        // What is due may also be a bookmark of a watch: then there is nothing to tick, but something to read.
        let due = self.server.next_due().is_some_and(|due| engine_time(due) <= self.now);
        if due && self.server.tick(clock(self.now)) {
            return true;
        }
        self.poll_watches() || self.fire_timer()
    }

    fn dispatch(&mut self, event: Event) {
        let Some(manager) = &mut self.manager else { return };
        for effect in manager.handle(event, self.now) {
            self.perform(effect);
            if std::mem::take(&mut self.has_crashed) {
                return self.start_manager();
            }
        }
    }

    fn poll_watches(&mut self) -> bool {
        for watch in &mut self.watches {
            let refusal = match watch.is_to_be_listed(self.now) {
                true => self.faults.as_mut().and_then(|faults| faults.refuse_watch(&watch.path())),
                false => None,
            };
            match refusal {
                Some((status, _, message)) => self.events.push_back(watch.refuse(status, &message, self.now)),
                None => self.events.extend(watch.poll(&mut self.server, self.now)),
            }
        }
        !self.events.is_empty()
    }

    fn fire_timer(&mut self) -> bool {
        match self.timers.first().copied() {
            Some((at, timer)) if at <= self.now => {
                self.timers.remove(&(at, timer));
                self.events.push_back(Event::Timer { timer });
                true
            }
            _ => false,
        }
    }

    /// When the next thing is due; `None` when only a request can change anything.
    pub fn next_due(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let server = self.server.next_due().map(engine_time);
        let watch = self.watches.iter().filter_map(Watch::next_due).min();
        [timer, server, watch].into_iter().flatten().min()
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Request { id, request } => self.send(id, &request),
            Effect::Watch { id, target } => {
                let number = self.trace.watches.len() as u64 + 1;
                let lag_ms = self.faults.as_mut().map_or(0, |faults| faults.lag_ms(number));
                let watch = Watch::new(id, target, self.now, lag_ms);
                self.trace.watches.push(watch.path());
                self.watches.push(watch);
            }
            Effect::Unwatch { id } => self.unwatch(id),
            Effect::SetTimer { id, at } => {
                self.timers.insert((at, id));
            }
            Effect::CancelTimer { id } => self.timers.retain(|(_, timer)| *timer != id),
            Effect::Event(event) => self.trace.events.push(event),
            Effect::Log(line) => self.trace.logs.push(line),
            Effect::Metric(metric) => self.trace.labels.extend(metric.labels.into_iter().map(|(_, value)| value)),
        }
    }

    fn unwatch(&mut self, id: WatchId) {
        if let Some(position) = self.watches.iter().position(|watch| watch.id() == id) {
            self.watches.remove(position).close(&mut self.server);
        }
    }

    fn send(&mut self, id: RequestId, request: &ApiRequest) {
        self.sent += 1;
        let fate = self.faults.as_mut().map_or(Fate::Answer, |faults| faults.decide(self.sent, request));
        let result = match fate {
            Fate::Answer => Ok(self.answer(request)),
            Fate::Refuse(status, reason, message) => Ok(refusal(status, &reason, &message)),
            Fate::Crash => {
                self.has_crashed = true;
                Ok(self.answer(request))
            }
            Fate::CutWatches => {
                let response = self.answer(request);
                self.cut_watches();
                Ok(response)
            }
            Fate::StallWatches(ms) => {
                let until = self.now.plus_ms(ms);
                self.watches.iter_mut().for_each(|watch| watch.stall(until));
                Ok(self.answer(request))
            }
            Fate::LoseAnswer => {
                self.answer(request);
                Err(TransportError { message: "the answer was lost".into() })
            }
            Fate::Lose => Err(TransportError { message: "the request was lost".into() }),
        };
        self.trace.requests.push(RequestRecord {
            at: self.now,
            method: if request.verb == Verb::Apply { "APPLY" } else { request.verb.method() },
            target: request.path_and_query(),
            status: result.as_ref().map_or(0, |response| response.status),
        });
        self.events.push_back(Event::Response { request: id, result });
    }

    fn answer(&mut self, request: &ApiRequest) -> ApiResponse {
        let method = Method::parse(request.verb.method()).unwrap_or(Method::Get);
        let mut http = Request::new(method, &request.path_and_query())
            .with_header("User-Agent", "kro")
            .by(User::in_groups("kro", &["system:masters", "system:authenticated"]));
        if let Some(body) = &request.body {
            http = http.with_body(request.verb.content_type(), to_json(body));
        }
        let response = self.server.handle(&http, clock(self.now));
        let retry_after_s = response.headers.get("Retry-After").and_then(|text| text.parse().ok());
        ApiResponse {
            status: response.status,
            body: from_json_bytes(response.bytes()).unwrap_or_default(),
            retry_after_s,
        }
    }
}

fn refusal(status: u16, reason: &str, message: &str) -> ApiResponse {
    let body = Value::map([
        ("kind", Value::from("Status")),
        ("apiVersion", Value::from("v1")),
        ("status", Value::from("Failure")),
        ("reason", Value::from(reason)),
        ("message", Value::from(message)),
        ("code", Value::from(i64::from(status))),
    ]);
    ApiResponse { status, body, retry_after_s: None }
}
