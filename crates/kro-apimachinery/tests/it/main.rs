//! Laws of field managers, and what a real kube-apiserver answered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test code

mod laws;
mod recorded;
