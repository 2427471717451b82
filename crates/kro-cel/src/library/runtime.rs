use std::sync::Arc;

use kro_value::Str;

use super::{Outcome, function, method};
use crate::Implementation;
use crate::declarations::{Library, VariableDecl};
use crate::eval::{EvalContext, EvalError};
use crate::macros;
use crate::provider::ObjectTypes;
use crate::types::Type;
use crate::value::{CelMap, CelValue, Condition, Opaque};

/// kro's conditions: the `runtime` variable and what is called on it.
pub fn runtime() -> Library {
    let mut library = Library::new(
        "kro.runtime",
        [
            method(
                "condition",
                [(
                    "runtime_condition(kro.run.Runtime, dyn, string) -> kro.run.Condition",
                    find_condition as Implementation,
                )],
            ),
            function(
                macros::NEW_CONDITION,
                [("new_condition(map(string, dyn)) -> kro.run.Condition", new_condition as Implementation)],
            ),
        ],
    )
    .with_macros(macros::RUNTIME)
    .with_objects(condition_type());
    library.variables.push(VariableDecl::new("runtime", Type::opaque("kro.run.Runtime", [])));
    library
}

/// The fields of conditions, so that a misspelt one is found before anything runs.
fn condition_type() -> ObjectTypes {
    let mut types = ObjectTypes::new();
    let fields = ["type", "status", "reason", "message"].map(|name| (Str::new_static(name), Type::String));
    types.insert("kro.run.Condition", fields, false);
    types
}

/// kro's field-removal sentinel.
pub fn omit() -> Library {
    Library::new(
        "kro.omit",
        [function("omit", [("omit_sentinel() -> dyn", (|_, _| Ok(CelValue::Opaque(Opaque::Omit))) as Implementation)])],
    )
}

fn new_condition(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Map(fields)] = args else { return Err(EvalError::no_overload()) };
    let text = |key: &str| match fields.get_str(key).transpose()? {
        None => Ok(Str::default()),
        Some(CelValue::String(text)) => Ok(text),
        Some(other) => {
            let given = other.type_name();
            Err(EvalError::invalid(format!("runtime.newCondition: {key} must be a string, got {given}")))
        }
    };
    let condition =
        Condition { kind: text("type")?, status: text("status")?, reason: text("reason")?, message: text("message")? };
    if condition.kind.is_empty() {
        return Err(EvalError::invalid("runtime.newCondition: type must not be empty"));
    }
    if !matches!(condition.status.as_str(), "True" | "False" | "Unknown") {
        let shown = super::quoted::quote(&condition.status);
        return Err(EvalError::invalid(format!(
            "runtime.newCondition: status must be one of True, False, Unknown (got {shown})"
        )));
    }
    Ok(CelValue::Opaque(Opaque::Condition(Arc::new(condition))))
}

/// The first condition of a type in the status of an object; an empty one if there is none.
fn find_condition(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [_, object, CelValue::String(kind)] = args else { return Err(EvalError::no_overload()) };
    let CelValue::Map(object) = object else {
        let given = object.type_name();
        return Err(EvalError::invalid(format!("runtime.condition: obj must be an object, got {given}")));
    };
    let mut found = Condition::default();
    if let Some(list) = conditions(object)? {
        context.charge(list.len() as u64)?;
        for element in list.iter() {
            let element = element?;
            let CelValue::Map(fields) = &element else {
                let given = element.type_name();
                return Err(EvalError::invalid(format!(
                    "runtime.condition: unexpected condition element type {given}"
                )));
            };
            if text(fields, "type")? == *kind {
                found = Condition {
                    kind: kind.clone(),
                    status: text(fields, "status")?,
                    reason: text(fields, "reason")?,
                    message: text(fields, "message")?,
                };
                break;
            }
        }
    }
    Ok(CelValue::Opaque(Opaque::Condition(Arc::new(found))))
}

/// `status.conditions` of an object, if there are any.
fn conditions(object: &CelMap) -> Result<Option<crate::value::CelList>, EvalError> {
    let status = match object.get_str("status").transpose()? {
        None => return Ok(None),
        Some(CelValue::Map(status)) => status,
        Some(_) => return Err(EvalError::invalid("runtime.condition: obj.status must be an object")),
    };
    match status.get_str("conditions").transpose()? {
        None => Ok(None),
        Some(CelValue::List(list)) => Ok(Some(list)),
        Some(_) => Err(EvalError::invalid("runtime.condition: obj.status.conditions must be a list")),
    }
}

/// A text field; what is missing or no text reads as empty.
fn text(fields: &CelMap, key: &str) -> Result<Str, EvalError> {
    Ok(match fields.get_str(key).transpose()? {
        Some(CelValue::String(text)) => text,
        _ => Str::default(),
    })
}
