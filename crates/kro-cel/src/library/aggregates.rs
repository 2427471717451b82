use super::{FunctionDecl, Outcome, catch_all, global, globals, member, members, no_overload};
use crate::declarations::OverloadDecl;
use crate::eval::{EvalContext, EvalError};
use crate::operators;
use crate::value::CelValue;

pub(super) fn functions() -> Vec<FunctionDecl> {
    vec![
        catch_all("size", |_, args| size(args), sizes()),
        catch_all(
            operators::INDEX,
            |_, _| Err(EvalError::no_overload()), // part of the evaluator
            globals(["index_list(list(A), int) -> A", "index_map(map(A, B), A) -> B"]),
        ),
        catch_all(
            "contains",
            |context, args| search(context, args, |text, part| text.contains(part)),
            members(["contains_string(string, string) -> bool ~ search"]),
        ),
        catch_all(
            "startsWith",
            |context, args| search(context, args, |text, part| text.starts_with(part)),
            members(["starts_with_string(string, string) -> bool ~ walk 1"]),
        ),
        catch_all(
            "endsWith",
            |context, args| search(context, args, |text, part| text.ends_with(part)),
            members(["ends_with_string(string, string) -> bool ~ walk 1"]),
        ),
        catch_all("matches", super::regexes::matches, {
            vec![
                global("matches(string, string) -> bool ~ regex"),
                member("matches_string(string, string) -> bool ~ regex"),
            ]
        }),
    ]
}

fn sizes() -> Vec<OverloadDecl> {
    vec![
        global("size_bytes(bytes) -> int"),
        member("bytes_size(bytes) -> int"),
        global("size_list(list(A)) -> int"),
        member("list_size(list(A)) -> int"),
        global("size_map(map(A, B)) -> int"),
        member("map_size(map(A, B)) -> int"),
        global("size_string(string) -> int"),
        member("string_size(string) -> int"),
    ]
}

fn size(args: &[CelValue]) -> Outcome {
    let size = match args {
        [CelValue::String(text)] => text.chars().count(),
        [CelValue::Bytes(bytes)] => bytes.len(),
        [CelValue::List(list)] => list.len(),
        [CelValue::Map(map)] => map.len(),
        [CelValue::Timestamp(_) | CelValue::Duration(_)] => return Err(EvalError::no_overload()),
        _ => return Err(no_overload("size")),
    };
    Ok(CelValue::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn search(context: &mut EvalContext, args: &[CelValue], test: fn(&str, &str) -> bool) -> Outcome {
    let [CelValue::String(text), CelValue::String(part)] = args else { return Err(EvalError::no_overload()) };
    context.charge(text.len() as u64 / 16)?;
    Ok(CelValue::Bool(test(text, part)))
}

/// The functions that two-variable comprehensions expand to.
pub(super) fn comprehension_functions() -> Vec<FunctionDecl> {
    vec![super::function(
        "cel.@mapInsert",
        [
            ("@mapInsert_map_key_value(map(K, V), K, V) -> map(K, V)", insert_entry as crate::Implementation),
            ("@mapInsert_map_map(map(K, V), map(K, V)) -> map(K, V)", insert_map),
        ],
    )]
}

// The evaluator builds the maps of these expansions in place; these are for the rest.
fn insert_entry(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Map(map), key, value] = args else { return Err(EvalError::no_overload()) };
    let mut builder = crate::value::MapBuilder::from_map(context, map)?;
    builder.insert_unique(key, value.clone())?;
    Ok(CelValue::Map(builder.finish()))
}

fn insert_map(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Map(map), CelValue::Map(added)] = args else { return Err(EvalError::no_overload()) };
    let mut builder = crate::value::MapBuilder::from_map(context, map)?;
    for (key, value) in added.entries()? {
        builder.insert_unique(&key.to_value(), value)?;
    }
    Ok(CelValue::Map(builder.finish()))
}
