//! GET: one object, a list, a watch.

pub(crate) mod list;
pub(crate) mod options;
mod token;
pub(crate) mod watch;

pub(crate) use options::ListOptions;
