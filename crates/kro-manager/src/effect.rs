use kro_engine::Timestamp;
use kro_value::{Str, Value};

use crate::{RequestId, TimerId, WatchId};

/// Something the manager wants done. A driver performs the effects of one `handle` call in their order; requests may
/// run at the same time.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send this and report [`crate::Event::Response`] exactly once.
    Request {
        /// To name it in the answer.
        id: RequestId,
        /// What to send.
        request: ApiRequest,
    },
    /// List, then watch, until [`Effect::Unwatch`]; re-list when the watch expires.
    Watch {
        /// To name it in events.
        id: WatchId,
        /// What to watch.
        target: WatchTarget,
    },
    /// Stop a watch. Events of it that are already under way are ignored by the manager.
    Unwatch {
        /// Which watch.
        id: WatchId,
    },
    /// Report [`crate::Event::Timer`] at this time, once.
    SetTimer {
        /// To name it.
        id: TimerId,
        /// When.
        at: Timestamp,
    },
    /// Forget a timer.
    CancelTimer {
        /// Which.
        id: TimerId,
    },
    /// Record a Kubernetes Event. A driver may drop it under load.
    Event(KubernetesEvent),
    /// Count or measure something.
    Metric(Metric),
    /// Write a log line.
    Log(LogLine),
}

/// What a request does; decides method and content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// GET of one object or document.
    Get,
    /// POST of a new object.
    Create,
    /// PUT of a whole object.
    Update,
    /// Server-side apply.
    Apply,
    /// JSON merge patch.
    MergePatch,
    /// DELETE of one object.
    Delete,
}

impl Verb {
    /// The HTTP method.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Create => "POST",
            Self::Update => "PUT",
            Self::Apply | Self::MergePatch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The `Content-Type` of the body.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Apply => "application/apply-patch+yaml",
            Self::MergePatch => "application/merge-patch+json",
            _ => "application/json",
        }
    }
}

/// A request to the API server.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiRequest {
    /// What it does.
    pub verb: Verb,
    /// The path, such as `/apis/apps/v1/namespaces/default/deployments/web`; needs no escaping.
    pub path: String,
    /// Query parameters, not yet escaped.
    pub query: Vec<(&'static str, Str)>,
    /// The body; JSON (which is YAML) also for server-side apply.
    pub body: Option<Value>,
}

impl ApiRequest {
    /// The path with its escaped query.
    pub fn path_and_query(&self) -> String {
        let mut text = self.path.clone();
        for (position, (name, value)) in self.query.iter().enumerate() {
            text.push(if position == 0 { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            escape(value, &mut text);
        }
        text
    }
}

fn escape(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// What a watch covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchTarget {
    /// API group, empty for the core group.
    pub group: Str,
    /// API version.
    pub version: Str,
    /// Resource, as in paths.
    pub plural: Str,
    /// One namespace, or all (and the only choice for cluster-scoped resources).
    pub namespace: Option<Str>,
    /// Label selector in its query form; empty for none.
    pub label_selector: Str,
    /// Field selector in its query form; empty for none.
    pub field_selector: Str,
    /// Only `PartialObjectMetadata` is wanted.
    pub metadata_only: bool,
}

impl WatchTarget {
    /// The path of the list.
    pub fn path(&self) -> String {
        crate::path::collection(&self.group, &self.version, self.namespace.as_deref(), &self.plural)
    }
}

/// An object that an Event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectReference {
    /// `apiVersion` of the object.
    pub api_version: Str,
    /// Its kind.
    pub kind: Str,
    /// Its namespace; empty when cluster-scoped.
    pub namespace: Str,
    /// Its name.
    pub name: Str,
    /// Its UID.
    pub uid: Str,
}

/// A Kubernetes Event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesEvent {
    /// What it is about.
    pub regarding: ObjectReference,
    /// True for type `Warning`, false for `Normal`.
    pub warning: bool,
    /// Machine-readable reason.
    pub reason: Str,
    /// For people.
    pub message: String,
    /// `source.component`.
    pub component: Str,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The name of the series, as on the metrics endpoint.
    pub name: &'static str,
    /// Labels in their order.
    pub labels: Vec<(&'static str, Str)>,
    /// What to do with the value.
    pub change: MetricChange,
}

/// How a measurement changes its series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricChange {
    /// Add to a counter.
    Add(f64),
    /// Set a gauge.
    Set(f64),
    /// Observe in a histogram (seconds).
    Observe(f64),
    /// Remove the series.
    Remove,
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is odd.
    Warning,
    /// Something happened that an operator wants to know.
    Info,
    /// For finding faults.
    Debug,
}

/// A structured log line; never holds values of Secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How important.
    pub level: LogLevel,
    /// A constant sentence.
    pub message: Str,
    /// Facts by name.
    pub fields: Vec<(&'static str, Str)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        let request = ApiRequest {
            verb: Verb::Apply,
            path: "/api/v1/namespaces/a/configmaps/b".into(),
            query: vec![("fieldManager", "kro.run/applyset".into()), ("force", "true".into())],
            body: None,
        };
        assert_eq!(
            request.path_and_query(),
            "/api/v1/namespaces/a/configmaps/b?fieldManager=kro.run%2Fapplyset&force=true"
        );
    }
}
