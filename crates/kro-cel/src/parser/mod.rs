//! From text to tree.
//!
//! A recursive-descent parser with bounded depth. Errors follow cel-go's generated parser: a token too much is skipped, a
//! missing one is assumed, and otherwise tokens are skipped up to one that some open construct can go on with.

mod expander;
mod grammar;
pub(crate) mod lexer;
mod literal;
mod recovery;

use crate::ast::Ast;
use crate::issue::{Issue, sort};
use crate::macros::Macro;

pub use expander::Expander;

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

/// Parses an expression. Never fails: errors are part of the result.
pub fn parse(text: &str, options: &ParseOptions) -> Parsed {
    let characters = if text.len() > options.characters_max { text.chars().count() } else { 0 };
    let mut parsed = if characters > options.characters_max {
        let limit = options.characters_max;
        let message = format!("expression code point size exceeds limit: size: {characters}, limit {limit}");
        Parsed { ast: Ast::broken(text), errors: vec![Issue::limit(text, message)] }
    } else {
        grammar::parse(text, options)
    };
    sort(&mut parsed.errors);
    parsed
}

#[cfg(test)]
mod tests;
