//! The listener over real sockets on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss)]

mod client;
mod control_plane;
mod corpus;
mod kube_watcher;
mod listener;
mod persistence;
