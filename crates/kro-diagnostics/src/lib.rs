//! Diagnostics: what is wrong with the user's input, where, and how to mend it.
//!
//! A diagnostic is data. Compilers collect them all and never stop at the first. Renderers turn them into text for a
//! terminal, JSON and other reports; none of them does I/O.

#![deny(missing_docs)]

pub mod codes;
mod diagnostic;
mod render;
mod source;
mod suggest;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Fix, Label, Severity};
pub use render::{Counts, Style, render_github, render_json, render_junit, render_sarif, render_text};
pub use source::{FileId, LineColumn, SourceFile, SourceMap, Span};
pub use suggest::{did_you_mean, suggest};
