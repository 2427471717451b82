//! The markers of a field: `required=true default="x y"`.

use std::ops::Range;

/// All markers by name.
pub(super) const NAMES: [&str; 16] = [
    "required",
    "default",
    "description",
    "minimum",
    "maximum",
    "validation",
    "immutable",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "listType",
    "listMapKey",
];

/// One `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    pub key: String,
    /// Unquoted and unescaped, or trimmed.
    pub value: String,
    /// The bytes of the key in the text of the field.
    pub key_range: Range<usize>,
    /// The bytes of the value, quotes included.
    pub value_range: Range<usize>,
}

/// What is wrong with the text of the markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MarkerError {
    pub kind: MarkerErrorKind,
    pub message: String,
    pub range: Range<usize>,
    pub help: Option<String>,
    /// A certain mend: the bytes that go and the text that comes.
    pub fix: Option<(Range<usize>, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkerErrorKind {
    Syntax,
    Unknown,
}

/// The markers of a field, or all that is wrong with their text.
#[derive(Debug, Default)]
pub(super) struct Markers {
    pub markers: Vec<Marker>,
    pub errors: Vec<MarkerError>,
}

/// Reads the markers in `text[start..]`, which follows the first `|`.
///
/// White space after the last marker, and no marker at all, are fine.
pub(super) fn parse(text: &str, start: usize) -> Markers {
    let mut lexer = Lexer { text, ..Lexer::default() };
    for (offset, character) in text[start..].char_indices() {
        if !lexer.take(start + offset, character) {
            return lexer.markers;
        }
    }
    lexer.finish();
    lexer.markers
}

#[derive(Default)]
struct Lexer<'a> {
    text: &'a str,
    markers: Markers,
    /// The key whose value is being read.
    key: Option<(String, Range<usize>)>,
    /// What was read of the key, without white space.
    buffer: String,
    /// Where the key or the value that is being read begins.
    begin: Option<usize>,
    quote: Option<usize>,
    brackets: Vec<usize>,
    escaped: bool,
    /// The empty value that white space ended just now, as in `required= true`.
    emptied: Option<usize>,
}

impl Lexer<'_> {
    /// Takes one character; false when the rest cannot be read.
    fn take(&mut self, at: usize, character: char) -> bool {
        let escaped = std::mem::take(&mut self.escaped);
        if self.quote.is_none() && self.brackets.is_empty() {
            if character == '=' && self.key.is_none() {
                self.end_key(at);
                return true;
            }
            if character.is_whitespace() {
                if self.key.is_some() {
                    self.end_marker(at);
                }
                return true;
            }
        }
        match character {
            // A closing bracket of any kind closes the last one that is open.
            '"' if !escaped => self.quote = if self.quote.is_some() { None } else { Some(at) },
            '\\' if self.quote.is_some() && !escaped => self.escaped = true,
            '{' | '[' if self.quote.is_none() => self.brackets.push(at),
            '}' | ']' if self.quote.is_none() && self.brackets.pop().is_none() => {
                self.error("unmatched closing bracket/brace", at..at + 1, Some("quote a value that holds brackets"));
                return false;
            }
            _ => {}
        }
        self.begin.get_or_insert(at);
        if self.key.is_none() {
            self.buffer.push(character);
        }
        true
    }

    fn end_key(&mut self, at: usize) {
        let key = std::mem::take(&mut self.buffer);
        let start = self.begin.take().unwrap_or(at);
        let written = self.text[start..at].trim_end();
        let range = start..start + written.len();
        if key.is_empty() {
            self.error("empty marker key", at..at + 1, Some("write the marker's name before the `=`"));
        } else if !NAMES.contains(&key.as_str()) {
            self.unknown(&key, range.clone());
        }
        self.key = Some((key, range));
        self.begin = Some(at + 1);
    }

    fn unknown(&mut self, key: &str, range: Range<usize>) {
        let bare = key.trim_start_matches('|');
        let (help, fix) = if bare != key {
            let bar = range.start..range.start + key.len() - bare.len();
            (Some("markers are separated by spaces; only the first `|` counts".to_owned()), Some((bar, String::new())))
        } else if let Some(first) = self.text[range.clone()].split_whitespace().next().filter(|first| *first != key) {
            let known = NAMES.contains(&first);
            (
                Some(if known {
                    format!("{first} needs a value: {first}=...")
                } else {
                    format!("there is no marker {first}")
                }),
                None,
            )
        } else {
            (kro_diagnostics::did_you_mean(key, NAMES), None)
        };
        let message = format!("invalid marker key {key:?}: unknown marker: {key}");
        self.markers.errors.push(MarkerError { kind: MarkerErrorKind::Unknown, message, range, help, fix });
    }

    fn end_marker(&mut self, at: usize) {
        let Some((key, key_range)) = self.key.take() else { return };
        let start = self.begin.take().unwrap_or(at);
        let raw = &self.text[start..at];
        self.emptied = raw.is_empty().then_some(start);
        self.markers.markers.push(Marker { key, value: unquote(raw), key_range, value_range: start..at });
    }

    fn finish(&mut self) {
        let end = self.text.len();
        if let Some(quote) = self.quote {
            self.error("unclosed quote", quote..end, Some("close it with another `\"`"));
        } else if let Some(bracket) = self.brackets.last().copied() {
            self.error("unclosed bracket/brace", bracket..end, None);
        } else if self.key.is_some() {
            self.end_marker(end);
        } else if !self.buffer.is_empty() {
            self.bare_word(end);
        }
    }

    /// Something without a `=` at the end of the text.
    fn bare_word(&mut self, end: usize) {
        let start = self.begin.unwrap_or(end);
        let range = start..start + self.text[start..end].trim_end().len();
        let last = self.markers.markers.last();
        let spaced = self.emptied.filter(|_| self.text[range.clone()] == self.buffer);
        let flag = matches!(self.buffer.as_str(), "required" | "immutable" | "uniqueItems");
        let (help, fix) = match (spaced, last) {
            (Some(equals), Some(last)) => {
                let (key, gap) = (&last.key, equals..range.start);
                (format!("write {key}={} without spaces around the `=`", self.buffer), Some((gap, String::new())))
            }
            _ if flag => (format!("write {}=true", self.buffer), Some((range.end..range.end, "=true".to_owned()))),
            (_, Some(last)) if last.value.starts_with('\'') => {
                ("a value with spaces needs double quotes; single quotes have no meaning".to_owned(), None)
            }
            (_, Some(last)) if NAMES.contains(&last.key.as_str()) => {
                ("a marker is key=value; a value with spaces needs double quotes".to_owned(), None)
            }
            _ => ("a marker is key=value".to_owned(), None),
        };
        let message = format!("marker key '{}' without a value", self.buffer);
        let kind = MarkerErrorKind::Syntax;
        self.markers.errors.push(MarkerError { kind, message, range, help: Some(help), fix });
    }

    fn error(&mut self, message: &str, range: Range<usize>, help: Option<&str>) {
        let (message, help) = (message.to_owned(), help.map(str::to_owned));
        self.markers.errors.push(MarkerError { kind: MarkerErrorKind::Syntax, message, range, help, fix: None });
    }
}

/// Strips one pair of quotes around the whole and unescapes `\"` and `\\` in it; other backslashes stay.
fn unquote(raw: &str) -> String {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return raw.trim().to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = if character == '\\' { characters.next_if(|next| matches!(next, '"' | '\\')) } else { None };
        out.push(escaped.unwrap_or(character));
    }
    out
}
