use jiff::Timestamp;
use kro_value::Value;

use super::duration::age;

/// A column of a built-in kind.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// `string`, `integer`, `boolean` or `date`.
    pub(super) value_type: &'static str,
    /// `name` for the name of the object.
    pub(super) format: &'static str,
    /// Shown in wide output only.
    pub(super) wide: bool,
    pub(super) cell: fn(&Value, Timestamp) -> Value,
}

pub(super) const NAME: Column = Column {
    name: "Name",
    value_type: "string",
    format: "name",
    wide: false,
    cell: |object, _| object.at(&["metadata", "name"]).cloned().unwrap_or_default(),
};

pub(super) const AGE: Column =
    text("Age", |object, now| age(object.str_at(&["metadata", "creationTimestamp"]).unwrap_or_default(), now).into());

pub(super) const CREATED_AT: Column = Column {
    name: "Created At",
    value_type: "date",
    format: "",
    wide: false,
    cell: |object, _| object.at(&["metadata", "creationTimestamp"]).cloned().unwrap_or_default(),
};

pub(super) const fn text(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, value_type: "string", format: "", wide: false, cell }
}

pub(super) const fn wide(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, value_type: "string", format: "", wide: true, cell }
}

pub(super) const fn integer(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, value_type: "integer", format: "", wide: false, cell }
}

pub(super) const fn boolean(name: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Column {
    Column { name, value_type: "boolean", format: "", wide: false, cell }
}

/// The number at a path; 0 when absent.
pub(super) fn number(object: &Value, path: &[&str]) -> i64 {
    object.at(path).and_then(Value::as_i64).unwrap_or_default()
}

/// The text at a path; empty when absent.
pub(super) fn string<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    object.str_at(path).unwrap_or_default()
}

/// The text at a path; `other` when absent or empty.
pub(super) fn string_or(object: &Value, path: &[&str], other: &str) -> Value {
    object.str_at(path).filter(|text| !text.is_empty()).unwrap_or(other).into()
}

/// The items at a path.
pub(super) fn items<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    object.at(path).and_then(Value::as_list).unwrap_or_default()
}

/// How many entries there are at a path.
pub(super) fn count(object: &Value, path: &[&str]) -> i64 {
    let length = match object.at(path) {
        Some(Value::List(items)) => items.len(),
        Some(Value::Map(map)) => map.len(),
        _ => 0,
    };
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Texts in one cell; `<none>` without any.
pub(super) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let texts: Vec<&str> = texts.collect();
    if texts.is_empty() { "<none>".into() } else { texts.join(",").into() }
}

/// The members of the items at a path in one cell.
pub(super) fn members(object: &Value, path: &[&str], member: &str) -> Value {
    let texts: Vec<&str> = items(object, path).iter().filter_map(|item| item.str_at(&[member])).collect();
    texts.join(",").into()
}

/// A map of labels as a selector; `<none>` when empty.
pub(super) fn labels(object: &Value, path: &[&str]) -> Value {
    let map = object.at(path).and_then(Value::as_map);
    let pairs: Vec<String> =
        map.into_iter().flatten().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    if pairs.is_empty() { "<none>".into() } else { pairs.join(",").into() }
}

/// A label selector as text; `<none>` when empty.
pub(super) fn selector(object: &Value, path: &[&str]) -> Value {
    let selector = object.at(path).map(kro_apimachinery::LabelSelector::from_value).unwrap_or_default();
    if selector.is_everything() { "<none>".into() } else { selector.to_string().into() }
}

/// How long ago a time at a path is; `other` when absent.
pub(super) fn age_at(object: &Value, path: &[&str], now: Timestamp, other: &str) -> Value {
    match object.str_at(path) {
        Some(time) => age(time, now).into(),
        None => other.into(),
    }
}
