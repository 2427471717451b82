use std::fmt::Write;

use super::{Counts, Place, context};
use crate::{Diagnostics, SourceMap};

/// A JUnit report: one suite, one case per error (failed), and one passed case per file without errors. Warnings and
/// notes are in the output of the suite.
pub fn render_junit(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    let blamed = |id| errors.iter().any(|error| error.span.is_some_and(|span| span.file == id));
    let passed: Vec<_> = sources.files().filter(|(id, _)| !blamed(*id)).map(|(_, file)| &file.name).collect();
    let (tests, failures) = (errors.len() + passed.len(), errors.len());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failures}\">");
    let _ = writeln!(out, "  <testsuite name=\"kro\" tests=\"{tests}\" failures=\"{failures}\">");
    for file in passed {
        let _ = writeln!(out, "    <testcase classname=\"kro\" name=\"{}\"/>", escape(file));
    }
    for error in errors {
        let place = error.span.and_then(|span| Place::of(sources, span));
        let name = match place {
            Some(place) => format!("{}:{}:{}", place.file, place.start.line, place.start.column),
            None => context(error),
        };
        let name = if name.is_empty() { error.code.to_string() } else { name };
        let _ = writeln!(out, "    <testcase classname=\"kro\" name=\"{}\">", escape(&name));
        let body = error.notes.iter().chain(&error.help).map(AsRef::as_ref).collect::<Vec<&str>>().join("\n");
        let (code, message) = (error.code, escape(&error.message));
        let _ = writeln!(out, "      <failure type=\"{code}\" message=\"{message}\">{}</failure>", escape(&body));
        out.push_str("    </testcase>\n");
    }
    let counts = Counts::of(diagnostics);
    if counts.warnings + counts.notes > 0 {
        let rest = diagnostics.iter().filter(|diagnostic| !diagnostic.is_error()).map(ToString::to_string);
        let _ = writeln!(out, "    <system-out>{}</system-out>", escape(&rest.collect::<Vec<_>>().join("\n")));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// XML text; characters that XML 1.0 cannot hold become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push('\t'),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
