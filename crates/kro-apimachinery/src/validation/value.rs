use kro_schema::structural::{AdditionalProperties, ListType, Schema, SchemaType};
use kro_value::{Map, Value};

use super::format::has_format;
use super::lists::{duplicates, index_by_key, key_of};
use crate::FieldError;

/// What of an object its schema does not allow: first what single values say, then duplicates in lists.
///
/// With an old object a part that has not changed is let through, whatever it is (ratcheting).
pub fn validate(schema: &Schema, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut walk = Walk { errors: Vec::new() };
    walk.value(schema, "", object, old);
    let mut errors = walk.errors;
    duplicates(schema, "", object, old, &mut errors);
    errors
}

struct Walk {
    errors: Vec<FieldError>,
}

/// The path of a field; the root has none.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl Walk {
    fn value(&mut self, schema: &Schema, path: &str, value: &Value, old: Option<&Value>) {
        if old.is_some_and(|old| old == value) {
            return;
        }
        if value.is_null() && schema.nullable() {
            return;
        }
        self.kind(schema, path, value);
        self.branches(schema, path, value);
        match value {
            Value::String(text) => self.text(schema, path, text),
            Value::Int(_) | Value::Float(_) => self.number(schema, path, value),
            _ => {}
        }
        if let Value::List(items) = value {
            self.list(schema, path, items, old);
        }
        self.choices(schema, path, value);
        if let Value::Map(map) = value {
            self.map(schema, path, map, old);
        }
    }

    fn invalid(&mut self, path: &str, value: &Value, what: &str) {
        self.errors.push(FieldError::invalid(shown(path), value, format!("{} in body {what}", path)));
    }

    fn kind(&mut self, schema: &Schema, path: &str, value: &Value) {
        let fits = if schema.int_or_string() {
            matches!(value, Value::Int(_) | Value::String(_))
        } else {
            match schema.schema_type() {
                None => true,
                Some(SchemaType::String) => value.as_str().is_some(),
                Some(SchemaType::Boolean) => value.as_bool().is_some(),
                Some(SchemaType::Integer) => is_integer(value),
                Some(SchemaType::Number) => value.as_f64().is_some(),
                Some(SchemaType::Array) => value.as_list().is_some(),
                Some(SchemaType::Object) => value.as_map().is_some(),
            }
        };
        if fits {
            return;
        }
        let wanted = match schema.schema_type() {
            _ if schema.int_or_string() => "integer,string",
            Some(kind) => kind.as_str(),
            None => "",
        };
        if wanted == "integer" && value.as_f64().is_some() {
            self.unchecked_number(path, "integer (default format)");
        }
        let found = Value::from(value.type_name());
        let detail = format!("{path} in body must be of type {wanted}: \"{}\"", value.type_name());
        self.errors.push(FieldError::type_invalid(shown(path), &found, detail));
    }

    fn unchecked_number(&mut self, path: &str, kind: &str) {
        let detail = format!("Checked value must be of type {kind} in {path}");
        self.errors.push(FieldError::invalid("<nil>", &Value::from(""), detail));
    }

    fn text(&mut self, schema: &Schema, path: &str, text: &str) {
        let value = Value::from(text);
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(limit) = schema.max_length().filter(|limit| length > *limit) {
            self.errors.push(FieldError::too_long(shown(path), usize::try_from(limit).unwrap_or_default()));
        }
        if let Some(limit) = schema.min_length().filter(|limit| length < *limit) {
            self.invalid(path, &value, &format!("should be at least {limit} chars long"));
        }
        if let Some(pattern) = schema.pattern_regex().filter(|pattern| !pattern.is_match(text)) {
            self.invalid(path, &value, &format!("should match '{pattern}'"));
        }
        if let Some(format) = schema.format().filter(|format| !has_format(format, text)) {
            let detail = format!("{path} in body must be of type {format}: {}", crate::go_quote(text));
            self.errors.push(FieldError::type_invalid(shown(path), &value, detail));
        }
    }

    fn number(&mut self, schema: &Schema, path: &str, value: &Value) {
        let Some(number) = value.as_f64() else { return };
        if schema.schema_type() == Some(SchemaType::Integer)
            && schema.format() == Some("int32")
            && value.as_i64().is_some_and(|value| i32::try_from(value).is_err())
        {
            self.unchecked_number(path, "integer with format int32");
        }
        if let Some(factor) = schema.multiple_of() {
            let quotient = factor.as_f64().map_or(0.0, |factor| number / factor);
            if quotient.fract() != 0.0 {
                self.invalid(path, value, &format!("should be a multiple of {factor}"));
            }
        }
        if let Some(limit) = schema.maximum() {
            let (limit_value, exclusive) = (limit.as_f64().unwrap_or(f64::INFINITY), schema.exclusive_maximum());
            if number > limit_value || (exclusive && number >= limit_value) {
                let or_equal = if exclusive { "" } else { " or equal to" };
                self.invalid(path, value, &format!("should be less than{or_equal} {limit}"));
            }
        }
        if let Some(limit) = schema.minimum() {
            let (limit_value, exclusive) = (limit.as_f64().unwrap_or(f64::NEG_INFINITY), schema.exclusive_minimum());
            if number < limit_value || (exclusive && number <= limit_value) {
                let or_equal = if exclusive { "" } else { " or equal to" };
                self.invalid(path, value, &format!("should be greater than{or_equal} {limit}"));
            }
        }
    }

    fn list(&mut self, schema: &Schema, path: &str, items: &[Value], old: Option<&Value>) {
        self.size(path, items.len(), (schema.min_items(), schema.max_items()), "items");
        let Some(item_schema) = schema.items() else { return };
        let old_items = match schema.list_type() {
            Some(ListType::Map) => old.and_then(Value::as_list).unwrap_or_default(),
            _ => &[],
        };
        let olds = index_by_key(schema, &item_schema, old_items);
        for (index, item) in items.iter().enumerate() {
            let old = key_of(schema, &item_schema, item).and_then(|key| olds.get(&key).copied());
            self.value(&item_schema, &format!("{path}[{index}]"), item, old);
        }
    }

    fn size(&mut self, path: &str, count: usize, (min, max): (Option<i64>, Option<i64>), what: &str) {
        let signed = i64::try_from(count).unwrap_or(i64::MAX);
        if let Some(min) = min.filter(|min| signed < *min) {
            self.invalid(path, &Value::Int(signed), &format!("should have at least {min} {what}"));
        }
        if let Some(max) = max.filter(|max| signed > *max) {
            let max = usize::try_from(max).unwrap_or_default();
            self.errors.push(FieldError::too_many(shown(path), count, max));
        }
    }

    fn choices(&mut self, schema: &Schema, path: &str, value: &Value) {
        let choices = schema.enum_values();
        if !choices.is_empty() && !choices.contains(value) {
            let texts: Vec<String> = choices
                .iter()
                .map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned))
                .collect();
            self.errors.push(FieldError::not_supported(shown(path), value, &texts));
        }
    }

    fn map(&mut self, schema: &Schema, path: &str, map: &Map, old: Option<&Value>) {
        self.size(path, map.len(), (schema.min_properties(), schema.max_properties()), "properties");
        let names = schema.required().iter().filter(|name| !map.contains_key(name));
        self.errors.extend(names.map(|name| FieldError::required(join(path, name), "")));
        if schema.embedded_resource() {
            self.embedded(path, map);
        }
        let old = old.and_then(Value::as_map);
        let values = match schema.additional_properties() {
            AdditionalProperties::Schema(values) => Some(values),
            _ => None,
        };
        for (name, value) in map {
            if let Some(child) = schema.property(name).or_else(|| values.clone()) {
                self.value(&child, &join(path, name), value, old.and_then(|old| old.get(name)));
            }
        }
    }

    fn embedded(&mut self, path: &str, map: &Map) {
        for name in ["apiVersion", "kind"] {
            if map.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
                self.errors.push(FieldError::required(join(path, name), ""));
            }
        }
    }

    /// `allOf`, `anyOf`, `oneOf` and `not`.
    fn branches(&mut self, schema: &Schema, path: &str, value: &Value) {
        let failures = |branch: &Schema| {
            let mut walk = Walk { errors: Vec::new() };
            walk.value(branch, path, value, None);
            walk.errors
        };
        let any: Vec<_> = schema.any_of().map(|branch| failures(&branch)).collect();
        if !any.is_empty() && any.iter().all(|errors| !errors.is_empty()) {
            self.composed(format!("\"{path}\" must validate at least one schema (anyOf)"));
            self.errors.extend(fewest(any));
        }
        let one: Vec<_> = schema.one_of().map(|branch| failures(&branch)).collect();
        let valid = one.iter().filter(|errors| errors.is_empty()).count();
        if !one.is_empty() && valid != 1 {
            let found = if valid == 0 { "none valid".to_owned() } else { format!("{valid} valid alternatives") };
            self.composed(format!("\"{path}\" must validate one and only one schema (oneOf). Found {found}"));
            self.errors.extend(if valid == 0 { fewest(one) } else { Vec::new() });
        }
        let all: Vec<_> = schema.all_of().map(|branch| failures(&branch)).collect();
        let valid = all.iter().filter(|errors| errors.is_empty()).count();
        if valid < all.len() {
            let suffix = if valid == 0 { ". None validated" } else { "" };
            self.errors.extend(all.into_iter().flatten());
            self.composed(format!("\"{path}\" must validate all the schemas (allOf){suffix}"));
        }
        if schema.not().is_some_and(|not| failures(&not).is_empty()) {
            self.composed(format!("\"{path}\" must not validate the schema (not)"));
        }
    }

    fn composed(&mut self, detail: String) {
        self.errors.push(FieldError::invalid("<nil>", &Value::from(""), detail));
    }
}

/// The errors of the branch that comes nearest.
fn fewest(branches: Vec<Vec<FieldError>>) -> Vec<FieldError> {
    branches.into_iter().min_by_key(Vec::len).unwrap_or_default()
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "<nil>" } else { path }
}

fn is_integer(value: &Value) -> bool {
    match value {
        Value::Int(_) => true,
        Value::Float(number) => number.fract() == 0.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    fn run(schema: &str, value: &str) -> Vec<String> {
        let schema = format!(r#"{{"type":"object","properties":{{"x":{schema}}}}}"#);
        let schema = Schema::from_json(&from_json(&schema).unwrap());
        let object = Value::map([("x", from_json(value).unwrap())]);
        validate(&schema, &object, None).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn words_errors_like_the_reference() {
        for (schema, value, error) in [
            (
                r#"{"type":"integer"}"#,
                r#""a""#,
                r#"x: Invalid value: "string": x in body must be of type integer: "string""#,
            ),
            (
                r#"{"type":"string","enum":["a","b"]}"#,
                r#""c""#,
                r#"x: Unsupported value: "c": supported values: "a", "b""#,
            ),
            (
                r#"{"type":"integer","minimum":1}"#,
                "0",
                "x: Invalid value: 0: x in body should be greater than or equal to 1",
            ),
            (
                r#"{"type":"integer","minimum":1,"exclusiveMinimum":true}"#,
                "1",
                "x: Invalid value: 1: x in body should be greater than 1",
            ),
            (
                r#"{"type":"integer","maximum":3}"#,
                "4",
                "x: Invalid value: 4: x in body should be less than or equal to 3",
            ),
            (r#"{"type":"integer","multipleOf":3}"#, "4", "x: Invalid value: 4: x in body should be a multiple of 3"),
            (
                r#"{"type":"string","minLength":1}"#,
                r#""""#,
                r#"x: Invalid value: "": x in body should be at least 1 chars long"#,
            ),
            (r#"{"type":"string","maxLength":2}"#, r#""abc""#, "x: Too long: may not be more than 2 bytes"),
            (
                r#"{"type":"string","pattern":"^[a-z]+$"}"#,
                r#""A""#,
                r#"x: Invalid value: "A": x in body should match '^[a-z]+$'"#,
            ),
            (
                r#"{"type":"array","minItems":1,"items":{"type":"string"}}"#,
                "[]",
                "x: Invalid value: 0: x in body should have at least 1 items",
            ),
            (
                r#"{"type":"array","maxItems":1,"items":{"type":"string"}}"#,
                r#"["a","b"]"#,
                "x: Too many: 2: must have at most 1 item",
            ),
            (
                r#"{"type":"string","format":"ipv4"}"#,
                r#""z""#,
                r#"x: Invalid value: "z": x in body must be of type ipv4: "z""#,
            ),
            (r#"{"type":"object","required":["y"]}"#, "{}", "x.y: Required value"),
            (
                r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
                r#"{"k":1}"#,
                r#"x.k: Invalid value: "integer": x.k in body must be of type string: "integer""#,
            ),
            (
                r#"{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}"#,
                r#"["a","a"]"#,
                r#"x[1]: Duplicate value: "a""#,
            ),
            (
                r#"{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object","properties":{"name":{"type":"string"}}}}"#,
                r#"[{"name":"a"},{"name":"a"}]"#,
                r#"x[1]: Duplicate value: {"name":"a"}"#,
            ),
            (
                r#"{"x-kubernetes-int-or-string":true}"#,
                "true",
                r#"x: Invalid value: "boolean": x in body must be of type integer,string: "boolean""#,
            ),
            (r#"{"not":{"enum":[1]}}"#, "1", r#"<nil>: Invalid value: "": "x" must not validate the schema (not)"#),
        ] {
            assert_eq!(run(schema, value), [error], "{schema} {value}");
        }
    }

    #[test]
    fn branches_tell_how_many_are_valid() {
        let schema = r#"{"type":"integer","oneOf":[{"minimum":1},{"minimum":2}]}"#;
        assert_eq!(run(schema, "1"), [""; 0]);
        assert_eq!(
            run(schema, "2"),
            [
                r#"<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
            ]
        );
        assert_eq!(run(schema, "0").len(), 2);
    }

    #[test]
    fn what_has_not_changed_is_let_through() {
        let schema = Schema::from_json(
            &from_json(r#"{"type":"object","properties":{"a":{"type":"integer","minimum":5},"b":{"type":"string"}}}"#)
                .unwrap(),
        );
        let old = from_json(r#"{"a":1,"b":"x"}"#).unwrap();
        let new = from_json(r#"{"a":1,"b":"y"}"#).unwrap();
        assert!(validate(&schema, &new, Some(&old)).is_empty());
        assert_eq!(validate(&schema, &from_json(r#"{"a":2}"#).unwrap(), Some(&old)).len(), 1);
        assert_eq!(validate(&schema, &new, None).len(), 1);
    }
}
