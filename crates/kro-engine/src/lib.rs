//! Plan, readiness, status, ApplySet and deletion of one instance, as pure functions.
#![deny(missing_docs)]

pub mod applyset;
pub mod conditions;
pub mod deletion;
pub mod digest;
pub mod drift;
pub mod marks;
pub mod object;
mod time;

pub use time::Timestamp;
