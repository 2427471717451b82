//! The controller suite: what the controllers must do, as data, on any API server.
//!
//! A [`Scenario`] is a YAML document under `tests/scenarios`: manifests to apply, changes to make, and what must come to
//! hold. [`run`] plays it on a [`Cluster`]: the embedded API under a virtual clock ([`Embedded`]) or a real
//! kube-apiserver (in this crate's tests). [`Baseline`] plays it with faults. See `tests/scenarios/README.md` for the
//! steps.
#![allow(clippy::disallowed_methods)] // test code: reads the scenarios

mod cluster;
mod embedded;
mod expectation;
mod likeness;
mod mapping;
mod matrix;
mod reading;
mod runner;
mod scenario;
mod shorthand;

pub use cluster::{Answer, Cluster, Record, Refusal, Simulated, wait};
pub use embedded::Embedded;
pub use mapping::ObjectRef;
pub use matrix::{Baseline, Fault, sample};
pub use reading::{load_all, load_one};
pub use runner::run;
pub use scenario::{Expectation, Patch, Scenario, Step};
