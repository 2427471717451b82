//! The columns of custom kinds, as their definitions declare them.

use jiff::Timestamp;
use kro_value::{Str, Value, to_json};

use super::duration::age;
use super::json_path::first;
use crate::resource::{PrinterColumn, Version};

/// The declared columns, or the age without any.
pub(super) fn columns(version: &Version) -> Vec<PrinterColumn> {
    if !version.columns.is_empty() {
        return version.columns.clone();
    }
    vec![PrinterColumn {
        name: Str::new_static("Age"),
        value_type: Str::new_static("date"),
        format: Str::default(),
        description: Str::new_static(super::descriptions::of("", "Age")),
        priority: 0,
        json_path: Str::new_static(".metadata.creationTimestamp"),
    }]
}

/// The value of a column; null where there is none, or one of another type.
pub(super) fn cell(column: &PrinterColumn, object: &Value, now: Timestamp) -> Value {
    let Some(value) = first(object, &column.json_path).filter(|value| !value.is_null()) else { return Value::Null };
    match (column.value_type.as_str(), value) {
        ("date", Value::String(time)) => age(&time, now).into(),
        ("integer", Value::Int(number)) => Value::Int(number),
        ("integer", Value::Float(number)) => {
            #[allow(clippy::cast_possible_truncation)]
            let whole = number as i64;
            Value::Int(whole)
        }
        ("number", number @ (Value::Int(_) | Value::Float(_))) => number,
        ("boolean", Value::Bool(flag)) => flag.into(),
        ("string", Value::String(text)) => text.into(),
        ("string", other) => to_json(&other).into(),
        _ => Value::Null,
    }
}
