//! The manager on the embedded API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test code

mod faults;
mod obstacles;
mod scenario;
mod single;
