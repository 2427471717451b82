//! The suites that need the shared CEL data: recorded answers of the reference engine and the tests of the specification.
//! They find it through `KRO_SHARED_DIR` and say so loudly when it is not set.

// Tests read data files and the environment, and end where their data is not as they know it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod blocks;
mod checking;
mod costs;
mod evaluation;
mod generated;
mod generators;
mod parsing;
mod shared;
mod soundness;
