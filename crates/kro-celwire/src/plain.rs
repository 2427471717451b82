use kro_cel::value::{CelMap, MapKey};
use kro_cel::{CelValue, Type};
use kro_value::Value;

use crate::WireError;
use crate::value::decode_text;

/// A value of a type from plain JSON: a text becomes a timestamp where one is wanted, bytes are base64, null is the empty
/// optional, and whole numbers are doubles where those are wanted.
pub(crate) fn convert(value: &Value, ty: &Type) -> Result<CelValue, WireError> {
    let wrong = || WireError(format!("wants {ty}, found {value}"));
    match (ty, value) {
        (Type::Wrapper(_), Value::Null) => Ok(CelValue::Null),
        (Type::Wrapper(scalar), _) => convert(value, scalar),
        (Type::Uint, Value::Int(number)) => u64::try_from(*number).map(CelValue::Uint).map_err(|_| wrong()),
        (Type::Double, Value::Int(_) | Value::Float(_)) => value.as_f64().map(CelValue::Double).ok_or_else(wrong),
        (Type::List(element), Value::List(items)) => {
            Ok(CelValue::list(items.iter().map(|item| convert(item, element)).collect::<Result<Vec<_>, _>>()?))
        }
        (Type::Map(entry), Value::Map(map)) => {
            let entry = |(key, value): (&kro_value::Str, &Value)| {
                let key = MapKey::new(&convert_key(key, &entry.0)?).ok_or_else(wrong)?;
                Ok((key, convert(value, &entry.1)?))
            };
            Ok(CelValue::Map(map.iter().map(entry).collect::<Result<CelMap, WireError>>()?))
        }
        _ => match (ty.optional_inner(), text_tag(ty), value) {
            (Some(_), _, Value::Null) => Ok(CelValue::none()),
            (Some(inner), ..) => Ok(CelValue::some(convert(value, inner)?)),
            (None, Some(tag), Value::String(text)) => decode_text(tag, text).flatten().ok_or_else(wrong),
            _ => as_it_is(value, ty).ok_or_else(wrong),
        },
    }
}

/// Keys of JSON are texts.
fn convert_key(key: &str, ty: &Type) -> Result<CelValue, WireError> {
    let parsed = match ty {
        Type::Int => key.parse().ok().map(CelValue::Int),
        Type::Uint => key.parse().ok().map(CelValue::Uint),
        Type::Bool => key.parse().ok().map(CelValue::Bool),
        _ => Some(key.into()),
    };
    parsed.ok_or_else(|| format!("wants a key of type {ty}, found {key:?}").into())
}

/// The tag of types whose values are written as texts.
fn text_tag(ty: &Type) -> Option<&'static str> {
    Some(match (ty, ty.runtime_name()?) {
        (Type::Bytes, _) => "bytes",
        (Type::Timestamp, _) => "timestamp",
        (Type::Duration, _) => "duration",
        (Type::Type(_), _) => "type",
        (_, "kubernetes.Quantity") => "quantity",
        (_, "kubernetes.URL") => "url",
        (_, "kubernetes.Semver") => "semver",
        (_, "net.IP") => "ip",
        (_, "net.CIDR") => "cidr",
        _ => return None,
    })
}

fn as_it_is(value: &Value, ty: &Type) -> Option<CelValue> {
    let value = CelValue::from_json(value.clone());
    let fits = ty.runtime_name().is_none_or(|wanted| wanted == value.type_name());
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{encode, parse_type};

    #[test]
    fn plain_values_become_what_their_types_want() {
        for (ty, json, encoded) in [
            ("int", "7", r#"{"int":7}"#),
            ("uint", "7", r#"{"uint":7}"#),
            ("double", "7", r#"{"double":7}"#),
            ("dyn", "7", r#"{"int":7}"#),
            ("bytes", r#""YQ==""#, r#"{"bytes":"YQ=="}"#),
            ("timestamp", r#""2026-01-01T00:00:00Z""#, r#"{"timestamp":"2026-01-01T00:00:00Z"}"#),
            ("optional_type(duration)", r#""1h""#, r#"{"optional":[{"duration":"3600s"}]}"#),
            ("optional_type(int)", "null", r#"{"optional":[]}"#),
            ("map(int, list(uint))", r#"{"1":[2]}"#, r#"{"map":[[{"int":1},[{"uint":2}]]]}"#),
            ("wrapper(int)", "null", "null"),
            ("kubernetes.Quantity", r#""1.5Gi""#, r#"{"quantity":"1536Mi"}"#),
            ("net.IP", r#""10.0.0.1""#, r#"{"ip":"10.0.0.1"}"#),
        ] {
            let value = convert(&kro_value::from_json(json).unwrap(), &parse_type(ty).unwrap()).unwrap();
            assert_eq!(encode(&value), encoded, "{ty} {json}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (ty, json) in [
            ("int", "1.5"),
            ("int", r#""1""#),
            ("uint", "-1"),
            ("timestamp", r#""now""#),
            ("list(int)", r#"["a"]"#),
            ("map(int, int)", r#"{"a":1}"#),
            ("string", "null"),
        ] {
            assert!(convert(&kro_value::from_json(json).unwrap(), &parse_type(ty).unwrap()).is_err(), "{ty} {json}");
        }
    }
}
