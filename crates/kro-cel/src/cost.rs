//! Cost: how much work an expression may be at most, before it runs, and how much it was, while it runs.
//!
//! The units and the rules are those of Kubernetes (one unit is about a simple operation, a select or a call; walking over
//! text costs a tenth of a unit a character), so that what an API server says of a validation rule can be said here.
//! Both sides, [`estimate`] and the counting evaluation ([`crate::Environment::plan_counting`]), take the formulas of calls
//! from the one declaration table: the estimate puts in the ranges that sizes may have, the evaluation the sizes that
//! they have. Where cel-go tracks something else than Kubernetes estimates, the table has both.

mod bounds;
mod entries;
mod estimator;
mod formula;
mod tracked;

use kro_value::Str;

use crate::ast::Ast;
use crate::checker::Checked;
use crate::types::Type;

pub use bounds::Bounds;
pub use formula::{Cost, Operand};
pub(crate) use tracked::Price;
pub use tracked::Tracked;

/// The cost of making a list, a map or an object.
pub(crate) const LIST: u64 = 10;
pub(crate) const MAP: u64 = 30;
pub(crate) const STRUCT: u64 = 40;

/// What a counting evaluation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prices {
    /// Exactly what cel-go tracks for the same expression and data when its environments have no estimator of their own.
    Reference,
    /// What [`estimate`] bounds: the prices of Kubernetes, with presence tests free.
    Estimate,
}

/// A step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field of an object, by its name in expressions.
    Field(Str),
    /// The items of a list.
    Items,
    /// The positions of a list.
    Indices,
    /// The keys of a map.
    Keys,
    /// The values of a map.
    Values,
}

/// What is known of the sizes of variables and their parts: characters of texts, bytes, items of lists, entries of maps.
pub trait SizeHints {
    /// The size of what is found from a variable by some steps; `None` where nothing is known.
    fn size(&self, variable: &str, steps: &[Step], ty: &Type) -> Option<Bounds>;
}

/// Nothing is known: every text and container may be of any size.
impl SizeHints for () {
    fn size(&self, _variable: &str, _steps: &[Step], _ty: &Type) -> Option<Bounds> {
        None
    }
}

/// The least and the greatest cost of evaluating a checked expression once, whatever the data is within the hints. An
/// expression with a loop over something of unknown size costs up to [`u64::MAX`].
pub fn estimate(ast: &Ast, checked: &Checked, hints: &dyn SizeHints) -> Bounds {
    estimator::estimate(ast, checked, hints)
}
