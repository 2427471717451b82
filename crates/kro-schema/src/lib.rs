//! Structural schemas, SimpleSchema, bundled schemas of the built-in kinds.
