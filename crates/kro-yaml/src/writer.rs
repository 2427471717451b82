use std::fmt::Write;

use kro_value::{Map, Value, to_json};

use crate::scalar::{Resolved, resolve};

/// Keys longer than this many bytes are written after a `?`; readers look for the `:` of a key within 1,024 characters.
const SIMPLE_KEY_BYTES_MAX: usize = 120;

/// The YAML text of a value in the block style that kubectl prints: sorted keys, list items not indented below their
/// key, text of several lines as a literal block, and quotes where the text would be read as something else.
///
/// Ends with a line break. Reading it gives an equal value. A float that JSON cannot hold (NaN, infinity) is `null`.
pub fn to_yaml(value: &Value) -> String {
    let mut writer = Writer { out: String::new() };
    match value {
        Value::List(items) if !items.is_empty() => writer.list(items, 0),
        Value::Map(map) if !map.is_empty() => writer.map(map, 0),
        scalar => {
            writer.scalar(scalar, 0);
            writer.out.push('\n');
        }
    }
    writer.out
}

/// The YAML text of several values as one stream of documents.
pub fn to_yaml_stream<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    values.into_iter().map(to_yaml).collect::<Vec<_>>().join("---\n")
}

struct Writer {
    out: String,
}

impl Writer {
    fn map(&mut self, map: &Map, indent: usize) {
        for (position, (key, value)) in map.iter().enumerate() {
            // The first key of a map in a list stands on the line of the dash.
            if position > 0 || self.at_line_start() {
                self.indent(indent);
            }
            self.key(key, indent);
            self.member(value, indent);
        }
    }

    fn key(&mut self, key: &str, indent: usize) {
        let text = if is_plain(key) { key.to_owned() } else { quoted(key) };
        if text.len() > SIMPLE_KEY_BYTES_MAX {
            let _ = write!(self.out, "? {text}\n{:indent$}:", "");
        } else {
            let _ = write!(self.out, "{text}:");
        }
    }

    /// The value of a key, after its colon.
    fn member(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Map(map) if !map.is_empty() => {
                self.out.push('\n');
                self.map(map, indent + 2);
            }
            Value::List(items) if !items.is_empty() => {
                self.out.push('\n');
                self.list(items, indent);
            }
            scalar => {
                self.out.push(' ');
                self.scalar(scalar, indent);
                self.out.push('\n');
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 || self.at_line_start() {
                self.indent(indent);
            }
            self.out.push_str("- ");
            match item {
                Value::Map(map) if !map.is_empty() => self.map(map, indent + 2),
                Value::List(items) if !items.is_empty() => self.list(items, indent + 2),
                scalar => {
                    self.scalar(scalar, indent);
                    self.out.push('\n');
                }
            }
        }
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    fn indent(&mut self, indent: usize) {
        let _ = write!(self.out, "{:indent$}", "");
    }

    /// A scalar, or an empty collection, without the line break after it.
    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::String(text) if is_block(text) => self.block(text, indent + 2),
            Value::String(text) if is_plain(text) => self.out.push_str(text),
            Value::String(text) => self.out.push_str(&quoted(text)),
            other => self.out.push_str(&to_json(other)),
        }
    }

    fn block(&mut self, text: &str, indent: usize) {
        let body = text.trim_end_matches('\n');
        self.out.push_str(match text.len() - body.len() {
            0 => "|-",
            1 => "|",
            _ => "|+",
        });
        // The last line break is the caller's.
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            self.out.push('\n');
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
        }
    }
}

/// True when the text may be a literal block: several lines of printable text whose first is not indented.
fn is_block(text: &str) -> bool {
    let body = text.trim_end_matches('\n');
    text.contains('\n')
        && !body.is_empty()
        && !body.starts_with([' ', '\t', '\n'])
        && text.chars().all(|character| matches!(character, '\n' | '\t') || is_printable(character))
        && body.lines().all(|line| line.is_empty() || !line.trim().is_empty())
}

/// True when the text without quotes is read as itself, by this reader and by others.
fn is_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return false };
    let second_is_solid = characters.next().is_some_and(|second| second != ' ');
    let first_fits = match first {
        '-' | '?' | ':' => second_is_solid,
        ' ' | ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => false,
        _ => true,
    };
    first_fits
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !matches!(text, "<<" | "=")
        && text.chars().all(is_printable)
        && resolve(text) == Resolved::Text
        && !looks_numeric(text)
}

/// Dates and numbers to the base of 60 are text here, but other readers of YAML 1.1 disagree.
fn looks_numeric(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits
            .chars()
            .all(|character| character.is_ascii_digit() || matches!(character, ':' | '_' | '.' | '-' | 'T' | 'Z'))
        && digits.contains([':', '-'])
}

/// Printable on one line by every reader.
fn is_printable(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// In single quotes when only the look of the text needs them, else in double quotes.
fn quoted(text: &str) -> String {
    let typed = resolve(text) != Resolved::Text || looks_numeric(text);
    if !typed && text.chars().all(is_printable) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            printable if is_printable(printable) => out.push(printable),
            other => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
        }
    }
    out.push('"');
    out
}
