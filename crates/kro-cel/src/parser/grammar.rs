//! The grammar. Expressions are built bottom up; `open` holds what the constructs around the present token wait for.

mod calls;
mod collections;
mod operands;

use std::ops::Range;

use kro_value::Str;

use crate::ast::{Ast, ExprId, ExprKind};
use crate::issue::{Issue, IssueKind};
use crate::operators;
use crate::parser::lexer::{Token, TokenKind, tokenize};
use crate::parser::recovery::Stop;
use crate::parser::{ParseOptions, Parsed};

/// Names that are kept for later versions of the language.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];
/// Trees higher than this are refused, whatever they are made of: later passes recurse.
const HEIGHT_MAX: u32 = 700;

/// A parsed part: its node, the bytes with parentheses around it, and how deep operators nest in it as written.
#[derive(Clone)]
pub(super) struct Part {
    id: ExprId,
    span: Range<usize>,
    depth: usize,
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) options: &'t ParseOptions,
    tokens: Vec<Token>,
    pub(super) at: usize,
    ast: Ast,
    pub(super) errors: Vec<Issue>,
    /// Symbols that each open construct can go on with.
    pub(super) open: Vec<&'static [&'static str]>,
    pub(super) recovering: bool,
    pub(super) recoveries: usize,
    pub(super) last_recovery: Option<usize>,
    /// How deep the rules of the reference grammar nest here: expressions, relations, calculations.
    rules: [usize; 3],
}

type Step<T> = Result<T, Stop>;

const EXPRESSION_RULE: usize = 0;
const RELATION_RULE: usize = 1;
const CALCULATION_RULE: usize = 2;

pub(super) fn parse(text: &str, options: &ParseOptions) -> Parsed {
    let (tokens, errors) = tokenize(text);
    // most expressions have a node for every other token
    let ast = Ast::with_capacity(text, tokens.len() / 2 + 1);
    let mut parser = Parser {
        text,
        options,
        tokens,
        at: 0,
        ast,
        errors,
        open: Vec::new(),
        recovering: false,
        recoveries: 0,
        last_recovery: None,
        rules: [0; 3],
    };
    match parser.start() {
        Ok(root) => {
            parser.ast.set_root(root);
            Parsed { ast: parser.ast, errors: parser.errors }
        }
        Err(Stop) => Parsed { ast: Ast::broken(text), errors: parser.errors },
    }
}

impl Parser<'_> {
    pub(super) fn token(&self) -> &Token {
        // the last token is the end, which `advance` never passes
        &self.tokens[self.at]
    }

    pub(super) fn kind_at(&self, ahead: usize) -> TokenKind {
        self.tokens.get(self.at + ahead).map_or(TokenKind::End, |token| token.kind)
    }

    pub(super) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn sees(&self, symbol: &str) -> bool {
        matches!(self.kind_at(0), TokenKind::Symbol(seen) if seen == symbol)
    }

    /// Takes a token that fits, which ends the silence after an error.
    fn accept(&mut self) -> Range<usize> {
        let span = self.token().span.clone();
        self.recovering = false;
        self.advance();
        span
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let seen = self.sees(symbol);
        if seen {
            self.accept();
        }
        seen
    }

    fn start(&mut self) -> Step<ExprId> {
        let root = self.expression()?;
        if self.kind_at(0) != TokenKind::End {
            let last = self.kind_at(1) == TokenKind::End;
            if last { self.unwanted("<EOF>")? } else { self.mismatched("<EOF>")? }
        }
        Ok(root.id)
    }

    /// Runs a rule of the reference grammar that may nest only so deep.
    fn rule<T>(&mut self, rule: usize, body: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        self.rules[rule] += 1;
        if self.rules[rule] > self.options.nesting_max {
            let message = format!("expression recursion limit exceeded: {}", self.options.nesting_max);
            self.errors.push(Issue::limit(self.text, message));
            return Err(Stop);
        }
        let out = body(self)?;
        self.rules[rule] -= 1;
        Ok(out)
    }

    /// Runs a construct that waits for some symbols.
    fn within<T>(&mut self, closers: &'static [&'static str], body: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        self.open.push(closers);
        let out = body(self)?;
        self.open.pop();
        Ok(out)
    }

    fn report(&mut self, span: Range<usize>, message: impl Into<String>) {
        let anchor = span.start;
        self.errors.push(Issue::new(IssueKind::Syntax, span, anchor, message));
    }

    // ---- nodes

    /// A node that counts as one more level of nesting, as all operators on one or two operands do.
    fn add_level(&mut self, kind: ExprKind, span: Range<usize>, anchor: usize, depth: usize) -> Step<Part> {
        if depth + 1 > self.options.nesting_max {
            self.errors.push(Issue::limit(self.text, "max recursion depth exceeded"));
            return Err(Stop);
        }
        self.add(kind, span, anchor, depth + 1)
    }

    fn add(&mut self, kind: ExprKind, span: Range<usize>, anchor: usize, depth: usize) -> Step<Part> {
        let id = self.ast.add(kind, span.clone(), anchor);
        self.check_size(id)?;
        Ok(Part { id, span, depth })
    }

    fn check_size(&mut self, id: ExprId) -> Step<()> {
        let too_high = self.ast.node(id).height > HEIGHT_MAX;
        if too_high || self.ast.len() > self.options.nodes_max.saturating_mul(2) {
            let message = if too_high { "max recursion depth exceeded" } else { "expression count exceeds limit" };
            self.errors.push(Issue::limit(self.text, message));
            return Err(Stop);
        }
        Ok(())
    }

    fn error_node(&mut self, span: Range<usize>) -> Step<Part> {
        let anchor = span.start;
        self.add(ExprKind::Error, span, anchor, 0)
    }

    fn binary(&mut self, function: &'static str, left: &Part, right: &Part, anchor: usize) -> Step<Part> {
        let args = vec![left.id, right.id];
        let kind = ExprKind::Call { target: None, function: Str::new_static(function), args };
        self.add_level(kind, left.span.start..right.span.end, anchor, left.depth.max(right.depth))
    }

    // ---- operators

    pub(super) fn expression(&mut self) -> Step<Part> {
        self.rule(EXPRESSION_RULE, Self::conditional)
    }

    fn conditional(&mut self) -> Step<Part> {
        let condition = self.logical(operators::LOGICAL_OR)?;
        if !self.sees("?") {
            return Ok(condition);
        }
        let anchor = self.accept().start;
        let yes = self.within(&[":"], |parser| parser.logical(operators::LOGICAL_OR))?;
        let may_follow = self.starts_expression(0);
        if !self.expect(":", "':'", may_follow)? {
            self.recover(false)?;
            return Ok(condition);
        }
        let no = self.expression()?;
        let args = vec![condition.id, yes.id, no.id];
        let kind = ExprKind::Call { target: None, function: Str::new_static(operators::CONDITIONAL), args };
        let depth = condition.depth.max(yes.depth).max(no.depth);
        self.add_level(kind, condition.span.start..no.span.end, anchor, depth)
    }

    /// A chain of `||` (of chains of `&&`), as a balanced tree.
    fn logical(&mut self, function: &'static str) -> Step<Part> {
        let is_or = function == operators::LOGICAL_OR;
        let symbol = if is_or { "||" } else { "&&" };
        let operand = |parser: &mut Self| {
            if is_or { parser.logical(operators::LOGICAL_AND) } else { parser.relation() }
        };
        let first = operand(self)?;
        if !self.sees(symbol) {
            return Ok(first);
        }
        let mut terms = vec![first];
        let mut anchors = Vec::new();
        while self.sees(symbol) {
            anchors.push(self.accept().start);
            terms.push(operand(self)?);
        }
        self.balanced(function, &terms, &anchors)
    }

    /// Terms and the operators between them: one more term than operators.
    fn balanced(&mut self, function: &'static str, terms: &[Part], anchors: &[usize]) -> Step<Part> {
        let middle = anchors.len() / 2;
        let [left, right] = [(&terms[..=middle], &anchors[..middle]), (&terms[middle + 1..], &anchors[middle + 1..])]
            .map(
                |(terms, anchors)| {
                    if let [only] = terms { Ok(only.clone()) } else { self.balanced(function, terms, anchors) }
                },
            );
        let (left, right) = (left?, right?);
        let kind = ExprKind::Call { target: None, function: Str::new_static(function), args: vec![left.id, right.id] };
        self.add(kind, left.span.start..right.span.end, anchors[middle], left.depth.max(right.depth))
    }

    fn relation(&mut self) -> Step<Part> {
        self.rule(RELATION_RULE, |parser| {
            let mut left = parser.calculation(4)?;
            while let Some(function) = parser.operator(3) {
                let anchor = parser.accept().start;
                let right = parser.rule(RELATION_RULE, |parser| parser.calculation(4))?;
                left = parser.binary(function, &left, &right, anchor)?;
            }
            Ok(left)
        })
    }

    fn calculation(&mut self, strength: u8) -> Step<Part> {
        self.rule(CALCULATION_RULE, |parser| {
            let mut left = parser.unary()?;
            loop {
                // of two strengths left, the tighter one binds first
                let Some((function, found)) = (strength..=5).rev().find_map(|s| Some((parser.operator(s)?, s))) else {
                    return Ok(left);
                };
                let anchor = parser.accept().start;
                let right = parser.calculation(found + 1)?;
                left = parser.binary(function, &left, &right, anchor)?;
            }
        })
    }

    /// The binary operator of some strength that stands here.
    fn operator(&self, strength: u8) -> Option<&'static str> {
        let TokenKind::Symbol(symbol) = self.kind_at(0) else { return None };
        let fits = |row: &&(&str, &str, u8)| row.0 == symbol && row.2 == strength;
        operators::BINARY.iter().find(fits).map(|row| row.1)
    }

    fn unary(&mut self) -> Step<Part> {
        self.drop_unwanted()?;
        let TokenKind::Symbol(symbol @ ("!" | "-")) = self.kind_at(0) else { return self.member() };
        let first = self.token().span.clone();
        if symbol == "-" && matches!(self.kind_at(1), TokenKind::Int | TokenKind::Float) {
            return self.member(); // the sign is part of the literal
        }
        let mut count = 0;
        while self.sees(symbol) {
            self.accept();
            count += 1;
        }
        if !self.starts_operand_after(symbol) {
            // behind `!` a sign can only belong to a number
            let start = if symbol == "!" && self.sees("-") { self.accept().start } else { first.start };
            self.no_alternative(start)?;
            self.recover(true)?;
            return self.error_node(first);
        }
        let operand = self.member()?;
        if count % 2 == 0 {
            return Ok(Part { span: first.start..operand.span.end, ..operand });
        }
        let function = if symbol == "!" { operators::LOGICAL_NOT } else { operators::NEGATE };
        let kind = ExprKind::Call { target: None, function: Str::new_static(function), args: vec![operand.id] };
        self.add(kind, first.start..operand.span.end, first.start, operand.depth)
    }

    /// After `-` only an operand without another sign can follow; for `!` the operand itself reports what is wrong.
    fn starts_operand_after(&self, symbol: &str) -> bool {
        match self.kind_at(0) {
            TokenKind::Symbol("!") => false,
            TokenKind::Symbol("-") => matches!(self.kind_at(1), TokenKind::Int | TokenKind::Float),
            _ => symbol == "!" || self.starts_expression(0),
        }
    }
}
