//! Diagnostics: what is wrong with the user's input, where, and how to mend it.
//!
//! A diagnostic is data. Compilers collect them all and never stop at the first. Renderers turn them into text for a
//! terminal, JSON and other reports; none of them does I/O.

#![deny(missing_docs)]

pub mod codes;
mod diagnostic;
mod source;
mod suggest;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Fix, Label, Severity};
pub use source::{FileId, LineColumn, SourceFile, SourceMap, Span};
pub use suggest::{did_you_mean, suggest};
