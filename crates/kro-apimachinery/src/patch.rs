//! The three patches that compute a new object from a stored one: JSON patch, merge patch, strategic merge patch.
//!
//! The fourth, server-side apply, is [`crate::managedfields::apply`].

mod json;
mod merge;
mod strategic;

pub use json::apply_json_patch;
pub use merge::apply_merge_patch;
pub use strategic::apply_strategic_merge_patch;
