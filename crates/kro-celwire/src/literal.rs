use std::fmt::Write as _;

use kro_cel::value::{Condition, Opaque};
use kro_cel::{CelValue, EvalError, library};

use crate::value::quote;

/// A value as an expression that has it: `[1u, b"\xff", duration("90s")]`.
pub fn literal(value: &CelValue) -> String {
    match value {
        CelValue::Null => "null".to_owned(),
        CelValue::Bool(value) => value.to_string(),
        CelValue::Int(value) => value.to_string(),
        CelValue::Uint(value) => format!("{value}u"),
        CelValue::Double(value) => double(*value),
        CelValue::String(text) => quote(text),
        CelValue::Bytes(value) => bytes(value),
        CelValue::List(list) => format!("[{}]", join(list.iter().map(read))),
        CelValue::Map(map) => {
            let readings = map.readings().into_iter();
            format!(
                "{{{}}}",
                join(readings.map(|(key, value)| format!("{}: {}", literal(&key.to_value()), read(value))))
            )
        }
        CelValue::Timestamp(moment) => call("timestamp", &moment.to_text()),
        CelValue::Duration(duration) => call("duration", &duration.to_text()),
        CelValue::Type(name) => name.to_string(),
        CelValue::Optional(None) => "optional.none()".to_owned(),
        CelValue::Optional(Some(inner)) => format!("optional.of({})", literal(inner)),
        CelValue::Opaque(value) => opaque(value),
    }
}

/// A field that does not fit its schema shows as what reading it says.
fn read(value: Result<CelValue, EvalError>) -> String {
    value.map_or_else(|error| format!("<{}>", error.message()), |value| literal(&value))
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn call(function: &str, text: &str) -> String {
    format!("{function}({})", quote(text))
}

fn double(value: f64) -> String {
    let text = library::double_text(value);
    match text.as_str() {
        "NaN" | "+Inf" | "-Inf" => call("double", &text),
        _ if text.contains(['.', 'e']) => text,
        _ => text + ".0",
    }
}

fn bytes(value: &[u8]) -> String {
    let mut out = String::from("b\"");
    for byte in value {
        let _ = match byte {
            b'"' | b'\\' => write!(out, "\\{}", *byte as char),
            0x20..0x7f => write!(out, "{}", *byte as char),
            _ => write!(out, "\\x{byte:02x}"),
        };
    }
    out + "\""
}

fn opaque(value: &Opaque) -> String {
    match value {
        Opaque::Quantity(quantity) => call("quantity", &quantity.to_string()),
        Opaque::Url(url) => call("url", &url.text),
        Opaque::Ip(ip) => call("ip", &ip.0.to_string()),
        Opaque::Cidr(cidr) => call("cidr", &cidr.to_string()),
        Opaque::Semver(version) => call("semver", &version.to_string()),
        Opaque::Omit => "omit()".to_owned(),
        Opaque::Condition(condition) => {
            let Condition { kind, status, reason, message } = &**condition;
            let fields = [("type", kind), ("status", status), ("reason", reason), ("message", message)];
            let fields = fields.iter().map(|(name, text)| format!("{name}: {}", quote(text)));
            format!("runtime.newCondition({{{}}})", join(fields))
        }
        Opaque::Empty => "google.protobuf.Empty{}".to_owned(),
        other => other.type_name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{World, ask};

    #[test]
    fn literals_are_expressions_of_their_values() {
        let world = World::read("{}").unwrap();
        for text in [
            r#"[1, -2, 3u, 1.5, 7.0, 1e+21, true, null, "a\"ü\n"]"#,
            r#"b"a\xff\"\\""#,
            r#"{1: "x", "a": {"b": []}}"#,
            r#"timestamp("2026-01-01T00:00:00.5Z")"#,
            r#"[duration("-1.5s"), double("+Inf"), double("-Inf")]"#,
            r#"[optional.of(1), optional.none()]"#,
            r#"[quantity("1536Mi"), url("https://example.org/"), ip("fd00::1"), cidr("10.0.0.0/8"), semver("1.2.3")]"#,
            r#"runtime.newCondition({type: "Ready", status: "True", reason: "R", message: ""})"#,
            "omit()",
            "int",
        ] {
            let question = crate::Question {
                text,
                bindings: &serde_json::Value::Null,
                check_only: false,
                disable_check: true,
                cost: false,
            };
            let answer = ask(&world, &question);
            assert_eq!(answer.value.as_ref().map(literal).as_deref(), Some(text), "{answer:?}");
        }
    }
}
