//! From text to tree.

use crate::ast::{Ast, ExprKind};
use crate::issue::Issue;
use crate::macros::Macro;

/// How to parse.
#[derive(Clone, Debug)]
pub struct ParseOptions {
    /// The macros to expand.
    pub macros: Vec<Macro>,
    /// Whether `a.?b`, `a[?b]`, `[?a]` and `{?k: v}` are allowed.
    pub optional_syntax: bool,
    /// How deep expressions may nest.
    pub nesting_max: usize,
    /// How many characters an expression may have.
    pub characters_max: usize,
    /// How many nodes an expression may have after the expansion of macros.
    pub nodes_max: usize,
    /// How many errors are collected before parsing stops.
    pub errors_max: usize,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            macros: Vec::new(),
            optional_syntax: false,
            nesting_max: 250,
            characters_max: 100_000,
            nodes_max: 100_000,
            errors_max: 100,
        }
    }
}

/// A tree, and what was wrong with the text. The tree is complete only when there are no errors.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree; error nodes stand where parts could not be parsed.
    pub ast: Ast,
    /// All errors in the order of their positions.
    pub errors: Vec<Issue>,
}

/// What macros build their expansions with.
#[derive(Debug)]
pub struct Expander<'p> {
    #[allow(dead_code)]
    ast: &'p mut Ast,
}

/// Parses an expression. Never fails: errors are part of the result.
pub fn parse(text: &str, _options: &ParseOptions) -> Parsed {
    let mut ast = Ast::new(text);
    let root = ast.add(ExprKind::Error, 0..text.len(), 0);
    ast.set_root(root);
    Parsed { ast, errors: Vec::new() }
}
