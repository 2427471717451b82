//! A stand-in until the evaluator lands: [`Program`] will be `kro_cel`'s program.

/// What evaluates an expression. Replaced by the program of `kro_cel` as soon as that exists.
#[derive(Debug, Clone, Default)]
pub struct Program {}
