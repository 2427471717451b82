use kro_diagnostics::{Code, Diagnostic, LineColumn, Severity};

/// A diagnostic that a comment of a case expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// The line of the case it is expected on, from 1.
    pub line: usize,
    pub severity: Severity,
    pub code: Code,
    pub column: Option<usize>,
    /// A part of the message.
    pub message: String,
}

impl Expectation {
    /// True for a diagnostic that is this one.
    pub(crate) fn is_met(&self, diagnostic: &Diagnostic, place: Option<LineColumn>) -> bool {
        let placed = match place {
            Some(place) => place.line == self.line && self.column.is_none_or(|column| column == place.column),
            None => self.column.is_none(),
        };
        placed
            && self.severity == diagnostic.severity
            && self.code == diagnostic.code
            && diagnostic.message.contains(&self.message)
    }
}

/// The expectations in the comments of a case, and what of them cannot be read.
pub(crate) fn read(text: &str) -> (Vec<Expectation>, Vec<String>) {
    let (mut expectations, mut errors) = (Vec::new(), Vec::new());
    let mut waiting: Vec<Expectation> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let found = find(line);
        let own_line = line.trim_start().starts_with('#');
        match found {
            Some(Ok(expectation)) if own_line => waiting.push(expectation),
            Some(Err(error)) => errors.push(error),
            other => {
                let here = other.and_then(Result::ok);
                for expectation in waiting.drain(..).chain(here) {
                    expectations.push(Expectation { line: expectation.line + index + 1, ..expectation });
                }
            }
        }
    }
    errors.extend(waiting.iter().map(|expectation| format!("nothing follows the expectation of {}", expectation.code)));
    (expectations, errors)
}

/// The expectation at the end of a line; its line counts from where it stands.
fn find(line: &str) -> Option<Result<Expectation, String>> {
    let kinds = [("# error", Severity::Error), ("# warning", Severity::Warning), ("# note", Severity::Note)];
    kinds.iter().find_map(|(mark, severity)| {
        let rest = &line[line.rfind(mark)? + mark.len()..];
        let (offset, rest) = match rest.strip_prefix("(+") {
            Some(rest) => rest.split_once(')')?,
            None => ("0", rest),
        };
        let rest = rest.strip_prefix(':')?;
        Some(parse(offset, rest, *severity).ok_or_else(|| format!("unreadable expectation: {}", line.trim())))
    })
}

fn parse(offset: &str, text: &str, severity: Severity) -> Option<Expectation> {
    let (code, mut message) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let code = Code(code.strip_prefix("KRO")?.parse().ok()?);
    let mut column = None;
    if let Some(rest) = message.strip_prefix("column ") {
        let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        column = Some(number.parse().ok()?);
        message = rest;
    }
    Some(Expectation { line: offset.parse().ok()?, severity, code, column, message: message.trim().to_owned() })
}
