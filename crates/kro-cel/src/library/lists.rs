use super::{FunctionDecl, Outcome, catch_all, function, members, method, no_overload};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::macros;
use crate::value::{CelList, CelValue, compare, try_equal};

/// The longest list that `lists.range` makes.
const RANGE_MAX: i64 = 1_000_000;

/// cel-go's lists, in their latest version.
pub fn lists() -> Library {
    Library::new(
        "lists",
        [
            method("slice", [("list_slice(list(T), int, int) -> list(T) ~ list | list", slice as Implementation)]),
            catch_all(
                "flatten",
                flatten,
                members([
                    "list_flatten(list(list(T))) -> list(T) ~ flatten | list",
                    "list_flatten_int(list(dyn), int) -> list(dyn) ~ everything | list",
                ]),
            ),
            catch_all("sort", sort, sorts()),
            catch_all("@sortByAssociatedKeys", sort_by_keys, sorts_by_keys()),
            function("lists.range", [("lists_range(int) -> list(int) ~ range_of | list", range as Implementation)]),
            method("reverse", [("list_reverse(list(T)) -> list(T) ~ list | list", reverse as Implementation)]),
            method(
                "distinct",
                [("list_distinct(list(T)) -> list(T) ~ distinct | pairwise", distinct as Implementation)],
            ),
        ],
    )
    .with_macros(macros::SORT_BY)
}

fn sorts() -> Vec<crate::OverloadDecl> {
    members([
        "list_int_sort(list(int)) -> list(int) ~ list | pairwise",
        "list_uint_sort(list(uint)) -> list(uint) ~ list | pairwise",
        "list_double_sort(list(double)) -> list(double) ~ list | pairwise",
        "list_bool_sort(list(bool)) -> list(bool) ~ list | pairwise",
        "list_google.protobuf.Duration_sort(list(duration)) -> list(duration) ~ list | pairwise",
        "list_google.protobuf.Timestamp_sort(list(timestamp)) -> list(timestamp) ~ list | pairwise",
        "list_string_sort(list(string)) -> list(string) ~ list | pairwise",
        "list_bytes_sort(list(bytes)) -> list(bytes) ~ list | pairwise",
    ])
}

fn sorts_by_keys() -> Vec<crate::OverloadDecl> {
    members([
        "list_int_sortByAssociatedKeys(list(T), list(int)) -> list(T) ~ list | pairwise 1",
        "list_uint_sortByAssociatedKeys(list(T), list(uint)) -> list(T) ~ list | pairwise 1",
        "list_double_sortByAssociatedKeys(list(T), list(double)) -> list(T) ~ list | pairwise 1",
        "list_bool_sortByAssociatedKeys(list(T), list(bool)) -> list(T) ~ list | pairwise 1",
        "list_google.protobuf.Duration_sortByAssociatedKeys(list(T), list(duration)) -> list(T) ~ list | pairwise 1",
        "list_google.protobuf.Timestamp_sortByAssociatedKeys(list(T), list(timestamp)) -> list(T) ~ list | pairwise 1",
        "list_string_sortByAssociatedKeys(list(T), list(string)) -> list(T) ~ list | pairwise 1",
        "list_bytes_sortByAssociatedKeys(list(T), list(bytes)) -> list(T) ~ list | pairwise 1",
    ])
}

fn slice(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list), CelValue::Int(start), CelValue::Int(end)] = args else {
        return Err(EvalError::no_overload());
    };
    let refuse = |problem: String| Err(EvalError::invalid(format!("cannot slice({start}, {end}), {problem}")));
    if *start < 0 || *end < 0 {
        return refuse("negative indexes not supported".to_owned());
    }
    if start > end {
        return refuse("start index must be less than or equal to end index".to_owned());
    }
    let (first, last) = (usize::try_from(*start).unwrap_or(usize::MAX), usize::try_from(*end).unwrap_or(usize::MAX));
    if list.len() < last {
        return refuse(format!("list is length {}", list.len()));
    }
    context.allocate_items(last - first)?;
    collect((first..last).filter_map(|index| list.get(index)))
}

fn collect(items: impl Iterator<Item = Result<CelValue, EvalError>>) -> Outcome {
    Ok(CelValue::list(items.collect::<Result<Vec<_>, _>>()?))
}

fn flatten(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (list, depth) = match args {
        [CelValue::List(list)] => (list, 1),
        [CelValue::List(list), CelValue::Int(depth)] => (list, *depth),
        [other, rest @ ..] => {
            let given = match other {
                CelValue::Map(_) => "map(dyn, dyn)",
                CelValue::Optional(_) => "optional_type(dyn)",
                other => other.type_name(),
            };
            return Err(no_overload(&format!("{given}.flatten({})", rest.first().map_or("", CelValue::type_name))));
        }
        [] => return Err(EvalError::no_overload()),
    };
    if depth < 0 {
        return Err(EvalError::invalid("level must be non-negative"));
    }
    let mut flat = Vec::new();
    flatten_into(context, list, depth, &mut flat)?;
    Ok(CelValue::list(flat))
}

fn flatten_into(
    context: &mut EvalContext,
    list: &CelList,
    depth: i64,
    flat: &mut Vec<CelValue>,
) -> Result<(), EvalError> {
    context.allocate_items(list.len())?;
    for item in list.iter() {
        match item? {
            CelValue::List(inner) if depth > 0 => flatten_into(context, &inner, depth - 1, flat)?,
            other => flat.push(other),
        }
    }
    Ok(())
}

fn sort(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args {
        [CelValue::List(list)] => sorted(context, list, list),
        [CelValue::String(_) | CelValue::Timestamp(_) | CelValue::Duration(_)] => Err(EvalError::no_overload()),
        _ => Err(no_overload("sort")),
    }
}

fn sort_by_keys(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list), CelValue::List(keys)] = args else {
        return Err(no_overload("@sortByAssociatedKeys"));
    };
    sorted(context, list, keys)
}

fn is_comparable(value: &CelValue) -> bool {
    !matches!(
        value,
        CelValue::Null
            | CelValue::List(_)
            | CelValue::Map(_)
            | CelValue::Type(_)
            | CelValue::Optional(_)
            | CelValue::Opaque(_)
    )
}

/// The items in the order of their keys; items with equal keys stay in their order.
fn sorted(context: &mut EvalContext, list: &CelList, keys: &CelList) -> Outcome {
    let count = list.len();
    if count != keys.len() {
        return Err(EvalError::invalid(format!(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got {count} and \
             {} elements respectively",
            keys.len()
        )));
    }
    context.allocate_items(2 * count)?;
    context.charge(count as u64 * u64::from(count.max(2).ilog2()))?;
    let keys = keys.to_vec()?;
    let Some(first) = keys.first() else { return Ok(CelValue::List(list.clone())) };
    if !is_comparable(first) {
        return Err(EvalError::invalid("list elements must be comparable"));
    }
    if keys.iter().any(|key| key.type_name() != first.type_name()) {
        return Err(EvalError::invalid("list elements must have the same type"));
    }
    let mut keyed: Vec<(CelValue, CelValue)> = keys.into_iter().zip(list.to_vec()?).collect();
    keyed.sort_by(|left, right| compare(&left.0, &right.0).unwrap_or(std::cmp::Ordering::Equal));
    Ok(CelValue::list(keyed.into_iter().map(|(_, item)| item)))
}

fn range(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Int(size)] = args else { return Err(EvalError::no_overload()) };
    if *size < 0 {
        return Err(EvalError::invalid(format!("lists.range: size must be non-negative, got {size}")));
    }
    if *size > RANGE_MAX {
        let text = format!("lists.range: size {size} exceeds maximum allowed ({RANGE_MAX})");
        return Err(EvalError::invalid(text));
    }
    context.allocate_items(usize::try_from(*size).unwrap_or(usize::MAX))?;
    Ok(CelValue::list((0..*size).map(CelValue::Int)))
}

fn reverse(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    context.allocate_items(list.len())?;
    collect((0..list.len()).rev().filter_map(|index| list.get(index)))
}

fn distinct(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    let mut kept: Vec<CelValue> = Vec::new();
    for item in list.iter() {
        let item = item?;
        let mut known = false;
        for other in &kept {
            context.charge(1)?;
            if try_equal(context, other, &item)? {
                known = true;
                break;
            }
        }
        if !known {
            context.allocate_items(1)?;
            kept.push(item);
        }
    }
    Ok(CelValue::list(kept))
}

/// The functions of two-variable comprehensions.
pub fn two_variable_comprehensions() -> Library {
    Library::new("comprehensions", super::aggregates::comprehension_functions()).with_macros(macros::TWO_VARIABLES)
}

/// `cel.bind`
pub fn bindings() -> Library {
    Library::new("bindings", Vec::<FunctionDecl>::new()).with_macros(macros::BINDINGS)
}
