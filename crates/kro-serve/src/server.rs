//! The one owner of the API's state, its timer, and the wake-ups of its watches.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use kro_apiserver::{ApiServer, Method, Request, Response, Timestamp, User, WatchId, WatchPoll};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::clock::until;
use crate::journal::{Journal, Keeper, Ticket};
use crate::{ApiService, Clock};

/// Shortest and longest wait when work stays due although it was just done, for example a bookmark for a client that
/// does not read.
const RETRY_MIN: Duration = Duration::from_millis(5);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// Waking a watch over the network costs about a third of this. When many are concerned, they hear of a burst of events in
/// portions that are so far apart that there is time for other work; what comes after a pause goes out at once.
const PORTION_PER_WATCH: Duration = Duration::from_micros(30);
const PORTION_MAX: Duration = Duration::from_millis(5);
/// A shorter wait is none.
const PORTION_MIN: Duration = Duration::from_millis(1);

/// An embedded API server that lives in real time: answers requests, runs its controllers when they are due and wakes
/// its watches. Cheap to clone; the state goes with the last clone. At rest it costs nothing.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// Takes over an API server and starts its timer; call it inside a tokio runtime.
    pub fn new(api: ApiServer, clock: Clock) -> Self {
        let state = State {
            api,
            wakers: BTreeMap::new(),
            remote: BTreeMap::new(),
            portion: Portion::default(),
            latest: Timestamp::UNIX_EPOCH,
            armed: None,
            stopping: false,
            keeper: None,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            clock,
            rearm: Arc::new(Notify::new()),
            burst: Arc::new(Notify::new()),
            tasks: OnceLock::new(),
        });
        let timer = tokio::spawn(keep_time(Arc::downgrade(&shared), shared.rearm.clone()));
        let portions = tokio::spawn(keep_portions(Arc::downgrade(&shared), shared.burst.clone()));
        let _ = shared.tasks.set([timer.abort_handle(), portions.abort_handle()]);
        Self { shared }
    }

    /// As [`new`](Self::new), with a journal: writes are answered once they are in it. What is there now goes in first.
    pub fn with_journal(mut api: ApiServer, clock: Clock, journal: impl Journal) -> Self {
        api.keep_records();
        let server = Self::new(api, clock);
        let mut state = server.shared.lock();
        state.keeper = Some(Keeper::start(journal));
        state.keep();
        drop(state);
        server
    }

    /// Returns when everything that was written is in the journal; at once without one.
    ///
    /// # Errors
    /// Why the journal does not take it.
    pub async fn settled(&self) -> Result<(), String> {
        let ticket = self.shared.lock().keeper.as_ref().map(Keeper::last);
        match ticket {
            Some(ticket) => ticket.settled().await,
            None => Ok(()),
        }
    }

    /// The API as a service in this process, for `kube::Client::new` and the like: every request comes from this
    /// user; no sockets, no secrets.
    pub fn in_process(&self, user: User) -> ApiService {
        ApiService::new(self.clone(), user)
    }

    /// Answers one request. With a journal, what it wrote may not be in there yet.
    pub fn handle(&self, request: &Request) -> Response {
        self.handle_kept(request, ApiServer::handle).0
    }

    /// Answers one request; the ticket tells when what it wrote is in the journal.
    pub(crate) fn handle_kept(
        &self,
        request: &Request,
        handle: fn(&mut ApiServer, &Request, Timestamp) -> Response,
    ) -> (Response, Option<Ticket>) {
        let mut state = self.shared.lock();
        let now = state.now(&self.shared.clock);
        let response = handle(&mut state.api, request, now);
        let ticket = state.keep();
        if !matches!(request.method, Method::Get | Method::Head) {
            self.shared.wake_concerned(&mut state, now);
        }
        self.shared.rearm_if_earlier(&mut state);
        (response, ticket)
    }

    /// Looks at or changes the state between two requests, for example to add a controller.
    pub fn with_api<R>(&self, act: impl FnOnce(&mut ApiServer, Timestamp) -> R) -> R {
        let mut state = self.shared.lock();
        let now = state.now(&self.shared.clock);
        let result = act(&mut state.api, now);
        state.keep();
        state.wake_watches();
        self.shared.rearm_if_earlier(&mut state);
        result
    }

    /// Ends every open watch and every watch that is opened later, so that connections can close.
    pub(crate) fn end_watches(&self) {
        let mut state = self.shared.lock();
        state.stopping = true;
        state.wake_watches();
    }

    /// What a watch has to send now. When that is nothing, the waker is woken as soon as it may be something.
    pub(crate) fn poll_watch(&self, watch: WatchId, waker: &Waker, place: Place) -> WatchPoll {
        let mut state = self.shared.lock();
        if state.stopping {
            return WatchPoll { chunks: Vec::new(), ended: true };
        }
        let now = state.now(&self.shared.clock);
        let poll = state.api.next_events(watch, now);
        if poll.chunks.is_empty() && !poll.ended {
            let wakers = match place {
                Place::InProcess => &mut state.wakers,
                Place::Network => &mut state.remote,
            };
            wakers.insert(watch, waker.clone());
        }
        self.shared.rearm_if_earlier(&mut state);
        poll
    }

    /// Forgets a watch whose client is gone.
    pub(crate) fn close_watch(&self, watch: WatchId) {
        let mut state = self.shared.lock();
        state.wakers.remove(&watch);
        state.remote.remove(&watch);
        state.api.close_watch(watch);
    }
}

struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// Tells the timer that something is due earlier than it thinks.
    rearm: Arc<Notify>,
    /// Tells that events wait for the next portion.
    burst: Arc<Notify>,
    tasks: OnceLock<[AbortHandle; 2]>,
}

/// Where the client of a watch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    InProcess,
    Network,
}

/// When the clients on the network may hear of events again, and whether some wait.
#[derive(Default)]
struct Portion {
    /// Before then, events wait.
    next: Option<Instant>,
    waits: bool,
}

struct State {
    api: ApiServer,
    /// Watches in this process that wait for events.
    wakers: BTreeMap<WatchId, Waker>,
    /// Watches over the network that do.
    remote: BTreeMap<WatchId, Waker>,
    portion: Portion,
    /// The latest time given to the API, which must never see time go backwards.
    latest: Timestamp,
    /// When the timer wakes up by itself.
    armed: Option<Timestamp>,
    stopping: bool,
    keeper: Option<Keeper>,
}

impl State {
    /// Hands what was written to the journal.
    fn keep(&mut self) -> Option<Ticket> {
        let keeper = self.keeper.as_mut()?;
        keeper.push(self.api.take_records())
    }

    fn now(&mut self, clock: &Clock) -> Timestamp {
        self.latest = self.latest.max(clock.now());
        self.latest
    }

    /// Wakes the watches in this process that have something to send.
    fn wake_concerned(&mut self, now: Timestamp) {
        let api = &mut self.api;
        for (_, waker) in self.wakers.extract_if(.., |watch, _| api.has_events(*watch, now)) {
            waker.wake();
        }
    }

    /// Wakes the watches over the network that have something to send.
    fn send_portion(&mut self, now: Timestamp) {
        let api = &mut self.api;
        let mut concerned = 0;
        for (_, waker) in self.remote.extract_if(.., |watch, _| api.has_events(*watch, now)) {
            waker.wake();
            concerned += 1;
        }
        let pause = (PORTION_PER_WATCH * concerned).min(PORTION_MAX);
        let next = (pause >= PORTION_MIN).then(|| Instant::now() + pause);
        self.portion = Portion { next, waits: false };
    }

    fn wake_watches(&mut self) {
        for (_, waker) in mem::take(&mut self.wakers).into_iter().chain(mem::take(&mut self.remote)) {
            waker.wake();
        }
    }
}

impl Shared {
    /// A panic inside the API is a bug that was reported already; the other requests go on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who have something to send: at once in this process, in portions over the network.
    fn wake_concerned(&self, state: &mut State, now: Timestamp) {
        state.wake_concerned(now);
        if state.remote.is_empty() {
            return;
        }
        if state.portion.next.is_none_or(|next| next <= Instant::now()) {
            state.send_portion(now);
        } else if !mem::replace(&mut state.portion.waits, true) {
            self.burst.notify_one();
        }
    }

    /// How long the next portion has to wait.
    fn until_portion(&self) -> Duration {
        let next = self.lock().portion.next;
        next.map_or(Duration::ZERO, |next| next.saturating_duration_since(Instant::now()))
    }

    fn send_waiting(&self) {
        let mut state = self.lock();
        if state.portion.waits {
            let now = state.now(&self.clock);
            state.send_portion(now);
        }
    }

    fn rearm_if_earlier(&self, state: &mut State) {
        let Some(due) = state.api.next_due() else { return };
        if state.armed.is_none_or(|armed| due < armed) {
            state.armed = Some(due);
            self.rearm.notify_one();
        }
    }

    /// Does what is due and says how long to sleep; `None`: until something changes.
    fn run_due(&self, retry: &mut Duration) -> Option<Duration> {
        let mut state = self.lock();
        let now = state.now(&self.clock);
        if state.api.next_due().is_some_and(|due| due <= now) {
            state.api.tick(now);
            state.keep();
            self.wake_concerned(&mut state, now);
        }
        let due = state.api.next_due();
        state.armed = due;
        let wait = until(due?, now);
        if wait.is_zero() {
            *retry = (*retry * 2).min(RETRY_MAX);
            return Some(*retry);
        }
        *retry = RETRY_MIN;
        Some(wait)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for task in self.tasks.get().into_iter().flatten() {
            task.abort();
        }
    }
}

/// The timer: sleeps until the next due moment or until told that something is due earlier.
async fn keep_time(shared: Weak<Shared>, rearm: Arc<Notify>) {
    let mut retry = RETRY_MIN;
    loop {
        let Some(wait) = shared.upgrade().map(|shared| shared.run_due(&mut retry)) else { return };
        match wait {
            None => rearm.notified().await,
            Some(wait) => {
                let _ = tokio::time::timeout(wait, rearm.notified()).await;
            }
        }
    }
}

/// Sends the next portion of a burst when it is time.
async fn keep_portions(shared: Weak<Shared>, burst: Arc<Notify>) {
    loop {
        burst.notified().await;
        let Some(wait) = shared.upgrade().map(|shared| shared.until_portion()) else { return };
        tokio::time::sleep(wait).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.send_waiting();
    }
}
