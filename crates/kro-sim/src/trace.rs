use std::collections::BTreeSet;

use kro_engine::Timestamp;
use kro_manager::{KubernetesEvent, LogLine};
use kro_value::Str;

/// One request of the manager and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// When it was sent.
    pub at: Timestamp,
    /// HTTP method; `APPLY` for server-side apply.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// HTTP status of the answer; 0 when there was none.
    pub status: u16,
}

/// What the manager did, in order.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// Requests; those of watches are not among them.
    pub requests: Vec<RequestRecord>,
    /// Lists and watches that were opened, by path.
    pub watches: Vec<String>,
    /// Kubernetes Events.
    pub events: Vec<KubernetesEvent>,
    /// Log lines.
    pub logs: Vec<LogLine>,
    /// Values of labels of metrics.
    pub labels: BTreeSet<Str>,
}
