//! A YAML tree with byte spans, typed as the tools of Kubernetes type YAML.
//!
//! [`parse`] reads a stream of documents into [`Document`]s whose every node and key knows its bytes in the text, and
//! whose scalars know where each of their decoded bytes comes from, so that an error inside an expression inside a
//! quoted or folded string still points at the exact column. Scalars get the type that `sigs.k8s.io/yaml` gives them
//! (kubectl and every API client read YAML through it): YAML 1.1 booleans, octal integers, merge keys, text keys.
//! All mistakes are collected as diagnostics; a malformed document does not hide the ones after it.
//! [`to_yaml`] writes values in block style; [`format()`] lays out a text anew and keeps its comments.
//!
//! # Limits
//! Texts are bounded by [`TEXT_BYTES_MAX`], nesting by [`DEPTH_MAX`], aliases by [`ALIAS_NODES_MAX`].
//!
//! # Where this reader is stricter or newer than `sigs.k8s.io/yaml`
//! Duplicate keys are errors (that library's strict mode), undefined and cyclic aliases are reported one by one, and
//! the grammar is that of YAML 1.2: `%YAML 1.2` is accepted, NEL and the Unicode line separators are no line breaks.

#![deny(missing_docs)]

mod document;
mod format;
mod merge;
mod node;
mod number;
mod reader;
mod scalar;
mod syntax;
mod text;
mod writer;

pub use document::{Document, Parsed};
pub use format::format;
pub use node::{Entry, Node, NodeKind, Scalar, ScalarStyle};
pub use reader::parse;
pub use writer::{to_yaml, to_yaml_stream};

/// The largest text that is read, in bytes: 32 MiB.
pub const TEXT_BYTES_MAX: usize = 32 << 20;

/// The deepest nesting that is read, aliases expanded; as deep as JSON is read.
pub const DEPTH_MAX: usize = 128;

/// How many nodes the aliases of one document may expand to.
pub const ALIAS_NODES_MAX: usize = 400_000;
