//! The one owner of the API's state, its timer, and the wake-ups of its watches.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

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
            latest: Timestamp::UNIX_EPOCH,
            armed: None,
            stopping: false,
            keeper: None,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            clock,
            rearm: Arc::new(Notify::new()),
            timer: OnceLock::new(),
        });
        let timer = tokio::spawn(keep_time(Arc::downgrade(&shared), shared.rearm.clone()));
        let _ = shared.timer.set(timer.abort_handle());
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
        self.handle_kept(request).0
    }

    /// Answers one request; the ticket tells when what it wrote is in the journal.
    pub(crate) fn handle_kept(&self, request: &Request) -> (Response, Option<Ticket>) {
        let mut state = self.shared.lock();
        let now = state.now(&self.shared.clock);
        let response = state.api.handle(request, now);
        let ticket = state.keep();
        if !matches!(request.method, Method::Get | Method::Head) {
            state.wake_watches();
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
    pub(crate) fn poll_watch(&self, watch: WatchId, waker: &Waker) -> WatchPoll {
        let mut state = self.shared.lock();
        if state.stopping {
            return WatchPoll { chunks: Vec::new(), ended: true };
        }
        let now = state.now(&self.shared.clock);
        let poll = state.api.next_events(watch, now);
        if poll.chunks.is_empty() && !poll.ended {
            state.wakers.insert(watch, waker.clone());
        }
        self.shared.rearm_if_earlier(&mut state);
        poll
    }

    /// Forgets a watch whose client is gone.
    pub(crate) fn close_watch(&self, watch: WatchId) {
        let mut state = self.shared.lock();
        state.wakers.remove(&watch);
        state.api.close_watch(watch);
    }
}

struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// Tells the timer that something is due earlier than it thinks.
    rearm: Arc<Notify>,
    timer: OnceLock<AbortHandle>,
}

struct State {
    api: ApiServer,
    /// Watches that wait for events.
    wakers: BTreeMap<WatchId, Waker>,
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

    fn wake_watches(&mut self) {
        for (_, waker) in mem::take(&mut self.wakers) {
            waker.wake();
        }
    }
}

impl Shared {
    /// A panic inside the API is a bug that was reported already; the other requests go on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            state.wake_watches();
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
        if let Some(timer) = self.timer.get() {
            timer.abort();
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
