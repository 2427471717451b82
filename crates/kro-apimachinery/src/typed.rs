//! Typed values: what server-side apply knows of the structure of an object.
//!
//! A [`Type`] comes from a schema and tells which lists and maps are merged and which are replaced. Over it stand the
//! walks that managed fields are made of: checking, the fields an object sets, comparing, merging and removing.

mod check;
mod compare;
mod items;
mod merge;
mod owned;
mod reconcile;
mod remove;
mod types;

pub use check::{Duplicates, TypeError, check};
pub use compare::{Comparison, compare};
pub use merge::merge;
pub use owned::{field_set, with_named_fields};
pub use reconcile::reconcile;
pub use remove::remove;
pub use types::{KeyField, ListFace, MapFace, Relationship, Scalar, Type};
