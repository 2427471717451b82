use std::collections::VecDeque;

use kro_apiserver::{ApiServer, Body, Method, Request, WatchId as StreamId};
use kro_engine::Timestamp;
use kro_manager::{Event, ObjectChange, WatchFailure, WatchId, WatchTarget};
use kro_value::{Str, Value, from_json_bytes};

/// How long after a failure a watch is tried again.
const RETRY_MS: i64 = 1_000;

/// A watch of the manager.
pub(crate) struct Watch {
    id: WatchId,
    target: WatchTarget,
    state: State,
    /// How long it takes until an event arrives.
    lag_ms: i64,
    /// Events on their way.
    held: VecDeque<(Timestamp, Event)>,
    /// Nothing is shown before.
    stalled_until: Option<Timestamp>,
}

enum State {
    /// To be listed, now or at a later time.
    Pending(Timestamp),
    /// Listed and open.
    Open(StreamId),
}

impl Watch {
    pub(crate) fn new(id: WatchId, target: WatchTarget, now: Timestamp, lag_ms: i64) -> Self {
        Self { id, target, state: State::Pending(now), lag_ms, held: VecDeque::new(), stalled_until: None }
    }

    /// Shows nothing until then.
    pub(crate) fn stall(&mut self, until: Timestamp) {
        self.stalled_until = Some(until);
    }

    /// True when its next poll sends a list.
    pub(crate) fn is_to_be_listed(&self, now: Timestamp) -> bool {
        let is_stalled = self.stalled_until.is_some_and(|until| until > now);
        !is_stalled && matches!(self.state, State::Pending(at) if at <= now)
    }

    /// Its list is refused.
    pub(crate) fn refuse(&mut self, status: u16, message: &str, now: Timestamp) -> Event {
        self.state = State::Pending(now.plus_ms(RETRY_MS));
        Event::WatchFailed { watch: self.id, reason: WatchFailure { status, message: message.into() } }
    }

    pub(crate) fn id(&self) -> WatchId {
        self.id
    }

    /// The path, for the trace.
    pub(crate) fn path(&self) -> String {
        self.target.path()
    }

    /// When there is something to do without a change on the server.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let arrival = self.held.front().map(|(at, _)| *at);
        let listing = match self.state {
            State::Pending(at) => Some(self.stalled_until.map_or(at, |until| until.max(at))),
            State::Open(_) => None,
        };
        [arrival, listing].into_iter().flatten().min()
    }

    /// Lists when it is time to, else reads what the stream has. What a stalled watch reads arrives at its end: left unread
    /// it would keep the server busy.
    pub(crate) fn poll(&mut self, server: &mut ApiServer, now: Timestamp) -> Vec<Event> {
        self.stalled_until = self.stalled_until.filter(|until| *until > now);
        let events = match self.state {
            State::Pending(at) if at <= now && self.stalled_until.is_none() => self.list(server, now),
            State::Pending(_) => Vec::new(),
            State::Open(stream) => self.read(server, stream, now),
        };
        if self.lag_ms == 0 && self.stalled_until.is_none() && self.held.is_empty() {
            return events;
        }
        let arrival = now.plus_ms(self.lag_ms);
        let arrival = self.stalled_until.map_or(arrival, |until| until.max(arrival));
        self.held.extend(events.into_iter().map(|event| (arrival, event)));
        let arrived = self.held.iter().take_while(|(at, _)| *at <= now).count();
        self.held.drain(..arrived).map(|(_, event)| event).collect()
    }

    /// Ends the stream; the watch lists again when it is polled next.
    pub(crate) fn cut(&mut self, server: &mut ApiServer, now: Timestamp) {
        self.close(server);
        self.held.clear();
        self.state = State::Pending(now);
    }

    /// Frees what the server holds for it.
    pub(crate) fn close(&mut self, server: &mut ApiServer) {
        if let State::Open(stream) = self.state {
            server.close_watch(stream);
        }
    }

    fn list(&mut self, server: &mut ApiServer, now: Timestamp) -> Vec<Event> {
        let response = server.handle(&self.request(""), clock(now));
        let body = from_json_bytes(response.bytes()).unwrap_or_default();
        if response.status != 200 {
            return vec![self.fail(response.status, &body, now)];
        }
        let resource_version = Str::new(body.str_at(&["metadata", "resourceVersion"]).unwrap_or_default());
        let watch = format!("&watch=true&allowWatchBookmarks=true&resourceVersion={resource_version}");
        let response = server.handle(&self.request(&watch), clock(now));
        let Body::Watch(stream) = response.body else {
            let body = from_json_bytes(response.bytes()).unwrap_or_default();
            return vec![self.fail(response.status, &body, now)];
        };
        self.state = State::Open(stream);
        vec![Event::Listed { watch: self.id, objects: kro_engine::object::items_of_list(&body), resource_version }]
    }

    fn fail(&mut self, status: u16, body: &Value, now: Timestamp) -> Event {
        self.state = State::Pending(now.plus_ms(RETRY_MS));
        let message = Str::new(body.str_at(&["message"]).unwrap_or_default());
        Event::WatchFailed { watch: self.id, reason: WatchFailure { status, message } }
    }

    fn read(&mut self, server: &mut ApiServer, stream: StreamId, now: Timestamp) -> Vec<Event> {
        let poll = server.next_events(stream, clock(now));
        let mut events = Vec::new();
        for line in &poll.chunks {
            let event = from_json_bytes(line).unwrap_or_default();
            let object = event.get("object").cloned().unwrap_or_default();
            let change = match event.str_at(&["type"]) {
                Some("ADDED" | "MODIFIED") => ObjectChange::Applied(object),
                Some("DELETED") => ObjectChange::Deleted(object),
                Some("ERROR") => {
                    self.cut(server, now);
                    return events;
                }
                _ => continue, // a bookmark
            };
            events.push(Event::Object { watch: self.id, change });
        }
        if poll.ended {
            self.state = State::Pending(now);
        }
        events
    }

    fn request(&self, more: &str) -> Request {
        let mut target = format!("{}?", self.target.path());
        for (name, selector) in
            [("labelSelector", &self.target.label_selector), ("fieldSelector", &self.target.field_selector)]
        {
            if !selector.is_empty() {
                target.push_str(&format!("{name}={}&", escape(selector)));
            }
        }
        let request = Request::new(Method::Get, &format!("{}{more}", target.trim_end_matches('&')));
        let accept = match (self.target.metadata_only, more.is_empty()) {
            (false, _) => "application/json",
            (true, true) => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            (true, false) => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        };
        request.with_header("Accept", accept).with_header("User-Agent", "kro-sim")
    }
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The engine's time as the server's.
pub(crate) fn clock(now: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(now.as_ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// The server's time as the engine's.
pub(crate) fn engine_time(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_ms(time.as_millisecond())
}
