//! The driver of [`kro_manager::Manager`] on a live API server: a real cluster or the embedded one.
//!
//! It performs the manager's effects with tokio and a [`kube_client::Client`], and hands in what comes back. It decides
//! nothing: what is requested, watched and retried is the manager's business.
#![deny(missing_docs)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // an edge: it reads the clock and opens sockets

mod clock;
mod connect;
mod discover;
mod driver;
mod error;
mod event;
mod install;
mod leader;
mod mailbox;
mod metrics;
mod monitor;
mod request;
mod serve;
mod watch;

pub use connect::connect;
pub use discover::{Discovery, SchemaIndex};
pub use driver::{Controller, RequestRecord, Settings};
pub use error::ControllerError;
pub use install::install;
pub use kube_client::{Client, Config as ClientConfig};
pub use leader::{LeaderElection, Leadership};
pub use metrics::Metrics;
pub use monitor::Monitor;
pub use serve::{BindAddress, Endpoint};
