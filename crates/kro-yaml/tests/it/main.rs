//! Tests of reading and writing YAML.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod formatting;
mod places;
mod reading;
mod typing;
mod writing;
