//! Finding the overload for the values of a call.

use super::plan::{Call, MatchFunction, Selection};
use super::{ErrorKind, EvalContext, EvalError};
use crate::types::Type;
use crate::value::{CelList, CelMap, CelValue};

/// Calls the overload that fits the arguments.
pub(super) fn invoke(context: &mut EvalContext, call: &Call, args: &[CelValue]) -> Result<CelValue, EvalError> {
    let found = match call.select {
        Selection::First => call.candidates.first(),
        Selection::ByTypes => call.candidates.iter().find(|candidate| fits(&candidate.params, args)),
    };
    match found {
        Some(candidate) => (candidate.code)(context, args),
        None => Err(no_overload(&call.name, args)),
    }
}

/// `no such overload: FUNCTION(TYPES)`
#[cold]
fn no_overload(function: &str, args: &[CelValue]) -> EvalError {
    let types: Vec<&str> = args.iter().map(CelValue::type_name).collect();
    EvalError::new(ErrorKind::NoOverload, format!("no such overload: {function}({})", types.join(", ")))
}

/// What a function with a regular expression that is known from the text says about something that is no text.
#[cold]
pub(super) fn no_match_overload(function: MatchFunction, value: &CelValue) -> EvalError {
    match (function, value) {
        (MatchFunction::Matches, CelValue::Timestamp(_) | CelValue::Duration(_)) => EvalError::no_overload(),
        (MatchFunction::Matches, _) => EvalError::new(ErrorKind::NoOverload, "no such overload: matches"),
        (MatchFunction::Find | MatchFunction::FindAll, _) => EvalError::no_overload(),
    }
}

fn fits(params: &[Type], args: &[CelValue]) -> bool {
    params.len() == args.len() && params.iter().zip(args).all(|(param, arg)| is_assignable(param, arg))
}

/// Whether a value is of a declared type. Of lists and maps the first entry is looked at, as in the reference.
fn is_assignable(param: &Type, value: &CelValue) -> bool {
    match (param, value) {
        (Type::Dyn | Type::Any | Type::Param(_), _)
        | (Type::String, CelValue::String(_))
        | (Type::Int, CelValue::Int(_))
        | (Type::Bool, CelValue::Bool(_)) => true,
        (Type::List(element), CelValue::List(list)) => first_fits(element, list),
        (Type::Map(entry), CelValue::Map(map)) => first_entry_fits(entry, map),
        (Type::Wrapper(_), CelValue::Null) => true,
        _ => param.runtime_name() == Some(value.type_name()),
    }
}

fn first_fits(element: &Type, list: &CelList) -> bool {
    if matches!(element, Type::Dyn | Type::Any | Type::Param(_)) {
        return true;
    }
    match list.get(0) {
        Some(Ok(first)) => is_assignable(element, &first),
        Some(Err(_)) => false,
        None => true,
    }
}

fn first_entry_fits((key, value): &(Type, Type), map: &CelMap) -> bool {
    if matches!((key, value), (Type::Dyn | Type::Param(_), Type::Dyn | Type::Param(_))) {
        return true;
    }
    let Some(first) = map.keys().into_iter().next() else { return true };
    let name = first.to_value();
    let fits_value = || map.get(&name).and_then(Result::ok).is_some_and(|found| is_assignable(value, &found));
    is_assignable(key, &name) && fits_value()
}
