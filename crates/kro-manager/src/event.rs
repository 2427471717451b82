use kro_value::{Str, Value};

use crate::{RequestId, TimerId, WatchId};

/// Something happened outside. A driver hands these to [`crate::Manager::handle`], one after another.
#[derive(Debug, Clone)]
pub enum Event {
    /// This process leads now (or there is no election): the manager starts its watches. Sent first.
    LeadershipGained,
    /// Another process leads: the manager stops writing. Answers may still come in; a new manager is needed to lead
    /// again.
    LeadershipLost,
    /// The first list of a watch, or a list after the watch was broken: what it does not name is gone.
    Listed {
        /// Which watch.
        watch: WatchId,
        /// All objects in the order of the server, or those that came in no [`Event::ListedPart`] before.
        objects: Vec<Value>,
        /// `metadata.resourceVersion` of the list.
        resource_version: Str,
    },
    /// A part of a list that comes in several parts: the last one comes as [`Event::Listed`]. So a long list is never in
    /// memory as a whole. After [`Event::WatchFailed`] the list begins anew.
    ListedPart {
        /// Which watch.
        watch: WatchId,
        /// Some of the objects.
        objects: Vec<Value>,
    },
    /// One object of a watch changed.
    Object {
        /// Which watch.
        watch: WatchId,
        /// How.
        change: ObjectChange,
    },
    /// A watch cannot be had at the moment. The driver goes on trying, with a backoff, until [`crate::Effect::Unwatch`],
    /// and sends [`Event::Listed`] when it succeeds.
    WatchFailed {
        /// Which watch.
        watch: WatchId,
        /// Why.
        reason: WatchFailure,
    },
    /// A request was answered, or will never be.
    Response {
        /// Which request.
        request: RequestId,
        /// The answer.
        result: Result<ApiResponse, TransportError>,
    },
    /// A timer is due.
    Timer {
        /// Which timer.
        timer: TimerId,
    },
    /// The process is about to end: nothing new is started; requests in flight may be answered.
    Shutdown,
}

/// How an object of a watch changed.
#[derive(Debug, Clone)]
pub enum ObjectChange {
    /// It was added or modified: the whole object (metadata only for a metadata watch).
    Applied(Value),
    /// It is gone, or does not match the selector any more: its last state.
    Deleted(Value),
}

/// Why a watch cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchFailure {
    /// HTTP status; 0 when there was no answer. 404 means that the server does not know the resource.
    pub status: u16,
    /// The server's or the transport's words.
    pub message: Str,
}

/// The answer to a request, whatever its status.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// The decoded body: an object, a list, or a `Status`; null when there was none.
    pub body: Value,
    /// Seconds of the `Retry-After` header.
    pub retry_after_s: Option<u32>,
}

impl ApiResponse {
    /// True for 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// True when the server says that the object is not there. A bare 404 says less: a path that is not served at the
    /// moment, as that of a kind whose CRD is being replaced, is answered like that too.
    pub fn is_gone(&self) -> bool {
        let name = self.body.at(&["details", "name"]).and_then(Value::as_str);
        self.status == 404 && name.is_some_and(|name| !name.is_empty())
    }

    /// What the server says about a failure: the message of its `Status`, or the HTTP status.
    pub fn message(&self) -> Str {
        match self.body.at(&["message"]).and_then(Value::as_str) {
            Some(message) if !message.is_empty() => message.into(),
            _ => kro_value::format_smolstr!("the server answered with HTTP status {}", self.status),
        }
    }

    /// The machine-readable reason of a `Status` (`AlreadyExists`, `Conflict`, ...); empty when there is none.
    pub fn reason(&self) -> &str {
        self.body.at(&["reason"]).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A request without an answer. Whether the server acted on it is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// What went wrong, for people.
    pub message: Str,
}
