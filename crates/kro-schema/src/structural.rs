//! Structural schemas: what CustomResourceDefinitions and the OpenAPI v3 documents of Kubernetes say about a value.

mod default;
mod definitions;
mod node;
mod prune;
mod schema;

pub use default::default;
pub use definitions::Definitions;
pub use node::{ListType, MapType, SchemaType};
pub use prune::{prune, prune_value};
pub use schema::{AdditionalProperties, GroupVersionKind, Rule, Schema};
