//! Reads fields of an object and reports those that are missing, unknown or of another type.

use kro_diagnostics::codes::shape as codes;
use kro_diagnostics::{Diagnostic, did_you_mean};
use kro_value::{FieldPath, Map, Segment, Str, Value};

use crate::report::Report;

/// A map of the definition and where it stands.
pub(super) struct Object<'a> {
    pub map: &'a Map,
    pub path: FieldPath,
}

impl<'a> Object<'a> {
    /// Takes a value that must be a map.
    pub fn read(report: &mut Report<'_>, value: &'a Value, path: &FieldPath) -> Option<Self> {
        match value {
            Value::Map(map) => Some(Self { map, path: path.clone() }),
            other => {
                wrong_type(report, path, "object", other);
                None
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub fn at(&self, key: &str) -> FieldPath {
        self.path.field(key)
    }

    /// Reports keys that are not known.
    pub fn check_keys(&self, report: &mut Report<'_>, known: &[&str]) {
        for key in self.map.keys().filter(|key| !known.contains(&key.as_str())) {
            let path = self.path.field(key.clone());
            let mut diagnostic =
                Diagnostic::error(codes::UNKNOWN_FIELD, format!("unknown field {:?}", path.to_string()));
            diagnostic.help = Some(match did_you_mean(key, known.iter().copied()) {
                Some(help) => help.into(),
                None => format!("known fields: {}", known.join(", ")).into(),
            });
            report.push_key(diagnostic.at(path));
        }
    }

    /// A field that must be there and not null.
    pub fn required(&self, report: &mut Report<'_>, key: &str) -> Option<(&'a Value, FieldPath)> {
        let value = self.get(key);
        if value.is_none() {
            let path = self.at(key);
            report.push(Diagnostic::error(codes::REQUIRED, format!("{path} is required")).at(path));
        }
        value.map(|value| (value, self.at(key)))
    }

    pub fn required_string(&self, report: &mut Report<'_>, key: &str) -> Option<(Str, FieldPath)> {
        let (value, path) = self.required(report, key)?;
        string(report, value, &path).map(|text| (text, path))
    }

    /// A field that may be absent.
    pub fn string(&self, report: &mut Report<'_>, key: &str) -> Option<(Str, FieldPath)> {
        let path = self.at(key);
        string(report, self.get(key)?, &path).map(|text| (text, path))
    }

    /// An object that may be absent.
    pub fn object(&self, report: &mut Report<'_>, key: &str) -> Option<Object<'a>> {
        Object::read(report, self.get(key)?, &self.at(key))
    }

    /// The items of a list and its path; nothing when it is absent.
    pub fn list(&self, report: &mut Report<'_>, key: &str) -> (&'a [Value], FieldPath) {
        let Some(value) = self.get(key) else { return (&[], FieldPath::root()) };
        let path = self.at(key);
        let items = match value {
            Value::List(items) => Some(items.as_slice()),
            other => {
                wrong_type(report, &path, "array", other);
                None
            }
        };
        (items.unwrap_or_default(), path)
    }

    /// The items of a list of strings.
    pub fn strings(&self, report: &mut Report<'_>, key: &str) -> Vec<(Str, FieldPath)> {
        let (items, path) = self.list(report, key);
        let mut read = |(index, item)| {
            let path = index_path(&path, index);
            string(report, item, &path).map(|text| (text, path))
        };
        items.iter().enumerate().filter_map(&mut read).collect()
    }
}

pub(super) fn index_path(path: &FieldPath, index: usize) -> FieldPath {
    let mut path = path.clone();
    path.push(Segment::Index(index));
    path
}

pub(super) fn string(report: &mut Report<'_>, value: &Value, path: &FieldPath) -> Option<Str> {
    match value {
        Value::String(text) => Some(text.clone()),
        other => {
            wrong_type(report, path, "string", other);
            None
        }
    }
}

pub(super) fn wrong_type(report: &mut Report<'_>, path: &FieldPath, expected: &str, got: &Value) {
    let message = format!("{path} must be of type {expected}, got {}", got.type_name());
    report.error(codes::WRONG_TYPE, path, message);
}
