//! The encoding of values in the shared data, and the environments that it names.

use std::collections::BTreeMap;
use std::sync::Arc;

use kro_cel::value::{CelDuration, CelMap, CelTimestamp, Cidr, Condition, Ip, MapKey, Opaque, Semver, Url};
use kro_cel::view::{Shape, typed};
use kro_cel::{CelValue, Environment, library};
use kro_value::{Quantity, Str, Value, from_json, to_json};

/// The environment of a profile, without variables.
pub fn profile(name: &str) -> Environment {
    let libraries = match name {
        "standard" => vec![library::standard()],
        "extended" => library::extended(),
        _ => return library::kro_environment(),
    };
    let builder = libraries.iter().fold(Environment::builder(), |builder, library| builder.library(library));
    builder.optional_syntax(name != "standard").build()
}

/// A value as a result is recorded; map entries sorted by their key's text.
pub fn encode(value: &CelValue) -> Value {
    let tagged = |tag: &str, value: Value| Value::map([(tag, value)]);
    match value {
        CelValue::Null => Value::Null,
        CelValue::Bool(value) => Value::Bool(*value),
        CelValue::String(text) => Value::String(text.clone()),
        CelValue::Int(value) => tagged("int", Value::string(value.to_string())),
        CelValue::Uint(value) => tagged("uint", Value::string(value.to_string())),
        CelValue::Double(value) => tagged("double", Value::string(double_text(*value))),
        CelValue::Bytes(bytes) => tagged("bytes", Value::string(base64(bytes))),
        CelValue::List(list) => Value::list(list.iter().map(|item| encode(&item.unwrap()))),
        CelValue::Map(map) => encode_map(map.entries().unwrap()),
        CelValue::Timestamp(moment) => {
            tagged("timestamp", Value::string(CelTimestamp { offset_seconds: 0, ..*moment }.to_text()))
        }
        CelValue::Duration(duration) => tagged("duration", Value::string(duration.to_text())),
        CelValue::Type(name) => tagged("type", Value::string(&**name)),
        CelValue::Optional(inner) => tagged("optional", Value::list(inner.iter().map(|inner| encode(inner)))),
        CelValue::Opaque(opaque) => encode_opaque(opaque),
    }
}

fn encode_map(entries: Vec<(MapKey, CelValue)>) -> Value {
    let mut pairs: Vec<Value> =
        entries.iter().map(|(key, value)| Value::list([encode(&key.to_value()), encode(value)])).collect();
    pairs.sort_by_key(to_json);
    Value::map([("map", Value::list(pairs))])
}

fn encode_opaque(opaque: &Opaque) -> Value {
    let (tag, text) = match opaque {
        Opaque::Quantity(quantity) => ("quantity", quantity.to_string()),
        Opaque::Url(url) => ("url", url.text.to_string()),
        Opaque::Ip(ip) => ("ip", ip.0.to_string()),
        Opaque::Cidr(cidr) => ("cidr", cidr.to_string()),
        Opaque::Semver(version) => ("semver", version.to_string()),
        Opaque::Condition(condition) => return Value::map([("condition", encode_condition(condition))]),
        other => return Value::map([(other.type_name(), Value::Bool(true))]),
    };
    Value::map([(tag, Value::string(text))])
}

fn encode_condition(condition: &Condition) -> Value {
    ["type", "status", "reason", "message"]
        .into_iter()
        .map(|name| (Str::new(name), encode(&condition.field(name).unwrap())))
        .collect::<kro_value::Map>()
        .into()
}

fn double_text(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        _ => format!("{value:?}"),
    }
}

fn base64(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// A recorded value.
pub fn decode(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(value) => CelValue::Bool(*value),
        Value::String(text) => CelValue::String(text.clone()),
        Value::List(items) => CelValue::list(items.iter().map(decode)),
        Value::Map(map) => {
            let (tag, inner) = map.iter().next().expect("a tag");
            decode_tagged(tag, inner)
        }
        other => CelValue::from_json(other.clone()),
    }
}

fn decode_tagged(tag: &str, inner: &Value) -> CelValue {
    let text = inner.as_str().unwrap_or_default();
    match tag {
        "int" => CelValue::Int(inner.as_i64().expect("an int")),
        // beyond i64 the reader keeps the digits only in a double, so such numbers come as text (see `read`)
        "uint" => CelValue::Uint(inner.as_i64().map_or_else(|| text.parse().expect("a uint"), |v| v as u64)),
        "double" => CelValue::Double(match text {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            "-0" => -0.0,
            _ => inner.as_f64().expect("a double"),
        }),
        "bytes" => CelValue::Bytes(unbase64(text).into()),
        "map" => {
            let pair = |pair: &Value| {
                let pair = pair.as_list().expect("a pair");
                (MapKey::new(&decode(&pair[0])).expect("a key"), decode(&pair[1]))
            };
            CelValue::Map(inner.as_list().expect("pairs").iter().map(pair).collect::<CelMap>())
        }
        "timestamp" => CelValue::Timestamp(CelTimestamp::parse(text).expect("a timestamp")),
        "duration" => CelValue::Duration(CelDuration::parse(text).expect("a duration")),
        "type" => CelValue::Type(text.into()),
        "optional" => CelValue::Optional(inner.as_list().and_then(|items| items.first()).map(|v| Arc::new(decode(v)))),
        "quantity" => Opaque::Quantity(Arc::new(Quantity::parse(text).unwrap())).into(),
        "url" => Opaque::Url(Arc::new(Url::parse(text).unwrap())).into(),
        "ip" => Opaque::Ip(Arc::new(Ip::parse(text).unwrap())).into(),
        "cidr" => Opaque::Cidr(Arc::new(Cidr::parse(text).unwrap())).into(),
        "semver" => Opaque::Semver(Arc::new(Semver::parse(text).unwrap())).into(),
        "omit" => Opaque::Omit.into(),
        "json" => CelValue::from_json(inner.clone()),
        "condition" => {
            let field = |name: &str| Str::new(inner.get(name).and_then(Value::as_str).unwrap_or_default());
            let (kind, status, reason, message) = (field("type"), field("status"), field("reason"), field("message"));
            Opaque::Condition(Arc::new(Condition { kind, status, reason, message })).into()
        }
        other => panic!("unknown encoding {other}"),
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | u32::from(value(byte));
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

/// Reads a line; unsigned integers that do not fit a signed one are made texts first.
pub fn read(line: &str) -> Value {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("{\"uint\":") {
        let start = at + "{\"uint\":".len();
        let digits: String = rest[start..].trim_start().chars().take_while(char::is_ascii_digit).collect();
        let skipped = rest[start..].len() - rest[start..].trim_start().len();
        out.push_str(&rest[..start]);
        if digits.is_empty() {
            rest = &rest[start..];
        } else {
            out.push_str(&format!("\"{digits}\""));
            rest = &rest[start + skipped + digits.len()..];
        }
    }
    out.push_str(rest);
    from_json(&out).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The variables of a named environment.
pub fn bindings(environment: &Value, schemas: &Value) -> BTreeMap<Str, CelValue> {
    let Some(bindings) = environment.get("bindings").and_then(Value::as_map) else { return BTreeMap::new() };
    let bind = |(name, value): (&Str, &Value)| {
        let declared = environment.at(&["vars", name]).filter(|declared| declared.as_map().is_some());
        let value = declared.map_or_else(|| decode(value), |declared| typed_binding(declared, value, schemas));
        (name.clone(), value)
    };
    bindings.iter().map(bind).collect()
}

fn typed_binding(declared: &Value, value: &Value, schemas: &Value) -> CelValue {
    let by_name = declared.get("schema_ref").and_then(Value::as_str).and_then(|name| schemas.get(name));
    let shape = Shape::from_openapi(by_name.or_else(|| declared.get("schema")).expect("a schema"));
    let is_list = declared.get("list").and_then(Value::as_bool) == Some(true);
    typed(value, &if is_list { shape.list_of() } else { shape }).expect("data that fits")
}
