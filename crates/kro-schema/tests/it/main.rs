//! Tests of schemas.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod simple;
mod simple_documents;
