//! Numbers as Go's `strconv` reads and prints them.

use kro_value::{Str, Value};

/// An integer with an optional sign and prefix (`0x`, `0o`, `0b`, or `0` for octal), underscores removed before.
/// Integers beyond 64 signed bits but within 64 unsigned ones come as floats, as Kubernetes holds them.
pub(crate) fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = split_radix(digits);
    if digits.is_empty() || !digits.bytes().all(|digit| char::from(digit).is_digit(radix)) {
        return None;
    }
    // An unsigned integer has no sign at all.
    let signed = text.len() > digits.len() && matches!(text.as_bytes()[0], b'-' | b'+');
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    let value = i128::from(magnitude) * if negative { -1 } else { 1 };
    match i64::try_from(value) {
        Ok(value) => Some(Value::Int(value)),
        #[allow(clippy::cast_precision_loss)]
        Err(_) if !signed => Some(Value::Float(magnitude as f64)),
        Err(_) => None,
    }
}

fn split_radix(digits: &str) -> (u32, &str) {
    let prefixed = |radix| (radix, &digits[2..]);
    match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => prefixed(16),
        [b'0', b'o' | b'O', ..] => prefixed(8),
        [b'0', b'b' | b'B', ..] => prefixed(2),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    }
}

/// What `0b+1` and `-0b-1` are: binary digits with a sign of their own.
pub(crate) fn signed_binary(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix("-0b") {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix("0b")?),
    };
    if negative && digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(digits, 2).ok().map(Value::Int)
}

/// A decimal float in YAML's form `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; one that overflows is none.
pub(crate) fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    if !mantissa_fits || !exponent_fits {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// A float as JSON text carries it: one that prints as a 64-bit integer is that integer.
pub(crate) fn float_value(float: f64) -> Value {
    if float.fract() != 0.0 || float.abs() > 1e19 {
        return Value::Float(float);
    }
    // The shortest digits that identify the float, as Go prints it; not the float's exact value.
    float.to_string().parse().map_or(Value::Float(float), Value::Int)
}

/// A float key as text: Go's shortest `%g` of a 32-bit float.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn float_key(float: f64) -> Str {
    let float = float as f32;
    if float.is_nan() {
        return Str::new(".nan");
    }
    if float.is_infinite() {
        return Str::new(if float > 0.0 { ".inf" } else { "-.inf" });
    }
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return Str::new(float.to_string());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Str::new(format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()))
}
