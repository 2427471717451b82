//! Looking at parts of objects without taking them out: most operations only compare what a path leads to.

use std::cmp::Ordering;

use kro_value::{Map, Value, same_text};

use super::path::Step;
use super::{ErrorKind, EvalError};
use crate::value::{CelList, CelMap, CelValue};
use crate::view::{SchemaForm, ValueSchema, typed};

/// A part of a JSON object, and the schema that says how it is read.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub value: &'a Value,
    pub schema: Option<&'a dyn ValueSchema>,
}

/// What a look along a path came to.
pub(super) enum Glance<'a> {
    Found(Seen<'a>),
    /// The step of this number leads nowhere, while all before it do.
    Missing(usize),
    /// Something that the general walk has to look at.
    Unclear,
}

/// Follows plain keys and positions from a value.
pub(super) fn glance<'a>(root: &'a CelValue, steps: &[Step]) -> Glance<'a> {
    let Some((first, rest)) = steps.split_first() else { return Glance::Unclear };
    let start = match (root, &first.key) {
        _ if first.optional => return Glance::Unclear,
        (CelValue::Map(CelMap::Json(map)), CelValue::String(name)) => member(map, None, first, name),
        (CelValue::Map(CelMap::View(view)), CelValue::String(name)) => {
            member(&view.map, Some(&*view.schema), first, name)
        }
        (CelValue::List(list), CelValue::Int(index)) => match usize::try_from(*index) {
            Ok(index) => item(list, index),
            Err(_) => None,
        },
        _ => return Glance::Unclear,
    };
    follow(start, rest, 1)
}

/// The same from an item of a list.
pub(super) fn glance_item<'a>(list: &'a CelList, index: usize, steps: &[Step]) -> Glance<'a> {
    match list {
        CelList::Built(items) => items.get(index).map_or(Glance::Unclear, |value| glance(value, steps)),
        _ => follow(item(list, index).or(Some(None)), steps, 0),
    }
}

/// An item of a list of JSON: none where there is no such item, or where the list is none of JSON.
fn item(list: &CelList, index: usize) -> Option<Option<Seen<'_>>> {
    Some(match list {
        CelList::Json(items) => items.get(index).map(|value| Seen { value, schema: None }),
        CelList::View(view) => view.items.get(index).map(|value| Seen { value, schema: view.schema.items() }),
        CelList::Built(_) => None,
    })
}

fn follow<'a>(start: Option<Option<Seen<'a>>>, steps: &[Step], done: usize) -> Glance<'a> {
    let mut seen = match start {
        Some(Some(seen)) => seen,
        Some(None) => return Glance::Unclear,
        None => return Glance::Missing(done.saturating_sub(1)),
    };
    for (at, step) in steps.iter().enumerate() {
        let next = match (seen.value, &step.key) {
            _ if step.optional => return Glance::Unclear,
            (Value::Map(map), CelValue::String(name)) => member(map, seen.schema, step, name),
            (Value::List(items), CelValue::Int(index)) => {
                let Some(schema) = items_schema(seen.schema) else { return Glance::Unclear };
                let Some(value) = usize::try_from(*index).ok().and_then(|index| items.get(index)) else {
                    return Glance::Missing(done + at);
                };
                Some(Some(Seen { value, schema }))
            }
            _ => return Glance::Unclear,
        };
        seen = match next {
            Some(Some(seen)) => seen,
            Some(None) => return Glance::Unclear,
            None => return Glance::Missing(done + at),
        };
    }
    Glance::Found(seen)
}

/// A field or entry: `None` when it is not there, and nothing inside when the schema does not go with the data, or the name is
/// escaped.
#[inline]
fn member<'a>(map: &'a Map, schema: Option<&'a dyn ValueSchema>, step: &Step, name: &str) -> Option<Option<Seen<'a>>> {
    let found = step.find(map, name);
    let Some(schema) = schema else { return found.map(|value| Some(Seen { value, schema: None })) };
    match schema.form() {
        SchemaForm::Object => {
            let Some(value) = found else { return if name.contains("__") { Some(None) } else { None } };
            let schema = schema.property(name);
            // null is no value where the schema declares the field
            (schema.is_none() || !value.is_null()).then_some(Some(Seen { value, schema }))
        }
        SchemaForm::Map => found.map(|value| Some(Seen { value, schema: schema.values() })),
        SchemaForm::Dynamic => found.map(|value| Some(Seen { value, schema: None })),
        _ => Some(None),
    }
}

fn items_schema(schema: Option<&dyn ValueSchema>) -> Option<Option<&dyn ValueSchema>> {
    match schema {
        None => Some(None),
        Some(schema) => match schema.form() {
            SchemaForm::Array(_) => Some(schema.items()),
            SchemaForm::Dynamic => Some(None),
            _ => None,
        },
    }
}

impl<'a> Seen<'a> {
    /// The value itself.
    #[inline]
    pub fn finish(self) -> Result<CelValue, EvalError> {
        let Some(schema) = self.schema else { return Ok(CelValue::from_json(self.value.clone())) };
        match (self.value, schema.form()) {
            (Value::String(text), SchemaForm::String) => Ok(CelValue::String(text.clone())),
            (Value::Int(value), SchemaForm::Integer) => Ok(CelValue::Int(*value)),
            _ => typed(self.value, schema),
        }
    }

    /// The value where it can be compared as it is.
    #[inline]
    pub fn scalar(self) -> Option<Scalar<'a>> {
        use SchemaForm as Form;
        let form = self.schema.map_or(Form::Dynamic, ValueSchema::form);
        Some(match (self.value, form) {
            (Value::String(text), Form::Dynamic | Form::String | Form::IntOrString) => Scalar::Text(text),
            (Value::Int(value), Form::Dynamic | Form::Integer | Form::IntOrString) => Scalar::Int(*value),
            (Value::Bool(value), Form::Dynamic | Form::Boolean) => Scalar::Bool(*value),
            _ => return None,
        })
    }

    /// The items, where they are read as they are.
    pub fn plain_items(self) -> Option<&'a [Value]> {
        let schema = items_schema(self.schema)?;
        let plain = schema.is_none_or(|items| matches!(items.form(), SchemaForm::String | SchemaForm::Integer));
        self.value.as_list().filter(|_| plain)
    }
}

/// A value that can be compared without being taken out of where it is.
#[derive(Clone, Copy)]
pub(super) enum Scalar<'a> {
    Bool(bool),
    Int(i64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    #[inline]
    pub fn of(value: &'a CelValue) -> Option<Self> {
        Some(match value {
            CelValue::String(text) => Self::Text(text),
            CelValue::Int(value) => Self::Int(*value),
            CelValue::Bool(value) => Self::Bool(*value),
            _ => return None,
        })
    }

    #[inline]
    pub fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => same_text(left, right),
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            _ => false,
        }
    }

    /// The order of two scalars of one kind.
    pub fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(&right)),
            _ => None,
        }
    }

    /// Whether a JSON value that is read as it is equals this one; `None` for a number that has to be looked at.
    pub fn equals_json(self, value: &Value) -> Option<bool> {
        match (self, value) {
            (_, Value::Float(_)) => None,
            (Self::Text(left), Value::String(right)) => Some(same_text(left, right)),
            (Self::Int(left), Value::Int(right)) => Some(left == *right),
            (Self::Bool(left), Value::Bool(right)) => Some(left == *right),
            _ => Some(false),
        }
    }
}

/// A variable or accumulator of a comprehension.
#[derive(Debug)]
pub(super) enum Slot {
    Value(CelValue),
    /// An accumulator may be an error that a later round makes irrelevant.
    Error(EvalError),
    /// An item of the list that is looped over, which stays there until it is wanted.
    Item(CelList, usize),
}

impl Slot {
    pub const EMPTY: Self = Self::Value(CelValue::Null);

    /// The value.
    pub fn get(&self) -> Result<CelValue, EvalError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Error(error) => Err(error.clone()),
            Self::Item(list, index) => list.get(*index).unwrap_or_else(|| Err(lost())),
        }
    }

    /// The value, which is not needed here any more.
    pub fn take(&mut self) -> Result<CelValue, EvalError> {
        match std::mem::replace(self, Self::EMPTY) {
            Self::Value(value) => Ok(value),
            Self::Error(error) => Err(error),
            item @ Self::Item(..) => item.get(),
        }
    }
}

impl From<Result<CelValue, EvalError>> for Slot {
    fn from(outcome: Result<CelValue, EvalError>) -> Self {
        match outcome {
            Ok(value) => Self::Value(value),
            Err(error) => Self::Error(error),
        }
    }
}

#[cold]
fn lost() -> EvalError {
    EvalError::new(ErrorKind::IndexOutOfBounds, "an item of the list is gone")
}
