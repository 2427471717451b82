//! Evaluation of a graph's expressions over JSON.

use kro_cel::eval::{Activation, Budget, ErrorKind, EvalError};
use kro_cel::value::{CelValue, Opaque};
use kro_graph::{Expression, Graph, Node};
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
    expression.program.evaluate(&scope, &Budget::default()).map_err(|error| {
        let mut failure = EvalFailure::from(error.clone());
        if let Some(what) = discreet(error.kind()).filter(|_| may_read_secret(expression, scope.graph)) {
            failure.message = format!("{what}; its words are withheld because the expression reads a Secret");
        }
        failure
    })
}

/// Errors whose words may quote a value, without their words.
fn discreet(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::TypeConversion => Some("a value cannot be converted"),
        ErrorKind::InvalidArgument => Some("a function does not take a value"),
        ErrorKind::Overflow => Some("a value is out of range"),
        ErrorKind::NoSuchKey
        | ErrorKind::NoSuchField
        | ErrorKind::NoSuchAttribute
        | ErrorKind::IndexOutOfBounds
        | ErrorKind::NoOverload
        | ErrorKind::DivisionByZero
        | ErrorKind::BudgetExceeded => None,
    }
}

/// Whether what an expression reads may come out of a Secret. Items of a collection may come from anywhere.
fn may_read_secret(expression: &Expression, graph: &Graph) -> bool {
    let is_secret = |node: &Node| node.gvk.kind == "Secret" && node.gvk.group.is_empty();
    let reads_items = expression.reads_each || !expression.iterators.is_empty();
    expression.references.iter().any(|index| is_secret(graph.node(*index)))
        || reads_items && graph.nodes.iter().any(is_secret)
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
