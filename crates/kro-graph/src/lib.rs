//! ResourceGraphDefinition plus schemas -> typed graph, CRD and diagnostics.
//!
//! [`graph`] holds what comes out: nodes with templates and expressions, their order, and the API of instances.
#![deny(missing_docs)]

mod compile;
mod crd;
mod definition;
pub mod evolution;
pub mod graph;
pub mod hash;
pub mod names;
mod order;
pub mod plural;
mod program;
mod report;
mod schemas;
mod shape;
mod source;

pub use compile::{CompileOptions, Compiled, compile};
pub use graph::{Dimension, Expression, Field, Graph, Gvk, InstanceApi, Node, NodeIndex, NodeKind, Reads, StatusField};
pub use program::Program;
pub use schemas::{BuiltinSchemas, CrdSchemas, ResolvedKind, SchemaSource, SchemaSources};
pub use source::Source;
