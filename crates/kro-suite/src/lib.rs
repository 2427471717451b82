//! The controller suite: what the controllers must do, as data, on any API server.
//!
//! A [`Scenario`] is a YAML document under `tests/scenarios`: manifests to apply, changes to make, and what must come to
//! hold. [`run`] plays it on a [`Cluster`]: the embedded API under a virtual clock ([`Embedded`]) or a real
//! kube-apiserver (in this crate's tests). See `tests/scenarios/README.md` for the steps.
#![allow(clippy::disallowed_methods)] // test code: reads the scenarios

mod cluster;
mod embedded;
mod expectation;
mod mapping;
mod runner;
mod scenario;

pub use cluster::{Answer, Cluster, Record, wait};
pub use embedded::Embedded;
pub use mapping::ObjectRef;
pub use runner::run;
pub use scenario::{Expectation, Scenario, Step, load_all};
