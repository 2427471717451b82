//! Structural schemas: what CustomResourceDefinitions and the OpenAPI v3 documents of Kubernetes say about a value.

mod definitions;
mod node;
mod schema;

pub use definitions::Definitions;
pub use node::{ListType, MapType, SchemaType};
pub use schema::{AdditionalProperties, GroupVersionKind, Rule, Schema};
