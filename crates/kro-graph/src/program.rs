//! What evaluates an expression.

use kro_cel::eval::{Activation, Budget, ErrorKind, EvalError};
use kro_cel::value::CelValue;

/// A planned expression. Empty (the default) until the compiler plans it.
#[derive(Debug, Clone, Default)]
pub struct Program {
    planned: Option<kro_cel::Program>,
}

impl From<kro_cel::Program> for Program {
    fn from(planned: kro_cel::Program) -> Self {
        Self { planned: Some(planned) }
    }
}

impl Program {
    /// Evaluates the expression.
    ///
    /// # Errors
    /// What the expression ends in.
    pub fn evaluate(&self, activation: &dyn Activation, budget: &Budget) -> Result<CelValue, EvalError> {
        match &self.planned {
            Some(program) => program.evaluate(activation, budget),
            None => Err(EvalError::new(ErrorKind::InvalidArgument, "the expression was not planned")),
        }
    }
}
