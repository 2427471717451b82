use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::{Map, Str, Value};

/// What is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The decoder's words.
    pub message: String,
    /// Line, counted from 1; 0 when unknown.
    pub line: usize,
    /// Column in bytes, counted from 1; 0 when unknown.
    pub column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for JsonError {}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self { message: error.to_string(), line: error.line(), column: error.column() }
    }
}

/// Reads one JSON text. Of duplicate keys the last one wins. Nesting is limited to 128 levels.
///
/// # Errors
/// When the text is no JSON, or something follows it.
pub fn from_json(text: &str) -> Result<Value, JsonError> {
    Ok(serde_json::from_str(text)?)
}

/// Reads one JSON text from bytes, as [`from_json`] does.
///
/// # Errors
/// When the bytes are no UTF-8 or no JSON, or something follows it.
pub fn from_json_bytes(bytes: &[u8]) -> Result<Value, JsonError> {
    Ok(serde_json::from_slice(bytes)?)
}

/// The compact JSON text with sorted keys: the canonical form.
pub fn to_json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Writes the canonical form in pieces, to something that does not fail, such as a hash.
pub fn write_json(value: &Value, out: &mut impl std::io::Write) {
    serde_json::to_writer(out, value).unwrap_or_default();
}

/// The indented JSON text with sorted keys.
pub fn to_json_pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serialize_float(*value, serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

/// Whole floats in the safe range print without a fraction, as Go does: `1`, not `1.0`.
fn serialize_float<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    const SAFE: f64 = 9_007_199_254_740_992.0; // 2^53
    if value.fract() == 0.0 && value.abs() <= SAFE {
        #[allow(clippy::cast_possible_truncation)]
        return serializer.serialize_i64(value as i64);
    }
    serializer.serialize_f64(value)
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            map.serialize_entry(key.as_str(), value)?;
        }
        map.end()
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> DeserializeSeed<'de> for ValueVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(Str::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(access.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = access.next_element_seed(ValueVisitor)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key_seed(KeyVisitor)? {
            entries.push((key, access.next_value_seed(ValueVisitor)?));
        }
        Ok(Value::Map(entries.into_iter().collect()))
    }
}

/// Reads a key without an intermediate `String`.
struct KeyVisitor;

impl<'de> DeserializeSeed<'de> for KeyVisitor {
    type Value = Str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyVisitor {
    type Value = Str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string key")
    }

    fn visit_str<E>(self, value: &str) -> Result<Str, E> {
        Ok(Str::new(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_canonically() {
        for (text, canonical) in [
            (r#"{"b":1,"a":[true,null,"x"]}"#, r#"{"a":[true,null,"x"],"b":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("1.0", "1"),
            ("1.5", "1.5"),
            ("9223372036854775807", "9223372036854775807"),
            (r#""a\u00e9<""#, "\"a\u{e9}<\""),
        ] {
            assert_eq!(to_json(&from_json(text).unwrap()), canonical, "{text}");
        }
    }

    #[test]
    fn compares_numbers_by_value() {
        assert_eq!(Value::Int(3), Value::Float(3.0));
        assert_ne!(Value::Int(i64::MAX), Value::Float(9_223_372_036_854_775_807.0));
        assert_ne!(Value::Int(3), Value::Float(3.5));
    }

    #[test]
    fn last_of_equal_keys_wins_in_any_order() {
        let map = Value::map([("b", Value::Int(1)), ("a", Value::Int(2)), ("b", Value::Int(3))]);
        assert_eq!(to_json(&map), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn changing_a_clone_leaves_the_original() {
        let original = from_json(r#"{"a":{"b":[1]}}"#).unwrap();
        let mut copy = original.clone();
        assert!(copy.same(&original));
        copy.set_at(&["a", "c"], Value::Int(2));
        copy.remove_at(&["a", "b"]);
        assert_eq!(to_json(&original), r#"{"a":{"b":[1]}}"#);
        assert_eq!(to_json(&copy), r#"{"a":{"c":2}}"#);
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(from_json(&"[".repeat(100_000)).is_err());
    }
}
