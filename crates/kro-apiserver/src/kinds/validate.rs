//! What a kind requires of its objects.

use kro_apimachinery::FieldError;
use kro_value::Value;

use crate::write::Call;

/// Everything that is wrong with an object.
pub(crate) fn object(call: &Call, object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let _ = (call, object, live);
    Vec::new()
}
