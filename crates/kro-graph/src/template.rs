//! The walk over a template: finds the strings with expressions and checks the literals against the schema.

mod enums;
mod expected;
mod literal;
mod required;

use kro_diagnostics::codes::typing as codes;
use kro_diagnostics::{Code, Diagnostic, did_you_mean};
use kro_schema::structural::{AdditionalProperties, ListType, Schema};
use kro_value::{FieldPath, Map, Segment, Str, Value};

use crate::report::Report;
use expected::Expected;
use required::Demand;

/// A string of a template that has `${` in it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Where in the template.
    pub path: FieldPath,
    pub text: Str,
    /// The schema of the field, where it is known.
    pub target: Option<Schema>,
}

/// Walks a template. Without a schema, and below fields that keep whatever they get, nothing is checked.
/// `base` is where the template stands in the definition.
pub(crate) fn walk(
    report: &mut Report<'_>,
    id: &str,
    base: &FieldPath,
    value: &Value,
    schema: Option<&Schema>,
) -> Vec<Site> {
    let mut walk = Walk { report, id, base, path: FieldPath::root(), sites: Vec::new() };
    walk.value(value, schema);
    walk.sites
}

fn has_expression(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| pair == b"${")
}

struct Walk<'w, 'a> {
    report: &'w mut Report<'a>,
    id: &'w str,
    base: &'w FieldPath,
    path: FieldPath,
    sites: Vec<Site>,
}

impl Walk<'_, '_> {
    fn value(&mut self, value: &Value, schema: Option<&Schema>) {
        // Below such a field anything goes; targets of expressions there are not typed either.
        let schema = schema.filter(|schema| !schema.preserve_unknown_fields() || schema.has_properties());
        match value {
            Value::String(text) if has_expression(text) => {
                let site = Site { path: self.path.clone(), text: text.clone(), target: schema.cloned() };
                self.sites.push(site);
            }
            Value::Map(map) => self.map(value, map, schema),
            Value::List(items) => self.list(value, items, schema),
            Value::Null => {}
            scalar => {
                if let Some(schema) = schema {
                    self.scalar(scalar, schema);
                }
            }
        }
    }

    fn step(&mut self, segment: Segment, value: &Value, schema: Option<&Schema>) {
        self.path.push(segment);
        self.value(value, schema);
        self.path.pop();
    }

    fn map(&mut self, value: &Value, map: &Map, schema: Option<&Schema>) {
        let schema = schema.filter(|schema| self.is_expected(value, schema));
        for (key, child) in map {
            let field = schema.and_then(|schema| self.field(map, key, schema));
            self.step(Segment::Field(key.clone()), child, field.as_ref());
            if let (Some(schema), Value::String(text)) = (schema, child) {
                self.check_value(schema, key, text);
            }
        }
        if let Some(schema) = schema {
            self.check_required(map, schema);
            self.check(literal::check_size(map.len(), schema, "minProperties", "maxProperties", "entries"));
        }
    }

    /// A literal of a field whose values Kubernetes lists elsewhere than in its schema.
    fn check_value(&mut self, object: &Schema, key: &Str, text: &Str) {
        let Some(values) = enums::values(object, key, text).filter(|values| !values.contains(&text.as_str())) else {
            return;
        };
        if !text.contains("${") {
            self.path.push(Segment::Field(key.clone()));
            self.check(Some(literal::not_listed(text, values)));
            self.path.pop();
        }
    }

    /// The schema of a key; an unknown key is reported.
    fn field(&mut self, map: &Map, key: &Str, schema: &Schema) -> Option<Schema> {
        if let Some(field) = schema.field(key) {
            return Some(field);
        }
        let is_open = schema.preserve_unknown_fields()
            || !schema.has_properties()
            || !matches!(
                schema.additional_properties(),
                AdditionalProperties::Absent | AdditionalProperties::Allowed(false)
            );
        if !is_open {
            self.report_unknown(map, key, schema);
        }
        None
    }

    fn report_unknown(&mut self, map: &Map, key: &Str, schema: &Schema) {
        let message =
            format!("error getting field schema for path {}.{key}: schema not found for field {key}", self.path);
        let path = self.at(&self.path.field(key.clone()));
        let mut diagnostic = Diagnostic::error(codes::UNKNOWN_FIELD, message).about(self.id).at(path);
        let absent = schema.property_names().map(Str::as_str).filter(|name| !map.contains_key(name));
        diagnostic.help = did_you_mean(key, absent).map(Into::into);
        if diagnostic.help.is_none() && schema.property_names().len() <= 12 {
            let names: Vec<&str> = schema.property_names().map(Str::as_str).collect();
            diagnostic = diagnostic.help(format!("known fields: {}", names.join(", ")));
        }
        self.report.push_key(diagnostic);
    }

    fn check_required(&mut self, map: &Map, schema: &Schema) {
        for name in schema.required().iter().filter(|name| !map.contains_key(name)) {
            let parent = match self.path.segments().last() {
                Some(Segment::Field(name)) => name.clone(),
                _ => Str::default(),
            };
            let diagnostic = match required::judge(schema, &parent, name) {
                Demand::None => continue,
                Demand::Likely => Diagnostic::warning,
                Demand::Certain => Diagnostic::error,
            };
            let path = self.path.field(name.clone());
            let message = format!("required field {path} is missing");
            let diagnostic = diagnostic(codes::REQUIRED_FIELD, message).about(self.id).at(self.at(&path));
            self.report.push(diagnostic);
        }
    }

    fn list(&mut self, value: &Value, items: &[Value], schema: Option<&Schema>) {
        let schema = schema.filter(|schema| self.is_expected(value, schema));
        let item_schema = schema.and_then(Schema::items);
        for (index, item) in items.iter().enumerate() {
            self.step(Segment::Index(index), item, item_schema.as_ref());
        }
        if let Some(schema) = schema {
            self.check(literal::check_size(items.len(), schema, "minItems", "maxItems", "items"));
            self.check_unique(items, schema);
        }
    }

    /// Items of sets and maps must differ where they are literal.
    fn check_unique(&mut self, items: &[Value], schema: &Schema) {
        let (Some(ListType::Set | ListType::Map), [_, _, ..]) = (schema.list_type(), items) else { return };
        let keys = schema.list_map_keys();
        let identity = |item: &Value| -> Option<Value> {
            match schema.list_type()? {
                ListType::Atomic => None,
                ListType::Set => Some(item.clone()),
                ListType::Map => {
                    let default = |key: &Str| schema.items()?.property(key)?.default_value().cloned();
                    let part = |key: &Str| item.get(key).cloned().or_else(|| default(key));
                    Some(keys.iter().map(part).collect::<Option<Vec<Value>>>()?.into())
                }
            }
        };
        let identities: Vec<Option<Value>> = items.iter().map(identity).collect();
        for (index, identity) in identities.iter().enumerate() {
            let Some(identity) = identity.as_ref().filter(|identity| !identity.to_string().contains("${")) else {
                continue;
            };
            if identities[..index].contains(&Some(identity.clone())) {
                let mut path = self.path.clone();
                path.push(Segment::Index(index));
                let what = if keys.is_empty() { String::new() } else { format!(" ({})", keys.join(", ")) };
                let message = format!("duplicate item {identity}{what} at path {path}");
                self.push(codes::DUPLICATE_ITEM, &path, message);
            }
        }
    }

    fn scalar(&mut self, value: &Value, schema: &Schema) {
        if self.is_expected(value, schema) {
            self.check(literal::check(value, schema));
        }
    }

    /// Reports a value of a type that the schema does not take.
    fn is_expected(&mut self, value: &Value, schema: &Schema) -> bool {
        if expected::is_plainly(value, schema) {
            return true;
        }
        let expected = Expected::of(schema);
        if expected.takes(value) {
            return true;
        }
        let message = format!("expected {expected} type for path {}, got {}", self.path, value.type_name());
        let mut diagnostic = Diagnostic::error(codes::LITERAL_TYPE, message).about(self.id).at(self.at(&self.path));
        if expected.takes(&Value::from("")) {
            diagnostic = diagnostic.help(format!("quote it: \"{value}\""));
        }
        self.report.push(diagnostic);
        false
    }

    fn check(&mut self, problem: Option<literal::Problem>) {
        if let Some(problem) = problem {
            let message = format!("{} at path {}", problem.message, self.path);
            let mut diagnostic = Diagnostic::error(problem.code, message).about(self.id).at(self.at(&self.path));
            diagnostic.help = problem.help.map(Into::into);
            self.report.push(diagnostic);
        }
    }

    fn push(&mut self, code: Code, path: &FieldPath, message: String) {
        self.report.push(Diagnostic::error(code, message).about(self.id).at(self.at(path)));
    }

    fn at(&self, path: &FieldPath) -> FieldPath {
        self.base.join(path)
    }
}
