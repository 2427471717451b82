use std::fmt::Write;

use super::{Place, context};
use crate::{Diagnostics, Severity, SourceMap, codes};

/// All diagnostics as workflow commands of GitHub Actions, one line each, which annotate the lines of a change.
pub fn render_github(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = String::new();
        if let Some(place) = diagnostic.span.and_then(|span| Place::of(sources, span)) {
            let _ = write!(properties, "file={},line={},", property(place.file), place.start.line);
            let _ = write!(properties, "endLine={},col={},", place.end.line, place.start.column);
            if place.end.line == place.start.line {
                let _ = write!(properties, "endColumn={},", place.end.column);
            }
        }
        let title = codes::find(diagnostic.code).map_or("", |info| info.title);
        let title = property(format!("{} {title}", diagnostic.code).trim());
        let mut message = diagnostic.message.clone();
        let context = context(diagnostic);
        if !context.is_empty() {
            message = format!("{message} ({context})");
        }
        if let Some(help) = &diagnostic.help {
            message = format!("{message}\n{help}");
        }
        let _ = writeln!(out, "::{command} {properties}title={title}::{}", data(&message));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
