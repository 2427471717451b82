//! Where parsing goes on after a syntax error.

use crate::issue::{Issue, IssueKind};
use crate::parser::grammar::Parser;
use crate::parser::lexer::TokenKind;

/// What can start an expression, as the reference lists it.
pub(super) const EXPRESSION: &str =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/// The same where `?` is allowed in front.
pub(super) const OPTIONAL_EXPRESSION: &str = "{'[', '{', '(', '.', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/// Where a call may also end.
pub(super) const ARGUMENT: &str = "{'[', '{', '(', ')', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/// Where a list may also end.
pub(super) const ELEMENT: &str = "{'[', ']', '{', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/// Where a map may also end.
pub(super) const ENTRY: &str = "{'[', '{', '}', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
/// Where a struct may also end.
pub(super) const FIELD: &str = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}";

/// Symbols that go on after an operand.
const OPERATORS: [&str; 18] =
    [".", "[", "?", "||", "&&", "<", "<=", ">=", ">", "==", "!=", "in", "*", "/", "%", "+", "-", ":"];
/// How often parsing may go on after an error.
const RECOVERIES_MAX: usize = 30;
/// How many tokens one recovery may skip.
const SKIPPED_MAX: usize = 256;

/// Parsing stops here; what there is to say has been said.
pub(super) struct Stop;

impl Parser<'_> {
    /// True if a token can start an expression.
    pub(super) fn starts_expression(&self, ahead: usize) -> bool {
        match self.kind_at(ahead) {
            TokenKind::Symbol(symbol) => {
                matches!(symbol, "[" | "{" | "(" | "." | "-" | "!" | "true" | "false" | "null")
            }
            TokenKind::EscapedIdentifier | TokenKind::End => false,
            _ => true,
        }
    }

    /// Takes a symbol, or repairs its absence.
    pub(super) fn expect(&mut self, symbol: &'static str, expected: &str, may_follow: bool) -> Result<bool, Stop> {
        if self.take(symbol) {
            return Ok(true);
        }
        if self.kind_at(1) == TokenKind::Symbol(symbol) {
            self.unwanted(expected)?;
            self.advance();
            return Ok(self.take(symbol));
        }
        if may_follow {
            let message = format!("missing '{symbol}' at {}", self.shown());
            self.syntax_error(&message)?;
            return Ok(true);
        }
        self.mismatched(expected)?;
        Ok(false)
    }

    /// Reports the present token as one that does not fit.
    pub(super) fn mismatched(&mut self, expected: &str) -> Result<(), Stop> {
        let message = format!("mismatched input {} expecting {expected}", self.shown());
        self.syntax_error(&message)
    }

    /// Reports the present token as one too much.
    pub(super) fn unwanted(&mut self, expected: &str) -> Result<(), Stop> {
        let message = format!("extraneous input {} expecting {expected}", self.shown());
        self.syntax_error(&message)
    }

    /// Reports that nothing in the grammar goes on as the text from `start` does.
    pub(super) fn no_alternative(&mut self, start: usize) -> Result<(), Stop> {
        let end = self.token().span.end;
        let seen = &self.text[start..end];
        let reserved = seen.get(1..).filter(|word| seen.starts_with('.') && ["true", "false", "null"].contains(word));
        let message = match reserved {
            Some(word) => format!("mismatched input '{word}' expecting IDENTIFIER"),
            None => format!("no viable alternative at input '{seen}'"),
        };
        self.syntax_error(&message)
    }

    fn shown(&self) -> String {
        let token = self.token();
        if token.kind == TokenKind::End {
            "'<EOF>'".to_owned()
        } else {
            format!("'{}'", &self.text[token.span.clone()])
        }
    }

    /// Errors that follow from the last one, before anything fits again, are not reported.
    fn syntax_error(&mut self, message: &str) -> Result<(), Stop> {
        if self.recovering {
            return Ok(());
        }
        self.recovering = true;
        let span = self.token().span.clone();
        let anchor = span.start;
        if self.errors.len() >= self.options.errors_max {
            let message = format!("Syntax error: More than {} syntax errors", self.options.errors_max);
            self.errors.push(Issue::new(IssueKind::Syntax, span, anchor, message));
            return Err(Stop);
        }
        self.errors.push(Issue::new(IssueKind::Syntax, span, anchor, format!("Syntax error: {message}")));
        Ok(())
    }

    /// Skips to a token that an open construct can go on with. `inside_operand` is true if the error was in an operand,
    /// so that operators can go on too.
    pub(super) fn recover(&mut self, inside_operand: bool) -> Result<(), Stop> {
        if self.recoveries == RECOVERIES_MAX {
            let message = format!("error recovery attempt limit exceeded: {RECOVERIES_MAX}");
            self.recovering = false;
            self.syntax_error(&message)?;
            return Err(Stop);
        }
        self.recoveries += 1;
        if self.last_recovery == Some(self.at) {
            self.advance(); // never twice at one place
        }
        self.last_recovery = Some(self.at);
        let mut skipped = 0;
        while !self.can_go_on(inside_operand) {
            if skipped == SKIPPED_MAX {
                let message = format!("error recovery token lookahead limit exceeded: {SKIPPED_MAX}");
                self.errors.push(Issue::limit(self.text, message));
                return Err(Stop);
            }
            skipped += 1;
            self.advance();
        }
        Ok(())
    }

    fn can_go_on(&self, inside_operand: bool) -> bool {
        match self.kind_at(0) {
            TokenKind::End => true,
            TokenKind::Symbol(symbol) => {
                let operators = inside_operand || !self.open.is_empty();
                self.open.iter().any(|closers| closers.contains(&symbol)) || (operators && OPERATORS.contains(&symbol))
            }
            _ => false,
        }
    }
}
