//! Evaluation: errors, budgets, and programs planned from expressions.

mod context;
mod error;

pub use context::{Activation, Budget, EvalContext};
pub use error::{ErrorKind, EvalError};
