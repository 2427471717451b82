use bytes::Bytes;
use jiff::SignedDuration;
use kro_value::{Value, to_json};

use crate::Headers;

/// The handle of an open watch; never reused within one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub(crate) u64);

/// What follows the head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A complete body.
    Full(Bytes),
    /// A complete body in pieces, for hosts that ask for it with
    /// [`handle_in_parts`](crate::ApiServer::handle_in_parts).
    Parts(Vec<Bytes>),
    /// A stream: send the head at once, then what [`ApiServer::next_events`](crate::ApiServer::next_events) gives.
    Watch(WatchId),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The headers, `Content-Type` and `Warning`s included; `Date` and `Content-Length` are left to the host.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// How long the host keeps the response back: a fault asked for it. Usually zero.
    pub delay: SignedDuration,
}

impl Response {
    /// A response with a complete body.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = Headers::new().with("Content-Type", content_type).with("Cache-Control", "no-cache, private");
        Self { status, headers, body: Body::Full(body.into()), delay: SignedDuration::ZERO }
    }

    /// JSON in pieces.
    pub(crate) fn in_parts(parts: Vec<Bytes>) -> Self {
        Self { body: Body::Parts(parts), ..Self::new(200, "application/json", Bytes::new()) }
    }

    /// The head of a watch.
    pub(crate) fn watch_opened(id: WatchId) -> Self {
        Self { body: Body::Watch(id), ..Self::new(200, "application/json", Bytes::new()) }
    }

    /// A JSON response.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", to_json(value))
    }

    /// A plain text response.
    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.into()).with_header("X-Content-Type-Options", "nosniff")
    }

    /// This response with one more header.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The complete body; empty for a watch and for one in pieces.
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Full(bytes) => bytes,
            Body::Parts(_) | Body::Watch(_) => &[],
        }
    }

    /// This response with its pieces put together.
    pub(crate) fn joined(mut self) -> Self {
        if let Body::Parts(parts) = &self.body {
            self.body = Body::Full(parts.concat().into());
        }
        self
    }

    /// The watch, when the response opens one.
    pub fn watch(&self) -> Option<WatchId> {
        match self.body {
            Body::Watch(id) => Some(id),
            Body::Full(_) | Body::Parts(_) => None,
        }
    }
}

/// What a watch has to send now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchPoll {
    /// Complete lines of JSON, each one event, in order.
    pub chunks: Vec<Bytes>,
    /// True when the stream ends after these chunks; the watch is closed then.
    pub ended: bool,
}
