use jiff::Timestamp;

use crate::{Config, Reactor, Request, Response, WatchId, WatchPoll};

/// A Kubernetes API server with its storage.
///
/// Every method takes the time; it must never go backwards between calls.
pub struct ApiServer {
    reactors: Vec<Box<dyn Reactor>>,
}

impl ApiServer {
    /// A server with the objects that every cluster has.
    pub fn new(config: Config, now: Timestamp) -> Self {
        let _ = (config, now);
        Self { reactors: Vec::new() }
    }

    /// Adds a controller; it hears of every change from now on.
    pub fn add_reactor(&mut self, reactor: Box<dyn Reactor>) {
        self.reactors.push(reactor);
    }

    /// Answers one request. Never blocks; a watch is answered by its handle.
    ///
    /// Controllers do not run here: call [`tick`](Self::tick) when [`next_due`](Self::next_due) says so.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        let _ = now;
        Response::text(501, format!("{} {} is not implemented", request.method, request.path))
    }

    /// What a watch has to send now. Call it after anything that may have committed a write, and when
    /// [`next_due`](Self::next_due) passed (bookmarks and timeouts).
    pub fn next_events(&mut self, watch: WatchId, now: Timestamp) -> WatchPoll {
        let _ = (watch, now);
        WatchPoll { chunks: Vec::new(), ended: true }
    }

    /// Forgets a watch whose client went away.
    pub fn close_watch(&mut self, watch: WatchId) {
        let _ = watch;
    }

    /// Runs every controller that has work due at `now`, until none has. True when something was done.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        let _ = now;
        false
    }

    /// When [`tick`](Self::tick) or an open watch has something to do next; `None` when only a request can change
    /// anything. In the past or now: call `tick` at once.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.reactors.iter().filter_map(|reactor| reactor.next_due()).min()
    }
}
