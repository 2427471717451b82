//! Server-side apply and managed fields, patches, selectors, Status.
#![deny(missing_docs)]

mod field_error;
pub mod fieldset;
mod go_print;
pub mod managedfields;
pub mod names;
mod normalize;
pub mod patch;
mod selector;
mod status;
pub mod typed;
pub mod validation;

pub use field_error::{FieldError, FieldErrorKind, go_quote, print_value};
pub use go_print::go_value;
pub use normalize::{Normalized, normalize, normalize_metadata};
pub use selector::{FieldRequirement, FieldSelector, LabelRequirement, LabelSelector, Operator};
pub use status::{Cause, Details, Status};
