use kro_value::Value;

use super::{Outcome, function, new_string};
use crate::Implementation;
use crate::convert::{Encoding, convert};
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::{CelMap, CelValue, MapKey, Opaque};

/// kro's JSON functions.
pub fn json() -> Library {
    Library::new(
        "kro.json",
        [
            function("json.unmarshal", [("json_unmarshal(string) -> dyn ~ walk 0 | one", unmarshal as Implementation)]),
            function("json.marshal", [("json_marshal(dyn) -> string ~ everything | one", marshal as Implementation)]),
        ],
    )
}

/// JSON to values; every number is a double.
fn unmarshal(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64 / 4)?;
    // a list of zeros takes two bytes of text for each value
    context.allocate(text.len().saturating_mul(size_of::<CelValue>() / 2))?;
    match kro_value::from_json(text).or_else(|error| retry_without_surrogates(text).ok_or(error)) {
        Ok(value) => Ok(CelValue::from_json(doubles(value))),
        Err(error) => {
            let problem =
                if text.trim().is_empty() { "unexpected end of JSON input".to_owned() } else { error.message };
            Err(EvalError::invalid(format!("json.unmarshal failed to parse JSON: {problem}")))
        }
    }
}

/// Halves of surrogate pairs stand for no character; Go reads them as the replacement character.
fn retry_without_surrogates(text: &str) -> Option<Value> {
    let surrogate = |at: usize, range: std::ops::RangeInclusive<u32>| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok().filter(|unit| range.contains(unit))
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let start = at + found;
        out.push_str(&text[at..start]);
        let high = surrogate(start, 0xd800..=0xdbff).is_some();
        let (taken, kept) = match (high, surrogate(start, 0xdc00..=0xdfff).is_some()) {
            (true, _) if surrogate(start + 6, 0xdc00..=0xdfff).is_some() => (12, true),
            (false, false) => (1 + text[start + 1..].chars().next().map_or(0, char::len_utf8), true),
            _ => (6, false),
        };
        out.push_str(if kept { &text[start..start + taken] } else { "\\ufffd" });
        at = start + taken;
    }
    out.push_str(&text[at..]);
    kro_value::from_json(&out).ok()
}

#[allow(clippy::cast_precision_loss)]
fn doubles(value: Value) -> Value {
    match value {
        Value::Int(value) => Value::Float(value as f64),
        Value::List(items) => Value::list(items.iter().cloned().map(doubles)),
        Value::Map(map) => Value::Map(map.into_iter().map(|(key, value)| (key, doubles(value))).collect()),
        other => other,
    }
}

fn marshal(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [value] = args else { return Err(EvalError::no_overload()) };
    let mut out = String::new();
    write(context, value, &mut out, Dialect::Go)?;
    new_string(context, out)
}

/// `json.encode` of cel-go: integers that a double cannot hold exactly become strings.
pub(super) fn encode(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [value] = args else { return Err(EvalError::no_overload()) };
    let mut out = String::new();
    write(context, value, &mut out, Dialect::Protobuf)?;
    new_string(context, out)
}

/// How values without a form in JSON are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Go,
    Protobuf,
}

fn write(context: &mut EvalContext, value: &CelValue, out: &mut String, dialect: Dialect) -> Result<(), EvalError> {
    context.charge(1)?;
    let before = out.len();
    match value {
        CelValue::Uint(value) => write_integer(i128::from(*value), out, dialect),
        CelValue::Int(value) => write_integer(i128::from(*value), out, dialect),
        CelValue::Double(value) => write_double(*value, out, dialect)?,
        CelValue::Bytes(bytes) => {
            use base64::Engine;
            write_string(&base64::engine::general_purpose::STANDARD.encode(bytes), out);
        }
        CelValue::String(text) => write_string(text, out),
        CelValue::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(context, &item?, out, dialect)?;
            }
            out.push(']');
            return Ok(());
        }
        // live data goes out as it came in
        CelValue::Map(CelMap::View(view)) => {
            return write_map(context, &CelMap::Json(view.map.clone()), out, dialect);
        }
        CelValue::Map(map) => return write_map(context, map, out, dialect),
        CelValue::Optional(inner) => match inner {
            Some(inner) => return write(context, inner, out, dialect),
            None if dialect == Dialect::Protobuf => return Err(EvalError::invalid("optional.none() dereference")),
            None => out.push_str("null"),
        },
        CelValue::Timestamp(moment) if dialect == Dialect::Protobuf => write_string(&moment.to_text(), out),
        CelValue::Duration(duration) if dialect == Dialect::Protobuf => {
            write_string(&super::conversions::duration_text(*duration), out);
        }
        CelValue::Opaque(Opaque::Empty) => out.push_str("{}"),
        CelValue::Opaque(_) | CelValue::Type(_) if dialect == Dialect::Protobuf => return Err(unencodable(value)),
        other => {
            let converted = convert(context, other, Encoding::Json)
                .map_err(|problem| EvalError::invalid(format!("json.marshal failed to convert value: {problem}")))?;
            match converted {
                Value::String(text) => write_string(&text, out),
                scalar => out.push_str(&kro_value::to_json(&scalar)),
            }
        }
    }
    context.allocate(out.len() - before)
}

/// What cel-go's encoder says of values without a form in JSON.
#[cold]
fn unencodable(value: &CelValue) -> EvalError {
    EvalError::invalid(match value {
        CelValue::Opaque(Opaque::Omit) => "omit sentinel".to_owned(),
        CelValue::Opaque(Opaque::Condition(_)) => "condition".to_owned(),
        CelValue::Opaque(Opaque::Runtime) => "runtime".to_owned(),
        other => native_problem(other, "*structpb.Value"),
    })
}

/// What cel-go says of a value that is no value of one of Go's types.
#[cold]
pub(crate) fn native_problem(value: &CelValue, target: &str) -> String {
    let from = match value {
        CelValue::Int(_) | CelValue::Uint(_) => {
            return format!("unsupported type conversion from '{}' to {target}", value.type_name());
        }
        CelValue::String(_) => return format!("unsupported native conversion from string to '{target}'"),
        CelValue::Type(_) => return "type conversion not supported for 'type'".to_owned(),
        CelValue::Opaque(Opaque::Empty) => "'*dynamicpb.Message'".to_owned(),
        CelValue::Null => "'null_type'".to_owned(),
        CelValue::Double(_) => "Double".to_owned(),
        CelValue::Bytes(_) => "Bytes".to_owned(),
        CelValue::Timestamp(_) | CelValue::Duration(_) | CelValue::Opaque(_) => {
            format!("'{}'", value.type_name().rsplit('.').next().unwrap_or_default())
        }
        CelValue::Bool(_) | CelValue::List(_) | CelValue::Map(_) | CelValue::Optional(_) => {
            value.type_name().to_owned()
        }
    };
    format!("type conversion error from {from} to '{target}'")
}

/// A value as protobuf's JSON values have it: all numbers are doubles, integers that a double cannot hold exactly are
/// strings, like bytes, timestamps and durations.
///
/// # Errors
/// When the value has no form in JSON, or the budget is exceeded.
pub(crate) fn to_json_value(context: &mut EvalContext, value: &CelValue) -> Outcome {
    context.charge(1)?;
    Ok(match value {
        CelValue::Int(number) => exact_double(i128::from(*number)),
        CelValue::Uint(number) => exact_double(i128::from(*number)),
        CelValue::List(list) => {
            context.allocate_items(list.len())?;
            let items: Result<Vec<_>, _> = list.iter().map(|item| to_json_value(context, &item?)).collect();
            CelValue::list(items?)
        }
        CelValue::Map(map) => {
            context.allocate_items(map.len().saturating_mul(2))?;
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.entries()? {
                if key.as_str().is_none() {
                    return Err(EvalError::invalid(key_problem(&key, Dialect::Protobuf)));
                }
                entries.push((key, to_json_value(context, &value)?));
            }
            CelValue::Map(entries.into_iter().collect())
        }
        CelValue::Optional(Some(inner)) => return to_json_value(context, inner),
        CelValue::Null | CelValue::Bool(_) | CelValue::Double(_) | CelValue::String(_) => value.clone(),
        CelValue::Timestamp(moment) => moment.to_text().into(),
        CelValue::Duration(duration) => super::conversions::duration_text(*duration).into(),
        CelValue::Bytes(bytes) => {
            use base64::Engine;
            context.allocate(bytes.len().saturating_mul(2))?;
            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
        CelValue::Opaque(Opaque::Empty) => CelValue::Map(CelMap::from_iter([])),
        CelValue::Optional(None) => return Err(EvalError::invalid("optional.none() dereference")),
        CelValue::Type(_) | CelValue::Opaque(_) => return Err(unencodable(value)),
    })
}

/// A whole number as a double where that is exact, else as text.
#[allow(clippy::cast_precision_loss)]
fn exact_double(number: i128) -> CelValue {
    if number.abs() < EXACT { CelValue::Double(number as f64) } else { number.to_string().into() }
}

fn write_map(context: &mut EvalContext, map: &CelMap, out: &mut String, dialect: Dialect) -> Result<(), EvalError> {
    let entries = map.entries()?;
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        let Some(key) = key.as_str() else {
            return Err(EvalError::invalid(key_problem(key, dialect)));
        };
        if index > 0 {
            out.push(',');
        }
        write_string(key, out);
        out.push(':');
        write(context, value, out, dialect)?;
    }
    out.push('}');
    Ok(())
}

#[cold]
fn key_problem(key: &MapKey, dialect: Dialect) -> String {
    match (dialect, key) {
        (Dialect::Go, _) => format!("json.marshal failed to convert value: {}", crate::convert::key_problem(key)),
        (Dialect::Protobuf, _) => native_problem(&key.to_value(), "string"),
    }
}

/// From here on doubles do not hold every integer.
const EXACT: i128 = 1 << 53;

fn write_integer(value: i128, out: &mut String, dialect: Dialect) {
    let text = value.to_string();
    if dialect == Dialect::Protobuf && value.abs() >= EXACT {
        write_string(&text, out);
    } else {
        out.push_str(&text);
    }
}

/// Like `encoding/json`: the fewest digits, with an exponent below 1e-6 and from 1e21 on.
fn write_double(value: f64, out: &mut String, dialect: Dialect) -> Result<(), EvalError> {
    if !value.is_finite() {
        let name = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return Err(EvalError::invalid(match dialect {
            Dialect::Protobuf => format!("proto: google.protobuf.Value.number_value: invalid {name} value"),
            Dialect::Go => format!("json.marshal failed to encode value: json: unsupported value: {name}"),
        }));
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        out.push_str(&value.to_string());
        return Ok(());
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if exponent.starts_with('-') { '-' } else { '+' };
    let digits = exponent.trim_start_matches('-');
    out.push_str(&format!("{mantissa}e{sign}{digits}"));
    Ok(())
}

/// Go escapes what HTML could misread, too.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", character as u32)),
            control if (control as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
}
