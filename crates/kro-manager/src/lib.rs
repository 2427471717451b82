//! Both controllers as one event loop without I/O.
//!
//! A driver owns a [`Manager`], hands it every [`Event`] and performs the [`Effect`]s it gets back:
//!
//! 1. Begin with [`Event::LeadershipGained`].
//! 2. [`Effect::Request`]: send it, then hand in [`Event::Response`]. A request that cannot be sent is answered with a
//!    [`TransportError`]. Order between requests does not matter: the manager waits for the answer where it does.
//! 3. [`Effect::Watch`]: list and hand in [`Event::Listed`], then watch and hand in [`Event::Object`]. When the watch
//!    expires, list again. While it fails, hand in [`Event::WatchFailed`] and try again with a backoff.
//! 4. [`Effect::SetTimer`]: hand in [`Event::Timer`] when it is due.
//!
//! The driver hands in whole objects with their `managedFields`; the manager keeps of them what it needs.
#![deny(missing_docs)]

mod compiler;
mod config;
mod crds;
mod definitions;
mod effect;
mod ensure_crd;
mod event;
mod graphs;
mod id;
mod immutable;
mod instances;
mod manager;
mod metrics;
mod outbox;
pub mod path;
mod records;
mod removal;
mod retry;
mod revisions;
mod served;
mod snapshot;
mod view;
mod watches;
mod work;

pub use config::Config;
pub use definitions::custom_resource_definitions;
pub use effect::{
    ApiRequest, Effect, KubernetesEvent, LogLevel, LogLine, Metric, MetricChange, ObjectReference, Verb, WatchTarget,
};
pub use event::{ApiResponse, Event, ObjectChange, TransportError, WatchFailure};
pub use id::{RequestId, TimerId, WatchId};
pub use kro_engine::Timestamp;
pub use manager::Manager;
pub use view::{GraphView, InstanceView, NodeView, View};

/// Digest of the `spec` of an object.
fn digest_of_spec(object: &kro_value::Value) -> u64 {
    object.at(&["spec"]).map(kro_engine::digest::Digest::of).unwrap_or_default()
}

/// Digest of all of a CRD that a definition decides about.
fn digest_of_crd(object: &kro_value::Value) -> u64 {
    let mut digest = kro_engine::digest::Digest::default();
    for path in [&["spec"][..], &["metadata", "labels"], &["metadata", "annotations"]] {
        digest.value(object.at(path).unwrap_or(&kro_value::Value::Null));
    }
    digest.finish()
}

/// Runs a pure function; a panic in it is its error. What it worked on is thrown away, so nothing is left half done.
fn guard<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic without a message".into())
    })
}
