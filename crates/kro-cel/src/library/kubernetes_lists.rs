use std::cmp::Ordering;

use super::{Outcome, members, method};
use crate::Implementation;
use crate::declarations::{FunctionDecl, Library};
use crate::eval::{EvalContext, EvalError};
use crate::value::{CelDuration, CelValue, compare, try_equal};

/// The list functions of Kubernetes.
pub fn kubernetes_lists() -> Library {
    Library::new(
        "kubernetes.lists",
        [
            sorted_overloads(),
            method(
                "sum",
                [
                    (
                        "list_int_sum_int(list(int)) -> int ~ elements | one",
                        (|context, args| sum(context, args, CelValue::Int(0))) as Implementation,
                    ),
                    ("list_uint_sum_uint(list(uint)) -> uint ~ elements | one", |context, args| {
                        sum(context, args, CelValue::Uint(0))
                    }),
                    ("list_double_sum_double(list(double)) -> double ~ elements | one", |context, args| {
                        sum(context, args, CelValue::Double(0.0))
                    }),
                    ("list_duration_sum_duration(list(duration)) -> duration ~ elements | one", |context, args| {
                        sum(context, args, CelValue::Duration(CelDuration(0)))
                    }),
                ],
            ),
            extremes(
                "max",
                |context, args| extreme(context, args, "max", Ordering::Less),
                [
                    "list_int_max_int(list(int)) -> int ~ elements | one",
                    "list_uint_max_uint(list(uint)) -> uint ~ elements | one",
                    "list_double_max_double(list(double)) -> double ~ elements | one",
                    "list_bool_max_bool(list(bool)) -> bool ~ elements | one",
                    "list_duration_max_duration(list(duration)) -> duration ~ elements | one",
                    "list_timestamp_max_timestamp(list(timestamp)) -> timestamp ~ elements | one",
                    "list_string_max_string(list(string)) -> string ~ elements | one",
                    "list_bytes_max_bytes(list(bytes)) -> bytes ~ elements | one",
                ],
            ),
            extremes(
                "min",
                |context, args| extreme(context, args, "min", Ordering::Greater),
                [
                    "list_int_min_int(list(int)) -> int ~ elements | one",
                    "list_uint_min_uint(list(uint)) -> uint ~ elements | one",
                    "list_double_min_double(list(double)) -> double ~ elements | one",
                    "list_bool_min_bool(list(bool)) -> bool ~ elements | one",
                    "list_duration_min_duration(list(duration)) -> duration ~ elements | one",
                    "list_timestamp_min_timestamp(list(timestamp)) -> timestamp ~ elements | one",
                    "list_string_min_string(list(string)) -> string ~ elements | one",
                    "list_bytes_min_bytes(list(bytes)) -> bytes ~ elements | one",
                ],
            ),
            method(
                "indexOf",
                [(
                    "list_a_index_of_int(list(A), A) -> int ~ elements | one",
                    (|context, args| position(context, args, false)) as Implementation,
                )],
            ),
            method(
                "lastIndexOf",
                [(
                    "list_a_last_index_of_int(list(A), A) -> int ~ elements | one",
                    (|context, args| position(context, args, true)) as Implementation,
                )],
            ),
        ],
    )
}

fn sorted_overloads() -> FunctionDecl {
    extremes(
        "isSorted",
        is_sorted,
        [
            "list_int_is_sorted_bool(list(int)) -> bool ~ elements | one",
            "list_uint_is_sorted_bool(list(uint)) -> bool ~ elements | one",
            "list_double_is_sorted_bool(list(double)) -> bool ~ elements | one",
            "list_bool_is_sorted_bool(list(bool)) -> bool ~ elements | one",
            "list_duration_is_sorted_bool(list(duration)) -> bool ~ elements | one",
            "list_timestamp_is_sorted_bool(list(timestamp)) -> bool ~ elements | one",
            "list_string_is_sorted_bool(list(string)) -> bool ~ elements | one",
            "list_bytes_is_sorted_bool(list(bytes)) -> bool ~ elements | one",
        ],
    )
}

/// Overloads for every ordered type, with one code.
fn extremes(name: &'static str, code: Implementation, signatures: [&'static str; 8]) -> FunctionDecl {
    FunctionDecl::new(name, members(signatures).into_iter().map(|overload| overload.with(code)))
}

fn is_sorted(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    context.charge(list.len() as u64)?;
    let mut previous: Option<CelValue> = None;
    for item in list.iter() {
        let item = item?;
        if !is_ordered(&item) {
            return Err(EvalError::no_overload());
        }
        if previous.is_some_and(|previous| compare(&previous, &item) == Some(Ordering::Greater)) {
            return Ok(CelValue::Bool(false));
        }
        previous = Some(item);
    }
    Ok(CelValue::Bool(true))
}

fn sum(context: &mut EvalContext, args: &[CelValue], zero: CelValue) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    context.charge(list.len() as u64)?;
    let mut total = zero;
    for item in list.iter() {
        total = super::add(context, &total, &item?)?;
    }
    Ok(total)
}

/// True for values of types with an order, even if two of them have none between them.
fn is_ordered(value: &CelValue) -> bool {
    use CelValue::{Bool, Bytes, Double, Duration, Int, String, Timestamp, Uint};
    matches!(value, Bool(_) | Int(_) | Uint(_) | Double(_) | String(_) | Bytes(_) | Timestamp(_) | Duration(_))
}

/// The first item that no other one beats. Items that cannot be compared with it are passed over.
fn extreme(context: &mut EvalContext, args: &[CelValue], name: &str, beaten: Ordering) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    context.charge(list.len() as u64)?;
    let mut best: Option<CelValue> = None;
    for item in list.iter() {
        let item = item?;
        if !is_ordered(&item) {
            return Err(EvalError::no_overload());
        }
        let replace = best.as_ref().is_none_or(|best| compare(best, &item) == Some(beaten));
        if replace {
            best = Some(item);
        }
    }
    best.ok_or_else(|| EvalError::invalid(format!("{name} called on empty list")))
}

fn position(context: &mut EvalContext, args: &[CelValue], from_end: bool) -> Outcome {
    let [CelValue::List(list), wanted] = args else { return Err(EvalError::no_overload()) };
    context.charge(list.len() as u64)?;
    for step in 0..list.len() {
        let index = if from_end { list.len() - 1 - step } else { step };
        let item = list.get(index).unwrap_or(Ok(CelValue::Null))?;
        if try_equal(context, &item, wanted)? {
            return Ok(CelValue::Int(i64::try_from(index).unwrap_or(i64::MAX)));
        }
    }
    Ok(CelValue::Int(-1))
}
