//! Evaluation of a graph's expressions over JSON.

use kro_cel::eval::{Activation, Budget, EvalError};
use kro_cel::value::{CelValue, Opaque};
use kro_graph::{Expression, Graph};
use kro_value::{Str, Value};

use crate::convert::to_json;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EvalFailure {
    /// True when the data is not there yet: a missing key, field, attribute or index.
    pub is_unavailable: bool,
    /// The evaluator's words.
    pub message: String,
}

impl From<EvalError> for EvalFailure {
    fn from(error: EvalError) -> Self {
        Self { is_unavailable: error.is_unavailable(), message: error.message().to_owned() }
    }
}

/// The variables of an expression.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The graph, for the ids of its nodes.
    pub graph: &'a Graph,
    /// The instance, as `schema`.
    pub schema: &'a CelValue,
    /// What each node's id stands for; `None` while nothing is observed.
    pub nodes: &'a [Option<CelValue>],
    /// Iterators and `each`.
    pub locals: &'a [(Str, CelValue)],
}

impl Activation for Scope<'_> {
    fn variable(&self, name: &str) -> Option<&CelValue> {
        const RUNTIME: &CelValue = &CelValue::Opaque(Opaque::Runtime);
        if let Some((_, value)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Some(value);
        }
        match name {
            "schema" => Some(self.schema),
            "runtime" => Some(RUNTIME),
            _ => self.nodes.get(self.graph.find(name)?.get())?.as_ref(),
        }
    }
}

/// The value of an expression.
pub(crate) fn run(expression: &Expression, scope: Scope<'_>) -> Result<CelValue, EvalFailure> {
    Ok(expression.program.evaluate(&scope, &Budget::default())?)
}

/// The value of an expression as JSON; `None` is what `omit()` gives. `format` is that of the field it goes to.
pub(crate) fn evaluate(
    expression: &Expression,
    scope: Scope<'_>,
    format: Option<&str>,
) -> Result<Option<Value>, EvalFailure> {
    to_json(&run(expression, scope)?, format)
        .map_err(|why| EvalFailure { is_unavailable: false, message: format!("convert {:?}: {why}", expression.text) })
}
