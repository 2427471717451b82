//! Plan, readiness, status, ApplySet and deletion of one instance, as pure functions.
#![deny(missing_docs)]

mod time;

pub use time::Timestamp;
