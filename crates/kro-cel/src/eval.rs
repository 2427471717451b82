//! Evaluation: errors, budgets, and programs planned from expressions.

mod context;
mod counting;
mod dispatch;
mod error;
mod fold;
mod frame;
mod glance;
mod message;
mod path;
mod plan;
mod planner;
mod program;
#[cfg(test)]
mod tests;
mod truth;

pub use context::{Activation, Budget, EvalContext};
pub use error::{ErrorKind, EvalError};
pub use program::Program;

pub(crate) use crate::declarations::Implementation;
pub(crate) use path::go_type;
pub(crate) use plan::FormatPiece;
