//! Sets of fields: what a manager owns of an object.
//!
//! A [`Set`] is a tree. Each of its nodes is reached by a [`PathElement`], may itself be a member, and has a set of what
//! is owned below it. Owning `spec` does not imply owning `spec.replicas`, nor the reverse.

mod element;
mod set;
mod wire;

pub use element::{Path, PathElement, PathText};
pub use set::{Node, Set};
pub use wire::DecodeError;
