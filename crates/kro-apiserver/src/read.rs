//! GET: one object, a list, a watch.

pub(crate) mod list;
pub(crate) mod options;
mod token;
pub(crate) mod watch;
mod watches;

pub(crate) use options::ListOptions;
pub(crate) use watches::Watches;
