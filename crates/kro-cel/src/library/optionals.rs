use super::{Outcome, catch_all, function, global, globals, members, method};
use crate::Implementation;
use crate::declarations::{FunctionDecl, Library};
use crate::eval::{EvalContext, EvalError};
use crate::macros;
use crate::operators;
use crate::types::Type;
use crate::value::CelValue;

/// Optional values, in their latest version. The optional syntax itself is switched on at the environment.
pub fn optionals() -> Library {
    Library::new(
        "optional",
        [
            function("optional.of", [("optional_of(V) -> optional_type(V)", of as Implementation)]),
            function(
                "optional.ofNonZeroValue",
                [("optional_ofNonZeroValue(V) -> optional_type(V)", of_non_zero as Implementation)],
            ),
            function(
                "optional.none",
                [("optional_none() -> optional_type(V)", (|_, _| Ok(CelValue::none())) as Implementation)],
            ),
            method("value", [("optional_value(optional_type(V)) -> V", value as Implementation)]),
            method("hasValue", [("optional_hasValue(optional_type(V)) -> bool", has_value as Implementation)]),
            FunctionDecl::new(
                "or",
                members(["optional_or_optional(optional_type(V), optional_type(V)) -> optional_type(V)"]),
            ),
            FunctionDecl::new("orValue", members(["optional_orValue_value(optional_type(V), V) -> V"])),
            function(
                "optional.unwrap",
                [("optional_unwrap(list(optional_type(V))) -> list(V) ~ list | one", unwrap_all as Implementation)],
            ),
            method(
                "unwrapOpt",
                [("optional_unwrapOpt(list(optional_type(V))) -> list(V) ~ list | one", unwrap_all as Implementation)],
            ),
            method("first", [("list_first(list(V)) -> optional_type(V)", first as Implementation)]),
            method("last", [("list_last(list(V)) -> optional_type(V)", last as Implementation)]),
            catch_all(
                operators::INDEX,
                in_evaluator,
                globals([
                    "optional_list_index_int(optional_type(list(V)), int) -> optional_type(V)",
                    "optional_map_index_value(optional_type(map(K, V)), K) -> optional_type(V)",
                ]),
            ),
            catch_all(
                operators::OPT_INDEX,
                in_evaluator,
                globals([
                    "list_optindex_optional_int(list(V), int) -> optional_type(V)",
                    "optional_list_optindex_optional_int(optional_type(list(V)), int) -> optional_type(V)",
                    "map_optindex_optional_value(map(K, V), K) -> optional_type(V)",
                    "optional_map_optindex_optional_value(optional_type(map(K, V)), K) -> optional_type(V)",
                ]),
            ),
            FunctionDecl::new(
                operators::OPT_SELECT,
                [global("select_optional_field(dyn, string) -> optional_type(V)")],
            ),
        ],
    )
    .with_optional_syntax()
    .with_type("optional_type", Type::optional(Type::param("V")))
    .with_macros(macros::OPTIONAL)
}

/// Indexing is part of the evaluator.
fn in_evaluator(_: &mut EvalContext, _: &[CelValue]) -> Outcome {
    Err(EvalError::no_overload())
}

fn of(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [value] = args else { return Err(EvalError::no_overload()) };
    context.allocate_items(1)?;
    Ok(CelValue::some(value.clone()))
}

fn of_non_zero(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [value] = args else { return Err(EvalError::no_overload()) };
    if is_zero(value) { Ok(CelValue::none()) } else { of(context, args) }
}

/// Empty, zero or false.
fn is_zero(value: &CelValue) -> bool {
    match value {
        CelValue::Null => true,
        CelValue::Bool(value) => !value,
        CelValue::Int(value) => *value == 0,
        CelValue::Uint(value) => *value == 0,
        CelValue::Double(value) => *value == 0.0,
        CelValue::String(text) => text.is_empty(),
        CelValue::Bytes(bytes) => bytes.is_empty(),
        CelValue::List(list) => list.is_empty(),
        CelValue::Map(map) => map.is_empty(),
        CelValue::Duration(duration) => duration.0 == 0,
        // the zero moment of Go is the first of the year 1
        CelValue::Timestamp(moment) => moment.seconds == crate::value::CelTimestamp::SECONDS_MIN,
        // an optional is something, even without a value
        CelValue::Optional(_) | CelValue::Type(_) | CelValue::Opaque(_) => false,
    }
}

fn value(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args {
        [CelValue::Optional(Some(inner))] => Ok((**inner).clone()),
        [CelValue::Optional(None)] => Err(EvalError::invalid("optional.none() dereference")),
        _ => Err(EvalError::no_overload()),
    }
}

fn has_value(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Optional(inner)] = args else { return Err(EvalError::no_overload()) };
    Ok(CelValue::Bool(inner.is_some()))
}

fn unwrap_all(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    context.allocate_items(list.len())?;
    let mut present = Vec::new();
    for item in list.iter() {
        match item? {
            CelValue::Optional(inner) => present.extend(inner.map(|inner| (*inner).clone())),
            other => {
                let shown = super::formatting::display(&other);
                return Err(EvalError::invalid(format!("value {shown} is not optional")));
            }
        }
    }
    Ok(CelValue::list(present))
}

fn first(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    Ok(CelValue::Optional(list.get(0).transpose()?.map(std::sync::Arc::new)))
}

fn last(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    let item = list.len().checked_sub(1).and_then(|index| list.get(index));
    Ok(CelValue::Optional(item.transpose()?.map(std::sync::Arc::new)))
}
