use std::cmp::Ordering;

use super::{FunctionDecl, Outcome, catch_all, globals};
use crate::declarations::OverloadDecl;
use crate::eval::{EvalContext, EvalError};
use crate::operators;
use crate::value::{CelList, CelMap, CelValue, compare, try_equal};

pub(super) fn functions() -> Vec<FunctionDecl> {
    vec![
        catch_all(operators::LESS, |_, args| ordered(args, operators::LESS), overloads(LESS)),
        catch_all(operators::LESS_EQUALS, |_, args| ordered(args, operators::LESS_EQUALS), overloads(LESS_EQUALS)),
        catch_all(operators::GREATER, |_, args| ordered(args, operators::GREATER), overloads(GREATER)),
        catch_all(
            operators::GREATER_EQUALS,
            |_, args| ordered(args, operators::GREATER_EQUALS),
            overloads(GREATER_EQUALS),
        ),
        catch_all(
            operators::EQUALS,
            |context, args| equals(context, args, true),
            globals(["equals(A, A) -> bool ~ compare"]),
        ),
        catch_all(
            operators::NOT_EQUALS,
            |context, args| equals(context, args, false),
            globals(["not_equals(A, A) -> bool ~ compare"]),
        ),
        catch_all(
            operators::IN,
            |context, args| match args {
                [item, container] => contains_item(context, item, container).map(CelValue::Bool),
                _ => Err(EvalError::no_overload()),
            },
            globals(["in_list(A, list(A)) -> bool ~ items 1", "in_map(A, map(A, B)) -> bool"]),
        ),
        catch_all(operators::LOGICAL_AND, strict, globals(["logical_and(bool, bool) -> bool ~ free"])),
        catch_all(operators::LOGICAL_OR, strict, globals(["logical_or(bool, bool) -> bool ~ free"])),
        catch_all(operators::CONDITIONAL, strict, globals(["conditional(bool, A, A) -> A ~ free"])),
        catch_all(
            operators::LOGICAL_NOT,
            |_, args| match args {
                [CelValue::Bool(value)] => Ok(CelValue::Bool(!value)),
                _ => Err(EvalError::no_overload()),
            },
            globals(["logical_not(bool) -> bool"]),
        ),
        catch_all(
            operators::NOT_STRICTLY_FALSE,
            |_, args| Ok(CelValue::Bool(!matches!(args, [CelValue::Bool(false)]))),
            globals(["not_strictly_false(bool) -> bool"]),
        ),
    ]
}

/// The parts of the four operators' ids.
const LESS: [&str; 14] = [
    "less_bool(bool, bool) -> bool",
    "less_int64(int, int) -> bool",
    "less_int64_double(int, double) -> bool",
    "less_int64_uint64(int, uint) -> bool",
    "less_uint64(uint, uint) -> bool",
    "less_uint64_double(uint, double) -> bool",
    "less_uint64_int64(uint, int) -> bool",
    "less_double(double, double) -> bool",
    "less_double_int64(double, int) -> bool",
    "less_double_uint64(double, uint) -> bool",
    "less_string(string, string) -> bool ~ compare",
    "less_bytes(bytes, bytes) -> bool ~ compare",
    "less_timestamp(timestamp, timestamp) -> bool",
    "less_duration(duration, duration) -> bool",
];
const LESS_EQUALS: [&str; 14] = [
    "less_equals_bool(bool, bool) -> bool",
    "less_equals_int64(int, int) -> bool",
    "less_equals_int64_double(int, double) -> bool",
    "less_equals_int64_uint64(int, uint) -> bool",
    "less_equals_uint64(uint, uint) -> bool",
    "less_equals_uint64_double(uint, double) -> bool",
    "less_equals_uint64_int64(uint, int) -> bool",
    "less_equals_double(double, double) -> bool",
    "less_equals_double_int64(double, int) -> bool",
    "less_equals_double_uint64(double, uint) -> bool",
    "less_equals_string(string, string) -> bool ~ compare",
    "less_equals_bytes(bytes, bytes) -> bool ~ compare",
    "less_equals_timestamp(timestamp, timestamp) -> bool",
    "less_equals_duration(duration, duration) -> bool",
];
const GREATER: [&str; 14] = [
    "greater_bool(bool, bool) -> bool",
    "greater_int64(int, int) -> bool",
    "greater_int64_double(int, double) -> bool",
    "greater_int64_uint64(int, uint) -> bool",
    "greater_uint64(uint, uint) -> bool",
    "greater_uint64_double(uint, double) -> bool",
    "greater_uint64_int64(uint, int) -> bool",
    "greater_double(double, double) -> bool",
    "greater_double_int64(double, int) -> bool",
    "greater_double_uint64(double, uint) -> bool",
    "greater_string(string, string) -> bool ~ compare",
    "greater_bytes(bytes, bytes) -> bool ~ compare",
    "greater_timestamp(timestamp, timestamp) -> bool",
    "greater_duration(duration, duration) -> bool",
];
const GREATER_EQUALS: [&str; 14] = [
    "greater_equals_bool(bool, bool) -> bool",
    "greater_equals_int64(int, int) -> bool",
    "greater_equals_int64_double(int, double) -> bool",
    "greater_equals_int64_uint64(int, uint) -> bool",
    "greater_equals_uint64(uint, uint) -> bool",
    "greater_equals_uint64_double(uint, double) -> bool",
    "greater_equals_uint64_int64(uint, int) -> bool",
    "greater_equals_double(double, double) -> bool",
    "greater_equals_double_int64(double, int) -> bool",
    "greater_equals_double_uint64(double, uint) -> bool",
    "greater_equals_string(string, string) -> bool ~ compare",
    "greater_equals_bytes(bytes, bytes) -> bool ~ compare",
    "greater_equals_timestamp(timestamp, timestamp) -> bool",
    "greater_equals_duration(duration, duration) -> bool",
];

fn overloads(signatures: [&'static str; 14]) -> Vec<OverloadDecl> {
    globals(signatures)
}

/// The logical operators and the conditional are part of the evaluator; as plain functions they take nothing.
fn strict(_: &mut EvalContext, _: &[CelValue]) -> Outcome {
    Err(EvalError::no_overload())
}

fn ordered(args: &[CelValue], operator: &'static str) -> Outcome {
    let [left, right] = args else { return Err(EvalError::no_overload()) };
    let order = order(operator, left, right)?;
    Ok(CelValue::Bool(order.is_some_and(|order| match operator {
        operators::LESS => order.is_lt(),
        operators::LESS_EQUALS => order.is_le(),
        operators::GREATER => order.is_gt(),
        _ => order.is_ge(),
    })))
}

/// The order of two values that a comparison operator takes; `None` if one is NaN, for which every comparison is false.
#[inline]
pub(crate) fn order(operator: &str, left: &CelValue, right: &CelValue) -> Result<Option<Ordering>, EvalError> {
    match compare(left, right) {
        Some(order) => Ok(Some(order)),
        None => unordered(operator, left, right),
    }
}

#[cold]
fn unordered(operator: &str, left: &CelValue, right: &CelValue) -> Result<Option<Ordering>, EvalError> {
    use CelValue as V;
    let nan = |value: &V| matches!(value, V::Double(value) if value.is_nan());
    match left {
        V::Null | V::List(_) | V::Map(_) | V::Type(_) | V::Optional(_) | V::Opaque(_) => {
            Err(super::no_overload(operator))
        }
        _ if nan(left) || nan(right) => Ok(None),
        _ => Err(EvalError::no_overload()),
    }
}

fn equals(context: &mut EvalContext, args: &[CelValue], wanted: bool) -> Outcome {
    match args {
        [left, right] => equality(context, left, right, wanted).map(CelValue::Bool),
        _ => Err(EvalError::no_overload()),
    }
}

/// `left == right`, or `left != right` where they are not wanted equal.
pub(crate) fn equality(
    context: &mut EvalContext,
    left: &CelValue,
    right: &CelValue,
    wanted: bool,
) -> Result<bool, EvalError> {
    // as in the reference, it is an error to take such values for equal, and none to take them for different
    if wanted && !matches!(right, CelValue::Null) && refuses(left, right) {
        return Err(EvalError::no_overload());
    }
    Ok(try_equal(context, left, right)? == wanted)
}

/// True for a value of a Kubernetes library beside one of another type. Inside of containers they are just different.
fn refuses(left: &CelValue, right: &CelValue) -> bool {
    match (left, right) {
        (CelValue::Optional(Some(left)), CelValue::Optional(Some(right))) => refuses(left, right),
        (CelValue::Opaque(left), CelValue::Opaque(right)) if left.type_name() == right.type_name() => false,
        (CelValue::Opaque(left), _) => left.is_of_kubernetes(),
        _ => false,
    }
}

/// `item in container`
pub(crate) fn contains_item(
    context: &mut EvalContext,
    item: &CelValue,
    container: &CelValue,
) -> Result<bool, EvalError> {
    match container {
        CelValue::List(list) => list_contains(context, list, item),
        CelValue::Map(map) => map_contains(map, item),
        _ => Err(EvalError::no_overload()),
    }
}

fn list_contains(context: &mut EvalContext, list: &CelList, item: &CelValue) -> Result<bool, EvalError> {
    context.charge(list.len() as u64)?;
    if let CelList::Built(items) = list {
        for other in items.iter() {
            if try_equal(context, other, item)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    for other in list.iter() {
        if try_equal(context, &other?, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn map_contains(map: &CelMap, key: &CelValue) -> Result<bool, EvalError> {
    map.get(key).transpose().map(|value| value.is_some())
}
