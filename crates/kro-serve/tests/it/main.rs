//! The listener over real sockets on loopback.

mod client;
mod listener;
