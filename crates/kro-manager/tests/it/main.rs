//! The manager on the embedded API.

mod faults;
mod scenario;
mod single;
