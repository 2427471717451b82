use std::collections::BTreeSet;

use kro_value::{Value, to_json_pretty};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Place, context};
use crate::{Diagnostic, Diagnostics, Fix, Severity, SourceMap, Span, codes};

/// All diagnostics as a SARIF 2.1.0 log, which code-scanning services and editors read. Ends in a line break.
pub fn render_sarif(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    let used: BTreeSet<_> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    let rules: Value = used.into_iter().filter_map(codes::find).map(rule).collect();
    let driver = Value::map([("name", Value::from("kro")), ("rules", rules)]);
    let run = Value::map([
        ("tool", Value::map([("driver", driver)])),
        ("columnKind", Value::from("unicodeCodePoints")),
        ("results", diagnostics.iter().map(|diagnostic| result(sources, diagnostic)).collect()),
    ]);
    let log = Value::map([
        ("$schema", Value::from("https://json.schemastore.org/sarif-2.1.0.json")),
        ("version", Value::from("2.1.0")),
        ("runs", Value::list([run])),
    ]);
    to_json_pretty(&log) + "\n"
}

fn rule(info: &codes::CodeInfo) -> Value {
    Value::map([
        ("id", Value::from(info.code.to_string())),
        ("shortDescription", text(info.title)),
        ("help", Value::map([("text", Value::from(info.title)), ("markdown", Value::from(info.page))])),
    ])
}

fn result(sources: &SourceMap, diagnostic: &Diagnostic) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut message = diagnostic.message.clone();
    let context = context(diagnostic);
    if diagnostic.span.is_none() && !context.is_empty() {
        message = format!("{context}: {message}");
    }
    if let Some(help) = &diagnostic.help {
        message = format!("{message}\n{help}");
    }
    let mut result = Value::map([
        ("ruleId", Value::from(diagnostic.code.to_string())),
        ("level", Value::from(level)),
        ("message", text(&message)),
        ("locations", diagnostic.span.iter().filter_map(|span| location(sources, *span, None)).collect()),
    ]);
    if !diagnostic.labels.is_empty() {
        let related = diagnostic.labels.iter().filter_map(|label| location(sources, label.span, Some(&label.text)));
        result.set_at(&["relatedLocations"], related.collect());
    }
    if !diagnostic.fixes.is_empty() {
        result.set_at(&["fixes"], diagnostic.fixes.iter().filter_map(|fix| fix_value(sources, fix)).collect());
    }
    result
}

fn text(text: &str) -> Value {
    Value::map([("text", Value::from(text))])
}

fn location(sources: &SourceMap, span: Span, message: Option<&str>) -> Option<Value> {
    let physical = Value::map([("artifactLocation", artifact(sources, span)?), ("region", region(sources, span)?)]);
    let mut location = Value::map([("physicalLocation", physical)]);
    if let Some(message) = message {
        location.set_at(&["message"], text(message));
    }
    Some(location)
}

fn artifact(sources: &SourceMap, span: Span) -> Option<Value> {
    Some(Value::map([("uri", Value::from(uri(Place::of(sources, span)?.file)))]))
}

/// What a path may hold as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+')
    .remove(b'@')
    .remove(b',');

/// The URI of a file: relative to where the program ran, or whole.
fn uri(file: &str) -> String {
    let slashes = file.replace('\\', "/");
    let is_drive = |bytes: &[u8]| matches!(bytes, [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    match slashes.strip_prefix('/') {
        Some(path) => format!("file:///{}", utf8_percent_encode(path, PATH)),
        None if is_drive(slashes.as_bytes()) => {
            format!("file:///{}:{}", &slashes[..1], utf8_percent_encode(&slashes[2..], PATH))
        }
        None => utf8_percent_encode(&slashes, PATH).to_string(),
    }
}

fn region(sources: &SourceMap, span: Span) -> Option<Value> {
    let place = Place::of(sources, span)?;
    let number = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    Some(Value::map([
        ("startLine", number(place.start.line)),
        ("startColumn", number(place.start.column)),
        ("endLine", number(place.end.line)),
        ("endColumn", number(place.end.column)),
    ]))
}

fn fix_value(sources: &SourceMap, fix: &Fix) -> Option<Value> {
    let replacement =
        Value::map([("deletedRegion", region(sources, fix.span)?), ("insertedContent", text(&fix.replacement))]);
    let change =
        Value::map([("artifactLocation", artifact(sources, fix.span)?), ("replacements", Value::list([replacement]))]);
    Some(Value::map([("description", text(&fix.title)), ("artifactChanges", Value::list([change]))]))
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn files_have_uris() {
        for (file, expected) in [
            ("app/rgd.yaml", "app/rgd.yaml"),
            ("my graphs/réplicas #1.yaml", "my%20graphs/r%C3%A9plicas%20%231.yaml"),
            ("/tmp/a.yaml", "file:///tmp/a.yaml"),
            (r"C:\graphs\a b.yaml", "file:///C:/graphs/a%20b.yaml"),
            (r"graphs\a.yaml", "graphs/a.yaml"),
            ("a:b.yaml", "a%3Ab.yaml"),
            ("<stdin>", "%3Cstdin%3E"),
        ] {
            assert_eq!(uri(file), expected);
        }
    }
}
