use std::sync::Arc;

use kro_value::Str;

use super::frame::Frame;
use super::plan::Node;
use super::{Activation, Budget, EvalContext, EvalError};
use crate::cost::Prices;
use crate::value::CelValue;

/// A planned expression: immutable, shared, and evaluated from any number of threads at once.
#[derive(Clone, Debug)]
pub struct Program {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub root: Node,
    /// Names of the variables that the expression reads, each once.
    pub variables: Box<[Str]>,
    /// How many slots comprehensions need at most.
    pub slots: usize,
    /// Steps to charge for the parts outside of comprehensions.
    pub weight: u64,
    /// What is counted where the context counts.
    pub prices: Option<Prices>,
}

impl Program {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// What the expression ends in: see [`super::ErrorKind`]. An error that another part of the expression makes
    /// irrelevant (`true || error`) is not one.
    pub fn evaluate(&self, activation: &dyn Activation, budget: &Budget) -> Result<CelValue, EvalError> {
        self.evaluate_with(activation, &mut EvalContext::new(*budget))
    }

    /// Evaluates the expression on a budget that may serve several evaluations; what it used can be read there.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_with(&self, activation: &dyn Activation, context: &mut EvalContext) -> Result<CelValue, EvalError> {
        context.charge(self.inner.weight)?;
        Frame::new(&self.inner, activation, context).evaluate(&self.inner.root)
    }

    /// Names of the variables that an evaluation may read, each once.
    pub fn variables(&self) -> &[Str] {
        &self.inner.variables
    }

    /// The value, if the expression has one without any variable.
    pub fn constant(&self) -> Option<&CelValue> {
        if let super::plan::Kind::Constant(value) = &self.inner.root.kind { Some(value) } else { None }
    }
}
