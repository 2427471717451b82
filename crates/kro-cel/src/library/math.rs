use std::cmp::Ordering;

use super::{Outcome, catch_all, function, globals, no_overload};
use crate::Implementation;
use crate::declarations::{FunctionDecl, Library};
use crate::eval::{ErrorKind, EvalContext, EvalError};
use crate::value::{CelValue, compare};

/// cel-go's math. Its macros `math.greatest` and `math.least` expand to `math.@max` and `math.@min`.
pub fn math() -> Library {
    let mut functions = vec![
        catch_all("math.@max", |context, args| extreme(context, args, "math.@max", Ordering::Less), maxima()),
        catch_all("math.@min", |context, args| extreme(context, args, "math.@min", Ordering::Greater), minima()),
    ];
    functions.extend(rounding());
    functions.extend(bits());
    functions.extend([
        function(
            "math.abs",
            [
                ("math_abs_double(double) -> double", abs as Implementation),
                ("math_abs_int(int) -> int", abs),
                ("math_abs_uint(uint) -> uint", abs),
            ],
        ),
        function(
            "math.sign",
            [
                ("math_sign_double(double) -> double", sign as Implementation),
                ("math_sign_int(int) -> int", sign),
                ("math_sign_uint(uint) -> uint", sign),
            ],
        ),
        function(
            "math.sqrt",
            [
                ("math_sqrt_double(double) -> double", sqrt as Implementation),
                ("math_sqrt_int(int) -> double", sqrt),
                ("math_sqrt_uint(uint) -> double", sqrt),
            ],
        ),
    ]);
    Library::new("math", functions).with_macros(crate::macros::MATH)
}

fn maxima() -> Vec<crate::OverloadDecl> {
    globals([
        "math_@max_double(double) -> double",
        "math_@max_double_double(double, double) -> double",
        "math_@max_double_int(double, int) -> dyn",
        "math_@max_double_uint(double, uint) -> dyn",
        "math_@max_int(int) -> int",
        "math_@max_int_double(int, double) -> dyn",
        "math_@max_int_int(int, int) -> int",
        "math_@max_int_uint(int, uint) -> dyn",
        "math_@max_list_double(list(double)) -> double ~ one | items",
        "math_@max_list_int(list(int)) -> int ~ one | items",
        "math_@max_list_uint(list(uint)) -> uint ~ one | items",
        "math_@max_uint(uint) -> uint",
        "math_@max_uint_double(uint, double) -> dyn",
        "math_@max_uint_int(uint, int) -> dyn",
        "math_@max_uint_uint(uint, uint) -> uint",
    ])
}

fn minima() -> Vec<crate::OverloadDecl> {
    globals([
        "math_@min_double(double) -> double",
        "math_@min_double_double(double, double) -> double",
        "math_@min_double_int(double, int) -> dyn",
        "math_@min_double_uint(double, uint) -> dyn",
        "math_@min_int(int) -> int",
        "math_@min_int_double(int, double) -> dyn",
        "math_@min_int_int(int, int) -> int",
        "math_@min_int_uint(int, uint) -> dyn",
        "math_@min_list_double(list(double)) -> double ~ one | items",
        "math_@min_list_int(list(int)) -> int ~ one | items",
        "math_@min_list_uint(list(uint)) -> uint ~ one | items",
        "math_@min_uint(uint) -> uint",
        "math_@min_uint_double(uint, double) -> dyn",
        "math_@min_uint_int(uint, int) -> dyn",
        "math_@min_uint_uint(uint, uint) -> uint",
    ])
}

fn extreme(context: &mut EvalContext, args: &[CelValue], name: &str, beaten: Ordering) -> Outcome {
    let values = match args {
        [CelValue::List(list)] if list.is_empty() => {
            return Err(EvalError::invalid(format!("{name}(list) argument must not be empty")));
        }
        [CelValue::List(list)] => {
            context.allocate_items(list.len())?;
            list.to_vec()?
        }
        other => other.to_vec(),
    };
    let number = |value: &CelValue| matches!(value, CelValue::Int(_) | CelValue::Uint(_) | CelValue::Double(_));
    if !values.iter().all(number) {
        return Err(no_overload(name));
    }
    let mut values = values.into_iter();
    let first = values.next().ok_or_else(|| no_overload(name))?;
    Ok(values.fold(first, |best, value| if compare(&best, &value) == Some(beaten) { value } else { best }))
}

fn rounding() -> Vec<FunctionDecl> {
    vec![
        function("math.ceil", [("math_ceil_double(double) -> double", ceil as Implementation)]),
        function("math.floor", [("math_floor_double(double) -> double", floor as Implementation)]),
        function("math.round", [("math_round_double(double) -> double", round as Implementation)]),
        function("math.trunc", [("math_trunc_double(double) -> double", trunc as Implementation)]),
        function("math.isInf", [("math_isInf_double(double) -> bool", is_inf as Implementation)]),
        function("math.isNaN", [("math_isNaN_double(double) -> bool", is_nan as Implementation)]),
        function("math.isFinite", [("math_isFinite_double(double) -> bool", is_finite as Implementation)]),
    ]
}

fn double(args: &[CelValue]) -> Result<f64, EvalError> {
    if let [CelValue::Double(value)] = args { Ok(*value) } else { Err(EvalError::no_overload()) }
}

fn ceil(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    double(args).map(|value| CelValue::Double(value.ceil()))
}

fn floor(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    double(args).map(|value| CelValue::Double(value.floor()))
}

fn round(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    double(args).map(|value| CelValue::Double(value.round()))
}

fn trunc(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    double(args).map(|value| CelValue::Double(value.trunc()))
}

fn is_inf(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    double(args).map(|value| CelValue::Bool(value.is_infinite()))
}

fn is_nan(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    double(args).map(|value| CelValue::Bool(value.is_nan()))
}

fn is_finite(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    double(args).map(|value| CelValue::Bool(value.is_finite()))
}

fn abs(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args {
        [CelValue::Double(value)] => Ok(CelValue::Double(value.abs())),
        [CelValue::Uint(value)] => Ok(CelValue::Uint(*value)),
        [CelValue::Int(value)] => value
            .checked_abs()
            .map(CelValue::Int)
            .ok_or_else(|| EvalError::new(ErrorKind::Overflow, "integer overflow")),
        _ => Err(EvalError::no_overload()),
    }
}

fn sign(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    Ok(match args {
        [CelValue::Double(value)] if *value == 0.0 => CelValue::Double(0.0), // without a sign of its own
        [CelValue::Double(value)] if value.is_nan() => CelValue::Double(*value),
        [CelValue::Double(value)] => CelValue::Double(value.signum()),
        [CelValue::Uint(value)] => CelValue::Uint(u64::from(*value > 0)),
        [CelValue::Int(value)] => CelValue::Int(value.signum()),
        _ => return Err(EvalError::no_overload()),
    })
}

#[allow(clippy::cast_precision_loss)]
fn sqrt(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let value = match args {
        [CelValue::Double(value)] => *value,
        [CelValue::Uint(value)] => *value as f64,
        [CelValue::Int(value)] => *value as f64,
        _ => return Err(EvalError::no_overload()),
    };
    Ok(CelValue::Double(value.sqrt()))
}

fn bits() -> Vec<FunctionDecl> {
    vec![
        function(
            "math.bitAnd",
            [
                ("math_bitAnd_int_int(int, int) -> int", and as Implementation),
                ("math_bitAnd_uint_uint(uint, uint) -> uint", and),
            ],
        ),
        function(
            "math.bitOr",
            [
                ("math_bitOr_int_int(int, int) -> int", or as Implementation),
                ("math_bitOr_uint_uint(uint, uint) -> uint", or),
            ],
        ),
        function(
            "math.bitXor",
            [
                ("math_bitXor_int_int(int, int) -> int", xor as Implementation),
                ("math_bitXor_uint_uint(uint, uint) -> uint", xor),
            ],
        ),
        function(
            "math.bitNot",
            [("math_bitNot_int_int(int) -> int", not as Implementation), ("math_bitNot_uint_uint(uint) -> uint", not)],
        ),
        function(
            "math.bitShiftLeft",
            [
                ("math_bitShiftLeft_int_int(int, int) -> int", shift_left as Implementation),
                ("math_bitShiftLeft_uint_int(uint, int) -> uint", shift_left),
            ],
        ),
        function(
            "math.bitShiftRight",
            [
                ("math_bitShiftRight_int_int(int, int) -> int", shift_right as Implementation),
                ("math_bitShiftRight_uint_int(uint, int) -> uint", shift_right),
            ],
        ),
    ]
}

fn bitwise(args: &[CelValue], code: fn(u64, u64) -> u64) -> Outcome {
    match args {
        [CelValue::Int(left), CelValue::Int(right)] => {
            Ok(CelValue::Int(code(left.cast_unsigned(), right.cast_unsigned()).cast_signed()))
        }
        [CelValue::Uint(left), CelValue::Uint(right)] => Ok(CelValue::Uint(code(*left, *right))),
        _ => Err(EvalError::no_overload()),
    }
}

fn and(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    bitwise(args, |left, right| left & right)
}

fn or(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    bitwise(args, |left, right| left | right)
}

fn xor(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    bitwise(args, |left, right| left ^ right)
}

fn not(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args {
        [CelValue::Int(value)] => Ok(CelValue::Int(!value)),
        [CelValue::Uint(value)] => Ok(CelValue::Uint(!value)),
        _ => Err(EvalError::no_overload()),
    }
}

/// Shifts by 64 and more leave nothing; the sign of an int is not kept.
fn shift(args: &[CelValue], name: &str, code: fn(u64, u32) -> Option<u64>) -> Outcome {
    let [value, CelValue::Int(count)] = args else { return Err(EvalError::no_overload()) };
    if *count < 0 {
        return Err(EvalError::invalid(format!("math.{name}() negative offset: {count}")));
    }
    let count = u32::try_from(*count).unwrap_or(u32::MAX);
    let shifted = |value: u64| code(value, count).unwrap_or(0);
    match value {
        CelValue::Int(value) => Ok(CelValue::Int(shifted(value.cast_unsigned()).cast_signed())),
        CelValue::Uint(value) => Ok(CelValue::Uint(shifted(*value))),
        _ => Err(EvalError::no_overload()),
    }
}

fn shift_left(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    shift(args, "bitShiftLeft", u64::checked_shl)
}

fn shift_right(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    shift(args, "bitShiftRight", u64::checked_shr)
}
