use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::{Key, Stored};
use crate::ChangeKind;

/// One committed write in the history of a resource.
pub(crate) struct Event {
    pub(crate) revision: u64,
    pub(crate) kind: ChangeKind,
    pub(crate) key: Key,
    /// The object after the write; its last state with the resource version of the removal when it is gone.
    pub(crate) object: Arc<Stored>,
    pub(crate) previous: Option<Arc<Stored>>,
    /// The lines of this event in a watch, per representation; most watches of a resource share them. Few events have any.
    lines: OnceLock<Box<Lines>>,
}

#[derive(Default)]
struct Lines {
    plain: OnceLock<Bytes>,
    partial: OnceLock<Bytes>,
}

impl Event {
    pub(crate) fn new(
        revision: u64,
        kind: ChangeKind,
        key: Key,
        object: Arc<Stored>,
        previous: Option<Arc<Stored>>,
    ) -> Self {
        Self { revision, kind, key, object, previous, lines: OnceLock::new() }
    }

    /// The line for watches of plain objects, made once.
    pub(crate) fn plain(&self, make: impl FnOnce() -> Bytes) -> Bytes {
        self.lines.get_or_init(Box::default).plain.get_or_init(make).clone()
    }

    /// The line for watches of metadata, made once.
    pub(crate) fn partial(&self, make: impl FnOnce() -> Bytes) -> Bytes {
        self.lines.get_or_init(Box::default).partial.get_or_init(make).clone()
    }
}
