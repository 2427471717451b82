use std::ops::Range;

use crate::ScalarStyle;

/// Where each byte of a decoded scalar comes from in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextMap {
    /// The decoded text stands in the source as it is, from this byte on.
    Verbatim(u32),
    /// Stretches, ascending and without gaps in the decoded text.
    Stretched(Box<[Stretch]>),
}

/// A stretch of decoded text and the source it comes from. Bytes correspond one to one when both are equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    decoded: u32,
    decoded_len: u32,
    source: u32,
    source_len: u32,
}

impl TextMap {
    /// Maps a scalar that was decoded to `decoded` and whose source, quotes included, is `raw`, at byte `start`.
    pub(crate) fn new(style: ScalarStyle, decoded: &str, raw: &str, start: usize) -> Self {
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let (inner, start) = match raw.len() {
            length if quoted && length >= 2 => (&raw[1..length - 1], start + 1),
            _ => (raw, start),
        };
        if inner == decoded {
            return Self::Verbatim(clamp(start));
        }
        let mut aligner = Aligner { raw: inner, decoded, start, at: 0, out: 0, stretches: Vec::new() };
        match style {
            ScalarStyle::DoubleQuoted => aligner.double_quoted(),
            _ => aligner.words(style == ScalarStyle::SingleQuoted),
        }
        if aligner.out != decoded.len() {
            aligner.give_up();
        }
        Self::Stretched(aligner.stretches.into_boxed_slice())
    }

    /// The source bytes of a range of the decoded text; an empty range gives an empty place.
    pub(crate) fn source(&self, range: Range<usize>) -> Range<usize> {
        let stretches = match self {
            Self::Verbatim(start) => {
                return *start as usize + range.start..*start as usize + range.end.max(range.start);
            }
            Self::Stretched(stretches) => stretches,
        };
        let start = place(stretches, range.start, false);
        let end = if range.end > range.start { place(stretches, range.end - 1, true) } else { start };
        start..end.max(start)
    }
}

/// The source place of one decoded byte: where it begins, or one past where it ends.
fn place(stretches: &[Stretch], offset: usize, past: bool) -> usize {
    let offset = clamp(offset);
    let index = stretches.partition_point(|stretch| stretch.decoded <= offset);
    let Some(stretch) = stretches.get(index.saturating_sub(1)) else { return 0 };
    let inside = offset.saturating_sub(stretch.decoded);
    let from = if inside >= stretch.decoded_len {
        stretch.source_len // beyond the end of the text
    } else if stretch.decoded_len == stretch.source_len {
        inside + u32::from(past)
    } else if past {
        stretch.source_len
    } else {
        0
    };
    (stretch.source + from) as usize
}

/// Walks the source and the decoded text side by side.
struct Aligner<'a> {
    raw: &'a str,
    decoded: &'a str,
    start: usize,
    at: usize,
    out: usize,
    stretches: Vec<Stretch>,
}

impl Aligner<'_> {
    /// Plain, single-quoted and block scalars: the words stand as they are; only white space between them differs.
    fn words(&mut self, doubled_quotes: bool) {
        while self.out < self.decoded.len() {
            let word = blank_or_word(&self.decoded[self.out..], false);
            if !self.word(word, doubled_quotes) {
                return;
            }
            let blank = blank_or_word(&self.decoded[self.out..], true);
            let source = blank_or_word(&self.raw[self.at..], true);
            self.blanks(blank, source);
        }
    }

    /// False when the source does not continue with the word.
    fn word(&mut self, length: usize, doubled_quotes: bool) -> bool {
        let end = self.out + length;
        while self.out < end {
            let rest = &self.decoded[self.out..end];
            let run = match rest.find('\'') {
                Some(quote) if doubled_quotes => quote,
                _ => rest.len(),
            };
            if !self.raw[self.at..].starts_with(&rest[..run]) {
                return false;
            }
            self.push(run, run);
            if self.out < end {
                if !self.raw[self.at..].starts_with("''") {
                    return false;
                }
                self.push(1, 2);
            }
        }
        true
    }

    /// White space: what both begin with and what both end with corresponds; a fold is what remains.
    fn blanks(&mut self, decoded: usize, source: usize) {
        let (left, right) = (&self.decoded[self.out..self.out + decoded], &self.raw[self.at..self.at + source]);
        let tail = left.bytes().rev().zip(right.bytes().rev()).take_while(|(one, other)| one == other).count();
        let head = left.bytes().zip(right.bytes()).take_while(|(one, other)| one == other).count();
        let head = head.min(decoded.min(source) - tail);
        self.push(head, head);
        self.push(decoded - head - tail, source - head - tail);
        self.push(tail, tail);
    }

    fn double_quoted(&mut self) {
        while self.at < self.raw.len() {
            let rest = &self.raw[self.at..];
            if rest.starts_with('\\') {
                let (decoded, source) = escape(rest);
                self.push(decoded, source);
                continue;
            }
            let blank = blank_or_word(rest, true);
            let breaks = line_breaks(&rest[..blank]);
            if breaks > 0 {
                self.push((breaks - 1).max(1), blank);
            } else {
                let run = rest[blank..].find(['\\', ' ', '\t', '\n', '\r']).unwrap_or(rest.len() - blank);
                self.push(blank + run, blank + run);
            }
        }
    }

    fn push(&mut self, decoded: usize, source: usize) {
        if decoded > 0 {
            let same = decoded == source;
            let source_start = clamp(self.start + self.at);
            match self.stretches.last_mut() {
                Some(last)
                    if same && last.decoded_len == last.source_len && last.source + last.source_len == source_start =>
                {
                    last.decoded_len += clamp(decoded);
                    last.source_len += clamp(source);
                }
                _ => self.stretches.push(Stretch {
                    decoded: clamp(self.out),
                    decoded_len: clamp(decoded),
                    source: source_start,
                    source_len: clamp(source),
                }),
            }
        }
        self.out = (self.out + decoded).min(self.decoded.len());
        self.at = (self.at + source).min(self.raw.len());
    }

    /// Takes the scalar as one stretch, should the source be read otherwise than expected.
    fn give_up(&mut self) {
        (self.at, self.out) = (0, 0);
        self.stretches.clear();
        self.push(self.decoded.len(), self.raw.len());
    }
}

/// The length of the leading white space, or of what is none.
fn blank_or_word(text: &str, blank: bool) -> usize {
    text.find(|character| matches!(character, ' ' | '\t' | '\n' | '\r') != blank).unwrap_or(text.len())
}

/// How many line breaks of any kind (`\n`, `\r`, `\r\n`) there are.
fn line_breaks(blank: &str) -> usize {
    blank.matches(['\n', '\r']).count() - blank.matches("\r\n").count()
}

/// The lengths of an escape in a double-quoted scalar: decoded and in the source.
fn escape(text: &str) -> (usize, usize) {
    let Some(kind) = text[1..].chars().next() else { return (0, 1) };
    let hex = |digits: usize| text.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
    let wide = |digits: usize| (hex(digits).and_then(char::from_u32).map_or(0, char::len_utf8), 2 + digits);
    match kind {
        'x' => wide(2),
        'u' if hex(4).is_some_and(|unit| (0xd800..0xdc00).contains(&unit)) => (4, 12), // a surrogate pair
        'u' => wide(4),
        'U' => wide(8),
        '\r' | '\n' => (0, 1 + blank_or_word(&text[1..], true)), // an escaped line break
        'N' | '_' => (2, 2),
        'L' | 'P' => (3, 2),
        other => (1, 1 + other.len_utf8()),
    }
}

fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
