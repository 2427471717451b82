use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kro_cel::value::{CelDuration, CelMap, CelTimestamp, Cidr, Condition, Ip, MapKey, Opaque, Semver, Url};
use kro_cel::{CelValue, EvalError, library};
use kro_value::{Quantity, Str};
use serde_json::Value;

use crate::WireError;

/// The JSON text of a value that keeps the types of the language apart: `{"uint":5}`. Null, booleans, strings and lists
/// are themselves. Entries of maps are in the order of their keys' texts.
pub fn encode(value: &CelValue) -> String {
    match value {
        CelValue::Null => "null".to_owned(),
        CelValue::Bool(value) => value.to_string(),
        CelValue::String(text) => quote(text),
        CelValue::Int(value) => tag("int", &value.to_string()),
        CelValue::Uint(value) => tag("uint", &value.to_string()),
        CelValue::Double(value) => tag("double", &double_text(*value)),
        CelValue::Bytes(bytes) => tag_text("bytes", &STANDARD.encode(bytes)),
        CelValue::List(list) => encode_list(list.iter().map(encode_read)),
        CelValue::Map(map) => encode_map(map),
        CelValue::Timestamp(moment) => tag_text("timestamp", &CelTimestamp { offset_seconds: 0, ..*moment }.to_text()),
        CelValue::Duration(duration) => tag_text("duration", &duration.to_text()),
        CelValue::Type(name) => tag_text("type", name),
        CelValue::Optional(inner) => tag("optional", &encode_list(inner.iter().map(|inner| encode(inner)))),
        CelValue::Opaque(opaque) => encode_opaque(opaque),
    }
}

/// What was read out of a container; a field that does not fit its schema is an error inside the value.
fn encode_read(read: Result<CelValue, EvalError>) -> String {
    read.map_or_else(|error| tag_text("error", error.message()), |value| encode(&value))
}

fn encode_list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn encode_map(map: &CelMap) -> String {
    let readings = map.readings().into_iter();
    let mut entries: Vec<(String, String)> =
        readings.map(|(key, value)| (encode(&key.to_value()), encode_read(value))).collect();
    entries.sort();
    tag("map", &encode_list(entries.into_iter().map(|(key, value)| format!("[{key},{value}]"))))
}

fn encode_opaque(opaque: &Opaque) -> String {
    match opaque {
        Opaque::Quantity(quantity) => tag_text("quantity", &quantity.to_string()),
        Opaque::Url(url) => tag_text("url", &url.text),
        Opaque::Ip(ip) => tag_text("ip", &ip.0.to_string()),
        Opaque::Cidr(cidr) => tag_text("cidr", &cidr.to_string()),
        Opaque::Semver(version) => tag_text("semver", &version.to_string()),
        Opaque::Omit => tag("omit", "true"),
        Opaque::Condition(condition) => encode_condition(condition),
        other => tag("opaque", &format!("[{},\"\"]", quote(other.type_name()))),
    }
}

fn encode_condition(condition: &Condition) -> String {
    let Condition { kind, status, reason, message } = condition;
    let [kind, status, reason, message] = [kind, status, reason, message].map(|text| quote(text));
    tag("condition", &format!(r#"{{"message":{message},"reason":{reason},"status":{status},"type":{kind}}}"#))
}

fn tag(tag: &str, json: &str) -> String {
    format!("{{\"{tag}\":{json}}}")
}

fn tag_text(name: &str, text: &str) -> String {
    tag(name, &quote(text))
}

pub(crate) fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn double_text(value: f64) -> String {
    match value {
        _ if value.is_nan() => "\"NaN\"".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }.to_owned(),
        _ if value == 0.0 && value.is_sign_negative() => "\"-0\"".to_owned(),
        _ => library::double_text(value).replace("e+", "e"),
    }
}

/// Reads an encoded value; also plain JSON as `{"json": …}`.
///
/// # Errors
/// When it is no encoded value.
pub fn decode(json: &Value) -> Result<CelValue, WireError> {
    match json {
        Value::Null => Ok(CelValue::Null),
        Value::Bool(value) => Ok(CelValue::Bool(*value)),
        Value::String(text) => Ok(text.as_str().into()),
        Value::Array(items) => Ok(CelValue::list(items.iter().map(decode).collect::<Result<Vec<_>, _>>()?)),
        Value::Object(map) => match map.iter().next() {
            Some((tag, inner)) if map.len() == 1 => decode_tagged(tag, inner),
            _ => Err(format!("tagged value with {} keys", map.len()).into()),
        },
        Value::Number(number) => Err(format!("untagged number {number}").into()),
    }
}

fn decode_tagged(tag: &str, inner: &Value) -> Result<CelValue, WireError> {
    if let Some(text) = inner.as_str()
        && let Some(value) = decode_text(tag, text)
    {
        return value.ok_or_else(|| format!("{tag}: invalid {text:?}").into());
    }
    let wrong = || WireError(format!("{tag}: invalid {inner}"));
    match tag {
        "int" => inner.as_i64().map(CelValue::Int).ok_or_else(wrong),
        "uint" => inner.as_u64().map(CelValue::Uint).ok_or_else(wrong),
        "double" => inner.as_f64().map(CelValue::Double).ok_or_else(wrong),
        "map" => {
            let pairs = inner.as_array().ok_or_else(wrong)?;
            Ok(CelValue::Map(pairs.iter().map(decode_entry).collect::<Result<CelMap, _>>()?))
        }
        "optional" => {
            let first = inner.as_array().ok_or_else(wrong)?.first();
            Ok(CelValue::Optional(first.map(decode).transpose()?.map(Arc::new)))
        }
        "json" => from_plain(inner),
        "omit" => Ok(Opaque::Omit.into()),
        "condition" => {
            let field = |name: &str| Str::new(inner[name].as_str().unwrap_or_default());
            let (kind, status, reason, message) = (field("type"), field("status"), field("reason"), field("message"));
            Ok(Opaque::Condition(Arc::new(Condition { kind, status, reason, message })).into())
        }
        _ => Err(format!("unknown tag {tag:?}").into()),
    }
}

fn decode_entry(pair: &Value) -> Result<(MapKey, CelValue), WireError> {
    let [key, value] = pair.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(format!("map: invalid entry {pair}").into());
    };
    let key = MapKey::new(&decode(key)?).ok_or_else(|| format!("map: invalid key {key}"))?;
    Ok((key, decode(value)?))
}

/// Values that are written as texts; `None` for tags of other values, `Some(None)` for texts that are no such value.
pub(crate) fn decode_text(tag: &str, text: &str) -> Option<Option<CelValue>> {
    let opaque = |value: Option<Opaque>| value.map(CelValue::Opaque);
    Some(match tag {
        "double" => match text {
            "NaN" => Some(f64::NAN.into()),
            "Infinity" => Some(f64::INFINITY.into()),
            "-Infinity" => Some(f64::NEG_INFINITY.into()),
            _ => text.parse::<f64>().ok().map(CelValue::Double),
        },
        "bytes" => STANDARD.decode(text).ok().map(|bytes| CelValue::Bytes(bytes.into())),
        "timestamp" => CelTimestamp::parse(text).ok().map(CelValue::Timestamp),
        "duration" => CelDuration::parse(text).map(CelValue::Duration),
        "type" => Some(CelValue::Type(text.into())),
        "quantity" => opaque(Quantity::parse(text).ok().map(|value| Opaque::Quantity(Arc::new(value)))),
        "url" => opaque(Url::parse(text).ok().map(|value| Opaque::Url(Arc::new(value)))),
        "ip" => opaque(Ip::parse(text).ok().map(|value| Opaque::Ip(Arc::new(value)))),
        "cidr" => opaque(Cidr::parse(text).ok().map(|value| Opaque::Cidr(Arc::new(value)))),
        "semver" => opaque(Semver::parse(text).ok().map(|value| Opaque::Semver(Arc::new(value)))),
        _ => return None,
    })
}

/// The value of plain JSON: integers are `int`, other numbers `double`.
///
/// # Errors
/// When the JSON nests too deep.
pub fn from_plain(json: &Value) -> Result<CelValue, WireError> {
    plain_value(json).map(CelValue::from_json)
}

pub(crate) fn plain_value(json: &Value) -> Result<kro_value::Value, WireError> {
    serde::Deserialize::deserialize(json).map_err(|error: serde_json::Error| error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_a_round_trip() {
        for text in [
            "null",
            "true",
            r#""a\"b\u0001ü""#,
            r#"{"int":-9223372036854775808}"#,
            r#"{"uint":18446744073709551615}"#,
            r#"{"double":7}"#,
            r#"{"double":1.5e-07}"#,
            r#"{"double":1e21}"#,
            r#"{"double":"-0"}"#,
            r#"{"double":"NaN"}"#,
            r#"{"double":"-Infinity"}"#,
            r#"{"bytes":"YQ=="}"#,
            r#"[{"int":1},[null]]"#,
            r#"{"map":[["a",{"int":1}],[true,null],[{"int":1},"x"],[{"uint":1},"y"]]}"#,
            r#"{"timestamp":"2026-01-01T00:00:00.5Z"}"#,
            r#"{"duration":"-1.5s"}"#,
            r#"{"type":"list"}"#,
            r#"{"optional":[]}"#,
            r#"{"optional":[{"optional":[null]}]}"#,
            r#"{"quantity":"1536Mi"}"#,
            r#"{"url":"https://example.org/x?q=1"}"#,
            r#"{"ip":"fd00::1"}"#,
            r#"{"cidr":"10.0.0.0/8"}"#,
            r#"{"semver":"1.2.3-rc.1"}"#,
            r#"{"omit":true}"#,
            r#"{"condition":{"message":"","reason":"R","status":"True","type":"Ready"}}"#,
        ] {
            let json: Value = serde_json::from_str(text).unwrap();
            assert_eq!(encode(&decode(&json).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_encoded_value_is_refused() {
        for text in [
            "1",
            "{}",
            r#"{"int":1,"uint":1}"#,
            r#"{"int":1.5}"#,
            r#"{"uint":-1}"#,
            r#"{"map":[["a"]]}"#,
            r#"{"map":[[null,1]]}"#,
            r#"{"timestamp":"now"}"#,
            r#"{"bytes":"*"}"#,
            r#"{"error":"x"}"#,
        ] {
            assert!(decode(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
    }
}
