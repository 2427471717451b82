//! Operands: names, literals, selects, indices and calls on a receiver.

use std::ops::Range;
use std::sync::Arc;

use kro_value::Str;

use super::{Parser, Part, RESERVED, Step};
use crate::ast::{ExprKind, Literal};
use crate::issue::Issue;
use crate::operators;
use crate::parser::lexer::TokenKind;
use crate::parser::literal;
use crate::parser::recovery::{EXPRESSION, OPTIONAL_EXPRESSION, Stop};

impl Parser<'_> {
    pub(super) fn member(&mut self) -> Step<Part> {
        let mut operand = self.primary()?;
        loop {
            operand = match self.kind_at(0) {
                TokenKind::Symbol(".") => self.select(operand)?,
                TokenKind::Symbol("[") => self.index(operand)?,
                _ => return Ok(operand),
            };
        }
    }

    pub(super) fn select(&mut self, operand: Part) -> Step<Part> {
        let dot = self.accept();
        if self.sees("?") {
            return self.optional_select(operand, dot);
        }
        match self.kind_at(0) {
            TokenKind::Identifier if self.kind_at(1) == TokenKind::Symbol("(") => self.member_call(operand),
            TokenKind::Identifier | TokenKind::EscapedIdentifier => {
                let (field, end) = self.field_name();
                let kind = ExprKind::Select { operand: operand.id, field, test_only: false, optional: false };
                self.add_level(kind, operand.span.start..end, dot.start, operand.depth)
            }
            _ => {
                self.no_alternative(dot.start)?;
                self.recover(true)?;
                self.error_node(operand.span.start..dot.end)
            }
        }
    }

    pub(super) fn optional_select(&mut self, operand: Part, dot: Range<usize>) -> Step<Part> {
        let question = self.accept();
        if !self.options.optional_syntax {
            self.report(dot.start..question.end, "unsupported syntax '.?'");
        }
        let is_name = |kind| matches!(kind, TokenKind::Identifier | TokenKind::EscapedIdentifier);
        if !is_name(self.kind_at(0)) && is_name(self.kind_at(1)) {
            self.unwanted("{IDENTIFIER, ESC_IDENTIFIER}")?;
            self.advance();
        }
        if !is_name(self.kind_at(0)) {
            self.mismatched("{IDENTIFIER, ESC_IDENTIFIER}")?;
            let here = self.token().span.clone();
            self.report(here, "unsupported ident kind");
            self.recover(true)?;
            return self.error_node(operand.span.start..question.end);
        }
        let (field, end) = self.field_name();
        let kind = ExprKind::Select { operand: operand.id, field, test_only: false, optional: true };
        self.add_level(kind, operand.span.start..end, dot.start, operand.depth)
    }

    /// Takes a field name and returns it without backticks, and its end.
    pub(super) fn field_name(&mut self) -> (Str, usize) {
        let span = self.accept();
        (Str::new(self.text[span.clone()].trim_matches('`')), span.end)
    }

    pub(super) fn member_call(&mut self, operand: Part) -> Step<Part> {
        let name = self.accept();
        let anchor = self.accept().start;
        let (args, end, depth) = self.arguments()?;
        let function = Str::new(&self.text[name]);
        let depth = depth.max(operand.depth);
        if depth + 1 > self.options.nesting_max {
            self.errors.push(Issue::limit(self.text, "max recursion depth exceeded"));
            return Err(Stop);
        }
        self.call(Some(operand.id), function, args, operand.span.start..end, anchor, depth + 1)
    }

    pub(super) fn index(&mut self, operand: Part) -> Step<Part> {
        let bracket = self.accept();
        let optional = self.take("?");
        if optional && !self.options.optional_syntax {
            self.report(bracket.clone(), "unsupported syntax '[?'");
        }
        let expected = if optional { EXPRESSION } else { OPTIONAL_EXPRESSION };
        let index = self.within(&["]"], |parser| parser.expression_where(expected))?;
        let end = self.close("]", "']'")?;
        let function = Str::new_static(if optional { operators::OPT_INDEX } else { operators::INDEX });
        let kind = ExprKind::Call { target: None, function, args: vec![operand.id, index.id] };
        self.add_level(kind, operand.span.start..end, bracket.start, operand.depth.max(index.depth))
    }

    /// Takes a closing bracket or goes on without it; returns where the construct ends.
    pub(super) fn close(&mut self, symbol: &'static str, expected: &str) -> Step<usize> {
        let may_follow = self.may_follow_operand();
        if self.expect(symbol, expected, may_follow)? {
            return Ok(self.tokens[self.at.saturating_sub(1)].span.end);
        }
        self.recover(true)?;
        if self.sees(symbol) {
            return Ok(self.accept().end);
        }
        Ok(self.tokens[self.at.saturating_sub(1)].span.end)
    }

    /// Whether what stands here could follow a finished operand, so that only its end is missing.
    pub(super) fn may_follow_operand(&self) -> bool {
        match self.kind_at(0) {
            TokenKind::End => true,
            TokenKind::Symbol(symbol) => {
                let is_operator =
                    operators::BINARY.iter().any(|row| row.0 == symbol) || matches!(symbol, "." | "[" | "?");
                is_operator || self.open.iter().any(|closers| closers.contains(&symbol))
            }
            _ => false,
        }
    }

    /// An expression at a place where the reference lists `expected` as what can start here.
    pub(super) fn expression_where(&mut self, expected: &str) -> Step<Part> {
        if self.starts_expression(0) {
            return self.expression();
        }
        if self.starts_expression(1) {
            self.unwanted(expected)?;
            self.advance();
            return self.expression();
        }
        self.missing_operand(expected)
    }

    pub(super) fn missing_operand(&mut self, expected: &str) -> Step<Part> {
        self.mismatched(expected)?;
        let here = self.token().span.clone();
        self.recover(true)?;
        self.error_node(here.start..here.start)
    }

    /// Skips one token that does not fit, if an expression starts behind it.
    pub(super) fn drop_unwanted(&mut self) -> Step<()> {
        if !self.starts_expression(0) && self.starts_expression(1) && self.kind_at(0) != TokenKind::End {
            self.unwanted(EXPRESSION)?;
            self.advance();
        }
        Ok(())
    }

    pub(super) fn primary(&mut self) -> Step<Part> {
        self.drop_unwanted()?;
        match self.kind_at(0) {
            TokenKind::Symbol("(") => self.nested(),
            TokenKind::Symbol("[") => self.list(),
            TokenKind::Symbol("{") => self.map(),
            TokenKind::Symbol(".") => self.absolute_name(),
            TokenKind::Identifier => self.name(false),
            TokenKind::Symbol("-") if matches!(self.kind_at(1), TokenKind::Int | TokenKind::Float) => self.number(true),
            TokenKind::Int | TokenKind::Uint | TokenKind::Float => self.number(false),
            TokenKind::String | TokenKind::Bytes => self.quoted(),
            TokenKind::Symbol("true") => self.constant(Literal::Bool(true)),
            TokenKind::Symbol("false") => self.constant(Literal::Bool(false)),
            TokenKind::Symbol("null") => self.constant(Literal::Null),
            _ => self.missing_operand(EXPRESSION),
        }
    }

    pub(super) fn nested(&mut self) -> Step<Part> {
        let start = self.accept().start;
        let inner = self.within(&[")"], Self::expression)?;
        let end = self.close(")", "')'")?;
        Ok(Part { span: start..end, ..inner })
    }

    pub(super) fn constant(&mut self, literal: Literal) -> Step<Part> {
        let span = self.accept();
        let anchor = span.start;
        self.add(ExprKind::Literal(literal), span, anchor, 0)
    }

    pub(super) fn number(&mut self, negative: bool) -> Step<Part> {
        let start = self.token().span.start;
        if negative {
            self.accept();
        }
        let (sign, kind) = (if negative { "-" } else { "" }, self.kind_at(0));
        let span = self.accept();
        let token = &self.text[span.clone()];
        let (value, name) = match kind {
            TokenKind::Int => (literal::int(sign, token).map(Literal::Int), "int"),
            TokenKind::Uint => (literal::uint(token).map(Literal::Uint), "uint"),
            _ => (literal::double(sign, token).map(Literal::Double), "double"),
        };
        let Some(value) = value else {
            self.report(start..span.end, format!("invalid {name} literal"));
            return self.error_node(start..span.end);
        };
        self.add(ExprKind::Literal(value), start..span.end, start, 0)
    }

    pub(super) fn quoted(&mut self) -> Step<Part> {
        let is_bytes = self.kind_at(0) == TokenKind::Bytes;
        let span = self.accept();
        let value = match literal::unquote(&self.text[span.clone()], is_bytes) {
            Ok(bytes) if is_bytes => Literal::Bytes(Arc::from(bytes)),
            Ok(bytes) => Literal::String(String::from_utf8_lossy(&bytes).as_ref().into()),
            Err(message) => {
                self.report(span.clone(), message);
                return self.error_node(span);
            }
        };
        let anchor = span.start;
        self.add(ExprKind::Literal(value), span, anchor, 0)
    }

    pub(super) fn absolute_name(&mut self) -> Step<Part> {
        let dot = self.accept();
        if self.kind_at(0) == TokenKind::Identifier {
            return self.name(true);
        }
        self.no_alternative(dot.start)?;
        self.recover(true)?;
        self.error_node(dot)
    }

    /// A name, a call or a struct literal; a leading dot has been taken already.
    pub(super) fn name(&mut self, absolute: bool) -> Step<Part> {
        let first = self.token().span.clone();
        let start = if absolute { self.tokens[self.at - 1].span.start } else { first.start };
        if let Some(length) = self.struct_name_length() {
            return self.struct_literal(start, length);
        }
        self.accept();
        let name = &self.text[first.clone()];
        let full: Str = if absolute { format!(".{name}").into() } else { Str::new(name) };
        let reserved = RESERVED.contains(&name).then(|| format!("reserved identifier: {name}"));
        if !self.sees("(") {
            return match reserved {
                Some(message) => self.reserved(start..first.end, start..first.end, message),
                None => self.add(ExprKind::Ident(full), start..first.end, first.start, 0),
            };
        }
        let anchor = self.accept().start;
        let (args, end, depth) = self.arguments()?;
        match reserved {
            Some(message) => self.reserved(start..first.end, start..end, message),
            None => self.call(None, full, args, start..end, anchor, depth),
        }
    }

    pub(super) fn reserved(&mut self, word: Range<usize>, whole: Range<usize>, message: String) -> Step<Part> {
        self.report(word, message);
        self.error_node(whole)
    }
}
