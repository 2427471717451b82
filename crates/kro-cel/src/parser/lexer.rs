//! Tokens. The longest match wins, as in the reference grammar; text that is no token is reported and skipped.

use std::ops::Range;

use crate::issue::{Issue, IssueKind};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// An operator, a bracket, or one of the words `in`, `true`, `false`, `null`.
    Symbol(&'static str),
    Int,
    Uint,
    Float,
    String,
    Bytes,
    Identifier,
    EscapedIdentifier,
    End,
}

/// A token and the bytes it covers.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub span: Range<usize>,
}

/// Tried before the symbols of one character.
const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "&&", "||"];
/// The frequent ones first.
const SINGLES: [&str; 18] = [".", "(", ")", ",", "+", "[", "]", "?", ":", "{", "}", "<", ">", "!", "-", "*", "/", "%"];

/// Splits a text into tokens; the last one is [`TokenKind::End`].
pub(crate) fn tokenize(text: &str) -> (Vec<Token>, Vec<Issue>) {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 3 + 2);
    let mut issues = Vec::new();
    while let Some(start) = lexer.skip_blanks() {
        match lexer.token(start) {
            Ok((kind, end)) => {
                tokens.push(Token { kind, span: start..end });
                lexer.at = end;
            }
            Err(stop) => lexer.at = lexer.report(start, stop, &mut issues),
        }
    }
    tokens.push(Token { kind: TokenKind::End, span: text.len()..text.len() });
    (tokens, issues)
}

/// The byte after a string or bytes literal that starts here; `None` when none starts or it does not end.
pub(crate) fn literal_end(text: &str, start: usize) -> Option<usize> {
    let lexer = Lexer { text, bytes: text.as_bytes(), at: start };
    match lexer.token(start) {
        Ok((TokenKind::String | TokenKind::Bytes, end)) => Some(end),
        _ => None,
    }
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

/// A token and its end, or the byte at which no token could go on.
type Lexeme = Result<(TokenKind, usize), usize>;

impl Lexer<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Skips white space and comments; `None` at the end.
    fn skip_blanks(&mut self) -> Option<usize> {
        loop {
            match self.bytes.get(self.at)? {
                b'\t' | b' ' | b'\r' | b'\n' | 0x0c => self.at += 1,
                b'/' if self.byte(self.at + 1) == b'/' => {
                    self.at = self.text[self.at..].find('\n').map_or(self.text.len(), |newline| self.at + newline);
                }
                _ => return Some(self.at),
            }
        }
    }

    fn token(&self, start: usize) -> Lexeme {
        match self.byte(start) {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Ok(self.word(start)),
            b'0'..=b'9' => Ok(self.number(start)),
            b'.' if self.byte(start + 1).is_ascii_digit() => Ok((TokenKind::Float, self.fraction(start))),
            b'"' | b'\'' => self.string(start, false).map(|end| (TokenKind::String, end)),
            b'`' => self.escaped_identifier(start),
            _ => self.symbol(start),
        }
    }

    fn symbol(&self, start: usize) -> Lexeme {
        let rest = &self.bytes[start..];
        let pair = match rest.get(1) {
            Some(b'=' | b'&' | b'|') => PAIRS.iter().find(|pair| rest.starts_with(pair.as_bytes())),
            _ => None,
        };
        let single = || SINGLES.iter().find(|symbol| symbol.as_bytes().first() == rest.first());
        if let Some(symbol) = pair.or_else(single) {
            return Ok((TokenKind::Symbol(symbol), start + symbol.len()));
        }
        // one half of a pair: what follows it is what is wrong
        Err(start + usize::from(matches!(rest.first(), Some(b'=' | b'&' | b'|'))))
    }

    /// A name or a word, or a string with a prefix.
    fn word(&self, start: usize) -> (TokenKind, usize) {
        if let Some(literal) = self.prefixed_string(start) {
            return literal;
        }
        let end = self.skip_while(start, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let kind = match &self.text[start..end] {
            "in" => TokenKind::Symbol("in"),
            "true" => TokenKind::Symbol("true"),
            "false" => TokenKind::Symbol("false"),
            "null" => TokenKind::Symbol("null"),
            _ => TokenKind::Identifier,
        };
        (kind, end)
    }

    fn prefixed_string(&self, start: usize) -> Option<(TokenKind, usize)> {
        let is_bytes = matches!(self.byte(start), b'b' | b'B');
        let after_bytes = start + usize::from(is_bytes);
        let is_raw = matches!(self.byte(after_bytes), b'r' | b'R');
        let quote = after_bytes + usize::from(is_raw);
        if !matches!(self.byte(quote), b'"' | b'\'') {
            return None;
        }
        let end = self.string(quote, is_raw).ok()?;
        Some((if is_bytes { TokenKind::Bytes } else { TokenKind::String }, end))
    }

    /// The byte after a quoted string, or the byte at which it fails.
    fn string(&self, start: usize, raw: bool) -> Result<usize, usize> {
        let quote = self.byte(start);
        if self.byte(start + 1) == quote && self.byte(start + 2) == quote {
            // without a proper end the first two quotes are an empty string
            return Ok(self.triple_string(start + 3, quote, raw).unwrap_or(start + 2));
        }
        let mut at = start + 1;
        loop {
            match self.bytes.get(at) {
                None | Some(b'\n' | b'\r') => return Err(at),
                Some(byte) if *byte == quote => return Ok(at + 1),
                Some(b'\\') if !raw => at = self.escape(at)?,
                Some(_) => at += 1,
            }
        }
    }

    fn triple_string(&self, start: usize, quote: u8, raw: bool) -> Option<usize> {
        let mut at = start;
        loop {
            match self.bytes.get(at)? {
                byte if *byte == quote && self.byte(at + 1) == quote && self.byte(at + 2) == quote => {
                    return Some(at + 3);
                }
                b'\\' if !raw => at = self.escape(at).ok()?,
                _ => at += 1,
            }
        }
    }

    /// The byte after an escape sequence, or the byte at which it fails.
    fn escape(&self, backslash: usize) -> Result<usize, usize> {
        let at = backslash + 1;
        match self.byte(at) {
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`' => Ok(at + 1),
            b'x' | b'X' => self.digits(at + 1, 2, u8::is_ascii_hexdigit),
            b'u' => self.digits(at + 1, 4, u8::is_ascii_hexdigit),
            b'U' => self.digits(at + 1, 8, u8::is_ascii_hexdigit),
            b'0'..=b'3' => self.digits(at + 1, 2, |byte| (b'0'..=b'7').contains(byte)),
            _ => Err(at),
        }
    }

    fn digits(&self, start: usize, count: usize, is_digit: fn(&u8) -> bool) -> Result<usize, usize> {
        match (start..start + count).find(|at| !self.bytes.get(*at).is_some_and(is_digit)) {
            Some(bad) => Err(bad),
            None => Ok(start + count),
        }
    }

    fn number(&self, start: usize) -> (TokenKind, usize) {
        if self.byte(start) == b'0' && self.byte(start + 1) == b'x' && self.byte(start + 2).is_ascii_hexdigit() {
            return self.with_unsigned(self.skip_while(start + 2, |byte| byte.is_ascii_hexdigit()));
        }
        let digits = self.skip_while(start, |byte| byte.is_ascii_digit());
        let end = self.fraction(digits);
        if end > digits { (TokenKind::Float, end) } else { self.with_unsigned(digits) }
    }

    fn with_unsigned(&self, end: usize) -> (TokenKind, usize) {
        if matches!(self.byte(end), b'u' | b'U') { (TokenKind::Uint, end + 1) } else { (TokenKind::Int, end) }
    }

    /// The byte after a fraction and an exponent, each if it is there.
    fn fraction(&self, start: usize) -> usize {
        let has_fraction = self.byte(start) == b'.' && self.byte(start + 1).is_ascii_digit();
        let end = if has_fraction { self.skip_while(start + 1, |byte| byte.is_ascii_digit()) } else { start };
        if !matches!(self.byte(end), b'e' | b'E') {
            return end;
        }
        let digits = end + 1 + usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
        if self.byte(digits).is_ascii_digit() { self.skip_while(digits, |byte| byte.is_ascii_digit()) } else { end }
    }

    fn escaped_identifier(&self, start: usize) -> Lexeme {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b' ');
        let end = self.skip_while(start + 1, allowed);
        let closed = self.byte(end) == b'`' && end > start + 1;
        if closed { Ok((TokenKind::EscapedIdentifier, end + 1)) } else { Err(end) }
    }

    fn skip_while(&self, start: usize, keep: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        start + rest.iter().take_while(|byte| keep(**byte)).count()
    }

    /// Reports what is no token, up to and with the character that did not fit; returns where to go on.
    fn report(&self, start: usize, stop: usize, issues: &mut Vec<Issue>) -> usize {
        let after = self.text[stop..].chars().next().map_or(stop, |char| stop + char.len_utf8());
        let message = format!("Syntax error: token recognition error at: '{}'", &self.text[start..after]);
        issues.push(Issue::new(IssueKind::Syntax, start..after, start, message));
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        let (tokens, _) = tokenize(text);
        tokens.iter().map(|token| &text[token.span.clone()]).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn the_longest_match_wins() {
        let rows: [(&str, &[&str]); 12] = [
            ("a.b<=1", &["a", ".", "b", "<=", "1"]),
            ("1.5e3 1e 0x1fu 0x .5", &["1.5e3", "1", "e", "0x1fu", "0", "x", ".5"]),
            ("r'\\' b\"x\" rb'y' Br'''z'''", &["r'\\'", "b\"x\"", "rb", "'y'", "Br'''z'''"]),
            ("'''a'b'''", &["'''a'b'''"]),
            ("'''abc'", &["''", "'abc'"]),
            ("a // comment\n+ b", &["a", "+", "b"]),
            ("in int true", &["in", "int", "true"]),
            ("x.`a-b`", &["x", ".", "`a-b`"]),
            ("'\\'' + \"\\\"\"", &["'\\''", "+", "\"\\\"\""]),
            ("1..2", &["1", ".", ".2"]),
            ("x = 1", &["x", "1"]),
            ("'ü' + ü", &["'ü'", "+"]),
        ];
        for (text, want) in rows {
            assert_eq!(texts(text), want, "{text}");
        }
    }

    #[test]
    fn reports_what_is_no_token() {
        let messages = |text| tokenize(text).1.into_iter().map(|issue| issue.message).collect::<Vec<_>>();
        assert_eq!(messages("x = 1"), ["Syntax error: token recognition error at: '= '"]);
        assert_eq!(messages("'\\z'").len(), 2);
        assert_eq!(messages("\"abc"), ["Syntax error: token recognition error at: '\"abc'"]);
    }
}
