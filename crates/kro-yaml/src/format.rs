use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, options};
use kro_diagnostics::{Diagnostics, FileId};

use crate::parse;

/// The text in one layout: two spaces per level, list items indented below their key, one space after `-` and `:`, at
/// most one empty line in a row, no spaces at the ends of lines, a line break at the end. Comments, quotes, key order
/// and line breaks stay.
///
/// Formatting what was formatted changes nothing, and the values never change: where the layout cannot be changed
/// safely (explicit keys `? a`, tabs in the indentation, block scalars that tell their indentation), the text comes back as it is.
///
/// # Errors
/// All that is wrong, when the text is no proper YAML. Places are in the file with the id 0.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    let parsed = parse(text, FileId(0));
    if parsed.diagnostics.has_errors() {
        return Err(parsed.diagnostics);
    }
    let formatted = Formatter::new(text).and_then(Formatter::run);
    let same = |new: &String| {
        let again = parse(new, FileId(0));
        !again.diagnostics.has_errors() && again.values() == parsed.values() && comments(new) == comments(text)
    };
    Ok(formatted.filter(same).unwrap_or_else(|| text.to_owned()))
}

/// The comments on lines of their own, without their indentation.
fn comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect()
}

/// Lines that are inside a value that began on an earlier line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// A plain or quoted scalar: indentation means nothing.
    Scalar { quoted: bool },
    /// A flow collection: indentation means nothing, and is kept relative to its first line.
    Flow,
    /// A block scalar: indentation is content beyond that of the first line.
    Block,
}

/// A level of nesting: the column of its entries before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    old: usize,
    new: usize,
    dash: bool,
}

struct Formatter<'a> {
    lines: Vec<&'a str>,
    inside: Vec<Option<Inside>>,
    /// Spaces after the colon of a key on the same line as its value, to become one.
    gaps: Vec<Option<Range<usize>>>,
    levels: Vec<Level>,
    out: String,
    /// What the first line of the current value moved by.
    shift: isize,
    /// The old indentation of the block scalar that is being written.
    base: Option<usize>,
}

impl<'a> Formatter<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let count = lines.len();
        let mut layout = Layout::new(text, count);
        layout.read(text)?;
        let (inside, gaps) = (layout.inside, layout.gaps);
        Some(Self { lines, inside, gaps, levels: Vec::new(), out: String::new(), shift: 0, base: None })
    }

    fn run(mut self) -> Option<String> {
        let mut blank = false;
        for index in 0..self.lines.len() {
            let line = self.lines[index];
            if let Some(inside) = self.inside[index] {
                self.continuation(index, line, inside);
                blank = false;
                continue;
            }
            if line.trim().is_empty() {
                blank = !self.out.is_empty();
                continue;
            }
            if std::mem::take(&mut blank) {
                self.out.push('\n');
            }
            self.base = None;
            self.line(index, line)?;
        }
        Some(self.out)
    }

    fn push(&mut self, indent: usize, content: &str) {
        if !content.is_empty() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.out.push_str(content);
        }
        self.out.push('\n');
    }

    fn line(&mut self, index: usize, line: &str) -> Option<()> {
        let content = line.trim_start_matches(' ');
        let column = line.len() - content.len();
        if is_marker(line) {
            self.levels.clear();
            self.push(0, line.trim_end());
        } else if content.starts_with('#') {
            let indent = self.comment_indent(index, column);
            self.push(indent, content.trim_end());
        } else {
            if content.starts_with('\t') || is_explicit(content) {
                return None;
            }
            self.entry(index, line, column)?;
        }
        Some(())
    }

    /// A line with an entry: any number of dashes, then a key or a value.
    fn entry(&mut self, index: usize, line: &str, column: usize) -> Option<()> {
        let mut at = column;
        let mut text = String::new();
        let mut first = None;
        loop {
            let rest = &line[at..];
            let dash = rest == "-" || rest.starts_with("- ");
            let new = self.enter(at, dash);
            first.get_or_insert(new);
            if !dash {
                if is_explicit(rest) || rest.starts_with('\t') {
                    return None;
                }
                text.push_str(&self.close_gap(index, line, at));
                break;
            }
            let after = rest[1..].trim_start_matches(' ');
            if after.is_empty() || after.starts_with('#') {
                text.push_str(format!("- {after}").trim_end());
                break;
            }
            text.push_str("- ");
            at = line.len() - after.len();
        }
        let new = first.unwrap_or(0);
        self.shift = isize::try_from(new).ok()? - isize::try_from(column).ok()?;
        let quoted = matches!(self.inside.get(index + 1), Some(Some(Inside::Scalar { quoted: true })));
        self.push(new, if quoted { &text } else { text.trim_end() });
        Some(())
    }

    /// The rest of a line from a column on, with one space between a key's colon and its value.
    fn close_gap(&self, index: usize, line: &str, at: usize) -> String {
        match &self.gaps[index] {
            Some(gap) if gap.start >= at => format!("{}: {}", &line[at..gap.start], &line[gap.end..]),
            _ => line[at..].to_owned(),
        }
    }

    /// The new column of what stands at an old one, which becomes the innermost level.
    fn enter(&mut self, column: usize, dash: bool) -> usize {
        self.levels.truncate(self.surviving(column, dash));
        if let Some(level) = self.levels.last()
            && level.old == column
            && level.dash == dash
        {
            return level.new;
        }
        let new = self.levels.last().map_or(0, |level| level.new + 2);
        self.levels.push(Level { old: column, new, dash });
        new
    }

    /// How many levels stay open when an entry begins at a column. A list may stand in the column of its key, so a key
    /// ends a list in its column, and a dash does not end a map in its column.
    fn surviving(&self, column: usize, dash: bool) -> usize {
        let ends = |level: &&Level| level.old > column || (level.old == column && level.dash && !dash);
        self.levels.len() - self.levels.iter().rev().take_while(ends).count()
    }

    /// A comment on a line of its own stands as the next entry does, unless it is indented further: then it belongs to
    /// what is before it.
    fn comment_indent(&self, index: usize, column: usize) -> usize {
        let next = (index + 1..self.lines.len()).find(|next| {
            let content = self.lines[*next].trim_start();
            self.inside[*next].is_none() && !content.is_empty() && !content.starts_with('#')
        });
        let next = next.map(|next| self.lines[next]).filter(|line| !is_marker(line));
        if let Some(line) = next {
            let content = line.trim_start_matches(' ');
            let next_column = line.len() - content.len();
            if column <= next_column {
                let dash = content == "-" || content.starts_with("- ");
                let open = &self.levels[..self.surviving(next_column, dash)];
                return match open.last() {
                    Some(level) if level.old == next_column && level.dash == dash => level.new,
                    Some(level) => level.new + 2,
                    None => 0,
                };
            }
        }
        self.levels.iter().rev().find(|level| level.old <= column).map_or(0, |level| level.new)
    }

    /// A line inside a value.
    fn continuation(&mut self, index: usize, line: &str, inside: Inside) {
        let content = line.trim_start_matches([' ', '\t']);
        let indent = self.levels.last().map_or(0, |level| level.new) + 2;
        match inside {
            Inside::Scalar { quoted: true } if self.inside.get(index + 1) == Some(&Some(inside)) => {
                self.push(indent, content);
            }
            Inside::Scalar { .. } => self.push(indent, content.trim_end()),
            Inside::Flow => {
                let old = isize::try_from(line.len() - content.len()).unwrap_or(0);
                let least = self.levels.first().map_or(0, |level| level.new);
                self.push(usize::try_from(old + self.shift).unwrap_or(0).max(least), content.trim_end());
            }
            Inside::Block => {
                let content = line.trim_start_matches(' ');
                let old = line.len() - content.len();
                if content.is_empty() && self.base.is_none_or(|base| old <= base) {
                    return self.push(0, "");
                }
                let base = *self.base.get_or_insert(old);
                self.push(indent, line.get(base..).unwrap_or(content));
            }
        }
    }
}

/// `---`, `...` and directives.
fn is_marker(line: &str) -> bool {
    let marker =
        |mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
    marker("---") || marker("...") || line.starts_with('%')
}

/// `? key` and `: value`
fn is_explicit(content: &str) -> bool {
    matches!(content, "?" | ":") || content.starts_with("? ") || content.starts_with(": ")
}

/// Finds the lines inside values and the spaces after colons.
struct Layout {
    starts: Vec<usize>,
    inside: Vec<Option<Inside>>,
    gaps: Vec<Option<Range<usize>>>,
}

impl Layout {
    fn new(text: &str, count: usize) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { starts, inside: vec![None; count], gaps: vec![None; count] }
    }

    fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    fn mark(&mut self, lines: Range<usize>, inside: Inside) {
        for index in lines {
            if let Some(slot) = self.inside.get_mut(index) {
                slot.get_or_insert(inside);
            }
        }
    }

    /// `None` when the text has something that cannot be laid out.
    fn read(&mut self, text: &str) -> Option<()> {
        let mut options = options! { block_scalar_eof_without_line_feed: true, bom_inside_document_as_content: true };
        options.set_emit_comments(false);
        let mut flows: Vec<usize> = Vec::new();
        let mut last_end = 0;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.ok()?;
            let range = span.byte_range()?;
            let tag = span.tag_start().and_then(|mark| mark.byte_offset());
            if flows.is_empty() && event.is_node() && tag.is_none() {
                self.gap(text, last_end, range.start);
            }
            match event {
                Event::Scalar(_, style, ..) => self.scalar(text, style, range.clone())?,
                Event::SequenceStart(StructureStyle::Flow, ..) | Event::MappingStart(StructureStyle::Flow, ..) => {
                    flows.push(range.start);
                }
                Event::SequenceEnd | Event::MappingEnd if !range.is_empty() => {
                    if let Some(start) = flows.pop() {
                        self.mark(self.line_of(start) + 1..self.line_of(range.end - 1) + 1, Inside::Flow);
                    }
                }
                _ => {}
            }
            last_end = range.end;
        }
        Some(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, range: Range<usize>) -> Option<()> {
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            let content = self.line_of(range.start);
            let header = (0..content).rev().find(|line| !self.text_of(text, *line).trim().is_empty())?;
            let indicator = self.text_of(text, header).rsplit(['|', '>']).next().unwrap_or_default();
            if indicator.split('#').next().unwrap_or_default().contains(|sign: char| sign.is_ascii_digit()) {
                return None;
            }
            // The scanner looks past the indentation of the next line.
            let last = self.line_of(range.end);
            let reaches = text[self.starts[last]..range.end].contains(|character: char| character != ' ');
            let end = if reaches { last + 1 } else { last };
            self.mark(header + 1..end, Inside::Block);
        } else if range.end > range.start {
            let quoted = style != ScalarStyle::Plain;
            self.mark(self.line_of(range.start) + 1..self.line_of(range.end - 1) + 1, Inside::Scalar { quoted });
        }
        Some(())
    }

    fn text_of<'a>(&self, text: &'a str, line: usize) -> &'a str {
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        &text[self.starts[line]..end]
    }

    /// Notes the colon and the spaces between a key and its value.
    fn gap(&mut self, text: &str, from: usize, to: usize) {
        let between = text.get(from..to).unwrap_or_default();
        let is_colon = between.trim_matches(' ') == ":" && between.ends_with(' ');
        let line = self.line_of(from);
        if is_colon && let Some(gap) = self.gaps.get_mut(line) {
            *gap = Some(from - self.starts[line]..to - self.starts[line]);
        }
    }
}
