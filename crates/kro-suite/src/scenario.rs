use kro_value::{FieldPath, Value};

use crate::{ObjectRef, Refusal};

/// One scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its file, from the folder of all scenarios, without the extension.
    pub name: String,
    /// The sections of the specification that it pins.
    pub pins: Vec<String>,
    /// The controller's configuration, where it is not the usual one.
    pub config: Option<kro_manager::Config>,
    /// Why it fails, while it does.
    pub known_failing: Option<String>,
    /// Why it cannot be played on a real API server, where it uses what a real one has.
    pub embedded_only: Option<String>,
    /// Why it is not played with faults, where it compares what they change.
    pub without_faults: Option<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// True when it needs a simulated cluster: faults, logs, or a clock that can be turned.
    pub fn is_simulated(&self) -> bool {
        let is_simulated = |step: &Step| {
            matches!(step, Step::Refuse(_) | Step::Heal | Step::CutWatches | Step::NeverLogged(_) | Step::Advance(_))
        };
        self.embedded_only.is_some() || self.steps.iter().any(is_simulated)
    }

    /// True when it needs a controller of its own, or the namespace `default`, as definitions that are their own
    /// instance do.
    pub fn is_exclusive(&self) -> bool {
        let is_single = |manifest: &Value| {
            manifest.str_at(&["kind"]) == Some("ResourceGraphDefinition") && manifest.at(&["spec", "schema"]).is_none()
        };
        let restarts = |step: &Step| matches!(step, Step::Stop | Step::Restart | Step::RestartAfter(_));
        self.config.is_some() || self.steps.iter().any(restarts) || self.manifests().any(is_single)
    }

    /// All manifests that it applies.
    pub fn manifests(&self) -> impl Iterator<Item = &Value> {
        self.steps.iter().flat_map(|step| match step {
            Step::Apply { manifests, .. } => manifests.as_slice(),
            _ => &[],
        })
    }
}

/// One step of a scenario.
#[derive(Debug, Clone)]
pub enum Step {
    /// Server-side apply of manifests; waits for kinds that are about to be served.
    Apply {
        /// What is applied.
        manifests: Vec<Value>,
        /// As which field manager.
        manager: String,
        /// Whether fields of others are taken.
        is_forced: bool,
    },
    /// A merge patch.
    Merge(Patch),
    /// DELETE; the object must exist.
    Delete {
        /// What is deleted.
        object: ObjectRef,
        /// `propagationPolicy`; empty for the default.
        propagation: String,
    },
    /// A change that the API server must refuse.
    Refused {
        /// What is tried: [`Step::Apply`], [`Step::Merge`] or [`Step::Delete`].
        step: Box<Step>,
        /// A part of the answer's message.
        message: String,
    },
    /// All of these come to hold.
    Expect(Vec<Expectation>),
    /// Requests of the controller since the mark contain these, in this order: `METHOD path`.
    Requests(Vec<String>),
    /// The controller sent at least and at most this many requests since the mark, those of the method and path part given.
    RequestCount {
        /// A part of `METHOD path`; empty for all.
        matching: String,
        /// The fewest that are allowed.
        at_least: usize,
        /// The most that are allowed.
        at_most: usize,
    },
    /// Events of the controller contain these.
    Events(Vec<Value>),
    /// Counting of requests starts here.
    Mark,
    /// The controller sends nothing for the cluster's rest time.
    Quiet,
    /// The controller is killed.
    Stop,
    /// The controller is killed, if it runs, and started again.
    Restart,
    /// The controller is killed after this many more requests, and started again.
    RestartAfter(usize),
    /// Keeps the UIDs and resource versions of these objects.
    Remember(Vec<ObjectRef>),
    /// These objects have the resource versions that were remembered.
    Unchanged(Vec<ObjectRef>),
    /// These objects are the remembered ones, changed or not.
    Kept(Vec<ObjectRef>),
    /// These objects are others than the remembered ones.
    Replaced(Vec<ObjectRef>),
    /// Requests of the controller fail from now on.
    Refuse(Refusal),
    /// No request is refused any more.
    Heal,
    /// All watches end.
    CutWatches,
    /// So many milliseconds pass.
    Advance(i64),
    /// No line of the log, no Event and no status contains this text.
    NeverLogged(String),
}

/// A merge patch of one object.
#[derive(Debug, Clone)]
pub struct Patch {
    /// What is patched.
    pub object: ObjectRef,
    /// `/status`, or empty.
    pub subresource: String,
    /// The patch.
    pub patch: Value,
}

/// What must come to hold.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// The object is there and looks like this.
    Object {
        /// Which.
        object: ObjectRef,
        /// A part of it.
        has: Value,
        /// Paths that are not there.
        lacks: Vec<FieldPath>,
        /// Type to status, or to a part of the condition.
        conditions: Value,
    },
    /// The object is not there.
    Absent(ObjectRef),
    /// The objects of a kind with a selector have these names, in all namespaces.
    Names {
        /// Kind, and namespace with an empty name.
        kind: ObjectRef,
        /// Label selector.
        selector: String,
        /// Sorted.
        names: Vec<String>,
    },
}
