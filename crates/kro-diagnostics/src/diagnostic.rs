use std::borrow::Cow;
use std::fmt;

use kro_value::FieldPath;

use crate::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The input is refused.
    Error,
    /// The input is taken, but probably not what its author means.
    Warning,
    /// A decision that was made for the author.
    Note,
}

/// The stable number of a kind of diagnostic: `KRO` and four digits, the first by stage (0 YAML, 1 shape,
/// 2 SimpleSchema, 3 CEL, 4 graph, 5 Kubernetes typing, 6 schema evolution, 7 run time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KRO{:04}", self.0)
    }
}

/// A second place that matters, with what it has to do with the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there.
    pub text: Cow<'static, str>,
}

/// A change that certainly mends the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an imperative.
    pub title: Cow<'static, str>,
    /// The text that goes.
    pub span: Span,
    /// The text that comes.
    pub replacement: String,
}

/// One thing that is wrong with the user's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence; the text of the wire contract where that gives one.
    pub message: String,
    /// The object it is about, as `kind/name` or the id of a resource; empty when there is none.
    pub subject: String,
    /// Where in the object.
    pub path: Option<FieldPath>,
    /// Where in the text, when there is one.
    pub span: Option<Span>,
    /// What is to be seen at the span; empty for a bare caret.
    pub label: Cow<'static, str>,
    /// Other places.
    pub labels: Vec<Label>,
    /// Facts that help to understand.
    pub notes: Vec<Cow<'static, str>>,
    /// What to do.
    pub help: Option<Cow<'static, str>>,
    /// Certain mends.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A diagnostic without a place.
    pub fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            subject: String::new(),
            path: None,
            span: None,
            label: Cow::Borrowed(""),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// An error without a place.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning without a place.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// Sets the object it is about.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the place in the object.
    #[must_use]
    pub fn at(mut self, path: FieldPath) -> Self {
        self.path = Some(path);
        self
    }

    /// Sets the place in the text.
    #[must_use]
    pub fn spanned(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into();
        self
    }

    /// Says what is to be seen at the place.
    #[must_use]
    pub fn labelled(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<Cow<'static, str>>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds a certain mend.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// What [`Diagnostics::sort`] compares.
    fn order(&self) -> (Option<Span>, Option<(Code, &str)>) {
        (self.span, self.span.map(|_| (self.code, self.message.as_str())))
    }

    /// True for an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The severity, code and message on one line.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(formatter, "{severity}[{}]: {}", self.code, self.message)
    }
}

/// All diagnostics of one run, in a stable order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    /// True when there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(Diagnostic::is_error)
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.items.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Diagnostic> {
        self.items.iter_mut()
    }

    /// Orders by place in the text, then by code and message, and drops exact repeats. Those without a place keep
    /// their order and come first.
    pub fn sort(&mut self) {
        self.items.sort_by(|left, right| left.order().cmp(&right.order()));
        self.items.dedup();
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, items: I) {
        self.items.extend(items);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
