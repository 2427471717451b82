use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use kro_engine::Timestamp;
use kro_manager::{
    ApiRequest, Config, Effect, Event, LogLevel, LogLine, Manager, RequestId, TimerId, TransportError, View, WatchId,
    WatchTarget,
};
use kro_value::{Str, Value, to_json};
use kube_client::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::leader::{Candidate, LeaderElection, Leadership};
use crate::mailbox::{Letter, Mailbox};
use crate::metrics::Metrics;
use crate::monitor::{Monitor, Question};
use crate::watch::Watcher;
use crate::{event, request};

/// What a driver is told at its start.
#[derive(Clone, Default)]
pub struct Settings {
    /// The manager's own configuration.
    pub manager: Config,
    /// Where every request of the manager is reported once it is answered; those of watches are not. For tests.
    pub requests: Option<UnboundedSender<RequestRecord>>,
    /// Work only while this process leads; without it, from the start.
    pub election: Option<LeaderElection>,
}

/// One request of the manager and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// HTTP method; `APPLY` for server-side apply.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// HTTP status of the answer; 0 when there was none.
    pub status: u16,
}

/// A running controller. Dropping it stops everything at once, as a crash would.
pub struct Controller {
    publisher: watch::Sender<View>,
    events: Mailbox,
    task: tokio::task::JoinHandle<()>,
    candidate: Option<(oneshot::Sender<()>, tokio::task::JoinHandle<()>)>,
    monitor: Monitor,
}

impl Controller {
    /// Starts a manager on this API server; needs a running tokio runtime.
    pub fn start(client: Client, settings: Settings) -> Self {
        let (events, incoming) = Mailbox::open();
        let publisher = watch::Sender::new(View::default());
        let (questions, asked) = unbounded_channel();
        let metrics = Metrics::default();
        let election = settings.election.clone();
        let driver = Driver::new(client.clone(), settings, events.clone(), publisher.clone(), metrics.clone());
        let (standing, known) = watch::channel(Leadership::Unknown("the election has not begun".to_owned()));
        let is_elected = election.is_some();
        let candidate = election.map(|settings| {
            let (agent, clock) = (driver.agent.to_string(), driver.clock);
            let candidate = Candidate { client, agent, clock, settings, events: events.clone(), standing };
            let (stop, stopped) = oneshot::channel();
            (stop, tokio::spawn(candidate.run(stopped)))
        });
        if !is_elected {
            events.send_to_any(Event::LeadershipGained);
        }
        let task = tokio::spawn(driver.run(incoming, asked));
        let monitor = Monitor::new(questions, is_elected.then_some(known), metrics);
        Self { publisher, events, task, candidate, monitor }
    }

    /// What the manager knows, published after every change. Costs nothing while nobody looks.
    pub fn view(&self) -> watch::Receiver<View> {
        let view = self.publisher.subscribe();
        self.events.ask_for_view();
        view
    }

    /// For probes and metrics.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Starts nothing new, waits for the answers that are under way, gives the leadership back, and ends. False when
    /// the answers did not come within this time.
    pub async fn shut_down(mut self, within: Duration) -> bool {
        self.events.send_to_any(Event::Shutdown);
        let is_drained = tokio::time::timeout(within, &mut self.task).await.is_ok();
        self.task.abort();
        if let Some((stop, candidate)) = self.candidate.take() {
            let _ = stop.send(());
            let _ = candidate.await;
        }
        is_drained
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
        if let Some((_, candidate)) = &self.candidate {
            candidate.abort();
        }
    }
}

struct Driver {
    client: Client,
    settings: Settings,
    agent: Arc<str>,
    clock: Clock,
    manager: Manager,
    events: Mailbox,
    publisher: watch::Sender<View>,
    timers: BTreeSet<(Timestamp, TimerId)>,
    watches: HashMap<WatchId, AbortHandle>,
    tasks: JoinSet<()>,
    in_flight: usize,
    recorded: u64,
    shutting_down: bool,
    metrics: Metrics,
    /// Watches that were not listed yet: since when, and of what.
    listing: HashMap<WatchId, (Instant, Str)>,
}

impl Driver {
    fn new(
        client: Client,
        settings: Settings,
        events: Mailbox,
        publisher: watch::Sender<View>,
        metrics: Metrics,
    ) -> Self {
        let agent = format!("kro/{}", settings.manager.version).into();
        let manager = Manager::new(settings.manager.clone());
        Self {
            client,
            settings,
            agent,
            clock: Clock::start(),
            manager,
            events,
            publisher,
            timers: BTreeSet::new(),
            watches: HashMap::new(),
            tasks: JoinSet::new(),
            in_flight: 0,
            recorded: 0,
            shutting_down: false,
            metrics,
            listing: HashMap::new(),
        }
    }

    async fn run(mut self, mut incoming: UnboundedReceiver<Letter>, mut asked: UnboundedReceiver<Question>) {
        while !(self.shutting_down && self.in_flight == 0) {
            let due = self.timers.first().copied();
            let alarm = due.map(|(at, _)| self.clock.instant(at));
            tokio::select! {
                letter = incoming.recv() => match letter {
                    Some(letter) => self.take(letter),
                    None => return,
                },
                () = sleep_until(alarm) => {
                    if let Some((at, timer)) = due {
                        self.timers.remove(&(at, timer));
                        self.handle(Event::Timer { timer });
                    }
                }
                Some(question) = asked.recv() => {
                    self.answer(question);
                    continue;
                }
                Some(_) = self.tasks.join_next() => continue, // frees what a finished task held
            }
            self.publish(incoming.is_empty());
        }
    }

    fn take(&mut self, letter: Letter) {
        let is_current = letter.is_for(&self.events);
        let Letter::Event { event, sent, .. } = letter else {
            return;
        };
        self.metrics.observe("workqueue_queue_duration_seconds", queue_labels(), sent.elapsed().as_secs_f64());
        match &event {
            Event::Response { .. } => self.in_flight -= 1,
            Event::Shutdown => self.shutting_down = true,
            Event::Listed { watch, .. } => self.measure_list(*watch),
            _ => {}
        }
        // What an earlier manager asked for means nothing to this one.
        if is_current {
            let is_lost = matches!(event, Event::LeadershipLost);
            self.handle(event);
            if is_lost {
                self.stand_by();
            }
        }
    }

    fn answer(&self, question: Question) {
        // Whoever asked may have gone.
        match question {
            Question::Ping(answer) => drop(answer.send(())),
            Question::Readiness(answer) => drop(answer.send(self.manager.readiness())),
            Question::Gauges(answer) => drop(answer.send(self.manager.gauges())),
        }
    }

    fn measure_list(&mut self, watch: WatchId) {
        if let Some((since, gvr)) = self.listing.remove(&watch) {
            let took = since.elapsed().as_secs_f64();
            self.metrics.observe("dynamic_controller_informer_sync_duration_seconds", vec![("gvr", gvr)], took);
        }
    }

    /// Hands one event in. A bug in the manager must not end the process: it is reported, and a new manager starts
    /// from what the cluster says.
    fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        let started = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| self.manager.handle(event, now))) {
            Ok(effects) => {
                self.metrics.record_step(&effects, started.elapsed());
                effects.into_iter().for_each(|effect| self.perform(effect));
            }
            Err(_) => self.start_over(),
        }
    }

    /// A fresh manager that knows nothing and waits to lead. Answers to requests of the old one are not for it.
    fn stand_by(&mut self) {
        self.timers.clear();
        self.listing.clear();
        for (_, watch) in self.watches.drain() {
            watch.abort();
        }
        self.manager = Manager::new(self.settings.manager.clone());
        self.events.begin_anew();
    }

    fn start_over(&mut self) {
        tracing::error!("the manager panicked; it starts over");
        self.stand_by();
        // Not at once: a bug that is met again right after the start must not become a busy loop.
        let events = self.events.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            events.send(Event::LeadershipGained);
        });
    }

    /// Only when nothing waits: a display has no use for what is already past.
    fn publish(&mut self, idle: bool) {
        if idle && self.publisher.receiver_count() > 0 {
            let view = self.manager.view();
            self.publisher.send_if_modified(|published| {
                let changed = *published != view;
                *published = view;
                changed
            });
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Request { id, request } => self.send(id, request),
            Effect::Watch { id, target } => self.watch(id, target),
            Effect::Unwatch { id } => {
                self.listing.remove(&id);
                if let Some(watch) = self.watches.remove(&id) {
                    watch.abort();
                }
            }
            Effect::SetTimer { id, at } => {
                self.timers.insert((at, id));
            }
            Effect::CancelTimer { id } => self.timers.retain(|(_, timer)| *timer != id),
            Effect::Event(event) => self.record(&event),
            Effect::Log(line) => log(&line),
            Effect::Metric(_) => {} // taken in with the whole step
        }
    }

    fn send(&mut self, id: RequestId, request: ApiRequest) {
        self.in_flight += 1;
        let (client, agent, events) = (self.client.clone(), Arc::clone(&self.agent), self.events.clone());
        let records = self.settings.requests.clone();
        let metrics = self.metrics.clone();
        self.tasks.spawn(async move {
            let started = Instant::now();
            let result = request::exchange(&client, &agent, &request).await;
            measure_retry(&metrics, &request, result.as_ref().ok().map(|(answer, _)| answer.status));
            measure_request(&metrics, &request, started, result.as_ref().ok().map(|(_, traffic)| *traffic));
            let result = result.map(|(answer, _)| answer);
            let result = result.map_err(|error| TransportError { message: Str::new(error.to_string()) });
            if let Some(records) = records {
                let status = result.as_ref().map_or(0, |response| response.status);
                let _ = records.send(RequestRecord::new(&request, status));
            }
            events.send(Event::Response { request: id, result });
        });
    }

    fn watch(&mut self, id: WatchId, target: WatchTarget) {
        let (client, agent, events) = (self.client.clone(), self.agent.to_string(), self.events.clone());
        let gvr = kro_value::format_smolstr!("{}/{}, Resource={}", target.group, target.version, target.plural);
        self.listing.insert(id, (Instant::now(), gvr));
        let watcher = Watcher { client, agent, id, target, events };
        self.watches.insert(id, self.tasks.spawn(watcher.run()));
    }

    /// An Event that cannot be recorded is lost: it must never hold up the work it tells of.
    fn record(&mut self, event: &kro_manager::KubernetesEvent) {
        self.recorded += 1;
        let request = event::creation(event, self.clock.now(), self.recorded);
        let (client, agent) = (self.client.clone(), Arc::clone(&self.agent));
        self.tasks.spawn(async move {
            if let Err(error) = request::send(&client, &agent, &request).await {
                tracing::debug!(%error, "an Event was not recorded");
            }
        });
    }
}

impl RequestRecord {
    fn new(request: &ApiRequest, status: u16) -> Self {
        let apply = request.verb == kro_manager::Verb::Apply;
        let method = if apply { "APPLY" } else { request.verb.method() };
        Self { method, target: request.path_and_query(), status }
    }
}

/// Everything that happens comes through one queue.
fn queue_labels() -> Vec<(&'static str, Str)> {
    vec![("controller", Str::new_static("")), ("name", Str::new_static("dynamic-controller-queue"))]
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn measure_request(metrics: &Metrics, request: &ApiRequest, started: Instant, traffic: Option<request::Traffic>) {
    let labels = || vec![("verb", Str::new_static(request.verb.method()))];
    metrics.observe("rest_client_request_duration_seconds", labels(), started.elapsed().as_secs_f64());
    if let Some(traffic) = traffic {
        metrics.observe("rest_client_request_size_bytes", labels(), traffic.sent as f64);
        metrics.observe("rest_client_response_size_bytes", labels(), traffic.received as f64);
    }
}

/// Requests that the manager will send again.
fn measure_retry(metrics: &Metrics, request: &ApiRequest, status: Option<u16>) {
    let code = match status {
        None => Str::new_static("<error>"),
        Some(status @ (429 | 500..)) => kro_value::format_smolstr!("{status}"),
        Some(_) => return,
    };
    let labels = vec![("code", code), ("method", Str::new_static(request.verb.method()))];
    metrics.count("rest_client_request_retries_total", labels);
}

async fn sleep_until(alarm: Option<Instant>) {
    match alarm {
        Some(alarm) => tokio::time::sleep_until(alarm).await,
        None => std::future::pending().await,
    }
}

/// The fields of a line have names of their own, which `tracing` cannot have at run time: they go as one JSON object.
fn log(line: &LogLine) {
    let fields = Value::map(line.fields.iter().map(|(name, value)| (*name, Value::from(value.clone()))));
    let fields = to_json(&fields);
    match line.level {
        LogLevel::Error => tracing::error!(fields, "{}", line.message),
        LogLevel::Warning => tracing::warn!(fields, "{}", line.message),
        LogLevel::Info => tracing::info!(fields, "{}", line.message),
        LogLevel::Debug => tracing::debug!(fields, "{}", line.message),
    }
}
