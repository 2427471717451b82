//! Plan, readiness, status, ApplySet and deletion of one instance, as pure functions.
#![deny(missing_docs)]

pub mod applyset;
pub mod author;
pub mod conditions;
mod convert;
pub mod deletion;
pub mod digest;
pub mod drift;
mod eval;
pub mod marks;
pub mod object;
pub mod plan;
pub mod snapshot;
pub mod status;
pub mod texts;
mod time;
mod trim;
pub mod views;

pub use plan::{Apply, Input, InstanceState, NodePlan, NodeState, Plan, foreign_owner, plan};
pub use time::Timestamp;
pub use views::Views;
