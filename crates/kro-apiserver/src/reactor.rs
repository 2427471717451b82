use std::sync::Arc;

use jiff::Timestamp;
use kro_value::Value;

use crate::{Access, Resource};

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It was changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One committed write, as controllers see it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What the object is.
    pub resource: Arc<Resource>,
    /// What happened.
    pub kind: ChangeKind,
    /// The object after the change with `kind` and `apiVersion` (of its storage version); when it was deleted, its
    /// last state.
    pub object: Value,
    /// The object before the change; `None` when it was added.
    pub previous: Option<Value>,
}

/// A controller of the cluster, simulated: it hears of every committed change and writes through [`Access`] like any
/// other client.
///
/// A reactor is driven by [`ApiServer::tick`](crate::ApiServer::tick) and owns no clock: it asks to be run by
/// [`next_due`](Self::next_due).
pub trait Reactor: Send {
    /// The name: user `system:serviceaccount:kube-system:<name>` and field manager `<name>` of its writes.
    fn name(&self) -> &'static str;

    /// Hears of a change, its own included. Only notes what is to do; must be quick.
    fn observe(&mut self, change: &Change, now: Timestamp);

    /// Does everything that is due at `now`.
    fn run(&mut self, access: &mut Access<'_>, now: Timestamp);

    /// When to run next: in the past or now for work that waits, `None` when there is nothing to do.
    fn next_due(&self) -> Option<Timestamp>;
}
