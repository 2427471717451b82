//! Field managers: who owns which field of an object, and what follows from it.
//!
//! [`apply`] is server-side apply; [`update`] keeps the books for every other write. Both take the stored object and
//! what is asked for and return the object to store, with its `metadata.managedFields`. Time comes in as an argument.

mod apply;
mod cap;
mod conflict;
mod entry;
mod filter;
mod kubectl;
mod scale;
mod update;
mod versions;

pub use apply::{Applied, apply};
pub use conflict::Conflict;
pub use entry::{Entry, Identity, Managers, Operation, restore_times};
pub use filter::FieldFilter;
pub use scale::{managers_of_parent, managers_of_scale};
pub use update::update;
pub use versions::{Request, VersionError, Versions};
