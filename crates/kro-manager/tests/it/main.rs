//! The manager on the embedded API.

mod scenario;
mod single;
