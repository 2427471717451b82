//! Tests of the compiler on whole definitions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod documents;
mod fixtures;
mod generators;
mod golden;
mod kinds;
mod messages;
mod properties;
mod summary;
