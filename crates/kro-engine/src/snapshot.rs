//! What is known of the world when a plan is made.

use kro_graph::NodeIndex;
use kro_value::{Str, Value};

use crate::drift;
use crate::object::ObjectId;

/// A live object, without `managedFields` but with what they say about our own fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The object.
    pub object: Value,
    /// Digest of the fields we own and their values.
    pub own_digest: u64,
    /// The fields we own; `None` when there are none.
    pub own_fields: Option<Value>,
}

impl Observed {
    /// Takes an object as the server sends it.
    pub fn new(mut object: Value) -> Self {
        let own_fields = drift::own_fields(&object).cloned();
        let own_digest = drift::own_digest(&object, own_fields.as_ref());
        object.remove_at(&["metadata", "managedFields"]);
        Self { object, own_digest, own_fields }
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
