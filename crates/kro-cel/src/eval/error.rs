use std::fmt;
use std::ops::Range;

use kro_value::Str;

/// What kind of thing went wrong while an expression was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A map has no such key, or a value without fields was asked for one.
    NoSuchKey,
    /// An object has no such field.
    NoSuchField,
    /// A variable is not there.
    NoSuchAttribute,
    /// A list is shorter than the index.
    IndexOutOfBounds,
    /// No overload of the function takes arguments of these types.
    NoOverload,
    /// Division or modulus by zero.
    DivisionByZero,
    /// A number, timestamp or duration out of its range.
    Overflow,
    /// A text or number that cannot become the type asked for.
    TypeConversion,
    /// An argument that the function does not take.
    InvalidArgument,
    /// The evaluation did too much work or took too much memory.
    BudgetExceeded,
}

/// An error of an evaluation: a kind, a text for users, and where it arose.
#[derive(Clone, PartialEq, Eq)]
pub struct EvalError(Box<Detail>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    kind: ErrorKind,
    message: Str,
    span: Option<Range<usize>>,
    path: Option<Str>,
}

impl EvalError {
    /// An error of a kind with its text.
    pub fn new(kind: ErrorKind, message: impl Into<Str>) -> Self {
        Self(Box::new(Detail { kind, message: message.into(), span: None, path: None }))
    }

    /// `no such key: KEY`
    pub fn no_such_key(key: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NoSuchKey, kro_value::format_smolstr!("no such key: {key}"))
    }

    /// `index out of bounds: INDEX`
    pub fn index_out_of_bounds(index: impl fmt::Display) -> Self {
        Self::new(ErrorKind::IndexOutOfBounds, kro_value::format_smolstr!("index out of bounds: {index}"))
    }

    /// `no such overload`, without names: what operators say.
    pub fn no_overload() -> Self {
        Self::new(ErrorKind::NoOverload, "no such overload")
    }

    /// An invalid argument with its text.
    pub fn invalid(message: impl Into<Str>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The text, as the reference implementation words it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Bytes of the expression's text that the failing part takes, where known.
    pub fn span(&self) -> Option<Range<usize>> {
        self.0.span.clone()
    }

    /// The path that could not be read, from its variable on, as in `deployment.status.readyReplicas`, where known.
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// True when data was missing that may arrive later: the result is pending and the expression is not wrong.
    pub fn is_unavailable(&self) -> bool {
        use ErrorKind::{IndexOutOfBounds, NoSuchAttribute, NoSuchField, NoSuchKey};
        matches!(self.0.kind, NoSuchKey | NoSuchField | NoSuchAttribute | IndexOutOfBounds)
    }

    /// This error at a place of the expression; the innermost place stays.
    #[must_use]
    pub fn at(mut self, span: &Range<usize>) -> Self {
        if self.0.span.is_none() {
            self.0.span = Some(span.clone());
        }
        self
    }

    /// This error with the path that was read; the innermost path stays.
    #[must_use]
    pub fn reading(mut self, path: impl FnOnce() -> Str) -> Self {
        if self.0.path.is_none() {
            self.0.path = Some(path());
        }
        self
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for EvalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for EvalError {}
