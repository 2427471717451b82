//! Results of expressions as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kro_cel::convert::{Converted, Encoding};
use kro_cel::eval::{Budget, EvalContext};
use kro_cel::value::CelValue;
use kro_value::Value;

/// A result as JSON. `None` is what `omit()` gives; inside lists and maps such entries are left out. `format` is that
/// of the string field it goes to.
pub(crate) fn to_json(value: &CelValue, format: Option<&str>) -> Result<Option<Value>, String> {
    if let (CelValue::Bytes(bytes), Some("byte")) = (value, format) {
        return Ok(Some(Value::from(STANDARD.encode(bytes))));
    }
    match value.to_field(&mut EvalContext::new(Budget::default()), Encoding::Json) {
        Ok(Converted::Value(value)) => Ok(Some(value)),
        Ok(Converted::Omit) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kro_cel::value::Opaque;

    #[test]
    fn omission_and_bytes() {
        let omit = CelValue::Opaque(Opaque::Omit);
        assert_eq!(to_json(&omit, None), Ok(None));
        let list = CelValue::list([CelValue::Int(1), omit, CelValue::none()]);
        assert_eq!(to_json(&list, None).unwrap().unwrap().to_string(), "[1,null]");
        let bytes = CelValue::Bytes([104_u8, 105].as_slice().into());
        assert_eq!(to_json(&bytes, Some("byte")), Ok(Some(Value::from("aGk="))));
        assert!(to_json(&bytes, None).is_err());
    }
}
