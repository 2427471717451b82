use kro_value::{Map, Value, to_json_pretty};

use super::{Counts, Place, severity_name};
use crate::{Diagnostic, Diagnostics, SourceMap, Span, codes};

/// All diagnostics as one JSON document, ending in a line break.
///
/// `{"diagnostics": [{"code", "title", "severity", "message", "subject", "path", "span", "label", "labels", "notes",
/// "help", "fixes"}], "summary": {"errors", "warnings", "notes"}}`; what is empty is left out. A span is `{"file",
/// "start", "end"}` with places `{"line", "column", "offset"}`: lines and columns (of characters) count from 1,
/// offsets (of bytes) from 0, and ends are exclusive.
pub fn render_json(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    let counts = Counts::of(diagnostics);
    let number = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let document = Value::map([
        ("diagnostics", diagnostics.iter().map(|diagnostic| row(sources, diagnostic)).collect()),
        (
            "summary",
            Value::map([
                ("errors", number(counts.errors)),
                ("warnings", number(counts.warnings)),
                ("notes", number(counts.notes)),
            ]),
        ),
    ]);
    to_json_pretty(&document) + "\n"
}

fn row(sources: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let mut row = Map::new();
    row.insert("code", Value::from(diagnostic.code.to_string()));
    row.insert("severity", Value::from(severity_name(diagnostic.severity)));
    row.insert("message", Value::from(diagnostic.message.as_str()));
    let mut add = |key: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            row.insert(key, value);
        }
    };
    let text = |text: &str| Value::from(text);
    add("title", codes::find(diagnostic.code).map_or(Value::Null, |info| text(info.title)));
    add("subject", text(&diagnostic.subject));
    add("path", diagnostic.path.as_ref().map_or(Value::Null, |path| Value::from(path.to_string())));
    add("span", diagnostic.span.map_or(Value::Null, |span| span_value(sources, span)));
    add("label", text(&diagnostic.label));
    let label =
        |label: &crate::Label| Value::map([("span", span_value(sources, label.span)), ("text", text(&label.text))]);
    add("labels", diagnostic.labels.iter().map(label).collect());
    add("notes", diagnostic.notes.iter().map(|note| text(note)).collect());
    add("help", diagnostic.help.as_ref().map_or(Value::Null, |help| text(help)));
    let fix = |fix: &crate::Fix| {
        Value::map([
            ("title", text(&fix.title)),
            ("span", span_value(sources, fix.span)),
            ("replacement", text(&fix.replacement)),
        ])
    };
    add("fixes", diagnostic.fixes.iter().map(fix).collect());
    Value::Map(row)
}

fn span_value(sources: &SourceMap, span: Span) -> Value {
    let Some(place) = Place::of(sources, span) else { return Value::Null };
    let number = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let point = |at: crate::LineColumn, offset: u32| {
        Value::map([("line", number(at.line)), ("column", number(at.column)), ("offset", Value::Int(offset.into()))])
    };
    Value::map([
        ("file", Value::from(place.file)),
        ("start", point(place.start, span.start)),
        ("end", point(place.end, span.end)),
    ])
}
