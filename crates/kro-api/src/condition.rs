//! Condition types, statuses and reasons.

/// The root condition of RGDs, GraphRevisions and instances.
pub const READY: &str = "Ready";

/// RGD: its revisions are settled.
pub const GRAPH_REVISIONS_RESOLVED: &str = "GraphRevisionsResolved";
/// RGD: its graph compiles.
pub const GRAPH_ACCEPTED: &str = "GraphAccepted";
/// RGD: its CRD is established.
pub const KIND_READY: &str = "KindReady";
/// RGD: its instances are watched.
pub const CONTROLLER_READY: &str = "ControllerReady";

/// GraphRevision: its snapshot compiles.
pub const GRAPH_VERIFIED: &str = "GraphVerified";

/// Instance: finalizer and labels are in place.
pub const INSTANCE_MANAGED: &str = "InstanceManaged";
/// Instance: there is a compiled graph for it.
pub const GRAPH_RESOLVED: &str = "GraphResolved";
/// Instance: all its resources are there and ready.
pub const RESOURCES_READY: &str = "ResourcesReady";

/// The condition holds.
pub const TRUE: &str = "True";
/// The condition does not hold.
pub const FALSE: &str = "False";
/// Not known yet.
pub const UNKNOWN: &str = "Unknown";

/// Reason of every condition that was never set.
pub const REASON_AWAITING: &str = "AwaitingReconciliation";
