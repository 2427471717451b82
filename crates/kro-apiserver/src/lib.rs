//! An in-memory Kubernetes API: knows nothing of kro.
//!
//! [`ApiServer`] is a synchronous value: a [`Request`] and the time go in, a [`Response`] comes out. It performs no
//! I/O, reads no clock and draws no randomness, so a whole cluster can run in a test, under a virtual clock, or in a
//! browser. Controllers of the cluster are [`Reactor`]s that [`ApiServer::tick`] drives.
#![deny(missing_docs)]

mod access;
mod admission;
mod authorization;
mod bootstrap;
mod config;
pub mod controllers;
mod conversion;
mod crd;
mod discovery;
mod fault;
mod fields;
mod handler;
mod journal;
mod kinds;
mod negotiation;
mod openapi;
mod protobuf;
mod random;
mod reactor;
mod read;
mod registry;
mod representation;
mod request;
mod resource;
mod response;
mod route;
mod rules;
mod selection;
mod server;
mod state;
mod store;
mod table;
mod token;
mod uri;
mod write;

pub use access::{Access, ObjectRef};
pub use bytes::Bytes;
pub use config::{Authorization, Config, Profile};
pub use fault::{Fault, FaultAction};
pub use jiff::{SignedDuration, Timestamp};
pub use journal::Record;
pub use reactor::{Change, ChangeKind, Reactor};
pub use request::{Headers, Method, Request, User};
pub use resource::{GroupResource, PrinterColumn, Resource, ScalePaths, Version};
pub use response::{Body, Response, WatchId, WatchPoll};
pub use server::ApiServer;
pub use write::{DeleteOptions, PatchType, Propagation};
