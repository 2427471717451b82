//! The embedded API's edge: a real clock, randomness of the operating system, a listener and a tower service.
//!
//! [`Server`] owns an [`ApiServer`](kro_apiserver::ApiServer) and gives it time. Clients in the same process use
//! [`Server::in_process`]; kubectl and the rest of the world use [`Server::listen`].
#![deny(missing_docs)]
// This crate is an edge: it may read the clock and open sockets.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod authentication;
mod body;
mod clock;
mod database;
mod identity;
mod journal;
mod kubeconfig;
mod listener;
mod server;
mod service;
mod status;
pub mod tls;

pub use authentication::Tokens;
pub use body::ResponseBody;
pub use clock::Clock;
pub use database::Database;
pub use identity::Identity;
pub use journal::Journal;
pub use listener::{ListenError, Listener, PlainListener};
pub use server::Server;
pub use service::{ApiService, REQUEST_BYTES_MAX};
