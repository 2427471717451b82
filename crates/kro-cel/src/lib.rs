//! The Common Expression Language: parser, checker, evaluator, Kubernetes and kro libraries.
//!
//! The stages follow cel-go: [`parse`] turns text into an [`Ast`] and expands macros, [`Environment::check`] gives every
//! node a type and every call its overloads, and the evaluator runs what was planned from both. One table of
//! [`FunctionDecl`]s drives checker and evaluator. No stage stops at the first error, and none performs I/O.

#![deny(missing_docs)]

pub mod ast;
pub mod checker;
pub mod compatible;
pub mod convert;
pub mod cost;
pub mod declarations;
mod environment;
pub mod eval;
pub mod facts;
mod issue;
pub mod library;
pub mod macros;
pub mod operators;
mod parser;
mod provider;
pub mod template;
pub mod types;
mod unparser;
pub mod value;
pub mod view;
mod well_known;

pub use ast::{Ast, ExprId};
pub use checker::{Checked, Reference};
pub use declarations::{FunctionDecl, Implementation, Library, OverloadDecl, VariableDecl};
pub use environment::{Environment, EnvironmentBuilder};
pub use eval::{Activation, Budget, ErrorKind, EvalContext, EvalError, Program};
pub use facts::{Facts, facts};
pub use issue::{Issue, IssueKind, position, render};
pub use parser::{Expander, ParseOptions, Parsed, parse};
pub use provider::{ObjectTypes, TypeProvider};
pub use types::Type;
pub use unparser::unparse;
pub use value::CelValue;
