//! The grammar. Expressions are built bottom up; `open` holds what the constructs around the present token wait for.

use std::ops::Range;
use std::sync::Arc;

use kro_value::Str;

use crate::ast::{Ast, ExprId, ExprKind, Literal, MacroCall, MapEntry, StructField};
use crate::issue::{Issue, IssueKind};
use crate::operators;
use crate::parser::lexer::{Token, TokenKind, tokenize};
use crate::parser::recovery::{ARGUMENT, ELEMENT, ENTRY, EXPRESSION, FIELD, OPTIONAL_EXPRESSION, Stop};
use crate::parser::{Expander, ParseOptions, Parsed, literal};

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
    let ast = Ast::new(text);
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
            self.no_alternative(first.start)?;
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

    // ---- operands

    fn member(&mut self) -> Step<Part> {
        let mut operand = self.primary()?;
        loop {
            operand = match self.kind_at(0) {
                TokenKind::Symbol(".") => self.select(operand)?,
                TokenKind::Symbol("[") => self.index(operand)?,
                _ => return Ok(operand),
            };
        }
    }

    fn select(&mut self, operand: Part) -> Step<Part> {
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

    fn optional_select(&mut self, operand: Part, dot: Range<usize>) -> Step<Part> {
        let question = self.accept();
        if !self.options.optional_syntax {
            self.report(dot.start..question.end, "unsupported syntax '.?'");
        }
        if !matches!(self.kind_at(0), TokenKind::Identifier | TokenKind::EscapedIdentifier) {
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
    fn field_name(&mut self) -> (Str, usize) {
        let span = self.accept();
        (Str::new(self.text[span.clone()].trim_matches('`')), span.end)
    }

    fn member_call(&mut self, operand: Part) -> Step<Part> {
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

    fn index(&mut self, operand: Part) -> Step<Part> {
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
    fn close(&mut self, symbol: &'static str, expected: &str) -> Step<usize> {
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
    fn may_follow_operand(&self) -> bool {
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
    fn expression_where(&mut self, expected: &str) -> Step<Part> {
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

    fn missing_operand(&mut self, expected: &str) -> Step<Part> {
        self.mismatched(expected)?;
        let here = self.token().span.clone();
        self.recover(true)?;
        self.error_node(here.start..here.start)
    }

    fn primary(&mut self) -> Step<Part> {
        if !self.starts_expression(0) && self.starts_expression(1) && self.kind_at(0) != TokenKind::End {
            self.unwanted(EXPRESSION)?;
            self.advance();
        }
        match self.kind_at(0) {
            TokenKind::Symbol("(") => self.nested(),
            TokenKind::Symbol("[") => self.list(),
            TokenKind::Symbol("{") => self.map(),
            TokenKind::Symbol(".") => self.absolute_name(),
            TokenKind::Identifier => self.name(false),
            TokenKind::Symbol("-") => self.number(true),
            TokenKind::Int | TokenKind::Uint | TokenKind::Float => self.number(false),
            TokenKind::String | TokenKind::Bytes => self.quoted(),
            TokenKind::Symbol("true") => self.constant(Literal::Bool(true)),
            TokenKind::Symbol("false") => self.constant(Literal::Bool(false)),
            TokenKind::Symbol("null") => self.constant(Literal::Null),
            _ => self.missing_operand(EXPRESSION),
        }
    }

    fn nested(&mut self) -> Step<Part> {
        let start = self.accept().start;
        let inner = self.within(&[")"], Self::expression)?;
        let end = self.close(")", "')'")?;
        Ok(Part { span: start..end, ..inner })
    }

    fn constant(&mut self, literal: Literal) -> Step<Part> {
        let span = self.accept();
        let anchor = span.start;
        self.add(ExprKind::Literal(literal), span, anchor, 0)
    }

    fn number(&mut self, negative: bool) -> Step<Part> {
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

    fn quoted(&mut self) -> Step<Part> {
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

    fn absolute_name(&mut self) -> Step<Part> {
        let dot = self.accept();
        if self.kind_at(0) == TokenKind::Identifier {
            return self.name(true);
        }
        self.no_alternative(dot.start)?;
        self.recover(true)?;
        self.error_node(dot)
    }

    /// A name, a call or a struct literal; a leading dot has been taken already.
    fn name(&mut self, absolute: bool) -> Step<Part> {
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

    fn reserved(&mut self, word: Range<usize>, whole: Range<usize>, message: String) -> Step<Part> {
        self.report(word, message);
        self.error_node(whole)
    }

    /// How many tokens the name of a struct literal has, if one starts here.
    fn struct_name_length(&self) -> Option<usize> {
        let mut length = 1;
        while self.kind_at(length) == TokenKind::Symbol(".") && self.kind_at(length + 1) == TokenKind::Identifier {
            length += 2;
        }
        (self.kind_at(length) == TokenKind::Symbol("{")).then_some(length)
    }

    fn struct_literal(&mut self, start: usize, length: usize) -> Step<Part> {
        let mut name = if start < self.token().span.start { ".".to_owned() } else { String::new() };
        for _ in 0..length {
            let span = self.accept();
            name.push_str(&self.text[span]);
        }
        let anchor = self.accept().start;
        let (fields, depth) = self.within(&["}", ",", ":"], Self::fields)?;
        let end = self.close_after_entries("}", "'}'", "{'}', ','}")?;
        self.add(ExprKind::Struct { name: name.into(), fields }, start..end, anchor, depth)
    }

    fn fields(&mut self) -> Step<(Vec<StructField>, usize)> {
        let (mut fields, mut depth) = (Vec::new(), 0);
        while !self.take_end("}") {
            let here = self.token().span.clone();
            let optional = self.take("?");
            if optional && !self.options.optional_syntax {
                self.report(here, "unsupported syntax '?'");
            }
            if !matches!(self.kind_at(0), TokenKind::Identifier | TokenKind::EscapedIdentifier) {
                self.mismatched(FIELD)?;
                self.recover(false)?;
                break;
            }
            let (name, _) = self.field_name();
            let Some((value, anchor)) = self.colon_value()? else { break };
            depth = depth.max(value.depth);
            fields.push(StructField { name, value: value.id, optional, anchor });
            if !self.comma("}", "{'}', ','}")? {
                break;
            }
        }
        Ok((fields, depth))
    }

    /// The value after a colon, and the place of the colon.
    #[allow(clippy::cast_possible_truncation)]
    fn colon_value(&mut self) -> Step<Option<(Part, u32)>> {
        let anchor = self.token().span.start as u32;
        let may_follow = self.starts_expression(0);
        if !self.expect(":", "':'", may_follow)? {
            self.recover(false)?;
            if !self.take(":") {
                return Ok(None);
            }
        }
        Ok(Some((self.expression()?, anchor)))
    }

    /// True at the end of a list of entries: a closer, or a single comma before it. The closer is not taken.
    fn take_end(&mut self, closer: &str) -> bool {
        if self.sees(",") && self.kind_at(1) == symbol_kind(closer) {
            self.accept();
        }
        self.sees(closer) || self.kind_at(0) == TokenKind::End && self.recovering
    }

    /// Takes a comma between entries; false when the entries end here.
    fn comma(&mut self, closer: &'static str, expected: &str) -> Step<bool> {
        if self.take(",") {
            // one comma may stand before the end
            let more = !self.sees(closer);
            let broken = self.kind_at(0) == TokenKind::End || self.sees(",");
            return Ok(more && !broken);
        }
        if self.sees(closer) || self.kind_at(0) == TokenKind::End {
            return Ok(false);
        }
        if matches!(self.kind_at(1), TokenKind::Symbol(symbol) if symbol == closer || symbol == ",") {
            self.unwanted(expected)?;
            self.advance();
            return self.comma(closer, expected);
        }
        self.mismatched(expected)?;
        self.recover(false)?;
        Ok(self.take(","))
    }

    fn list(&mut self) -> Step<Part> {
        let start = self.accept().start;
        let (elements, optional, depth) = self.within(&["]", ","], Self::elements)?;
        let end = self.close_after_entries("]", "']'", "{']', ','}")?;
        self.add(ExprKind::List { elements, optional }, start..end, start, depth)
    }

    /// Takes the closer of entries. Where a comma could stand too, its absence is a mismatch and not a missing token.
    fn close_after_entries(&mut self, symbol: &'static str, alone: &str, expected: &str) -> Step<usize> {
        let after_comma = self.tokens[self.at.saturating_sub(1)].kind == TokenKind::Symbol(",");
        if after_comma || self.recovering {
            return self.close(symbol, alone);
        }
        if self.sees(symbol) {
            return Ok(self.accept().end);
        }
        self.mismatched(expected)?;
        self.recover(true)?;
        if self.sees(symbol) {
            return Ok(self.accept().end);
        }
        Ok(self.tokens[self.at.saturating_sub(1)].span.end)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn elements(&mut self) -> Step<(Vec<ExprId>, Vec<u32>, usize)> {
        let (mut elements, mut optional, mut depth) = (Vec::new(), Vec::new(), 0);
        let mut expected = ELEMENT;
        while !self.take_end("]") {
            if self.optional_mark() {
                optional.push(elements.len() as u32);
                expected = EXPRESSION;
            }
            let element = self.expression_where(expected)?;
            depth = depth.max(element.depth);
            elements.push(element.id);
            if !self.comma("]", "{']', ','}")? {
                break;
            }
            expected = OPTIONAL_EXPRESSION;
        }
        Ok((elements, optional, depth))
    }

    /// Takes the `?` in front of an element or a key.
    fn optional_mark(&mut self) -> bool {
        let here = self.token().span.clone();
        let optional = self.take("?");
        if optional && !self.options.optional_syntax {
            self.report(here, "unsupported syntax '?'");
        }
        optional
    }

    fn map(&mut self) -> Step<Part> {
        let start = self.accept().start;
        let (entries, depth) = self.within(&["}", ",", ":"], Self::entries)?;
        let end = self.close_after_entries("}", "'}'", "{'}', ','}")?;
        self.add(ExprKind::Map(entries), start..end, start, depth)
    }

    fn entries(&mut self) -> Step<(Vec<MapEntry>, usize)> {
        let (mut entries, mut depth) = (Vec::new(), 0);
        let mut expected = ENTRY;
        while !self.take_end("}") {
            let optional = self.optional_mark();
            let key = self.expression_where(if optional { EXPRESSION } else { expected })?;
            let Some((value, _)) = self.colon_value()? else { break };
            depth = depth.max(key.depth).max(value.depth);
            entries.push(MapEntry { key: key.id, value: value.id, optional });
            if !self.comma("}", "{'}', ','}")? {
                break;
            }
            expected = OPTIONAL_EXPRESSION;
        }
        Ok((entries, depth))
    }

    // ---- calls and macros

    /// The arguments up to the closing parenthesis, their end, and how deep they nest. The opening one has been taken.
    fn arguments(&mut self) -> Step<(Vec<ExprId>, usize, usize)> {
        let (mut args, mut depth) = (Vec::new(), 0);
        self.open.push(&[")", ","]);
        let mut expected = ARGUMENT;
        while !self.sees(")") || !args.is_empty() {
            if args.is_empty() && !self.starts_expression(0) && self.kind_at(1) == TokenKind::Symbol(")") {
                self.unwanted(ARGUMENT)?;
                self.advance();
                break;
            }
            let arg = self.expression_where(expected)?;
            depth = depth.max(arg.depth);
            args.push(arg.id);
            if !self.take(",") {
                break;
            }
            expected = EXPRESSION;
        }
        self.open.pop();
        let end = self.close(")", "')'")?;
        Ok((args, end, depth))
    }

    fn call(
        &mut self,
        target: Option<ExprId>,
        function: Str,
        args: Vec<ExprId>,
        span: Range<usize>,
        anchor: usize,
        depth: usize,
    ) -> Step<Part> {
        if let Some(id) = self.expand(target, &function, &args, span.clone(), anchor)? {
            return Ok(Part { id, span, depth });
        }
        self.add(ExprKind::Call { target, function, args }, span, anchor, depth)
    }

    /// The expansion of a call, if it is one of a macro.
    fn expand(
        &mut self,
        target: Option<ExprId>,
        function: &str,
        args: &[ExprId],
        span: Range<usize>,
        anchor: usize,
    ) -> Step<Option<ExprId>> {
        let fits = |candidate: &&crate::macros::Macro| candidate.matches(function, target.is_some(), args.len());
        // later libraries may replace macros of earlier ones
        let Some(found) = self.options.macros.iter().rev().find(fits) else { return Ok(None) };
        let mut expander = Expander { ast: &mut self.ast, span: span.clone(), anchor };
        match (found.expand)(&mut expander, target, args) {
            Ok(None) => Ok(None),
            Ok(Some(id)) => {
                let (function, args) = (Str::new(function), args.to_vec());
                self.ast.add_macro_call(MacroCall { id, function, target, args });
                self.check_expansion(id, found.name, span, anchor)
            }
            Err(issue) => {
                self.errors.push(issue);
                Ok(Some(self.error_node(span)?.id))
            }
        }
    }

    fn check_expansion(&mut self, id: ExprId, name: &str, span: Range<usize>, anchor: usize) -> Step<Option<ExprId>> {
        self.check_size(id)?;
        let limit = self.options.nodes_max;
        if self.ast.len() > limit {
            let message = format!("expression count exceeds limit of {limit} while expanding macro '{name}'");
            self.errors.push(Issue::new(IssueKind::Macro, span.clone(), anchor, message));
            return Ok(Some(self.error_node(span)?.id));
        }
        Ok(Some(id))
    }
}

fn symbol_kind(symbol: &str) -> TokenKind {
    match symbol {
        "]" => TokenKind::Symbol("]"),
        _ => TokenKind::Symbol("}"),
    }
}
