//! Language tests written as Markdown documents: prose, YAML to compile, and what is expected of it.
//!
//! A document is documentation and test at once. Each fenced block whose info string is `yaml` is one case:
//!
//! ````markdown
//! ## A type that is not declared
//!
//! ```yaml
//! spec:
//!   replicas: int   # error: KRO2003 column 13 unknown type: int
//!   # warning: KRO2012 column 18 no effect
//!   name: string | maximum=3
//! ```
//! ````
//!
//! A comment `# error: CODE [column N] [part of the message]` (also `warning:` and `note:`) at the end of a line
//! expects that diagnostic on the line; on a line of its own, on the next line that is no such comment. `# error(+2):`
//! moves the expectation two lines further down, for places inside block scalars. Nothing else may be reported. A
//! diagnostic without a place meets any expectation without a column.
//!
//! Blocks with other info strings that follow in the same section are the expected outputs of the case: ```` ```json
//! ```` compares the output named `json` as JSON, anything else (`text`, `yaml crd`) compares text. With the
//! environment variable `KRO_LANGTEST_UPDATE=1` they are rewritten instead.

#![deny(missing_docs)]
// This crate reads test documents and is no part of the product.
#![allow(clippy::disallowed_methods, clippy::panic)]

mod case;
mod expectation;
mod run;

pub use case::{Case, Output, parse_cases};
pub use run::{Outcome, check_document, documents, run_folder, workspace_root};
