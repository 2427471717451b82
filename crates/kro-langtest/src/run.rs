use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use kro_diagnostics::{Diagnostic, Diagnostics, FileId, LineColumn, SourceMap, Style, render_text};

use crate::expectation::{self, Expectation};
use crate::{Case, Output, parse_cases};

/// What compiling a case gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was reported; spans point into the file of the case.
    pub diagnostics: Diagnostics,
    /// The outputs that documents may expect, by info string.
    pub outputs: BTreeMap<String, String>,
}

/// The root of the repository.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Markdown documents of a folder below the root of the repository, by their path, in order.
///
/// # Panics
/// When the folder cannot be read or has none.
pub fn documents(folder: &str) -> Vec<(String, String)> {
    let root = workspace_root().join(folder);
    let entries = std::fs::read_dir(&root).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} has no documents");
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
        (format!("{folder}/{name}"), text)
    };
    paths.iter().map(read).collect()
}

/// Checks all documents of a folder below the root of the repository.
///
/// # Panics
/// With everything that is not as expected.
pub fn run_folder(folder: &str, compile: impl Fn(&str, FileId) -> Outcome) {
    let update = std::env::var("KRO_LANGTEST_UPDATE").is_ok_and(|value| value == "1");
    let mut failures = Vec::new();
    for (name, text) in documents(folder) {
        failures.extend(check_document(&name, &text, &compile));
        if update {
            let path = workspace_root().join(&name);
            std::fs::write(&path, updated(&text, &compile)).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n\n"));
}

/// What of a document is not as expected, each with the line of the document; empty when all is well.
pub fn check_document(name: &str, markdown: &str, compile: impl Fn(&str, FileId) -> Outcome) -> Vec<String> {
    let cases = parse_cases(markdown);
    if cases.is_empty() {
        return vec![format!("{name}: the document has no yaml block")];
    }
    cases.iter().flat_map(|case| check_case(name, case, &compile)).collect()
}

fn check_case(name: &str, case: &Case, compile: &impl Fn(&str, FileId) -> Outcome) -> Vec<String> {
    let mut sources = SourceMap::new();
    let file = sources.add(case.name.as_str(), case.text.as_str());
    let outcome = compile(&case.text, file);
    let (expectations, errors) = expectation::read(&case.text);
    let at = |line: usize| format!("{name}:{}", case.line + line - 1);
    let mut failures: Vec<String> = errors.into_iter().map(|error| format!("{}: {error}", at(1))).collect();
    let (missing, surplus) = compare(&sources, expectations, &outcome.diagnostics);
    for expectation in missing {
        let column = expectation.column.map(|column| format!("column {column} ")).unwrap_or_default();
        let Expectation { line, code, message, .. } = expectation;
        failures.push(format!("{}: not reported: {code} {column}{message}", at(line)));
    }
    for (diagnostic, place) in surplus {
        let mut one = Diagnostics::new();
        let mut text = format!("{}: not expected", at(place.map_or(1, |place| place.line)));
        let _ = writeln!(text, " (column {}):", place.map_or(0, |place| place.column));
        one.push(diagnostic);
        failures.push(text + render_text(&sources, &one, Style::default()).trim_end());
    }
    failures.extend(case.outputs.iter().filter_map(|output| check_output(name, output, &outcome)));
    failures
}

/// The expectations that were not met and the diagnostics that were not expected.
fn compare(
    sources: &SourceMap,
    mut expectations: Vec<Expectation>,
    diagnostics: &Diagnostics,
) -> (Vec<Expectation>, Vec<(Diagnostic, Option<LineColumn>)>) {
    let mut surplus = Vec::new();
    for diagnostic in diagnostics.iter() {
        let place = diagnostic.span.and_then(|span| Some(sources.file(span.file)?.line_column(span.start as usize)));
        match expectations.iter().position(|expectation| expectation.is_met(diagnostic, place)) {
            Some(index) => {
                expectations.remove(index);
            }
            None => surplus.push((diagnostic.clone(), place)),
        }
    }
    (expectations, surplus)
}

fn check_output(name: &str, output: &Output, outcome: &Outcome) -> Option<String> {
    let line = output.line;
    let Some(actual) = outcome.outputs.get(&output.name) else {
        return Some(format!("{name}:{line}: there is no output {:?}", output.name));
    };
    let same = match (kro_value::from_json(&output.text), kro_value::from_json(actual)) {
        (Ok(expected), Ok(actual)) if output.name.starts_with("json") => expected.to_string() == actual.to_string(),
        _ => output.text.trim_end() == actual.trim_end(),
    };
    (!same).then(|| format!("{name}:{line}: the output {:?} is:\n{}", output.name, actual.trim_end()))
}

/// The document with its outputs replaced by the actual ones.
fn updated(markdown: &str, compile: &impl Fn(&str, FileId) -> Outcome) -> String {
    let mut text = markdown.to_owned();
    for case in parse_cases(markdown).iter().rev() {
        let mut sources = SourceMap::new();
        let file = sources.add(case.name.as_str(), case.text.as_str());
        let outcome = compile(&case.text, file);
        for output in case.outputs.iter().rev() {
            if check_output("", output, &outcome).is_some()
                && let Some(actual) = outcome.outputs.get(&output.name)
            {
                text.replace_range(output.range.clone(), &format!("{}\n", actual.trim_end()));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use kro_diagnostics::{Code, Span};

    /// Reports KRO0007 for each `bad` and offers the text without comments as an output.
    fn compile(text: &str, file: FileId) -> Outcome {
        let mut outcome = Outcome::default();
        for (at, found) in text.match_indices("bad ") {
            let diagnostic = Diagnostic::error(Code(7), "this is bad").spanned(Span::new(file, at, at + found.len()));
            outcome.diagnostics.push(diagnostic);
        }
        outcome.outputs.insert("json".to_owned(), "{\"a\": 1}".to_owned());
        outcome.outputs.insert("text".to_owned(), format!("{} lines\n", text.lines().count()));
        outcome
    }

    #[test]
    fn what_is_expected_passes() {
        let markdown = "# T\n\n```yaml\na: bad x # error: KRO0007 column 4 bad\n# error: KRO0007\nb: bad y\n\
                        # error(+1): KRO0007 column 3 this\nc: |\n  bad z\n```\n\n```json\n{\"a\":1}\n```\n\n```text\n6 lines\n```\n";
        assert_eq!(check_document("t.md", markdown, compile), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_expected_fails_with_its_line() {
        let markdown = "# T\n## U\n```yaml\na: bad x # error: KRO0007 column 5\nb: 1 # warning: KRO0007\nc: 2 # error: what\n```\n\
                        ```json\n{}\n```\n```crd\n```\n";
        let failures = check_document("t.md", markdown, compile);
        let starts = [
            "t.md:4: unreadable expectation: c: 2 # error: what",
            "t.md:4: not reported: KRO0007 column 5",
            "t.md:5: not reported: KRO0007",
            "t.md:4: not expected (column 4):\nerror[KRO0007]: this is bad\n --> T / U:1:4",
            "t.md:9: the output \"json\" is:\n{\"a\": 1}",
            "t.md:12: there is no output \"crd\"",
        ];
        assert_eq!(failures.len(), starts.len(), "{failures:#?}");
        for (failure, start) in failures.iter().zip(starts) {
            assert!(failure.starts_with(start), "{failure}");
        }
        assert_eq!(check_document("t.md", "# T\n", compile).len(), 1);
    }

    #[test]
    fn outputs_are_updated_in_place() {
        let markdown = "```yaml\na: 1\n```\n\n```text\nold\n```\nmore\n```yaml\nb: 1\n```\n```json\n{\"a\":1}\n```\n";
        assert_eq!(updated(markdown, &compile), markdown.replace("old", "1 lines"));
    }
}
