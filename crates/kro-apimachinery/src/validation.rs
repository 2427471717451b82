//! Validation of custom resources by their structural schema, and of such schemas themselves, with the reference's messages.

mod format;
mod lists;
mod structural;
mod value;

use crate::{FieldError, FieldErrorKind};

pub use structural::structural_errors;
pub use value::validate;

/// True when rules in CEL must not run on an object with these errors.
pub fn blocks_rules(errors: &[FieldError]) -> bool {
    use FieldErrorKind::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
    errors.iter().any(|error| matches!(error.kind, Required | NotSupported | TooLong | TooMany | TypeInvalid))
}

/// Says that rules did not run.
pub fn rules_not_checked() -> FieldError {
    FieldError::invalid(
        "<nil>",
        &kro_value::Value::Null,
        "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
    )
}
