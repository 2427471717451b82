use std::cmp::Ordering;

use super::{CelList, CelMap, CelValue, Opaque};
use crate::eval::{ErrorKind, EvalContext, EvalError};

/// True when two values are equal for the language: numbers across types, containers by content. Values of types that
/// cannot be equal are different; NaN equals nothing. A value that does not fit its schema equals nothing.
pub fn equal(left: &CelValue, right: &CelValue) -> bool {
    try_equal(&mut EvalContext::unlimited(), left, right).unwrap_or(false)
}

/// The order of two values of one kind (numbers across types): `None` for kinds without an order and for NaN.
pub fn compare(left: &CelValue, right: &CelValue) -> Option<Ordering> {
    match (left, right) {
        (CelValue::Int(left), CelValue::Int(right)) => Some(left.cmp(right)),
        (CelValue::String(left), CelValue::String(right)) => Some(left.cmp(right)),
        (CelValue::Bytes(left), CelValue::Bytes(right)) => Some(left.cmp(right)),
        (CelValue::Bool(left), CelValue::Bool(right)) => Some(left.cmp(right)),
        (CelValue::Timestamp(left), CelValue::Timestamp(right)) => Some(left.cmp(right)),
        (CelValue::Duration(left), CelValue::Duration(right)) => Some(left.cmp(right)),
        _ => compare_numbers(left, right),
    }
}

fn compare_numbers(left: &CelValue, right: &CelValue) -> Option<Ordering> {
    match (left, right) {
        (CelValue::Int(left), CelValue::Int(right)) => Some(left.cmp(right)),
        (CelValue::Uint(left), CelValue::Uint(right)) => Some(left.cmp(right)),
        (CelValue::Double(left), CelValue::Double(right)) => left.partial_cmp(right),
        (CelValue::Int(left), CelValue::Uint(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        (CelValue::Uint(left), CelValue::Int(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        (CelValue::Double(left), CelValue::Int(right)) => compare_double(*left, i128::from(*right)),
        (CelValue::Double(left), CelValue::Uint(right)) => compare_double(*left, i128::from(*right)),
        (CelValue::Int(left), CelValue::Double(right)) => {
            compare_double(*right, i128::from(*left)).map(Ordering::reverse)
        }
        (CelValue::Uint(left), CelValue::Double(right)) => {
            compare_double(*right, i128::from(*left)).map(Ordering::reverse)
        }
        _ => None,
    }
}

/// The integer is rounded to a double first, as in the reference: beyond 2^53 neighbours are equal.
#[allow(clippy::cast_precision_loss)]
fn compare_double(double: f64, integer: i128) -> Option<Ordering> {
    double.partial_cmp(&(integer as f64))
}

/// The double as a signed integer, if it is one exactly.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn exact_i64(double: f64) -> Option<i64> {
    let fits = double.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&double);
    fits.then_some(double as i64)
}

/// The double as an unsigned integer, if it is one exactly.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn exact_u64(double: f64) -> Option<u64> {
    let fits = double.fract() == 0.0 && (0.0..18_446_744_073_709_551_616.0).contains(&double);
    fits.then_some(double as u64)
}

/// Equality with its cost charged and errors kept.
pub(crate) fn try_equal(context: &mut EvalContext, left: &CelValue, right: &CelValue) -> Result<bool, EvalError> {
    Ok(match (left, right) {
        (CelValue::Opaque(Opaque::Omit), _) => return Err(omit_compared()),
        (CelValue::Null, CelValue::Null) => true,
        (CelValue::Bool(left), CelValue::Bool(right)) => left == right,
        (CelValue::String(left), CelValue::String(right)) => left == right,
        (CelValue::Bytes(left), CelValue::Bytes(right)) => left == right,
        (CelValue::Timestamp(left), CelValue::Timestamp(right)) => left == right,
        (CelValue::Duration(left), CelValue::Duration(right)) => left == right,
        (CelValue::Type(left), CelValue::Type(right)) => left == right,
        (CelValue::List(left), CelValue::List(right)) => lists_equal(context, left, right)?,
        (CelValue::Map(left), CelValue::Map(right)) => maps_equal(context, left, right)?,
        (CelValue::Optional(left), CelValue::Optional(right)) => match (left, right) {
            (Some(left), Some(right)) => try_equal(context, left, right)?,
            (None, None) => true,
            _ => false,
        },
        (CelValue::Opaque(left), CelValue::Opaque(right)) => left.equals(right),
        _ => compare_numbers(left, right) == Some(Ordering::Equal),
    })
}

fn omit_compared() -> EvalError {
    EvalError::new(ErrorKind::InvalidArgument, "omit() is a field-removal sentinel and cannot be compared")
}

fn lists_equal(context: &mut EvalContext, left: &CelList, right: &CelList) -> Result<bool, EvalError> {
    if left.len() != right.len() {
        return Ok(false);
    }
    context.charge(left.len() as u64)?;
    if let (CelList::Json(left), CelList::Json(right)) = (left, right) {
        return Ok(left == right);
    }
    if let Some(verdict) = crate::view::unordered_equal(context, left, right) {
        return verdict;
    }
    for (left, right) in left.iter().zip(right.iter()) {
        if !try_equal(context, &left?, &right?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn maps_equal(context: &mut EvalContext, left: &CelMap, right: &CelMap) -> Result<bool, EvalError> {
    if left.len() != right.len() {
        return Ok(false);
    }
    context.charge(left.len() as u64)?;
    if let (CelMap::Json(left), CelMap::Json(right)) = (left, right) {
        return Ok(left == right);
    }
    for (key, value) in left.entries()? {
        let Some(other) = right.get(&key.to_value()) else { return Ok(false) };
        if !try_equal(context, &value, &other?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_across_types() {
        for (left, right, order) in [
            (CelValue::Int(1), CelValue::Double(1.0), Some(Ordering::Equal)),
            (CelValue::Int(i64::MAX), CelValue::Double(9_223_372_036_854_775_807.0), Some(Ordering::Equal)),
            (CelValue::Uint(u64::MAX), CelValue::Double(1e300), Some(Ordering::Less)),
            (CelValue::Int(-1), CelValue::Uint(0), Some(Ordering::Less)),
            (CelValue::Double(-0.5), CelValue::Int(-1), Some(Ordering::Greater)),
            (CelValue::Double(f64::NAN), CelValue::Int(0), None),
            (CelValue::Double(f64::NEG_INFINITY), CelValue::Int(i64::MIN), Some(Ordering::Less)),
            (CelValue::Null, CelValue::Null, None),
        ] {
            assert_eq!(compare(&left, &right), order, "{left:?} {right:?}");
            assert_eq!(compare(&right, &left), order.map(Ordering::reverse), "{right:?} {left:?}");
        }
    }
}
