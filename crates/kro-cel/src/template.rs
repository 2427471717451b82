//! Expressions inside text: `prefix-${schema.spec.name}`.
//!
//! The end of an expression is found with the string forms of the language itself, so braces and quotes inside any kind of
//! string are no trouble. `${"${HOME}"}` is how a literal `${HOME}` is written.

use std::ops::Range;

use crate::parser::lexer;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Plain text: its bytes in the whole.
    Literal(Range<usize>),
    /// An expression: its bytes in the whole, without `${` and `}`.
    Expression(Range<usize>),
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanErrorKind {
    /// `${` inside an expression, but not inside a string.
    Nested,
    /// `${` without its `}`; the text from there is taken as plain.
    Unterminated,
}

/// A mistake in a text and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanError {
    /// What is wrong.
    pub kind: ScanErrorKind,
    /// The bytes of the `${`.
    pub span: Range<usize>,
}

impl ScanErrorKind {
    /// The message for users.
    pub fn message(self) -> &'static str {
        match self {
            Self::Nested => "nested expressions are not allowed unless inside string literals",
            Self::Unterminated => "expression is never closed: '${' without '}'",
        }
    }
}

/// A text in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The pieces in order; together with the `${` and `}` they are the whole text. Plain pieces are not empty.
    pub parts: Vec<Part>,
    /// All mistakes in order.
    pub errors: Vec<ScanError>,
}

impl Template {
    /// True without any expression.
    pub fn is_plain(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part, Part::Expression(_)))
    }

    /// The expression, if it is the whole text. Its value may then have any type.
    pub fn standalone(&self) -> Option<Range<usize>> {
        if let [Part::Expression(span)] = self.parts.as_slice() { Some(span.clone()) } else { None }
    }

    /// The bytes of all expressions in order.
    pub fn expressions(&self) -> impl Iterator<Item = Range<usize>> {
        self.parts.iter().filter_map(|part| if let Part::Expression(span) = part { Some(span.clone()) } else { None })
    }
}

/// Splits a text into plain pieces and expressions.
pub fn scan(text: &str) -> Template {
    let (mut parts, mut errors) = (Vec::new(), Vec::new());
    let (mut plain, mut at) = (0, 0);
    while let Some(open) = text[at..].find("${").map(|offset| at + offset) {
        match expression_end(text, open + 2) {
            Ok(close) => {
                if plain < open {
                    parts.push(Part::Literal(plain..open));
                }
                parts.push(Part::Expression(open + 2..close));
                (plain, at) = (close + 1, close + 1);
            }
            Err(error) => {
                let span = error.nested_at.map_or(open..open + 2, |nested| nested..nested + 2);
                errors.push(ScanError { kind: error.kind(), span });
                at = error.nested_at.unwrap_or(text.len());
            }
        }
    }
    if plain < text.len() {
        parts.push(Part::Literal(plain..text.len()));
    }
    Template { parts, errors }
}

struct NoEnd {
    nested_at: Option<usize>,
}

impl NoEnd {
    fn kind(&self) -> ScanErrorKind {
        if self.nested_at.is_some() { ScanErrorKind::Nested } else { ScanErrorKind::Unterminated }
    }
}

/// The closing brace of an expression that starts here.
fn expression_end(text: &str, start: usize) -> Result<usize, NoEnd> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut in_comment) = (start, 0usize, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'}' if depth == 0 => return Ok(at),
            b'\n' => in_comment = false,
            _ if in_comment => {} // quotes and braces mean nothing here
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'$' if bytes.get(at + 1) == Some(&b'{') => return Err(NoEnd { nested_at: Some(at) }),
            b'/' if bytes.get(at + 1) == Some(&b'/') => in_comment = true,
            b'"' | b'\'' => at = lexer::literal_end(text, at).map_or(at, |end| end - 1),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => at = word_end(text, at) - 1,
            _ => {}
        }
        at += 1;
    }
    Err(NoEnd { nested_at: None })
}

/// The byte after a word, or after the string that the word is the prefix of.
fn word_end(text: &str, start: usize) -> usize {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    lexer::literal_end(text, start)
        .unwrap_or_else(|| start + text.as_bytes()[start..].iter().take_while(is_word).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain pieces as they are, expressions in brackets.
    fn shown(text: &str) -> String {
        let template = scan(text);
        let parts = template.parts.iter().map(|part| match part {
            Part::Literal(span) => text[span.clone()].to_owned(),
            Part::Expression(span) => format!("[{}]", &text[span.clone()]),
        });
        parts.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn finds_the_ends_of_expressions() {
        let rows = [
            ("", ""),
            ("plain $VAR $(cmd)", "plain $VAR $(cmd)"),
            ("${a.b}", "[a.b]"),
            ("pre-${a}", "pre-|[a]"),
            ("${a}${b}", "[a]|[b]"),
            ("${}", "[]"),
            ("${c ? {} : {'k': 'v'}}", "[c ? {} : {'k': 'v'}]"),
            ("${outer(\"${in}\")}", "[outer(\"${in}\")]"),
            ("${json.unmarshal('{').a}", "[json.unmarshal('{').a]"),
            ("${a == 'say \"hi'}", "[a == 'say \"hi']"),
            ("${r'\\'}x", "[r'\\']|x"),
            ("${'''}'''}", "['''}''']"),
            ("${b\"}\"}", "[b\"}\"]"),
            ("${a // don't }", "[a // don't ]"),
            ("${a // }\n}", "[a // ]|\n}"),
            ("${a +\n b}", "[a +\n b]"),
            ("${x == 'open}", "[x == 'open]"),
            ("ü${ä}ö", "ü|[ä]|ö"),
        ];
        for (text, want) in rows {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn reports_what_never_ends() {
        let kinds = |text| scan(text).errors.iter().map(|error| (error.kind, error.span.start)).collect::<Vec<_>>();
        assert_eq!(kinds("a ${open"), [(ScanErrorKind::Unterminated, 2)]);
        assert_eq!(kinds("${f(${x})}"), [(ScanErrorKind::Nested, 4)]);
        assert_eq!(kinds("${a}"), []);
    }
}
