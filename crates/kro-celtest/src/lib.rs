//! Random expressions for two engines: a generator that knows types, an engine to compare with, and the differences that
//! are meant. `docs/cel.md` is the user's side, `crates/kro-celtest/README.md` says how to run it.

// A test tool: it starts a process, reads files and ends where its data is not as it knows it.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod comparison;
pub mod explained;
pub mod generator;
pub mod mutation;
pub mod oracle;
pub mod pools;
pub mod probes;
pub mod random;
pub mod syntax;

/// The environments of generated expressions, with values for all variables.
pub const ENVIRONMENTS: &str = include_str!("../data/environments.json");
