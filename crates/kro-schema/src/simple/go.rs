//! Numbers and booleans as Go's `strconv` reads them, with its words for what it cannot read.

use kro_value::Value;

/// A boolean: `1 t T TRUE true True 0 f F FALSE false False`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(invalid("ParseBool", text)),
    }
}

/// A decimal integer with an optional sign.
pub(super) fn integer(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("ParseInt", text));
    }
    text.parse().map_err(|_| out_of_range("ParseInt", text))
}

/// A number: decimal or hexadecimal, with underscores between digits. Infinities and NaN, which Go reads too, are
/// refused because JSON has no such numbers.
pub(super) fn number(text: &str) -> Result<Value, String> {
    if let Ok(whole) = integer(text) {
        return Ok(Value::Int(whole));
    }
    let float = float(text).ok_or_else(|| invalid("ParseFloat", text))?;
    if float.is_finite() {
        return Ok(Value::Float(float));
    }
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(out_of_range("ParseFloat", text));
    }
    Err(format!("{text:?} is not a finite number"))
}

fn float(text: &str) -> Option<f64> {
    let plain = without_underscores(text)?;
    let (sign, unsigned) = match plain.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    if unsigned.starts_with(['-', '+']) {
        return None;
    }
    match unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        Some(hex) => Some(sign * hexadecimal(hex)?),
        None => Some(sign * unsigned.parse::<f64>().ok()?),
    }
}

/// Underscores may only stand between two digits, or between `0x` and a digit.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    for (at, _) in text.match_indices('_') {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after_prefix = at == 2 && matches!(before, Some(b'x' | b'X'));
        if !(digit(before) || after_prefix) || !digit(bytes.get(at + 1)) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

/// What follows `0x`: digits with an optional point and the mandatory binary exponent.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let scale = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(value * 2f64.powi(exponent.checked_sub(scale)?))
}

fn invalid(function: &str, text: &str) -> String {
    format!("strconv.{function}: parsing {text:?}: invalid syntax")
}

fn out_of_range(function: &str, text: &str) -> String {
    format!("strconv.{function}: parsing {text:?}: value out of range")
}

/// How Go prints the type of a decoded JSON value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_go_does() {
        for (text, json) in [
            ("5", "5"),
            ("+5", "5"),
            ("007", "7"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-1_0.5", "-10.5"),
            ("0x1p4", "16"),
            ("-0x.8p1", "-1"),
            ("0x_1.8p0", "1.5"),
        ] {
            assert_eq!(number(text).map(|value| value.to_string()), Ok(json.to_owned()), "{text}");
        }
        for text in ["", "x", "1_", "_1", "--1", "+-1", "0x1", "0x", "0xp1", "1e", "1 2", "e5", "."] {
            assert_eq!(number(text), Err(format!("strconv.ParseFloat: parsing {text:?}: invalid syntax")), "{text}");
        }
        assert_eq!(number("1e400"), Err("strconv.ParseFloat: parsing \"1e400\": value out of range".to_owned()));
        assert_eq!(number("Inf"), Err("\"Inf\" is not a finite number".to_owned()));
        assert_eq!(number("-nan"), Err("\"-nan\" is not a finite number".to_owned()));
    }

    #[test]
    fn reads_integers_and_booleans_as_go_does() {
        assert_eq!(integer("-9223372036854775808"), Ok(i64::MIN));
        assert!(integer("9223372036854775808").is_err_and(|error| error.ends_with("value out of range")));
        for text in ["", "+", "1.0", "0x1", "1_0", " 1"] {
            assert!(integer(text).is_err_and(|error| error.ends_with("invalid syntax")), "{text}");
        }
        assert_eq!((boolean("T"), boolean("0")), (Ok(true), Ok(false)));
        assert!(boolean("yes").is_err());
    }
}
