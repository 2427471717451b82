//! Structural schemas, SimpleSchema, bundled schemas of the built-in kinds.

#![deny(missing_docs)]

pub mod builtin;
pub mod cel;
pub mod simple;
pub mod structural;
pub mod view;
