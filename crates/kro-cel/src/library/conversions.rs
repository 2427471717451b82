use super::{FunctionDecl, Outcome, catch_all, function, globals, new_string};
use crate::Implementation;
use crate::eval::{ErrorKind, EvalContext, EvalError};
use crate::value::{CelDuration, CelTimestamp, CelValue, TimestampError};

pub(super) fn functions() -> Vec<FunctionDecl> {
    let mut functions = vec![
        catch_all("type", |_, args| type_of(args), globals(["type(A) -> type(A)"])),
        catch_all("dyn", |_, args| identity(args), globals(["to_dyn(A) -> dyn"])),
        function(
            "bool",
            [
                (
                    "bool_to_bool(bool) -> bool",
                    (|_, args| itself(args, "bool", |value| matches!(value, CelValue::Bool(_)))) as Implementation,
                ),
                ("string_to_bool(string) -> bool", string_to_bool),
            ],
        ),
        function(
            "bytes",
            [
                (
                    "bytes_to_bytes(bytes) -> bytes",
                    (|_, args| itself(args, "bytes", |value| matches!(value, CelValue::Bytes(_)))) as Implementation,
                ),
                ("string_to_bytes(string) -> bytes ~ convert 16", string_to_bytes),
            ],
        ),
    ];
    functions.extend(numbers());
    functions.extend(texts_and_times());
    functions
}

fn numbers() -> [FunctionDecl; 3] {
    [
        function(
            "double",
            [
                (
                    "double_to_double(double) -> double",
                    (|_, args| itself(args, "double", |value| matches!(value, CelValue::Double(_)))) as Implementation,
                ),
                ("int64_to_double(int) -> double", to_double),
                ("string_to_double(string) -> double", to_double),
                ("uint64_to_double(uint) -> double", to_double),
            ],
        ),
        function(
            "int",
            [
                (
                    "int64_to_int64(int) -> int",
                    (|_, args| itself(args, "int", |value| matches!(value, CelValue::Int(_)))) as Implementation,
                ),
                ("double_to_int64(double) -> int", to_int),
                ("duration_to_int64(duration) -> int", to_int),
                ("string_to_int64(string) -> int", to_int),
                ("timestamp_to_int64(timestamp) -> int", to_int),
                ("uint64_to_int64(uint) -> int", to_int),
            ],
        ),
        function(
            "uint",
            [
                (
                    "uint64_to_uint64(uint) -> uint",
                    (|_, args| itself(args, "uint", |value| matches!(value, CelValue::Uint(_)))) as Implementation,
                ),
                ("double_to_uint64(double) -> uint", to_uint),
                ("int64_to_uint64(int) -> uint", to_uint),
                ("string_to_uint64(string) -> uint", to_uint),
            ],
        ),
    ]
}

fn texts_and_times() -> [FunctionDecl; 3] {
    [
        function(
            "string",
            [
                (
                    "string_to_string(string) -> string",
                    (|_, args| itself(args, "string", |value| matches!(value, CelValue::String(_)))) as Implementation,
                ),
                ("bool_to_string(bool) -> string", to_string),
                ("bytes_to_string(bytes) -> string ~ convert 4", to_string),
                ("double_to_string(double) -> string", to_string),
                ("duration_to_string(duration) -> string", to_string),
                ("int64_to_string(int) -> string", to_string),
                ("timestamp_to_string(timestamp) -> string", to_string),
                ("uint64_to_string(uint) -> string", to_string),
            ],
        ),
        function(
            "duration",
            [
                (
                    "duration_to_duration(duration) -> duration",
                    (|_, args| itself(args, "duration", |value| matches!(value, CelValue::Duration(_))))
                        as Implementation,
                ),
                ("string_to_duration(string) -> duration", string_to_duration),
            ],
        ),
        function(
            "timestamp",
            [
                (
                    "timestamp_to_timestamp(timestamp) -> timestamp",
                    (|_, args| itself(args, "timestamp", |value| matches!(value, CelValue::Timestamp(_))))
                        as Implementation,
                ),
                ("int64_to_timestamp(int) -> timestamp", to_timestamp),
                ("string_to_timestamp(string) -> timestamp", to_timestamp),
            ],
        ),
    ]
}

/// A value that is of the type already. What a type parameter stands for is not always known, so that is looked at.
fn itself(args: &[CelValue], function: &str, fits: fn(&CelValue) -> bool) -> Outcome {
    match args {
        [value] if fits(value) => Ok(value.clone()),
        [value] => Err(super::no_overload(&format!("{function}({})", value.type_name()))),
        _ => Err(EvalError::no_overload()),
    }
}

fn identity(args: &[CelValue]) -> Outcome {
    args.first().cloned().ok_or_else(EvalError::no_overload)
}

fn type_of(args: &[CelValue]) -> Outcome {
    args.first().map(|value| CelValue::Type(value.type_name().into())).ok_or_else(EvalError::no_overload)
}

#[cold]
fn unconvertible(from: &str, to: &str) -> EvalError {
    EvalError::new(ErrorKind::TypeConversion, format!("type conversion error from '{from}' to '{to}'"))
}

#[cold]
fn overflow(what: &'static str) -> EvalError {
    EvalError::new(ErrorKind::Overflow, what)
}

fn string_to_bool(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args.first().and_then(CelValue::as_str) {
        Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(CelValue::Bool(true)),
        Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(CelValue::Bool(false)),
        _ => Err(unconvertible("string", "bool")),
    }
}

fn string_to_bytes(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.allocate(text.len())?;
    Ok(CelValue::Bytes(text.as_bytes().into()))
}

#[allow(clippy::cast_precision_loss)]
fn to_double(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let value = match args {
        [CelValue::Int(value)] => *value as f64,
        [CelValue::Uint(value)] => *value as f64,
        [CelValue::String(text)] => parse_double(text).ok_or_else(|| unconvertible("string", "double"))?,
        _ => return Err(EvalError::no_overload()),
    };
    Ok(CelValue::Double(value))
}

/// Reads a number as Go's `strconv.ParseFloat` does: also hexadecimal, with underscores between digits, `inf` and `nan`.
pub(super) fn parse_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match lower.as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return (unsigned.len() == text.len()).then_some(f64::NAN),
        _ => {}
    }
    let plain = without_underscores(&lower)?;
    if let Some(hexadecimal) = plain.strip_prefix("0x") {
        return parse_hexadecimal(hexadecimal).map(|value| sign * value);
    }
    let digits = plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
    let value: f64 = if digits { plain.parse().ok()? } else { return None };
    value.is_finite().then_some(sign * value)
}

/// Underscores may stand between digits only.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_hexdigit);
    let valid = (0..bytes.len())
        .filter(|at| bytes[*at] == b'_')
        .all(|at| (digit(at.checked_sub(1)) || text.starts_with("0x_")) && digit(Some(at + 1)));
    valid.then(|| text.replace('_', ""))
}

/// `1.8p-3`: hexadecimal digits and a mandatory binary exponent.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in digits.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = exponent.parse::<i32>().ok()?.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    let result: f64 = value * 2f64.powi(shift);
    result.is_finite().then_some(result)
}

fn to_int(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let value = match args {
        [CelValue::Double(value)] => return double_to_int(*value),
        [CelValue::Uint(value)] => i64::try_from(*value).map_err(|_| overflow("integer overflow"))?,
        [CelValue::Timestamp(value)] => value.seconds,
        [CelValue::Duration(value)] => value.0,
        [CelValue::String(text)] => text.parse().map_err(|_| unconvertible("string", "int"))?,
        _ => return Err(EvalError::no_overload()),
    };
    Ok(CelValue::Int(value))
}

/// The bounds themselves are refused, as in the reference.
#[allow(clippy::cast_possible_truncation)]
fn double_to_int(value: f64) -> Outcome {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value > -LIMIT && value < LIMIT {
        return Ok(CelValue::Int(value as i64));
    }
    Err(overflow("integer overflow"))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn to_uint(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let value = match args {
        [CelValue::Double(value)] if (0.0..18_446_744_073_709_551_616.0).contains(value) => *value as u64,
        [CelValue::Double(_)] => return Err(overflow("unsigned integer overflow")),
        [CelValue::Int(value)] => u64::try_from(*value).map_err(|_| overflow("unsigned integer overflow"))?,
        [CelValue::String(text)] if text.starts_with('+') => return Err(unconvertible("string", "uint")),
        [CelValue::String(text)] => text.parse().map_err(|_| unconvertible("string", "uint"))?,
        _ => return Err(EvalError::no_overload()),
    };
    Ok(CelValue::Uint(value))
}

fn to_string(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let text = match args {
        [CelValue::Bool(value)] => value.to_string(),
        [CelValue::Int(value)] => return Ok(CelValue::String(kro_value::format_smolstr!("{value}"))),
        [CelValue::Uint(value)] => value.to_string(),
        [CelValue::Double(value)] => double_text(*value),
        [CelValue::Duration(value)] => duration_text(*value),
        [CelValue::Timestamp(value)] => value.to_text(),
        [CelValue::Bytes(bytes)] => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let text = "invalid UTF-8 in bytes, cannot convert to string";
                return Err(EvalError::new(ErrorKind::TypeConversion, text));
            }
        },
        _ => return Err(EvalError::no_overload()),
    };
    new_string(context, text)
}

/// The text of `%g` in Go: the fewest digits, with an exponent for very small and very large numbers.
pub fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Seconds as a double, as the reference has it: beyond 15 digits the nanoseconds are not exact.
#[allow(clippy::cast_precision_loss)]
pub(super) fn duration_text(value: CelDuration) -> String {
    let seconds = (value.0 / 1_000_000_000) as f64 + (value.0 % 1_000_000_000) as f64 / 1e9;
    format!("{seconds}s")
}

fn string_to_duration(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    CelDuration::parse(text).map(CelValue::Duration).ok_or_else(|| unconvertible("string", "google.protobuf.Duration"))
}

fn to_timestamp(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args {
        [CelValue::Int(seconds)] => {
            CelTimestamp::new(*seconds, 0).map(CelValue::Timestamp).ok_or_else(|| overflow("timestamp overflow"))
        }
        [CelValue::String(text)] => {
            CelTimestamp::parse(text).map(CelValue::Timestamp).map_err(|error| timestamp_error(error, text))
        }
        _ => Err(EvalError::no_overload()),
    }
}

#[cold]
fn timestamp_error(error: TimestampError, text: &str) -> EvalError {
    match error {
        TimestampError::Form => {
            let message = format!("invalid RFC 3339 timestamp {}", super::quoted::quote(text));
            EvalError::new(ErrorKind::TypeConversion, message)
        }
        TimestampError::Value => unconvertible("string", "google.protobuf.Timestamp"),
        TimestampError::Range => overflow("timestamp overflow"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_read_and_print_as_go_has_them() {
        for (text, printed) in [
            ("1e21", "1e+21"),
            ("100000000", "1e+08"),
            ("1e-7", "1e-07"),
            ("0.25", "0.25"),
            ("1_0", "10"),
            ("0x1p-2", "0.25"),
            ("-inf", "-Inf"),
            ("-0", "-0"),
        ] {
            assert_eq!(parse_double(text).map(double_text).as_deref(), Some(printed), "{text}");
        }
        for text in ["", "x", "1e400", "_1", "1__0", "0x1", "+nan", "1f"] {
            assert_eq!(parse_double(text).map(double_text), None, "{text}");
        }
    }
}
