use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use kro_value::{Map, Str, Value};

use crate::go_quote;

/// One step of a path through an object.
#[derive(Debug, Clone)]
pub enum PathElement {
    /// A key of a map.
    Field(Str),
    /// The element of a keyed list with these key fields, sorted by name.
    Key(Arc<[(Str, Value)]>),
    /// The element of a set with this value.
    Value(Value),
    /// A position in a list; only others write it.
    Index(i64),
}

/// Steps from the root of an object.
pub type Path = Vec<PathElement>;

impl PathElement {
    /// The key of a map.
    pub fn field(name: impl Into<Str>) -> Self {
        Self::Field(name.into())
    }

    /// The element of a keyed list; key fields in any order.
    pub fn key(fields: impl IntoIterator<Item = (Str, Value)>) -> Self {
        let map: Map = fields.into_iter().collect();
        Self::Key(map.into_iter().collect())
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) => left.cmp(right),
            (Self::Key(left), Self::Key(right)) => compare_entries(left, right),
            (Self::Value(left), Self::Value(right)) => compare_values(left, right),
            (Self::Index(left), Self::Index(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for PathElement {}

fn compare_entries(left: &[(Str, Value)], right: &[(Str, Value)]) -> Ordering {
    let compare = |(left, right): (&(Str, Value), &(Str, Value))| {
        left.0.cmp(&right.0).then_with(|| compare_values(&left.1, &right.1))
    };
    let unequal = left.iter().zip(right).map(compare).find(|order| order.is_ne());
    unequal.unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// The order of values: numbers (by value), strings, booleans, lists, maps, null.
pub(crate) fn compare_values(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            let (left, right) = (left.as_f64().unwrap_or_default(), right.as_f64().unwrap_or_default());
            left.partial_cmp(&right).unwrap_or(Ordering::Equal)
        }
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::List(left), Value::List(right)) => compare_lists(left, right),
        (Value::Map(left), Value::Map(right)) => compare_maps(left, right),
        _ => rank(left).cmp(&rank(right)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Int(_) | Value::Float(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::List(_) => 3,
        Value::Map(_) => 4,
        Value::Null => 5,
    }
}

fn compare_lists(left: &[Value], right: &[Value]) -> Ordering {
    let unequal = left.iter().zip(right).map(|(left, right)| compare_values(left, right)).find(|order| order.is_ne());
    unequal.unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn compare_maps(left: &Map, right: &Map) -> Ordering {
    let compare = |((left_key, left), (right_key, right)): ((&Str, &Value), (&Str, &Value))| {
        left_key.cmp(right_key).then_with(|| compare_values(left, right))
    };
    let unequal = left.iter().zip(right.iter()).map(compare).find(|order| order.is_ne());
    unequal.unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// As conflicts print it: `.name`, `[name="app"]`, `[="x"]`, `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(formatter, ".{name}"),
            Self::Key(fields) => {
                formatter.write_str("[")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(formatter, "{comma}{name}={}", print(value))?;
                }
                formatter.write_str("]")
            }
            Self::Value(value) => write!(formatter, "[={}]", print(value)),
            Self::Index(index) => write!(formatter, "[{index}]"),
        }
    }
}

fn print(value: &Value) -> String {
    match value {
        Value::String(text) => go_quote(text),
        other => other.to_string(),
    }
}

/// Prints a path: `.spec.template.spec.containers[name="app"].image`.
#[derive(Debug, Clone, Copy)]
pub struct PathText<'a>(pub &'a [PathElement]);

impl fmt::Display for PathText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| write!(formatter, "{element}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_kinds_then_values() {
        let key = |name: &str, value: Value| PathElement::key([(Str::new(name), value)]);
        let two = PathElement::key([("a".into(), Value::from(1)), ("b".into(), Value::from(1))]);
        let ordered = [
            PathElement::field("a"),
            PathElement::field("b"),
            key("a", Value::from(1)),
            two,
            key("a", Value::from(2)),
            key("a", Value::from("1")),
            PathElement::Value(Value::from(1.5)),
            PathElement::Value(Value::from(2)),
            PathElement::Value(Value::from("a")),
            PathElement::Value(Value::from(false)),
            PathElement::Value(Value::list([])),
            PathElement::Value(Value::Null),
            PathElement::Index(0),
        ];
        for (position, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(left.cmp(right), position.cmp(&other), "{left} {right}");
            }
        }
        assert_eq!(PathElement::Value(Value::from(1)), PathElement::Value(Value::from(1.0)));
    }

    #[test]
    fn prints_as_conflicts_do() {
        let path = [
            PathElement::field("spec"),
            PathElement::key([("protocol".into(), "TCP".into()), ("port".into(), Value::from(80))]),
            PathElement::Value(Value::from("a\"b")),
            PathElement::Index(3),
        ];
        assert_eq!(PathText(&path).to_string(), r#".spec[port=80,protocol="TCP"][="a\"b"][3]"#);
    }
}
