//! Request bodies in Kubernetes' protobuf encoding, read as JSON values.
//!
//! Go clients send built-in kinds that way. The answer is always JSON, which they take too.

mod table;
mod wire;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kro_value::{Map, Str, Value, from_json_bytes};

use self::table::{Field, Flag, Message, message};
use self::wire::{Item, items};

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";
const DEPTH_MAX: usize = 64;
const META: &str = "k8s.io.apimachinery.pkg.apis.meta.v1.";

/// Reads a body: the envelope with `apiVersion` and `kind`, and the object in it.
///
/// # Errors
/// What is wrong with the bytes, or which kind is not known.
pub(crate) fn decode(body: &[u8]) -> Result<Value, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or("provided data does not appear to be a protobuf message")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for (tag, item) in items(envelope)? {
        match (tag, item) {
            (1, Item::Bytes(type_meta)) => {
                for (tag, item) in items(type_meta)? {
                    match (tag, item) {
                        (1, Item::Bytes(bytes)) => api_version = text(bytes),
                        (2, Item::Bytes(bytes)) => kind = text(bytes),
                        _ => {}
                    }
                }
            }
            (2, Item::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let name = message_name(&api_version, &kind);
    let message =
        message(&name).ok_or_else(|| format!("no kind \"{kind}\" is registered for version \"{api_version}\""))?;
    let mut value = object(message, raw, 0)?;
    value.set_at(&["apiVersion"], api_version.into());
    value.set_at(&["kind"], kind.into());
    Ok(value)
}

fn message_name(api_version: &str, kind: &str) -> String {
    if kind == "DeleteOptions" {
        return format!("{META}DeleteOptions");
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    match group {
        "apiextensions.k8s.io" => {
            format!("k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.{version}.{kind}")
        }
        group => format!("k8s.io.api.{}.{version}.{kind}", group.split('.').next().unwrap_or_default()),
    }
}

fn object(message: &Message, bytes: &[u8], depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err("nesting is too deep".to_owned());
    }
    let mut map = Map::new();
    for (tag, item) in items(bytes)? {
        let Some(field) = message.field(tag) else { continue };
        match field.flag {
            Flag::Single => {
                map.insert(field.name.clone(), value(field, item, depth)?);
            }
            Flag::Inlined => {
                if let Value::Map(members) = value(field, item, depth)? {
                    map.extend(members);
                }
            }
            Flag::Repeated => repeated(&mut map, field, item, depth)?,
            Flag::Map => {
                let (key, entry) = map_entry(field, item, depth)?;
                map.entry_or_null(&field.name).ensure_map().insert(key, entry);
            }
        }
    }
    Ok(map.into())
}

/// Numbers may come packed into one item.
fn repeated(map: &mut Map, field: &Field, item: Item<'_>, depth: usize) -> Result<(), String> {
    let list = map.entry_or_null(&field.name);
    if list.is_null() {
        *list = Value::list([]);
    }
    let is_number = matches!(field.kind.as_str(), "int32" | "int64" | "bool");
    let values = match item {
        Item::Bytes(bytes) if is_number => {
            wire::packed(bytes)?.into_iter().map(|number| scalar(&field.kind, number)).collect()
        }
        item => vec![value(field, item, depth)?],
    };
    if let Some(items) = list.as_list_mut() {
        items.extend(values);
    }
    Ok(())
}

fn map_entry(field: &Field, item: Item<'_>, depth: usize) -> Result<(Str, Value), String> {
    let Item::Bytes(bytes) = item else { return Err("malformed map entry".to_owned()) };
    let (mut key, mut entry) = (Str::default(), None);
    for (tag, item) in items(bytes)? {
        match (tag, item) {
            (1, Item::Bytes(bytes)) => key = text(bytes).into(),
            (2, item) => entry = Some(value(field, item, depth)?),
            _ => {}
        }
    }
    let default = if matches!(field.kind.as_str(), "string" | "bytes") { Value::from("") } else { Value::Null };
    Ok((key, entry.unwrap_or(default)))
}

fn value(field: &Field, item: Item<'_>, depth: usize) -> Result<Value, String> {
    match (field.kind.as_str(), item) {
        ("string", Item::Bytes(bytes)) => Ok(text(bytes).into()),
        ("bytes", Item::Bytes(bytes)) => Ok(STANDARD.encode(bytes).into()),
        ("double", Item::Fixed(bits)) => Ok(number(f64::from_bits(bits))),
        (kind, Item::Number(number)) => Ok(scalar(kind, number)),
        (kind, Item::Bytes(bytes)) => special(kind, bytes, depth),
        (kind, Item::Fixed(_)) => Err(format!("unexpected 64-bit value for {kind}")),
    }
}

#[allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation)]
fn scalar(kind: &str, number: u64) -> Value {
    match kind {
        "bool" => (number != 0).into(),
        "int32" => Value::Int(i64::from(number as i32)),
        _ => Value::Int(number as i64),
    }
}

fn number(value: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)]
    if value.fract() == 0.0 && value.abs() < 9.0e15 { Value::Int(value as i64) } else { Value::Float(value) }
}

/// Messages that JSON says in a form of its own.
fn special(kind: &str, bytes: &[u8], depth: usize) -> Result<Value, String> {
    let message = message(kind).ok_or_else(|| format!("unknown message {kind}"))?;
    let plain = object(message, bytes, depth + 1)?;
    let member = |key: &str| plain.get(key).cloned().unwrap_or_default();
    let integer = |key: &str| plain.get(key).and_then(Value::as_i64).unwrap_or_default();
    Ok(match kind.rsplit('.').next().unwrap_or_default() {
        "Time" => time(integer("seconds"), integer("nanos"), false),
        "MicroTime" => time(integer("seconds"), integer("nanos"), true),
        "Quantity" => member("string"),
        "Duration" => format!("{}s", integer("duration") / 1_000_000_000).into(),
        "IntOrString" if integer("type") == 0 => Value::Int(integer("intVal")),
        "IntOrString" => plain.get("strVal").cloned().unwrap_or_else(|| "".into()),
        "RawExtension" | "JSON" | "FieldsV1" => raw_json(message, bytes)?,
        "ExtraValue" | "Verbs" => member("items"),
        "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray" if plain.get("schema").is_some() => member("schema"),
        "JSONSchemaPropsOrArray" => member("jSONSchemas"),
        "JSONSchemaPropsOrStringArray" => member("property"),
        "JSONSchemaPropsOrBool" => {
            plain.get("schema").cloned().unwrap_or_else(|| plain.get("allows").cloned().unwrap_or_else(|| false.into()))
        }
        _ => plain,
    })
}

/// The one field of the message holds JSON text.
fn raw_json(message: &Message, bytes: &[u8]) -> Result<Value, String> {
    for (tag, item) in items(bytes)? {
        if let (Some(_), Item::Bytes(json)) = (message.field(tag), item) {
            return if json.is_empty() {
                Ok(Value::Null)
            } else {
                from_json_bytes(json).map_err(|error| error.message)
            };
        }
    }
    Ok(Value::Null)
}

/// The zero time is no time.
fn time(seconds: i64, nanos: i64, is_micro: bool) -> Value {
    if seconds == 0 && nanos == 0 {
        return Value::Null;
    }
    let nanos = i32::try_from(nanos).unwrap_or_default();
    let Ok(time) = Timestamp::new(seconds, nanos) else { return Value::Null };
    let format = if is_micro { "%Y-%m-%dT%H:%M:%S%.6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    time.strftime(format).to_string().into()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
        let mut encoded = vec![tag << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        encoded.extend_from_slice(bytes);
        encoded
    }

    #[test]
    fn reads_a_config_map() {
        let metadata = field(1, &field(1, b"a"));
        let data = field(2, &[field(1, b"k"), field(2, b"v")].concat());
        let immutable = vec![4 << 3, 1];
        let raw = [metadata, data, immutable].concat();
        let types = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
        let body = [MAGIC.to_vec(), field(1, &types), field(2, &raw)].concat();
        let expected =
            r#"{"apiVersion":"v1","data":{"k":"v"},"immutable":true,"kind":"ConfigMap","metadata":{"name":"a"}}"#;
        assert_eq!(decode(&body).unwrap().to_string(), expected);
        assert!(decode(&body[..body.len() - 1]).is_err());
        assert!(decode(b"{}").is_err());
    }

    #[test]
    fn special_messages() {
        let special = |kind: &str, bytes: &[u8]| special(kind, bytes, 0).unwrap().to_string();
        assert_eq!(special("k8s.io.apimachinery.pkg.util.intstr.IntOrString", &[8, 0, 16, 80]), "80");
        assert_eq!(special("k8s.io.apimachinery.pkg.api.resource.Quantity", &field(1, b"1Gi")), "\"1Gi\"");
        assert_eq!(special(&format!("{META}Time"), &[8, 1]), "\"1970-01-01T00:00:01Z\"");
        assert_eq!(special(&format!("{META}Time"), &[]), "null");
    }
}
