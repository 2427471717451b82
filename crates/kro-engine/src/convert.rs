//! Results of expressions as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kro_cel::value::{CelValue, Opaque};
use kro_value::{Map, Value};

/// Why a result cannot be written into a Kubernetes object.
pub(crate) type ConversionError = String;

/// A result as JSON. `None` is what `omit()` gives; inside lists and maps such entries are left out. `format` is that
/// of the string field it goes to.
pub(crate) fn to_json(value: &CelValue, format: Option<&str>) -> Result<Option<Value>, ConversionError> {
    Ok(Some(match value {
        CelValue::Null | CelValue::Optional(None) => Value::Null,
        CelValue::Bool(value) => Value::Bool(*value),
        CelValue::Int(value) => Value::Int(*value),
        CelValue::Uint(value) => match i64::try_from(*value) {
            Ok(value) => Value::Int(value),
            Err(_) => return Err(format!("{value} does not fit a signed 64-bit integer")),
        },
        CelValue::Double(value) if value.is_finite() => Value::Float(*value),
        CelValue::Double(value) => return Err(format!("{value} is no JSON number")),
        CelValue::String(text) => Value::String(text.clone()),
        CelValue::Bytes(bytes) if format == Some("byte") => Value::from(STANDARD.encode(bytes)),
        CelValue::Bytes(_) => return Err("bytes have to be encoded, for example by base64.encode()".into()),
        CelValue::Timestamp(time) => Value::from(time.to_text()),
        CelValue::Duration(duration) => Value::from(duration.to_go_text()),
        CelValue::Optional(Some(value)) => return to_json(value, format),
        CelValue::List(list) => match list.raw() {
            Some(items) => Value::list(items.iter().cloned()),
            None => return list_to_json(list).map(Some),
        },
        CelValue::Map(map) => match map.raw() {
            Some(map) => Value::Map(map.clone()),
            None => return map_to_json(map).map(Some),
        },
        CelValue::Opaque(Opaque::Omit) => return Ok(None),
        other => return Err(format!("a value of type {} has no JSON form", other.type_name())),
    }))
}

fn list_to_json(list: &kro_cel::value::CelList) -> Result<Value, ConversionError> {
    let mut items = Vec::with_capacity(list.len());
    for item in list.iter() {
        items.extend(to_json(&item.map_err(|error| error.to_string())?, None)?);
    }
    Ok(Value::from(items))
}

fn map_to_json(map: &kro_cel::value::CelMap) -> Result<Value, ConversionError> {
    let mut object = Map::new();
    for (key, value) in map.entries().map_err(|error| error.to_string())? {
        let Some(key) = key.as_str() else {
            return Err("keys of maps have to be strings".into());
        };
        if let Some(value) = to_json(&value, None)? {
            object.insert(key, value);
        }
    }
    Ok(Value::Map(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value() {
        let omit = || CelValue::Opaque(Opaque::Omit);
        for (value, expected) in [
            (CelValue::Null, Ok("null")),
            (CelValue::none(), Ok("null")),
            (CelValue::some(CelValue::Int(1)), Ok("1")),
            (CelValue::Uint(7), Ok("7")),
            (CelValue::Uint(u64::MAX), Err(())),
            (CelValue::Double(1.5), Ok("1.5")),
            (CelValue::Double(f64::NAN), Err(())),
            (CelValue::Bytes([1_u8].as_slice().into()), Err(())),
            (CelValue::list([CelValue::Int(1), omit(), CelValue::from("a")]), Ok(r#"[1,"a"]"#)),
            (CelValue::Opaque(Opaque::Runtime), Err(())),
        ] {
            let json = to_json(&value, None).map(|json| json.map(|json| json.to_string()));
            match expected {
                Ok(text) => assert_eq!(json, Ok(Some(text.to_owned())), "{value:?}"),
                Err(()) => assert!(json.is_err(), "{value:?}"),
            }
        }
        assert_eq!(to_json(&omit(), None), Ok(None));
        let bytes = CelValue::Bytes([104_u8, 105].as_slice().into());
        assert_eq!(to_json(&bytes, Some("byte")), Ok(Some(Value::from("aGk="))));
    }
}
