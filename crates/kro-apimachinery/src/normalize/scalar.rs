use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kro_value::{Quantity, Value};

use super::kind::Kind;

const TIME_LAYOUT: &str = "2006-01-02T15:04:05Z07:00";
const MICRO_TIME_LAYOUT: &str = "2006-01-02T15:04:05.000000Z07:00";

/// A scalar in canonical form; `None` when its JSON type is wrong.
pub(super) fn normalize(kind: Kind, value: &Value) -> Option<Result<Value, String>> {
    match (kind, value) {
        (Kind::Text, Value::String(_)) | (Kind::Bool, Value::Bool(_)) => Some(Ok(value.clone())),
        (Kind::Int64, Value::Int(_)) | (Kind::Float, Value::Int(_) | Value::Float(_)) => Some(Ok(value.clone())),
        (Kind::Int32, Value::Int(number)) => i32::try_from(*number).ok().map(|_| Ok(value.clone())),
        (Kind::IntOrString, Value::Int(_) | Value::String(_)) => Some(Ok(value.clone())),
        (Kind::Quantity, Value::String(text)) => Some(quantity(text)),
        (Kind::Quantity, Value::Int(_) | Value::Float(_)) => Some(quantity(&value.to_string())),
        (Kind::Bytes, Value::String(text)) => Some(bytes(text)),
        (Kind::Time, Value::String(text)) => Some(time(text)),
        (Kind::MicroTime, Value::String(text)) => Some(micro_time(text)),
        _ => None,
    }
}

/// The JSON kind of a value as Go's decoder names it, with the literal where a number does not fit.
pub(super) fn go_json_kind(wanted: Kind, value: &Value) -> String {
    match value {
        Value::Int(_) | Value::Float(_) if matches!(wanted, Kind::Int32 | Kind::Int64) => format!("number {value}"),
        Value::Int(_) | Value::Float(_) => "number".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        other => other.type_name().to_owned(),
    }
}

fn quantity(text: &str) -> Result<Value, String> {
    let quantity = Quantity::parse(text).map_err(|error| error.to_string())?;
    Ok(Value::from(quantity.to_string()))
}

/// Go's decoder skips line breaks; the encoder writes none.
fn bytes(text: &str) -> Result<Value, String> {
    let joined: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    match STANDARD.decode(&joined) {
        Ok(data) => Ok(Value::from(STANDARD.encode(data))),
        Err(error) => {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
                _ => joined.len() / 4 * 4,
            };
            Err(format!("illegal base64 data at input byte {at}"))
        }
    }
}

fn time(text: &str) -> Result<Value, String> {
    let parsed = parse_rfc3339(text).ok_or_else(|| unparsable(text, TIME_LAYOUT))?;
    Ok(Value::from(parsed.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))
}

/// Exactly six decimals, as the reference wants them.
fn micro_time(text: &str) -> Result<Value, String> {
    let error = || unparsable(text, MICRO_TIME_LAYOUT);
    let fraction = text.split_once('.').map(|(_, rest)| rest).ok_or_else(error)?;
    if fraction.bytes().take_while(u8::is_ascii_digit).count() != 6 {
        return Err(error());
    }
    let parsed = parse_rfc3339(text).ok_or_else(error)?;
    Ok(Value::from(parsed.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()))
}

/// Stricter than the parser of the library: RFC 3339 alone.
fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let zone = text.get(19..)?.trim_start_matches(|character: char| character == '.' || character.is_ascii_digit());
    let is_zone = zone == "Z" || (zone.len() == 6 && zone.starts_with(['+', '-']) && zone.as_bytes()[3] == b':');
    let is_date = bytes.get(10) == Some(&b'T') && bytes.first().is_some_and(u8::is_ascii_digit);
    if is_zone && is_date { text.parse().ok() } else { None }
}

fn unparsable(text: &str, layout: &str) -> String {
    if layout.contains(".000000") && parse_rfc3339(text).is_some() {
        // The digits of the second are what is missing, or there are too few.
        let rest = text.get(19..).unwrap_or_default();
        return format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{rest}\" as \".000000\"");
    }
    format!("parsing time \"{text}\" as \"{layout}\": cannot parse \"{text}\" as \"2006\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, result) in [
            ("2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:00:00.999Z", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T02:00:00+02:00", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01 00:00:00Z", None),
            ("2026-01-01", None),
            ("", None),
        ] {
            assert_eq!(time(text).ok().as_ref().and_then(Value::as_str), result, "{text}");
        }
        for (text, result) in [
            ("2026-01-01T00:00:00.123456Z", Some("2026-01-01T00:00:00.123456Z")),
            ("2026-01-01T02:00:00.000000+02:00", Some("2026-01-01T00:00:00.000000Z")),
            ("2026-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:00.5Z", None),
        ] {
            assert_eq!(micro_time(text).ok().as_ref().and_then(Value::as_str), result, "{text}");
        }
    }

    #[test]
    fn base64() {
        assert_eq!(bytes("YWJj\nZA==").unwrap(), Value::from("YWJjZA=="));
        assert_eq!(bytes("a?").unwrap_err(), "illegal base64 data at input byte 1");
    }
}
