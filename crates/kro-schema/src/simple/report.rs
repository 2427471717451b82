use std::ops::Range;

use kro_diagnostics::{Code, Diagnostic, Fix, Severity, Span};
use kro_value::Str;

use super::Tree;

/// Where a field is: the named type it belongs to, if any, and the fields that lead to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub type_name: Option<Str>,
    fields: Vec<Str>,
}

impl Scope {
    pub(super) fn of_type(name: Str) -> Self {
        Self { type_name: Some(name), fields: Vec::new() }
    }

    pub(super) fn enter(&mut self, field: Str) {
        self.fields.push(field);
    }

    pub(super) fn leave(&mut self) {
        self.fields.pop();
    }

    /// The beginning of a message about how something is written.
    pub(super) fn parsing(&self) -> String {
        self.prefix("parsing type ")
    }

    /// The beginning of a message about what something means.
    pub(super) fn building(&self) -> String {
        self.prefix("building schema for ")
    }

    fn prefix(&self, of_type: &str) -> String {
        let head = self.type_name.iter().map(|name| format!("{of_type}{name}: "));
        head.chain(self.fields.iter().map(|field| format!("field {field}: "))).collect()
    }
}

/// A mistake in the text of one field.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    /// The bytes in the text of the field.
    pub range: Range<usize>,
    pub help: Option<String>,
    /// The bytes that go and the text that comes.
    pub fix: Option<Box<(Range<usize>, String)>>,
    /// Another part of the text that matters.
    pub also: Option<(Range<usize>, &'static str)>,
}

impl Problem {
    pub(super) fn error(code: Code, message: impl Into<String>, range: Range<usize>) -> Self {
        let severity = Severity::Error;
        Self { code, severity, message: message.into(), range, help: None, fix: None, also: None }
    }

    pub(super) fn warning(code: Code, message: impl Into<String>, range: Range<usize>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, range) }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn also(mut self, range: Range<usize>, text: &'static str) -> Self {
        self.also = Some((range, text));
        self
    }

    /// The diagnostic for a problem of the field at `tree`, its message begun by `prefix`.
    pub(super) fn report(self, tree: &Tree<'_>, prefix: &str) -> Diagnostic {
        let place = |range: &Range<usize>| tree.text_span(range.clone());
        let message = format!("{prefix}{}", self.message);
        let mut diagnostic = Diagnostic::new(self.code, self.severity, message).at(tree.path().clone());
        // An empty range has nothing to point at, so the whole field is shown.
        let span = place(&self.range).filter(|span| span.end > span.start).or_else(|| tree.span());
        diagnostic = diagnostic.spanned(span);
        if !tree.has_text()
            && let Some(text) = tree.value().as_str()
        {
            let column = text.get(..self.range.start).map_or(1, |before| before.chars().count() + 1);
            diagnostic = diagnostic.note(format!("at column {column} of {text:?}"));
        }
        if let Some((range, text)) = self.also
            && let Some(span) = place(&range)
        {
            diagnostic = diagnostic.also(span, text);
        }
        if let Some((range, replacement)) = self.fix.map(|fix| *fix)
            && let Some(span) = place(&range)
        {
            diagnostic = diagnostic.fix(mend(span, replacement, self.help.as_deref()));
        }
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

fn mend(span: Span, replacement: String, help: Option<&str>) -> Fix {
    Fix { title: help.unwrap_or("change it").to_owned().into(), span, replacement }
}
