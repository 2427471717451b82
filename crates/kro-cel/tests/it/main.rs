//! The suites that need the shared CEL data: recorded answers of the reference engine and the tests of the specification.
//! They find it through `KRO_SHARED_DIR` and say so loudly when it is not set.

#![allow(clippy::disallowed_methods)] // tests read data files and the environment

mod blocks;
mod encoding;
mod evaluation;
mod parsing;
mod shared;
