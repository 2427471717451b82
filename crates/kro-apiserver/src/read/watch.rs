use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use kro_apimachinery::Status;
use kro_value::{Value, to_json};

use super::options::ListOptions;
use crate::negotiation::Form;
use crate::representation::View;
use crate::selection::Selection;
use crate::store::{Event, Store, Stored};
use crate::table::TableOptions;
use crate::{ChangeKind, WatchPoll};

/// How often an idle watch tells the newest resource version.
const BOOKMARK_PERIOD: SignedDuration = SignedDuration::from_secs(60);
/// A last bookmark comes this long before the end.
const BOOKMARK_BEFORE_END: SignedDuration = SignedDuration::from_secs(2);

/// An open watch: a cursor into the history of a resource.
pub(crate) struct Watch {
    pub(crate) view: View,
    pub(crate) selection: Selection,
    table: TableOptions,
    /// Everything up to this resource version has been sent.
    cursor: u64,
    /// Objects of the initial state that are still to be sent.
    initial: VecDeque<Arc<Stored>>,
    /// The resource version of the bookmark that ends the initial state.
    initial_end: Option<u64>,
    bookmarks: bool,
    bookmark_due: Timestamp,
    deadline: Timestamp,
    /// The last bookmark before the deadline was sent.
    last_bookmark_sent: bool,
    /// Sent before the stream ends, when the watch starts too far in the past.
    failure: Option<Status>,
    ended: bool,
    rows_sent: bool,
    /// A fault keeps everything back until then.
    held_until: Option<Timestamp>,
}

impl Watch {
    pub(crate) fn open(
        store: &Store,
        view: View,
        selection: Selection,
        options: &ListOptions,
        table: TableOptions,
        lifetime: SignedDuration,
        now: Timestamp,
    ) -> Self {
        let from_start = options.revision.unwrap_or_default() == 0;
        let wants_initial = options.send_initial_events.unwrap_or(from_start);
        let mut watch = Self {
            view,
            selection,
            table,
            cursor: options.revision.filter(|revision| *revision > 0).unwrap_or_else(|| store.revision()),
            initial: VecDeque::new(),
            initial_end: None,
            bookmarks: options.bookmarks,
            bookmark_due: later(now, BOOKMARK_PERIOD),
            deadline: later(now, options.timeout_seconds.map_or(lifetime, SignedDuration::from_secs)),
            last_bookmark_sent: false,
            failure: None,
            ended: false,
            rows_sent: false,
            held_until: None,
        };
        if wants_initial {
            watch.cursor = store.revision();
            watch.initial = watch.current(store);
            watch.initial_end = options.send_initial_events.and(Some(watch.cursor)).filter(|_| options.bookmarks);
        } else if watch.cursor < store.compacted(&watch.view.resource.id) {
            watch.failure = Some(too_old(watch.cursor, store.compacted(&watch.view.resource.id)));
        }
        watch
    }

    /// What to send now.
    pub(crate) fn poll(&mut self, store: &Store, is_served: bool, now: Timestamp) -> WatchPoll {
        if self.held_until.is_some_and(|until| now < until) {
            return WatchPoll::default();
        }
        self.held_until = None;
        let mut chunks = Vec::new();
        if let Some(failure) = self.failure.take() {
            chunks.push(line("ERROR", to_json(&failure.to_value()).as_bytes()));
            self.ended = true;
        }
        if !self.ended {
            self.send_initial(&mut chunks, now);
            self.send_events(store, &mut chunks, now);
            self.send_bookmarks(store, &mut chunks, now);
            self.ended = self.ended || !is_served || now >= self.deadline;
        }
        WatchPoll { chunks, ended: self.ended }
    }

    /// When there is something to send although nothing changes.
    pub(crate) fn next_due(&self) -> Timestamp {
        if let Some(until) = self.held_until {
            return until;
        }
        if self.bookmarks && !self.last_bookmark_sent {
            self.bookmark_due.min(earlier(self.deadline, BOOKMARK_BEFORE_END)).min(self.deadline)
        } else {
            self.deadline
        }
    }

    /// Keeps everything back until this time.
    pub(crate) fn hold(&mut self, until: Timestamp) {
        self.held_until = Some(until);
    }

    /// True when there is something to send; events that are not for this watch are passed over.
    pub(crate) fn has_events(&mut self, store: &Store) -> bool {
        if self.ended || self.failure.is_some() || !self.initial.is_empty() || self.initial_end.is_some() {
            return true;
        }
        let Some(table) = store.table(&self.view.resource.id) else { return false };
        if self.cursor < table.compacted() {
            return true;
        }
        let next = table.since(self.cursor).find(|event| self.concerns(event));
        self.cursor = next.map_or(store.revision(), |event| event.revision - 1).max(self.cursor);
        next.is_some()
    }

    /// True when the event is about an object that is, or was, selected.
    fn concerns(&self, event: &Event) -> bool {
        let passes = |stored: &Arc<Stored>| self.selection.matches(&self.view.resource, stored);
        event.previous.as_ref().is_some_and(passes) || event.kind != ChangeKind::Deleted && passes(&event.object)
    }

    /// Ends the stream at the next poll, events that wait included.
    pub(crate) fn cut(&mut self) {
        self.ended = true;
    }

    /// Asks for a bookmark at the next poll.
    pub(crate) fn request_bookmark(&mut self, now: Timestamp) {
        self.bookmark_due = now;
    }

    fn current(&self, store: &Store) -> VecDeque<Arc<Stored>> {
        let table = store.table(&self.view.resource.id);
        let objects = table.into_iter().flat_map(|table| table.in_namespace(self.selection.namespace.as_deref()));
        let matching = objects.filter(|(_, stored)| self.selection.matches(&self.view.resource, stored));
        matching.map(|(_, stored)| Arc::clone(stored)).collect()
    }

    fn send_initial(&mut self, chunks: &mut Vec<Bytes>, now: Timestamp) {
        while let Some(stored) = self.initial.pop_front() {
            let object = self.object(&stored, now);
            chunks.push(line("ADDED", &object));
        }
        if let Some(revision) = self.initial_end.take() {
            chunks.push(self.bookmark(revision, true, now));
        }
    }

    fn send_events(&mut self, store: &Store, chunks: &mut Vec<Bytes>, now: Timestamp) {
        let Some(table) = store.table(&self.view.resource.id) else { return };
        if self.cursor < table.compacted() {
            // Too slow: history went past this watch. The client lists again.
            self.ended = true;
            return;
        }
        for event in table.since(self.cursor) {
            chunks.extend(self.event(event, now));
        }
        self.cursor = self.cursor.max(store.revision());
    }

    /// The line of an event; `None` when it is not for this watch.
    fn event(&mut self, event: &Event, now: Timestamp) -> Option<Bytes> {
        let passes = |stored: &Arc<Stored>| self.selection.matches(&self.view.resource, stored);
        let was = event.previous.as_ref().is_some_and(passes);
        let is = event.kind != ChangeKind::Deleted && passes(&event.object);
        match (was, is) {
            (false, false) => None,
            (false, true) => Some(self.line_of(event, "ADDED", now)),
            (true, true) => Some(self.line_of(event, "MODIFIED", now)),
            (true, false) if event.kind == ChangeKind::Deleted => Some(self.line_of(event, "DELETED", now)),
            // It left the selection: its last content that was selected, with the new resource version.
            (true, false) => {
                let mut value = event.previous.as_ref()?.value.clone();
                value.set_at(&["metadata", "resourceVersion"], event.revision.to_string().into());
                let stored = Stored::new(value, event.revision, event.object.schema_revision);
                Some(line("DELETED", &self.object(&stored, now)))
            }
        }
    }

    fn line_of(&mut self, event: &Event, name: &str, now: Timestamp) -> Bytes {
        let natural = match event.kind {
            ChangeKind::Added => "ADDED",
            ChangeKind::Modified => "MODIFIED",
            ChangeKind::Deleted => "DELETED",
        };
        let is_shared = name == natural && self.view.version == self.view.resource.storage;
        match self.view.form {
            Form::Object if is_shared => event.plain(|| line(name, &self.view.object_once(&event.object))),
            Form::Metadata { beta: false, .. } if is_shared => {
                event.partial(|| line(name, &self.view.object(&event.object)))
            }
            _ => line(name, &self.object(&event.object, now)),
        }
    }

    fn object(&mut self, stored: &Stored, now: Timestamp) -> Bytes {
        if !matches!(self.view.form, Form::Table { .. }) {
            return self.view.object(stored);
        }
        let shows_columns = !std::mem::replace(&mut self.rows_sent, true);
        to_json(&crate::table::row_event(&self.view, stored, self.table, shows_columns, now)).into()
    }

    fn send_bookmarks(&mut self, store: &Store, chunks: &mut Vec<Bytes>, now: Timestamp) {
        let is_last = now >= earlier(self.deadline, BOOKMARK_BEFORE_END) && !self.last_bookmark_sent;
        if !self.bookmarks || now < self.bookmark_due && !is_last {
            return;
        }
        self.last_bookmark_sent = is_last;
        self.bookmark_due = later(now, BOOKMARK_PERIOD);
        let revision = store.revision();
        chunks.push(self.bookmark(revision, false, now));
    }

    fn bookmark(&mut self, revision: u64, ends_initial: bool, now: Timestamp) -> Bytes {
        let mut metadata = Value::map([("resourceVersion", Value::from(revision.to_string()))]);
        if ends_initial {
            metadata.set_at(&["annotations", "k8s.io/initial-events-end"], "true".into());
        }
        let api_version = self.view.resource.api_version(self.view.version);
        let object = Value::map([
            ("kind", Value::from(self.view.resource.kind.clone())),
            ("apiVersion", api_version.into()),
            ("metadata", metadata),
        ]);
        line("BOOKMARK", &self.object(&Stored::new(object, revision, self.view.resource.revision), now))
    }
}

fn line(name: &str, object: &[u8]) -> Bytes {
    let mut text = Vec::with_capacity(object.len() + 32);
    text.extend_from_slice(b"{\"type\":\"");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"\",\"object\":");
    text.extend_from_slice(object);
    text.extend_from_slice(b"}\n");
    text.into()
}

fn too_old(cursor: u64, oldest: u64) -> Status {
    Status::failure(410, "Expired", format!("too old resource version: {cursor} ({oldest})"))
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}
