use super::{Outcome, function};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::{CelList, CelValue};

/// cel-go's lists as sets.
pub fn sets() -> Library {
    Library::new(
        "sets",
        [
            function(
                "sets.contains",
                [("list_sets_contains_list(list(T), list(T)) -> bool ~ pairs 1", contains as Implementation)],
            ),
            function(
                "sets.equivalent",
                [("list_sets_equivalent_list(list(T), list(T)) -> bool ~ pairs 2", equivalent as Implementation)],
            ),
            function(
                "sets.intersects",
                [("list_sets_intersects_list(list(T), list(T)) -> bool ~ pairs 1", intersects as Implementation)],
            ),
        ],
    )
}

fn lists(args: &[CelValue]) -> Result<(&CelList, &CelList), EvalError> {
    match args {
        [CelValue::List(left), CelValue::List(right)] => Ok((left, right)),
        _ => Err(EvalError::no_overload()),
    }
}

/// How many items of `part` are in `whole`; stops at the first answer that ends the search.
fn search(context: &mut EvalContext, whole: &CelList, part: &CelList, until: bool) -> Result<bool, EvalError> {
    let whole = CelValue::List(whole.clone());
    for item in part.iter() {
        if super::contains_item(context, &item?, &whole)? == until {
            return Ok(until);
        }
    }
    Ok(!until)
}

fn contains(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (whole, part) = lists(args)?;
    search(context, whole, part, false).map(CelValue::Bool)
}

fn equivalent(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (left, right) = lists(args)?;
    let both = search(context, left, right, false)? && search(context, right, left, false)?;
    Ok(CelValue::Bool(both))
}

fn intersects(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (left, right) = lists(args)?;
    search(context, left, right, true).map(CelValue::Bool)
}
