//! Collects diagnostics and gives each its place in the text.

use kro_diagnostics::{Code, Diagnostic, Diagnostics};
use kro_value::FieldPath;

use crate::Source;

/// The diagnostics of one compilation.
pub(crate) struct Report<'a> {
    source: &'a Source,
    diagnostics: Diagnostics,
}

impl<'a> Report<'a> {
    pub fn new(source: &'a Source) -> Self {
        Self { source, diagnostics: Diagnostics::new() }
    }

    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// Adds one; without a span it gets that of the value at its path.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        if let (None, Some(path)) = (diagnostic.span, &diagnostic.path) {
            diagnostic.span = self.source.value_span(path);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Adds one about the key that its path ends in.
    pub fn push_key(&mut self, mut diagnostic: Diagnostic) {
        if let (None, Some(path)) = (diagnostic.span, &diagnostic.path) {
            diagnostic.span = self.source.key_span(path);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Adds an error about the value at a path.
    pub fn error(&mut self, code: Code, path: &FieldPath, message: impl Into<String>) {
        self.push(Diagnostic::error(code, message).at(path.clone()));
    }

    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.extend(diagnostics);
    }

    pub fn has_errors(&self) -> bool {
        self.diagnostics.has_errors()
    }

    /// All of them: in the order of the text where there is one, else as they were found.
    pub fn finish(mut self) -> Diagnostics {
        self.diagnostics.sort();
        self.diagnostics
    }
}
