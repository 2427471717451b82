//! The manager on the embedded API, with a virtual clock and injected faults.
//!
//! A [`Simulation`] is the second driver of [`kro_manager::Manager`] (the other one, for real clusters, is
//! `kro-controller`). It performs effects synchronously against a [`kro_apiserver::ApiServer`], moves its clock to the
//! next thing that is due, and can refuse requests, lose their answers, cut watches and restart the manager anywhere.
//! Everything is deterministic: equal inputs give equal traces.
#![deny(missing_docs)]

mod fault;
mod simulation;
mod trace;
mod watch;

pub use fault::{Fate, FaultPlan};
pub use simulation::{Answer, Simulation};
pub use trace::{RequestRecord, Trace};
