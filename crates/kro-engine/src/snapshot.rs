//! What is known of the world when a plan is made.

use std::borrow::Cow;
use std::sync::Arc;

use kro_graph::{NodeIndex, Reads};
use kro_value::{Str, Value};

use crate::object::ObjectId;
use crate::{drift, trim};

/// A live object, without `managedFields` but with what they say about our own fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The object.
    pub object: Value,
    /// Digest of the fields we own and their values.
    pub own_digest: u64,
    /// The fields we own; `None` when there are none, or once the rest was dropped.
    pub own_fields: Option<Value>,
    /// What the graph reads of it, once everything else was dropped; `None` while it is whole.
    pub kept: Option<Arc<Reads>>,
    /// Who changed what we own, when somebody just did.
    pub writer: Option<Arc<drift::Writer>>,
}

impl Observed {
    /// Takes an object as the server sends it, after an earlier state of it.
    pub fn new(mut object: Value, earlier: Option<&Self>) -> Self {
        let own_fields = drift::own_fields(&object).map(Cow::into_owned);
        let own_digest = drift::own_digest(&object, own_fields.as_ref());
        let is_drift = earlier.is_some_and(|earlier| earlier.own_digest != own_digest);
        let writer = is_drift.then(|| drift::last_writer(&object)).flatten().map(Arc::new);
        match trim::finalizer_entries(&object) {
            Some(entries) => object.set_at(&["metadata", "managedFields"], entries),
            None => drop(object.remove_at(&["metadata", "managedFields"])),
        }
        trim::share_names(&mut object);
        Self { object, own_digest, own_fields, kept: None, writer }
    }

    /// Gives back what was reserved and is not used, before it is kept for long.
    pub fn shrink(&mut self) {
        self.object.shrink();
    }

    /// Drops what is not needed any more once the object is known to be as wanted: all but its identity, its marks and
    /// what the graph's expressions read.
    #[must_use]
    pub fn trimmed(&self, reads: &Arc<Reads>) -> Self {
        let object = trim::trim(&self.object, reads);
        Self { object, own_digest: self.own_digest, own_fields: None, kept: Some(Arc::clone(reads)), writer: None }
    }

    /// True when everything that is read of it is still there.
    pub fn shows(&self, reads: &Reads) -> bool {
        self.kept.as_ref().is_none_or(|kept| trim::covers(kept, reads))
    }

    /// True when a newer state says nothing new to anybody: neither in what we own nor in what is read.
    pub fn is_like(&self, newer: &Self) -> bool {
        self.own_digest == newer.own_digest && trim::is_same(&self.object, &newer.object)
    }
}

/// What is known of one object.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// Nothing yet: its watch has not listed.
    Unknown,
    /// It cannot be known: why.
    Failed(&'a str),
    /// It does not exist.
    Missing,
    /// It exists.
    Found(&'a Observed),
}

/// Objects that somebody else owns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalTarget {
    /// The node that reads them.
    pub node: NodeIndex,
    /// Namespace; `None` for all namespaces, or for a cluster-scoped kind.
    pub namespace: Option<Str>,
    /// The one object of this name; `None` for all that match the selector.
    pub name: Option<Str>,
    /// Label selector in its query form; empty for none.
    pub selector: Str,
}

/// What is known of external objects.
#[derive(Debug, Clone)]
pub enum External {
    /// Nothing yet.
    Unknown,
    /// They cannot be known: why.
    Failed(String),
    /// All that match, in the order of the server.
    Found(Vec<Value>),
}

/// What became of the last apply of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Not answered yet.
    InFlight,
    /// Taken. The digest of our fields in the answer.
    Applied {
        /// See [`Observed::own_digest`].
        own_digest: u64,
    },
    /// Refused, or lost on the way.
    Failed {
        /// The server's words.
        message: Str,
        /// True when its turn has come to be tried again.
        is_due: bool,
    },
}

/// What is remembered of the last apply of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Digest of the body.
    pub body: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// Everything a plan reads besides the graph and the instance.
pub trait Snapshot {
    /// The object of a node.
    fn object(&self, node: NodeIndex, id: &ObjectId) -> Lookup<'_>;
    /// Objects that somebody else owns.
    fn external(&self, target: &ExternalTarget) -> External;
    /// The last apply of an object.
    fn record(&self, id: &ObjectId) -> Option<&Record>;
}
