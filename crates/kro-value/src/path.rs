use std::fmt;

use crate::{Str, format_smolstr};

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a map.
    Field(Str),
    /// A position in a list, from 0.
    Index(usize),
}

/// Where a value sits in an object, as `spec.containers[0].image` or `metadata.annotations["a.b/c"]`.
///
/// A key that is empty or holds any of `.`, `[`, `]`, `"`, `\` is written as a quoted key without a dot before it;
/// inside the quotes `"` and `\` are escaped by a backslash. Parsing reads exactly what is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    segments: Vec<Segment>,
}

impl FieldPath {
    /// The path of the root itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of map keys.
    pub fn fields<K: Into<Str>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self { segments: keys.into_iter().map(|key| Segment::Field(key.into())).collect() }
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// True for the root.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// This path and one more key.
    #[must_use]
    pub fn field(&self, key: impl Into<Str>) -> Self {
        self.with(Segment::Field(key.into()))
    }

    /// This path and one more position.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// This path and one more step.
    #[must_use]
    pub fn with(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.segments.len() + 1);
        segments.extend_from_slice(&self.segments);
        segments.push(segment);
        Self { segments }
    }

    /// This path and all steps of another.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self { segments: self.segments.iter().chain(&other.segments).cloned().collect() }
    }

    /// The path without its last step; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.segments.split_last()?;
        Some(Self { segments: parents.to_vec() })
    }

    /// Appends a step in place.
    pub fn push(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    /// Takes the last step off, in place.
    pub fn pop(&mut self) -> Option<Segment> {
        self.segments.pop()
    }

    /// True when this path is `other` or lies below it.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.segments.starts_with(&other.segments)
    }

    /// Reads a path as it is printed.
    ///
    /// # Errors
    /// With the position (bytes, from 0) of what is malformed.
    pub fn parse(text: &str) -> Result<Self, ParsePathError> {
        Parser { text, at: 0 }.parse()
    }
}

impl FromIterator<Segment> for FieldPath {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self { segments: segments.into_iter().collect() }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(formatter, "[{index}]")?,
                Segment::Field(key) if needs_quotes(key) => write_quoted(key, formatter)?,
                Segment::Field(key) if position == 0 => formatter.write_str(key)?,
                Segment::Field(key) => write!(formatter, ".{key}")?,
            }
        }
        Ok(())
    }
}

fn needs_quotes(key: &str) -> bool {
    key.is_empty() || key.contains(['.', '[', ']', '"', '\\'])
}

fn write_quoted(key: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str("[\"")?;
    for character in key.chars() {
        if matches!(character, '"' | '\\') {
            formatter.write_str("\\")?;
        }
        write!(formatter, "{character}")?;
    }
    formatter.write_str("\"]")
}

/// A path text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsePathError {
    /// What is wrong, with its position.
    pub message: Str,
}

impl fmt::Display for ParsePathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ParsePathError {}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn parse(mut self) -> Result<FieldPath, ParsePathError> {
        let mut segments = Vec::new();
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            if rest.starts_with("[\"") {
                segments.push(self.quoted()?);
            } else if rest.starts_with('[') {
                segments.push(self.index()?);
            } else {
                if !segments.is_empty() {
                    if !rest.starts_with('.') {
                        return error(format_smolstr!("expected '.' or '[' at position {}", self.at));
                    }
                    self.at += 1;
                }
                segments.push(self.name()?);
            }
        }
        Ok(FieldPath { segments })
    }

    fn name(&mut self) -> Result<Segment, ParsePathError> {
        let rest = &self.text[self.at..];
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            return error(format_smolstr!("empty field name at position {}", self.at));
        }
        self.at += end;
        Ok(Segment::Field(Str::new(&rest[..end])))
    }

    fn index(&mut self) -> Result<Segment, ParsePathError> {
        let rest = &self.text[self.at + 1..];
        let Some(end) = rest.find(']') else {
            return error(format_smolstr!("unterminated array index at position {}", self.at));
        };
        let digits = &rest[..end];
        let Ok(index) = digits.parse() else {
            return error(format_smolstr!("invalid array index '{digits}' at position {}", self.at));
        };
        self.at += end + 2;
        Ok(Segment::Index(index))
    }

    fn quoted(&mut self) -> Result<Segment, ParsePathError> {
        let start = self.at;
        let mut key = String::new();
        let mut characters = self.text[start + 2..].char_indices();
        while let Some((offset, character)) = characters.next() {
            match character {
                '\\' => key.extend(characters.next().map(|(_, escaped)| escaped)),
                '"' => {
                    self.at = start + 2 + offset + 1;
                    if !self.text[self.at..].starts_with(']') {
                        return error(format_smolstr!("expected closing bracket after quote at position {}", self.at));
                    }
                    self.at += 1;
                    return Ok(Segment::Field(key.into()));
                }
                other => key.push(other),
            }
        }
        error(format_smolstr!("unterminated quoted string starting at position {start}"))
    }
}

fn error<T>(message: Str) -> Result<T, ParsePathError> {
    Err(ParsePathError { message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_reads() {
        for text in [
            "",
            "a",
            "a.b",
            "list[0][1].f",
            r#"metadata.annotations["a.b/c"]"#,
            r#"x[""]"#,
            r#"["a.b"].c"#,
            r#"["a]\"b"].c"#,
        ] {
            assert_eq!(FieldPath::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn names_what_is_malformed() {
        for (text, message) in [
            (r#"a["b"#, "unterminated quoted string starting at position 1"),
            (r#"a["b"c"#, "expected closing bracket after quote at position 5"),
            ("a[1", "unterminated array index at position 1"),
            ("a[x]", "invalid array index 'x' at position 1"),
            ("a..b", "empty field name at position 2"),
        ] {
            assert_eq!(FieldPath::parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
