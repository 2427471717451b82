//! Literals of lists, maps and structs.

use super::{Parser, Part, Step};
use crate::ast::{ExprId, ExprKind, MapEntry, StructField};
use crate::parser::lexer::TokenKind;
use crate::parser::recovery::{ELEMENT, ENTRY, EXPRESSION, FIELD, OPTIONAL_EXPRESSION};

impl Parser<'_> {
    /// How many tokens the name of a struct literal has, if one starts here.
    pub(super) fn struct_name_length(&self) -> Option<usize> {
        let mut length = 1;
        while self.kind_at(length) == TokenKind::Symbol(".") && self.kind_at(length + 1) == TokenKind::Identifier {
            length += 2;
        }
        (self.kind_at(length) == TokenKind::Symbol("{")).then_some(length)
    }

    pub(super) fn struct_literal(&mut self, start: usize, length: usize) -> Step<Part> {
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

    pub(super) fn fields(&mut self) -> Step<(Vec<StructField>, usize)> {
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
    pub(super) fn colon_value(&mut self) -> Step<Option<(Part, u32)>> {
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
    pub(super) fn take_end(&mut self, closer: &str) -> bool {
        if self.take(",") {
            return true; // the one comma that may stand before the end, with nothing in front
        }
        self.sees(closer) || self.kind_at(0) == TokenKind::End && self.recovering
    }

    /// Takes a comma between entries; false when the entries end here.
    pub(super) fn comma(&mut self, closer: &'static str, expected: &str) -> Step<bool> {
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

    pub(super) fn list(&mut self) -> Step<Part> {
        let start = self.accept().start;
        let (elements, optional, depth) = self.within(&["]", ","], Self::elements)?;
        let end = self.close_after_entries("]", "']'", "{']', ','}")?;
        self.add(ExprKind::List { elements, optional }, start..end, start, depth)
    }

    /// Takes the closer of entries. Where a comma could stand too, its absence is a mismatch and not a missing token.
    pub(super) fn close_after_entries(&mut self, symbol: &'static str, alone: &str, expected: &str) -> Step<usize> {
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
    pub(super) fn elements(&mut self) -> Step<(Vec<ExprId>, Vec<u32>, usize)> {
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
    pub(super) fn optional_mark(&mut self) -> bool {
        let here = self.token().span.clone();
        let optional = self.take("?");
        if optional && !self.options.optional_syntax {
            self.report(here, "unsupported syntax '?'");
        }
        optional
    }

    pub(super) fn map(&mut self) -> Step<Part> {
        let start = self.accept().start;
        let (entries, depth) = self.within(&["}", ",", ":"], Self::entries)?;
        let end = self.close_after_entries("}", "'}'", "{'}', ','}")?;
        self.add(ExprKind::Map(entries), start..end, start, depth)
    }

    pub(super) fn entries(&mut self) -> Step<(Vec<MapEntry>, usize)> {
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
}
