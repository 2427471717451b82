//! Macros: calls that the parser rewrites.

use crate::ast::ExprId;
use crate::issue::Issue;
use crate::parser::Expander;

/// Rewrites one call: returns the node to put in its place, nothing to leave it an ordinary call, or what is wrong with it.
pub type Expansion = fn(&mut Expander<'_>, Option<ExprId>, &[ExprId]) -> Result<Option<ExprId>, Issue>;

/// A macro: a function name, a style of call and a number of arguments that are rewritten while parsing.
#[derive(Clone, Copy, Debug)]
pub struct Macro {
    /// The function name.
    pub name: &'static str,
    /// True for `target.name(...)`, false for `name(...)`.
    pub receiver: bool,
    /// The number of arguments, without the receiver.
    pub arity: usize,
    /// The rewriting.
    pub expand: Expansion,
}
