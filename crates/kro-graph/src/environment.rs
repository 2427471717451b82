//! The CEL environment of definitions.

use std::sync::OnceLock;

use kro_cel::{Environment, library};

/// What expressions may use, without the variables of one definition.
pub(crate) fn base() -> &'static Environment {
    static BASE: OnceLock<Environment> = OnceLock::new();
    BASE.get_or_init(library::kro_environment)
}
