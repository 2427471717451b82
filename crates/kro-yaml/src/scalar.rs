//! The type of a scalar, as `sigs.k8s.io/yaml` finds it.

use kro_value::{Str, Value, format_smolstr};

use crate::number;

/// What a scalar is read as, before it becomes JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    /// An integer; `Value::Float` beyond 64 signed bits.
    Integer(Value),
    Float(f64),
    Text,
}

impl Resolved {
    fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Integer(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Text => "!!str",
        }
    }
}

/// What an untagged plain scalar is read as.
pub(crate) fn resolve(text: &str) -> Resolved {
    let Some(first) = text.bytes().next() else { return Resolved::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => numeric(text, first),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        _ => Resolved::Text,
    }
}

fn word(text: &str) -> Resolved {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Resolved::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Resolved::Bool(false),
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        _ => Resolved::Text,
    }
}

fn numeric(text: &str, first: u8) -> Resolved {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    // Between digits after a leading dot an underscore must stand alone; elsewhere all of them vanish.
    if first == b'.' && !lone_underscores(text) {
        return Resolved::Text;
    }
    let plain = text.replace('_', "");
    if let Some(value) = number::integer(&plain) {
        return Resolved::Integer(value);
    }
    if let Some(float) = number::float(&plain) {
        return Resolved::Float(float);
    }
    number::signed_binary(&plain).map_or(Resolved::Text, Resolved::Integer)
}

fn lone_underscores(text: &str) -> bool {
    text.split('_').skip(1).all(|part| part.starts_with(|character: char| character.is_ascii_digit()))
        && text.split('_').rev().skip(1).all(|part| part.ends_with(|character: char| character.is_ascii_digit()))
}

/// The value of a scalar with this tag, in its short form (`!!int`); `None` for a plain scalar without one.
///
/// # Errors
/// When the text contradicts the tag, or JSON cannot hold the value.
pub(crate) fn typed(tag: Option<&str>, text: &str) -> Result<Value, String> {
    match tag {
        Some("!!binary") => {
            return binary(text).ok_or_else(|| "!!binary value contains invalid base64 data".to_owned());
        }
        None | Some("!!bool" | "!!int" | "!!float" | "!!null") => {}
        Some(_) => return Ok(Value::from(text)), // a date stays text in JSON, and tags of others have no meaning
    }
    let resolved = match (tag, resolve(text)) {
        (Some("!!float"), Resolved::Integer(value)) => Resolved::Float(value.as_f64().unwrap_or_default()),
        (_, resolved) => resolved,
    };
    match tag {
        Some(tag) if tag != resolved.tag() => Err(format!("cannot decode {} `{text}` as a {tag}", resolved.tag())),
        _ => json(resolved, text),
    }
}

fn json(resolved: Resolved, text: &str) -> Result<Value, String> {
    Ok(match resolved {
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Integer(value) => value,
        Resolved::Float(float) if !float.is_finite() => return Err(format!("JSON has no number `{text}`")),
        Resolved::Float(float) => number::float_value(float),
        Resolved::Text => Value::from(text),
    })
}

/// The text of a plain key.
///
/// # Errors
/// When the key has no text.
pub(crate) fn key(text: &str) -> Result<Str, String> {
    match resolve(text) {
        Resolved::Null => Err("a key cannot be null".to_owned()),
        Resolved::Bool(value) => Ok(Str::new_static(if value { "true" } else { "false" })),
        Resolved::Integer(Value::Int(value)) => Ok(format_smolstr!("{value}")),
        Resolved::Integer(_) => Err(format!("the integer key `{text}` is beyond 64 signed bits")),
        Resolved::Float(float) => Ok(number::float_key(float)),
        Resolved::Text => Ok(Str::new(text)),
    }
}

/// Standard base64 with padding, line breaks ignored; bytes that are no UTF-8 become U+FFFD, as in Go's JSON.
fn binary(text: &str) -> Option<Value> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    let groups = digits.len() / 4;
    for (position, group) in digits.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && position + 1 != groups) {
            return None;
        }
        let mut bits = 0u32;
        for digit in &group[..4 - padding] {
            bits = bits << 6 | base64_digit(*digit)?;
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
}

fn base64_digit(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}
