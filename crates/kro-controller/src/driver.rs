use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kro_engine::Timestamp;
use kro_manager::{
    ApiRequest, Config, Effect, Event, LogLevel, LogLine, Manager, RequestId, TimerId, TransportError, View, WatchId,
    WatchTarget,
};
use kro_value::Str;
use kube_client::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::clock::Clock;
use crate::mailbox::{Letter, Mailbox};
use crate::watch::Watcher;
use crate::{event, request};

/// What a driver is told at its start.
#[derive(Clone, Default)]
pub struct Settings {
    /// The manager's own configuration.
    pub manager: Config,
    /// Where every request of the manager is reported once it is answered; those of watches are not. For tests.
    pub requests: Option<UnboundedSender<RequestRecord>>,
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
    view: watch::Receiver<View>,
    events: Mailbox,
    task: tokio::task::JoinHandle<()>,
}

impl Controller {
    /// Starts a manager on this API server; needs a running tokio runtime.
    pub fn start(client: Client, settings: Settings) -> Self {
        let (events, incoming) = Mailbox::open();
        let (publisher, view) = watch::channel(View::default());
        let driver = Driver::new(client, settings, events.clone(), publisher);
        let task = tokio::spawn(driver.run(incoming));
        Self { view, events, task }
    }

    /// What the manager knows, published after every change.
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Starts nothing new, waits for the answers that are under way, and ends.
    pub async fn shut_down(mut self) {
        self.events.send_to_any(Event::Shutdown);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
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
}

impl Driver {
    fn new(client: Client, settings: Settings, events: Mailbox, publisher: watch::Sender<View>) -> Self {
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
        }
    }

    async fn run(mut self, mut incoming: UnboundedReceiver<Letter>) {
        self.handle(Event::LeadershipGained);
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
                Some(_) = self.tasks.join_next() => continue, // frees what a finished task held
            }
            self.publish(incoming.is_empty());
        }
    }

    fn take(&mut self, letter: Letter) {
        match &letter.event {
            Event::Response { .. } => self.in_flight -= 1,
            Event::Shutdown => self.shutting_down = true,
            _ => {}
        }
        // What an earlier manager asked for means nothing to this one.
        if letter.is_for(&self.events) {
            self.handle(letter.event);
        }
    }

    /// Hands one event in. A bug in the manager must not end the process: it is reported, and a new manager starts
    /// from what the cluster says.
    fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        match catch_unwind(AssertUnwindSafe(|| self.manager.handle(event, now))) {
            Ok(effects) => effects.into_iter().for_each(|effect| self.perform(effect)),
            Err(_) => self.start_over(),
        }
    }

    fn start_over(&mut self) {
        tracing::error!("the manager panicked; it starts over");
        self.timers.clear();
        for (_, watch) in self.watches.drain() {
            watch.abort();
        }
        self.manager = Manager::new(self.settings.manager.clone());
        self.events.begin_anew();
        // Not at once: a bug that is met again right after the start must not become a busy loop.
        let events = self.events.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
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
            Effect::Metric(_) => {}
        }
    }

    fn send(&mut self, id: RequestId, request: ApiRequest) {
        self.in_flight += 1;
        let (client, agent, events) = (self.client.clone(), Arc::clone(&self.agent), self.events.clone());
        let records = self.settings.requests.clone();
        self.tasks.spawn(async move {
            let result = request::send(&client, &agent, &request).await;
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

async fn sleep_until(alarm: Option<tokio::time::Instant>) {
    match alarm {
        Some(alarm) => tokio::time::sleep_until(alarm).await,
        None => std::future::pending().await,
    }
}

fn log(line: &LogLine) {
    let fields = line.fields.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ");
    match line.level {
        LogLevel::Error => tracing::error!("{} {fields}", line.message),
        LogLevel::Warning => tracing::warn!("{} {fields}", line.message),
        LogLevel::Info => tracing::info!("{} {fields}", line.message),
        LogLevel::Debug => tracing::debug!("{} {fields}", line.message),
    }
}
