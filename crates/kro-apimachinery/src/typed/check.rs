use std::fmt;

use kro_value::{Map, Value};

use super::items::item_element;
use super::{ListFace, MapFace, Relationship, Scalar, Type};
use crate::fieldset::{Path, PathElement, PathText};
use crate::go_print::go_value;

/// Whether equal items of a merged list are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// In stored objects, which may hold them.
    Allowed,
    /// In applied objects.
    Refused,
}

/// What does not fit the type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// Where.
    pub path: Path,
    /// The reference's words.
    pub message: String,
}

impl TypeError {
    /// All errors in one text, as the reference prints them.
    pub fn text_of_all(errors: &[Self]) -> String {
        match errors {
            [only] => only.to_string(),
            all => {
                let lines: Vec<String> = all.iter().map(|error| format!("  {error}")).collect();
                format!("errors:\n{}", lines.join("\n"))
            }
        }
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return formatter.write_str(&self.message);
        }
        write!(formatter, "{}: {}", PathText(&self.path), self.message)
    }
}

impl std::error::Error for TypeError {}

/// What of a value does not fit its type; empty when all does.
pub fn check(kind: &Type, value: &Value, duplicates: Duplicates) -> Vec<TypeError> {
    let mut checker = Checker { duplicates, path: Vec::new(), errors: Vec::new() };
    checker.check(kind, value);
    checker.errors
}

struct Checker {
    duplicates: Duplicates,
    path: Path,
    errors: Vec<TypeError>,
}

impl Checker {
    fn check(&mut self, kind: &Type, value: &Value) {
        match (value, kind.map(), kind.list(), kind.scalar()) {
            (Value::Null, ..) => {}
            (Value::Map(map), Some(face), ..) => self.check_map(face, map),
            (Value::List(items), _, Some(face), _) => self.check_list(face, items),
            (Value::Map(_) | Value::List(_), None, None, Some(scalar)) => self.check_scalar(scalar, value),
            (_, Some(_), ..) if kind.scalar().is_none() => {
                self.error(format!("expected map, got &{{{}}}", go_value(value)))
            }
            (_, _, Some(_), None) => self.error(format!("expected list, got &{{{}}}", go_value(value))),
            (_, _, _, Some(scalar)) => self.check_scalar(scalar, value),
            _ => self.error("no atom".to_owned()),
        }
    }

    fn check_scalar(&mut self, scalar: Scalar, value: &Value) {
        let fits = match scalar {
            Scalar::Numeric => matches!(value, Value::Int(_) | Value::Float(_)),
            Scalar::String => matches!(value, Value::String(_)),
            Scalar::Boolean => matches!(value, Value::Bool(_)),
            Scalar::Untyped => !matches!(value, Value::Map(_) | Value::List(_)),
        };
        if fits {
            return;
        }
        let printed = go_value(value);
        self.error(match scalar {
            Scalar::Numeric => format!("expected numeric (int or float), got {}", go_type(value)),
            Scalar::String => format!("expected string, got &value.valueUnstructured{{Value:{printed}}}"),
            Scalar::Boolean => format!("expected boolean, got &{{{printed}}}"),
            Scalar::Untyped => format!("expected any scalar, got &value.valueUnstructured{{Value:{printed}}}"),
        });
    }

    fn check_map(&mut self, face: &MapFace, map: &Map) {
        for (name, value) in map {
            self.path.push(PathElement::Field(name.clone()));
            let Some(kind) = face.field(name) else {
                self.error("field not declared in schema".to_owned());
                self.path.pop();
                return; // the reference stops its walk of this map too
            };
            self.check(kind, value);
            self.path.pop();
        }
    }

    fn check_list(&mut self, face: &ListFace, items: &[Value]) {
        let mut seen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let mut element = PathElement::Index(i64::try_from(index).unwrap_or(i64::MAX));
            if face.relationship == Relationship::Granular {
                match item_element(face, item) {
                    Ok(identity) => element = identity,
                    Err(why) => {
                        self.error(format!("element {index}: {why}"));
                        return;
                    }
                }
                seen.push(element.clone());
            }
            self.path.push(element);
            self.check(face.element(), item);
            self.path.pop();
        }
        if self.duplicates == Duplicates::Refused {
            seen.sort();
            let twice = seen.windows(2).find(|pair| pair[0] == pair[1]);
            if let Some(pair) = twice {
                self.error(format!("duplicate entries for key {}", pair[0]));
            }
        }
    }

    fn error(&mut self, message: String) {
        self.errors.push(TypeError { path: self.path.clone(), message });
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}
