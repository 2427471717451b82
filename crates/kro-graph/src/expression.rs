//! Expressions while a definition is compiled: found in strings, parsed, with places that point into the author's text.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use kro_cel::ast::{Ast, ExprKind};
use kro_cel::template::{self, Part, ScanErrorKind};
use kro_cel::{Issue, IssueKind};
use kro_diagnostics::codes::cel as codes;
use kro_diagnostics::{Code, Diagnostic, Span, did_you_mean};
use kro_schema::cel::readable;
use kro_value::{FieldPath, Str};

use crate::environment::base;
use crate::parse::{Parse, Parser};
use crate::report::Report;

/// Where a string stands in the definition. The path is put together when somebody asks.
#[derive(Debug, Clone)]
pub(crate) struct Anchor<'d> {
    base: Cow<'d, FieldPath>,
    below: Option<&'d FieldPath>,
}

impl<'d> Anchor<'d> {
    /// A path below another one.
    pub fn below(base: &'d FieldPath, path: &'d FieldPath) -> Self {
        Self { base: Cow::Borrowed(base), below: Some(path) }
    }

    pub fn path(&self) -> FieldPath {
        match self.below {
            Some(path) => self.base.join(path),
            None => self.base.clone().into_owned(),
        }
    }
}

impl From<FieldPath> for Anchor<'_> {
    fn from(path: FieldPath) -> Self {
        Self { base: Cow::Owned(path), below: None }
    }
}

impl<'d> From<&'d FieldPath> for Anchor<'d> {
    fn from(path: &'d FieldPath) -> Self {
        Self { base: Cow::Borrowed(path), below: None }
    }
}

/// An expression that was parsed.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'d> {
    /// What the author wrote; see [`crate::Expression::text`].
    pub text: Str,
    pub is_template: bool,
    /// The expression that the text comes down to.
    pub parse: Rc<Parse>,
    pub anchor: Anchor<'d>,
    /// The only piece where there is no text around it.
    whole: Piece,
    /// Those of a template.
    pieces: Vec<Piece>,
}

/// A part of the parsed text that is a part of the author's string.
#[derive(Debug, Clone, Default)]
struct Piece {
    /// Bytes of the parsed text.
    parsed: Range<usize>,
    /// Where they begin in the author's string.
    written: usize,
}

/// What a string turned out to be.
#[allow(clippy::large_enum_variant)] // moved once and gone
pub(crate) enum Reading<'d> {
    /// Plain text.
    Literal,
    /// An expression without errors.
    Expression(Draft<'d>),
    /// Something with errors, which were reported.
    Broken,
}

/// Reads a string of the definition. `subject` is the id of the resource, or empty.
pub(crate) fn read<'d>(
    report: &mut Report<'_>,
    parser: &Parser,
    subject: &str,
    anchor: Anchor<'d>,
    text: &Str,
) -> Reading<'d> {
    let scanned = template::scan(text);
    for error in &scanned.errors {
        let message = error.kind.message();
        let diagnostic = match error.kind {
            ScanErrorKind::Nested => Diagnostic::error(codes::DELIMITER, message),
            // The Go implementation takes it literally, so definitions may live with it.
            ScanErrorKind::Unterminated => Diagnostic::warning(codes::DELIMITER, message),
        };
        let path = anchor.path();
        let span = report.source().text_span(&path, error.span.clone());
        report.push(diagnostic.about(subject).at(path).spanned(span));
    }
    if scanned.errors.iter().any(|error| error.kind == ScanErrorKind::Nested) {
        return Reading::Broken;
    }
    if scanned.is_plain() {
        return Reading::Literal;
    }
    let draft = if let [Part::Expression(range)] = scanned.parts.as_slice() {
        let written = &text[range.clone()];
        let whole = Piece { parsed: 0..range.len(), written: range.start };
        let parse = parser.parse(written);
        Draft { text: Str::new(written), is_template: false, parse, anchor, whole, pieces: Vec::new() }
    } else {
        let (rewritten, pieces) = rewrite(text, &scanned.parts);
        let parse = parser.parse(&rewritten);
        Draft { text: text.clone(), is_template: true, parse, anchor, whole: Piece::default(), pieces }
    };
    if draft.parse.errors.is_empty() {
        return Reading::Expression(draft);
    }
    report_syntax(report, subject, &draft);
    Reading::Broken
}

/// Reads a string that must be exactly one expression.
pub(crate) fn read_standalone<'d>(
    report: &mut Report<'_>,
    parser: &Parser,
    subject: &str,
    anchor: Anchor<'d>,
    text: &Str,
) -> Option<Draft<'d>> {
    match read(report, parser, subject, anchor.clone(), text) {
        Reading::Broken => None,
        Reading::Expression(draft) if !draft.is_template => Some(draft),
        _ => {
            let message = "only standalone expressions are allowed";
            let mut diagnostic = Diagnostic::error(codes::NOT_STANDALONE, message).about(subject).at(anchor.path());
            let trimmed = text.trim();
            diagnostic = if trimmed.len() < text.len() && trimmed.starts_with("${") && trimmed.ends_with('}') {
                diagnostic.help("remove the blanks around it: a block scalar that ends in a line break is written |-")
            } else if trimmed.contains("${") {
                diagnostic.help("write one ${...} without text around it")
            } else {
                diagnostic.help(format!("write ${{{trimmed}}}"))
            };
            report.push(diagnostic);
            None
        }
    }
}

/// The text to parse for a template: a concatenation.
fn rewrite(text: &str, parts: &[Part]) -> (String, Vec<Piece>) {
    let mut pieces = Vec::new();
    let mut parsed = String::with_capacity(text.len() + parts.len() * 6);
    for part in parts {
        separate(&mut parsed);
        match part {
            Part::Literal(range) => push_quoted(&mut parsed, &text[range.clone()]),
            Part::Expression(range) => {
                parsed.push('(');
                pieces.push(Piece { parsed: parsed.len()..parsed.len() + range.len(), written: range.start });
                parsed.push_str(&text[range.clone()]);
                // A comment must not hide the parenthesis.
                parsed.push_str(if text[range.clone()].contains("//") { "\n)" } else { ")" });
            }
        }
    }
    (parsed, pieces)
}

fn separate(parsed: &mut String) {
    if !parsed.is_empty() {
        parsed.push_str(" + ");
    }
}

/// A CEL string literal.
fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if (other as u32) < 0x20 || other as u32 == 0x7f => {
                out.push_str(&format!("\\u{:04x}", other as u32));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

impl Draft<'_> {
    fn pieces(&self) -> &[Piece] {
        if self.is_template { &self.pieces } else { std::slice::from_ref(&self.whole) }
    }

    pub fn ast(&self) -> &Ast {
        &self.parse.ast
    }

    /// Bytes of the author's string for bytes of the parsed text.
    pub fn written(&self, parsed: Range<usize>) -> Range<usize> {
        let piece =
            self.pieces().iter().find(|piece| piece.parsed.start <= parsed.start && parsed.start <= piece.parsed.end);
        let Some(piece) = piece else {
            let start = self.pieces().first().map_or(0, |piece| piece.written);
            let end = self.pieces().last().map_or(start, |piece| piece.written + piece.parsed.len());
            return start..end;
        };
        let shift = |at: usize| piece.written + at.min(piece.parsed.end) - piece.parsed.start;
        shift(parsed.start)..shift(parsed.end.max(parsed.start))
    }

    /// Where a part of the parsed text stands in the source.
    pub fn span(&self, report: &Report<'_>, parsed: Range<usize>) -> Option<Span> {
        let source = report.source();
        source.document.as_ref()?; // most definitions come without a text
        source.text_span(&self.anchor.path(), self.written(parsed))
    }

    /// Where the whole expression stands in the source.
    pub fn whole_span(&self, report: &Report<'_>) -> Option<Span> {
        self.span(report, 0..self.ast().text().len())
    }

    /// A diagnostic about a part of the expression.
    pub fn diagnostic(
        &self,
        report: &Report<'_>,
        subject: &str,
        diagnostic: Diagnostic,
        parsed: Range<usize>,
    ) -> Diagnostic {
        let span = self.span(report, parsed);
        diagnostic.about(subject).at(self.anchor.path()).spanned(span)
    }
}

/// Reports what the parser says; in a concatenation each part is parsed alone, so that places and words are right.
fn report_syntax(report: &mut Report<'_>, subject: &str, draft: &Draft<'_>) {
    let mut found = false;
    if draft.is_template {
        for piece in draft.pieces() {
            let errors = base().parse(&draft.ast().text()[piece.parsed.clone()]).errors;
            found |= !errors.is_empty();
            for mut issue in errors {
                issue.span = issue.span.start + piece.parsed.start..issue.span.end + piece.parsed.start;
                report_issue(report, subject, draft, &issue, None);
            }
        }
    }
    if !found {
        draft.parse.errors.iter().for_each(|issue| report_issue(report, subject, draft, issue, None));
    }
}

/// Reports an issue of the parser or checker, with some help where nothing near is known.
pub(crate) fn report_issue(
    report: &mut Report<'_>,
    subject: &str,
    draft: &Draft<'_>,
    issue: &Issue,
    help: Option<String>,
) {
    let mut diagnostic = Diagnostic::error(code(issue.kind), readable(&issue.message));
    if let Some(function) = unknown_function(draft, issue) {
        diagnostic.code = codes::UNKNOWN_FUNCTION;
        let known = base().function_names();
        diagnostic.help = did_you_mean(function, known.iter().map(Str::as_str)).map(Into::into);
    }
    if let Some(suggestion) = &issue.suggestion {
        diagnostic = diagnostic.help(format!("did you mean {suggestion:?}?"));
    }
    if diagnostic.help.is_none() {
        diagnostic.help = help.map(Into::into);
    }
    report.push(draft.diagnostic(report, subject, diagnostic, issue.span.clone()));
}

/// The function of a call that the checker does not know.
fn unknown_function<'i>(draft: &Draft<'_>, issue: &'i Issue) -> Option<&'i str> {
    if issue.kind != IssueKind::Undeclared {
        return None;
    }
    let name = issue.message.split('\'').nth(1)?;
    let mut is_called = false;
    draft
        .ast()
        .walk(|id| is_called |= matches!(draft.ast().kind(id), ExprKind::Call { function, .. } if function == name));
    is_called.then_some(name)
}

fn code(kind: IssueKind) -> Code {
    match kind {
        IssueKind::Limit => codes::LIMIT,
        IssueKind::Syntax | IssueKind::Macro => codes::SYNTAX,
        IssueKind::Undeclared => codes::UNKNOWN_IDENTIFIER,
        IssueKind::Field => codes::UNKNOWN_FIELD,
        IssueKind::Type => codes::TYPE,
        IssueKind::Argument => codes::ARGUMENT,
    }
}
