use super::{Outcome, function, method};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::{CelList, CelMap, CelValue, MapBuilder, MapKey};

/// kro's functions on maps and on positions of lists.
pub fn collections() -> Library {
    Library::new(
        "kro.collections",
        [
            method("merge", [("map_merge(map(K, V), map(K, V)) -> map(K, V) ~ append | one", merge as Implementation)]),
            method("deepMerge", [("dyn_deep_merge(dyn, dyn) -> dyn ~ everything | one", deep_merge as Implementation)]),
            function(
                "lists.setAtIndex",
                [("set_at_index(list(T), int, T) -> list(T) ~ list | one", set as Implementation)],
            ),
            function(
                "lists.insertAtIndex",
                [("insert_at_index(list(T), int, T) -> list(T) ~ list | one", insert as Implementation)],
            ),
            function(
                "lists.removeAtIndex",
                [("remove_at_index(list(T), int) -> list(T) ~ list | one", remove as Implementation)],
            ),
        ],
    )
}

fn merge(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Map(left), CelValue::Map(right)] = args else { return Err(EvalError::no_overload()) };
    merged(context, left, right, false)
}

fn deep_merge(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Map(left), CelValue::Map(right)] = args else { return Err(EvalError::no_overload()) };
    merged(context, left, right, true)
}

/// The entries of both maps; of equal keys the right one wins, or two maps are merged in turn.
fn merged(context: &mut EvalContext, left: &CelMap, right: &CelMap, deep: bool) -> Outcome {
    context.allocate_items(2 * (left.len() + right.len()))?;
    let mut out = MapBuilder::new();
    for (key, value) in left.entries()? {
        out.insert(key, value);
    }
    for (key, value) in right.entries()? {
        let value = merged_entry(context, left, &key, value, deep)?;
        out.insert(key, value);
    }
    Ok(CelValue::Map(out.finish()))
}

fn merged_entry(context: &mut EvalContext, left: &CelMap, key: &MapKey, value: CelValue, deep: bool) -> Outcome {
    if !deep {
        return Ok(value);
    }
    match (left.get(&key.to_value()).transpose()?, &value) {
        (Some(CelValue::Map(left)), CelValue::Map(right)) => merged(context, &left, right, true),
        _ => Ok(value),
    }
}

/// The list and the position of a call; the position may be the one after the last item when `end` allows it.
fn place<'a>(name: &str, args: &'a [CelValue], end: bool) -> Result<(&'a CelList, usize), EvalError> {
    let [CelValue::List(list), CelValue::Int(index), ..] = args else { return Err(EvalError::no_overload()) };
    let last = if end { list.len() + 1 } else { list.len() };
    match usize::try_from(*index) {
        Ok(position) if position < last => Ok((list, position)),
        _ => {
            let (count, bracket) = (list.len(), if end { ']' } else { ')' });
            Err(EvalError::invalid(format!("lists.{name}: index {index} out of bounds [0, {count}{bracket}")))
        }
    }
}

fn item(args: &[CelValue]) -> Result<CelValue, EvalError> {
    args.get(2).cloned().ok_or_else(EvalError::no_overload)
}

fn changed(context: &mut EvalContext, list: &CelList, change: impl FnOnce(&mut Vec<CelValue>)) -> Outcome {
    context.allocate_items(list.len() + 1)?;
    let mut items = list.to_vec()?;
    change(&mut items);
    Ok(CelValue::List(items.into()))
}

fn set(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (list, index) = place("setAtIndex", args, false)?;
    let item = item(args)?;
    changed(context, list, |items| items[index] = item)
}

fn insert(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (list, index) = place("insertAtIndex", args, true)?;
    let item = item(args)?;
    changed(context, list, |items| items.insert(index, item))
}

fn remove(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (list, index) = place("removeAtIndex", args, false)?;
    changed(context, list, |items| drop(items.remove(index)))
}
