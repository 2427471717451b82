use std::fmt::Write as _;
use std::ops::Range;

/// What sort of mistake an [`Issue`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssueKind {
    /// The text is larger or nested deeper than allowed; the issue is about the whole text.
    Limit,
    /// The text is no expression.
    Syntax,
    /// A macro has arguments that it cannot take.
    Macro,
    /// A name is not declared.
    Undeclared,
    /// An object has no such field, or a type has no fields.
    Field,
    /// Types do not agree.
    Type,
    /// A literal argument that a function cannot take.
    Argument,
}

/// A mistake in an expression, found by the parser or the checker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// What sort of mistake it is.
    pub kind: IssueKind,
    /// The bytes of the expression that are wrong, for marking them. Empty at the end of the text.
    pub span: Range<usize>,
    /// The byte that cel-go reports, inside `span` or at its end: of `a + b` the operator.
    pub anchor: usize,
    /// What is wrong, in cel-go's words.
    pub message: String,
    /// A name close to one that does not exist.
    pub suggestion: Option<String>,
}

impl Issue {
    /// An issue about some bytes.
    pub fn new(kind: IssueKind, span: Range<usize>, anchor: usize, message: impl Into<String>) -> Self {
        Self { kind, span, anchor, message: message.into(), suggestion: None }
    }

    /// An issue about the whole text, which has no position.
    pub(crate) fn limit(text: &str, message: impl Into<String>) -> Self {
        Self::new(IssueKind::Limit, 0..text.len(), 0, message)
    }

    /// Line and column as cel-go prints them: both start at one, columns count characters; `(-1, 0)` for issues without
    /// a position.
    pub fn position(&self, text: &str) -> (i64, i64) {
        if self.kind == IssueKind::Limit {
            return (-1, 0);
        }
        if text.is_empty() {
            return (1, 0); // as the reference has it: there is no first column
        }
        let (line, column) = position(text, self.anchor);
        (i64::try_from(line).unwrap_or(i64::MAX), i64::try_from(column).unwrap_or(i64::MAX))
    }

    /// The issue as cel-go renders it: position, message, the line and a caret.
    pub fn render(&self, text: &str) -> String {
        let (line, column) = self.position(text);
        let mut out = format!("ERROR: <input>:{line}:{column}: {}", self.message);
        let Some(source) = usize::try_from(line - 1).ok().and_then(|index| text.split('\n').nth(index)) else {
            return out;
        };
        let source = source.replace('\t', " ");
        let _ = write!(out, "\n | {source}\n | ");
        for char in source.chars().take(usize::try_from(column - 1).unwrap_or(0)) {
            out.push(if char.len_utf8() > 1 { '．' } else { '.' });
        }
        let wide = source.chars().nth(usize::try_from(column - 1).unwrap_or(0)).is_some_and(|char| char.len_utf8() > 1);
        out.push(if wide { '＾' } else { '^' });
        out
    }
}

/// All issues of a text as cel-go renders them; `truncated` counts those that were not kept.
pub fn render(text: &str, issues: &[Issue], truncated: usize) -> String {
    let mut parts: Vec<String> = issues.iter().map(|issue| issue.render(text)).collect();
    if truncated > 0 {
        parts.push(format!("{truncated} more errors were truncated"));
    }
    parts.join("\n")
}

/// Line and column of a byte: both start at one, columns count characters.
pub fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Puts issues in the order of their positions; those without one come first.
pub(crate) fn sort(issues: &mut [Issue]) {
    issues.sort_by_key(|issue| (issue.kind != IssueKind::Limit, issue.anchor));
}
