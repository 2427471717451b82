//! ResourceGraphDefinition plus schemas -> typed graph, CRD and diagnostics.
//!
//! [`graph`] holds what comes out: nodes with templates and expressions, their order, and the API of instances.
#![deny(missing_docs)]

pub mod graph;
mod program;

pub use graph::{Dimension, Expression, Field, Graph, Gvk, InstanceApi, Node, NodeIndex, NodeKind, Reads, StatusField};
pub use program::Program;
