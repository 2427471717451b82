//! What each marker does to a schema.

use std::ops::Range;

use kro_diagnostics::{Code, codes::simple};
use kro_value::{Map, Str, Value};

use super::build::Built;
use super::default;
use super::go;
use super::marker::Marker;
use super::report::Problem;

/// Applies all markers from left to right and reports those that cannot be.
pub(super) fn apply_all(built: &mut Built, markers: &[Marker]) -> Vec<Problem> {
    let usable = |marker: &&Marker| !built_is_unknown(built, marker);
    let chosen: Vec<&Marker> = markers.iter().filter(usable).collect();
    let mut problems: Vec<Problem> = chosen.into_iter().filter_map(|marker| apply(built, marker).err()).collect();
    problems.extend(list_keys(&built.schema, markers));
    problems
}

/// Where the type is not known, only these markers can be judged.
fn built_is_unknown(built: &Built, marker: &Marker) -> bool {
    built.unknown && !matches!(marker.key.as_str(), "required" | "description")
}

fn apply(built: &mut Built, marker: &Marker) -> Result<(), Problem> {
    let target = Target { kind: kind(&built.schema).to_owned(), schema: &mut built.schema, marker };
    match marker.key.as_str() {
        "required" => built.required |= target.flag("required")?,
        "default" => target.default()?,
        "description" => target.set("description", Value::from(marker.value.as_str())),
        "minimum" | "maximum" => target.bound()?,
        "validation" => target.validation()?,
        "immutable" => target.immutable()?,
        "enum" => target.enumeration()?,
        "pattern" => target.pattern()?,
        "minLength" | "maxLength" => target.size("string")?,
        "minItems" | "maxItems" => target.size("array")?,
        "uniqueItems" => target.unique_items()?,
        "listType" => target.list_type()?,
        "listMapKey" => target.list_map_key()?,
        _ => {} // unknown ones were reported while reading
    }
    Ok(())
}

/// The `type` of a schema; empty without one.
pub(super) fn kind(schema: &Map) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

struct Target<'a> {
    kind: String,
    schema: &'a mut Map,
    marker: &'a Marker,
}

impl Target<'_> {
    fn value(&self) -> &str {
        &self.marker.value
    }

    fn set(self, key: &str, value: Value) {
        self.schema.insert(key, value);
    }

    fn bad(&self, code: Code, message: impl Into<String>) -> Problem {
        let range = if self.marker.value_range.is_empty() { &self.marker.key_range } else { &self.marker.value_range };
        Problem::error(code, message, range.clone())
    }

    /// Where a part of the value stands in the text of the field; the whole value where escapes make it uncertain.
    fn part(&self, part: &Range<usize>) -> Range<usize> {
        let whole = &self.marker.value_range;
        let quotes = whole.len().saturating_sub(self.value().len());
        if quotes != 0 && quotes != 2 {
            return whole.clone();
        }
        let start = whole.start + quotes / 2;
        start + part.start..(start + part.end).max(start + part.start + 1).min(whole.end)
    }

    fn wrong_type(&self, message: String) -> Problem {
        Problem::error(simple::MARKER_TYPE, message, self.marker.key_range.clone())
    }

    fn needs(&self, kind: &str, plural: &str) -> Result<(), Problem> {
        if self.kind == kind {
            return Ok(());
        }
        Err(self.wrong_type(format!(
            "{} marker is only valid for {plural} types, got type: {}",
            self.marker.key, self.kind
        )))
    }

    fn flag(&self, name: &str) -> Result<bool, Problem> {
        go::boolean(self.value()).map_err(|error| {
            self.bad(simple::MARKER_VALUE, format!("failed to parse {name} marker value: {error}"))
                .help("write true or false")
        })
    }

    fn default(self) -> Result<(), Problem> {
        let value = default::read(&self.kind, self.value()).map_err(|(message, help)| {
            let problem = self.bad(simple::DEFAULT, message);
            match help {
                Some(help) => problem.help(help),
                None => problem,
            }
        })?;
        self.set("default", value);
        Ok(())
    }

    fn bound(self) -> Result<(), Problem> {
        let key = self.marker.key.clone();
        let value = go::number(self.value())
            .map_err(|error| self.bad(simple::MARKER_VALUE, format!("failed to parse {key} enum value: {error}")))?;
        self.set(&key, value);
        Ok(())
    }

    fn validation(self) -> Result<(), Problem> {
        if self.value().trim().is_empty() {
            return Err(self
                .bad(simple::MARKER_VALUE, "validation failed")
                .help("write a rule: validation=\"self > 0\""));
        }
        let rule = self.value().to_owned();
        let options = kro_cel::ParseOptions { optional_syntax: true, ..kro_cel::ParseOptions::default() };
        let issues = kro_cel::parse(&rule, &options).errors;
        if let Some(issue) = issues.iter().find(|issue| issue.kind == kro_cel::IssueKind::Syntax) {
            let message = format!("the validation rule is no expression: {}", issue.message);
            return Err(Problem { range: self.part(&issue.span), ..self.bad(simple::RULE, message) });
        }
        add_rule(self.schema, &rule, "validation failed");
        Ok(())
    }

    fn immutable(self) -> Result<(), Problem> {
        if self.flag("immutable")? {
            add_rule(self.schema, "self == oldSelf", "field is immutable");
        }
        Ok(())
    }

    fn enumeration(self) -> Result<(), Problem> {
        let integers = match self.kind.as_str() {
            "string" => false,
            "integer" => true,
            other => {
                let message = format!("enum values only supported for string and integer types, got type: {other}");
                return Err(self.wrong_type(message));
            }
        };
        let mut values = Vec::new();
        for item in self.value().split(',').map(str::trim) {
            if item.is_empty() {
                return Err(self.bad(simple::MARKER_VALUE, "empty enum values are not allowed"));
            }
            values.push(match integers {
                false => Value::from(item),
                true => go::integer(item).map(Value::Int).map_err(|error| {
                    self.bad(simple::MARKER_VALUE, format!("failed to parse integer enum value: {error}"))
                })?,
            });
        }
        self.set("enum", Value::from(values));
        Ok(())
    }

    fn pattern(self) -> Result<(), Problem> {
        if self.value().is_empty() {
            return Err(self.bad(simple::MARKER_VALUE, "pattern marker value cannot be empty"));
        }
        self.needs("string", "string")?;
        if let Err(error) = regex::Regex::new(self.value()) {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let problem = self.bad(simple::MARKER_VALUE, format!("invalid pattern regex: {reason}"));
            return Err(problem.help("patterns are RE2: without look-around and back-references"));
        }
        let value = Value::from(self.value());
        self.set("pattern", value);
        Ok(())
    }

    /// `minLength`, `maxLength`, `minItems`, `maxItems`
    fn size(self, kind: &str) -> Result<(), Problem> {
        self.needs(kind, kind)?;
        let key = self.marker.key.clone();
        let size = go::integer(self.value())
            .map_err(|error| self.bad(simple::MARKER_VALUE, format!("failed to parse {key} value: {error}")))?;
        self.set(&key, Value::Int(size));
        Ok(())
    }

    fn unique_items(self) -> Result<(), Problem> {
        let unique = self.flag("uniqueItems")?;
        self.needs("array", "array")?;
        if !unique {
            return Ok(());
        }
        match self.schema.get(LIST_TYPE).and_then(Value::as_str) {
            None | Some("set") => {}
            Some(other) => {
                let message = format!("cannot set unique when listType is set to {other}");
                return Err(self.bad(simple::CONTRADICTION, message));
            }
        }
        self.set(LIST_TYPE, Value::from("set"));
        Ok(())
    }

    fn list_type(self) -> Result<(), Problem> {
        if self.kind != "array" {
            return Err(self.wrong_type("listType marker only applies to array types".to_owned()));
        }
        let new = self.value().to_owned();
        if !matches!(new.as_str(), "atomic" | "set" | "map") {
            let message = format!("unsupported value for listType {new}, needs to be one of atomic, set, or map");
            return Err(self.bad(simple::MARKER_VALUE, message));
        }
        if let Some(old) = self.schema.get(LIST_TYPE).and_then(Value::as_str).filter(|old| *old != new) {
            let message = format!(
                "listType attempting to overwrite set type of {old}, this can happen if you set contradictory markers \
                 like unique=true | listType=map"
            );
            return Err(self.bad(simple::CONTRADICTION, message));
        }
        self.set(LIST_TYPE, Value::from(new));
        Ok(())
    }

    fn list_map_key(self) -> Result<(), Problem> {
        if self.kind != "array" {
            return Err(self.wrong_type("listMapKey marker only applies to array types".to_owned()));
        }
        let key = Value::from(self.value());
        let mut keys = self.schema.get(LIST_MAP_KEYS).and_then(Value::as_list).unwrap_or_default().to_vec();
        if keys.contains(&key) {
            let message = format!("duplicate listMapKey marker, value {}", self.value());
            return Err(self.bad(simple::LIST_MAP, message));
        }
        keys.push(key);
        self.set(LIST_MAP_KEYS, Value::from(keys));
        Ok(())
    }
}

pub(super) const LIST_TYPE: &str = "x-kubernetes-list-type";
pub(super) const LIST_MAP_KEYS: &str = "x-kubernetes-list-map-keys";

fn add_rule(schema: &mut Map, rule: &str, message: &str) {
    const KEY: &str = "x-kubernetes-validations";
    let mut rules = schema.get(KEY).and_then(Value::as_list).unwrap_or_default().to_vec();
    rules.push(Value::map([("rule", Value::from(rule)), ("message", Value::from(message))]));
    schema.insert(Str::new_static(KEY), Value::from(rules));
}

/// Keys of list items make sense only for lists of the type `map`.
fn list_keys(schema: &Map, markers: &[Marker]) -> Option<Problem> {
    schema.get(LIST_MAP_KEYS)?;
    let message = match schema.get(LIST_TYPE).and_then(Value::as_str) {
        Some("map") => return None,
        None => "listMapKey set while listType is unset, listType must be set to map".to_owned(),
        Some(other) => format!("listMapKey set while listType is set to {other}, listType must be set to map"),
    };
    let range =
        markers.iter().rfind(|marker| marker.key == "listMapKey").map_or(0..0, |marker| marker.key_range.clone());
    Some(Problem::error(simple::LIST_MAP, message, range).help("add listType=map"))
}
