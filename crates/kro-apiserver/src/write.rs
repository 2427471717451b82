//! POST, PUT, PATCH, DELETE: everything between a decoded request and the store.

mod call;
mod collection;
mod conform;
mod create;
pub(crate) mod decode;
mod delete;
mod duplicates;
pub(crate) mod metadata;
mod options;
mod patch;
mod tracking;
mod update;

pub(crate) use call::{Call, FieldValidation, Written};
pub use delete::{DeleteOptions, Propagation};
pub(crate) use options::WriteOptions;
pub use patch::PatchType;
pub(crate) use update::semantically_equal;
