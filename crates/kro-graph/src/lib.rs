//! ResourceGraphDefinition plus schemas -> typed graph, CRD and diagnostics.
//!
//! [`graph`] holds what comes out: nodes with templates and expressions, their order, and the API of instances.
#![deny(missing_docs)]

mod assembly;
mod branches;
mod compile;
mod crd;
mod definition;
mod dependencies;
pub mod diagram;
mod draft;
mod environment;
pub mod evolution;
mod expression;
pub mod graph;
pub mod hash;
mod message;
pub mod names;
mod native;
mod order;
mod parse;
pub mod plural;
mod program;
mod report;
mod resource;
pub mod sample;
mod schemas;
mod scope;
mod served;
mod set;
mod shape;
mod source;
mod status;
mod template;
mod typing;

pub use compile::{CompileOptions, Compiled, compile};
pub use graph::{Dimension, Expression, Field, Graph, Gvk, InstanceApi, Node, NodeIndex, NodeKind, Reads, StatusField};
pub use message::condition_message;
pub use program::Program;
pub use schemas::{BuiltinSchemas, CrdSchemas, ResolvedKind, SchemaSource, SchemaSources};
pub use served::ServedSchemas;
pub use set::{compile_set, conflicts};
pub use source::Source;
