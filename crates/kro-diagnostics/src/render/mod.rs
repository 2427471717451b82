//! Diagnostics as text for people and for machines. Pure functions; the caller writes the result wherever it likes.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

pub use github::render_github;
pub use json::render_json;
pub use junit::render_junit;
pub use sarif::render_sarif;
pub use text::{Style, render_text};

use std::fmt;

use crate::{Diagnostic, Diagnostics, LineColumn, Severity, SourceMap, Span};

/// How many diagnostics of each severity there are. Prints as `2 errors, 1 warning`, or `no problems`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts diagnostics by severity.
    pub fn of(diagnostics: &Diagnostics) -> Self {
        let mut counts = Self::default();
        for diagnostic in diagnostics.iter() {
            match diagnostic.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (count, word) in [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")] {
            match count {
                0 => {}
                1 => parts.push(format!("1 {word}")),
                many => parts.push(format!("{many} {word}s")),
            }
        }
        if parts.is_empty() {
            return formatter.write_str("no problems");
        }
        formatter.write_str(&parts.join(", "))
    }
}

/// A span resolved for people.
struct Place<'a> {
    file: &'a str,
    start: LineColumn,
    end: LineColumn,
}

impl<'a> Place<'a> {
    fn of(sources: &'a SourceMap, span: Span) -> Option<Self> {
        let file = sources.file(span.file)?;
        let (start, end) = (file.line_column(span.start as usize), file.line_column(span.end as usize));
        Some(Self { file: &file.name, start, end })
    }
}

/// The object and the path in it, as `kind/name: spec.x`; empty when neither is known.
fn context(diagnostic: &Diagnostic) -> String {
    let path = diagnostic.path.as_ref().map(ToString::to_string).unwrap_or_default();
    match (diagnostic.subject.as_str(), path.as_str()) {
        (subject, "") => subject.to_owned(),
        ("", path) => path.to_owned(),
        (subject, path) => format!("{subject}: {path}"),
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
