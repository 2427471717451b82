use super::{FunctionDecl, Outcome, catch_all, globals};
use crate::eval::{ErrorKind, EvalContext, EvalError};
use crate::operators;
use crate::value::{CelDuration, CelList, CelTimestamp, CelValue};

pub(super) fn functions() -> Vec<FunctionDecl> {
    vec![
        catch_all(operators::ADD, |context, args| binary(context, args, add), additions()),
        catch_all(operators::SUBTRACT, |context, args| binary(context, args, subtract), subtractions()),
        catch_all(
            operators::MULTIPLY,
            |context, args| binary(context, args, multiply),
            globals([
                "multiply_double(double, double) -> double",
                "multiply_int64(int, int) -> int",
                "multiply_uint64(uint, uint) -> uint",
            ]),
        ),
        catch_all(
            operators::DIVIDE,
            |context, args| binary(context, args, divide),
            globals([
                "divide_double(double, double) -> double",
                "divide_int64(int, int) -> int",
                "divide_uint64(uint, uint) -> uint",
            ]),
        ),
        catch_all(
            operators::MODULO,
            |context, args| binary(context, args, modulo),
            globals(["modulo_int64(int, int) -> int", "modulo_uint64(uint, uint) -> uint"]),
        ),
        catch_all(
            operators::NEGATE,
            |_, args| args.first().map_or_else(|| Err(EvalError::no_overload()), negate),
            globals(["negate_double(double) -> double", "negate_int64(int) -> int"]),
        ),
    ]
}

fn additions() -> Vec<crate::OverloadDecl> {
    globals([
        "add_bytes(bytes, bytes) -> bytes ~ concat",
        "add_double(double, double) -> double",
        "add_duration_duration(duration, duration) -> duration",
        "add_duration_timestamp(duration, timestamp) -> timestamp",
        "add_timestamp_duration(timestamp, duration) -> timestamp",
        "add_int64(int, int) -> int",
        "add_list(list(A), list(A)) -> list(A) ~ append",
        "add_string(string, string) -> string ~ concat",
        "add_uint64(uint, uint) -> uint",
    ])
}

fn subtractions() -> Vec<crate::OverloadDecl> {
    globals([
        "subtract_double(double, double) -> double",
        "subtract_duration_duration(duration, duration) -> duration",
        "subtract_int64(int, int) -> int",
        "subtract_timestamp_duration(timestamp, duration) -> timestamp",
        "subtract_timestamp_timestamp(timestamp, timestamp) -> duration",
        "subtract_uint64(uint, uint) -> uint",
    ])
}

fn binary(
    context: &mut EvalContext,
    args: &[CelValue],
    operation: fn(&mut EvalContext, &CelValue, &CelValue) -> Outcome,
) -> Outcome {
    match args {
        [left, right] => operation(context, left, right),
        _ => Err(EvalError::no_overload()),
    }
}

#[cold]
fn overflow(what: &'static str) -> EvalError {
    EvalError::new(ErrorKind::Overflow, what)
}

fn int(value: Option<i64>) -> Outcome {
    value.map(CelValue::Int).ok_or_else(|| overflow("integer overflow"))
}

fn uint(value: Option<u64>) -> Outcome {
    value.map(CelValue::Uint).ok_or_else(|| overflow("unsigned integer overflow"))
}

/// A moment some nanoseconds after another one, in the same offset from UTC.
fn shifted(moment: CelTimestamp, nanoseconds: i64) -> Outcome {
    let total = moment.total_nanoseconds() + i128::from(nanoseconds);
    let there = CelTimestamp::from_total_nanoseconds(total).ok_or_else(|| overflow("timestamp overflow"))?;
    Ok(CelValue::Timestamp(CelTimestamp { offset_seconds: moment.offset_seconds, ..there }))
}

fn duration(nanoseconds: Option<i64>) -> Outcome {
    nanoseconds.map(|value| CelValue::Duration(CelDuration(value))).ok_or_else(|| overflow("integer overflow"))
}

/// What an operator says about operands it does not take: its name where the left type does not know it at all. Strings
/// and times look for a method first, which ends without a name.
#[cold]
fn refuse(operator: &str, left: &CelValue, known: bool) -> EvalError {
    if known || matches!(left, CelValue::String(_)) || is_time(left) {
        return EvalError::no_overload();
    }
    super::no_overload(operator)
}

/// `left + right`
pub(crate) fn add(context: &mut EvalContext, left: &CelValue, right: &CelValue) -> Outcome {
    use CelValue as V;
    match (left, right) {
        (V::Int(left), V::Int(right)) => int(left.checked_add(*right)),
        (V::String(left), V::String(right)) => {
            context.allocate(left.len() + right.len())?;
            Ok(V::String(kro_value::format_smolstr!("{left}{right}")))
        }
        (V::Double(left), V::Double(right)) => Ok(V::Double(left + right)),
        (V::Uint(left), V::Uint(right)) => uint(left.checked_add(*right)),
        (V::List(left), V::List(right)) => add_lists(context, left, right).map(V::List),
        (V::Bytes(left), V::Bytes(right)) => {
            context.allocate(left.len() + right.len())?;
            Ok(V::Bytes([&**left, &**right].concat().into()))
        }
        (V::Duration(left), V::Duration(right)) => duration(left.0.checked_add(right.0)),
        (V::Timestamp(moment), V::Duration(span)) | (V::Duration(span), V::Timestamp(moment)) => {
            shifted(*moment, span.0)
        }
        _ => Err(refuse(operators::ADD, left, is_number(left) || matches!(left, V::Bytes(_) | V::List(_)))),
    }
}

/// Two lists one after the other; lists of a schema that merge are merged.
fn add_lists(context: &mut EvalContext, left: &CelList, right: &CelList) -> Result<CelList, EvalError> {
    if let Some(merged) = crate::view::merged(context, left, right) {
        return merged;
    }
    context.allocate_items(left.len() + right.len())?;
    let mut items = Vec::with_capacity(left.len() + right.len());
    for item in left.iter().chain(right.iter()) {
        items.push(item?);
    }
    Ok(items.into())
}

/// `left - right`
pub(crate) fn subtract(_: &mut EvalContext, left: &CelValue, right: &CelValue) -> Outcome {
    use CelValue as V;
    match (left, right) {
        (V::Int(left), V::Int(right)) => int(left.checked_sub(*right)),
        (V::Double(left), V::Double(right)) => Ok(V::Double(left - right)),
        (V::Uint(left), V::Uint(right)) => uint(left.checked_sub(*right)),
        (V::Duration(left), V::Duration(right)) => duration(left.0.checked_sub(right.0)),
        (V::Timestamp(moment), V::Duration(span)) => match span.0.checked_neg() {
            Some(back) => shifted(*moment, back),
            None => Err(overflow("integer overflow")),
        },
        (V::Timestamp(left), V::Timestamp(right)) => {
            duration(i64::try_from(left.total_nanoseconds() - right.total_nanoseconds()).ok())
        }
        _ => Err(refuse(operators::SUBTRACT, left, is_number(left))),
    }
}

/// `left * right`
pub(crate) fn multiply(_: &mut EvalContext, left: &CelValue, right: &CelValue) -> Outcome {
    use CelValue as V;
    match (left, right) {
        (V::Int(left), V::Int(right)) => int(left.checked_mul(*right)),
        (V::Double(left), V::Double(right)) => Ok(V::Double(left * right)),
        (V::Uint(left), V::Uint(right)) => uint(left.checked_mul(*right)),
        _ => Err(refuse(operators::MULTIPLY, left, is_number(left))),
    }
}

/// `left / right`
pub(crate) fn divide(_: &mut EvalContext, left: &CelValue, right: &CelValue) -> Outcome {
    use CelValue as V;
    match (left, right) {
        (V::Int(_), V::Int(0)) | (V::Uint(_), V::Uint(0)) => {
            Err(EvalError::new(ErrorKind::DivisionByZero, "division by zero"))
        }
        (V::Int(left), V::Int(right)) => int(left.checked_div(*right)),
        (V::Double(left), V::Double(right)) => Ok(V::Double(left / right)),
        (V::Uint(left), V::Uint(right)) => uint(left.checked_div(*right)),
        _ => Err(refuse(operators::DIVIDE, left, is_number(left))),
    }
}

/// `left % right`
pub(crate) fn modulo(_: &mut EvalContext, left: &CelValue, right: &CelValue) -> Outcome {
    use CelValue as V;
    match (left, right) {
        (V::Int(_), V::Int(0)) | (V::Uint(_), V::Uint(0)) => {
            Err(EvalError::new(ErrorKind::DivisionByZero, "modulus by zero"))
        }
        (V::Int(left), V::Int(right)) => int(left.checked_rem(*right)),
        (V::Uint(left), V::Uint(right)) => uint(left.checked_rem(*right)),
        _ => Err(refuse(operators::MODULO, left, matches!(left, V::Int(_) | V::Uint(_)))),
    }
}

/// `-value`
pub(crate) fn negate(value: &CelValue) -> Outcome {
    match value {
        CelValue::Int(value) => int(value.checked_neg()),
        CelValue::Double(value) => Ok(CelValue::Double(-value)),
        CelValue::Duration(value) => duration(value.0.checked_neg()),
        _ => Err(refuse(operators::NEGATE, value, matches!(value, CelValue::Bool(_)))),
    }
}

fn is_number(value: &CelValue) -> bool {
    matches!(value, CelValue::Int(_) | CelValue::Uint(_) | CelValue::Double(_))
}

fn is_time(value: &CelValue) -> bool {
    matches!(value, CelValue::Timestamp(_) | CelValue::Duration(_))
}
