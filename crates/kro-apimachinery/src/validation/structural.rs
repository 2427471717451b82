use kro_schema::structural::{Schema, prune_value};
use kro_value::{Map, Value};

use super::validate;
use crate::FieldError;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// Keywords that only the structure outside of `allOf` and its like may use.
const STRUCTURE: [&str; 5] = ["additionalProperties", "default", "description", "title", "type"];
const MARKERS: [&str; 3] =
    ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"];

/// What makes a schema of a CustomResourceDefinition not structural; `field` is where it stands, such as
/// `spec.validation.openAPIV3Schema`.
pub fn structural_errors(schema: &Value, field: &str) -> Vec<FieldError> {
    let mut walk = Walk { errors: Vec::new() };
    walk.root(schema, field);
    walk.errors
}

/// Where a schema stands, which decides the words for a missing type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Field,
    Item,
}

struct Walk {
    errors: Vec<FieldError>,
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn map<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = (&'a kro_value::Str, &'a Value)> {
    schema.get(key).and_then(Value::as_map).into_iter().flatten()
}

impl Walk {
    fn required(&mut self, field: String, detail: &str) {
        self.errors.push(FieldError::required(field, detail));
    }

    fn forbidden(&mut self, field: String, detail: &str) {
        self.errors.push(FieldError::forbidden(field, detail));
    }

    fn invalid(&mut self, field: String, value: &Value, detail: &str) {
        self.errors.push(FieldError::invalid(field, value, detail));
    }

    fn root(&mut self, schema: &Value, field: &str) {
        self.schema(schema, field, Level::Root);
        if schema.get("additionalProperties").is_some() {
            self.forbidden(format!("{field}.additionalProperties"), "must not be used at the root");
        }
        if let Some(metadata) = schema.at(&["properties", "metadata"]) {
            let place = format!("{field}.properties[metadata]");
            let others = map(metadata, "properties").any(|(name, _)| !matches!(name.as_str(), "name" | "generateName"));
            let more = metadata.as_map().into_iter().flat_map(Map::keys);
            if others || more.into_iter().any(|key| !matches!(key.as_str(), "type" | "properties" | "description")) {
                let detail =
                    "must not specify anything other than name and generateName, but metadata is implicitly specified";
                self.forbidden(place, detail);
            }
        }
    }

    fn schema(&mut self, schema: &Value, field: &str, level: Level) {
        self.kind(schema, field, level);
        self.unsupported(schema, field);
        self.list(schema, field);
        self.map(schema, field);
        self.default(schema, field);
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let branches = schema.get(keyword).and_then(Value::as_list).unwrap_or_default();
            for (index, branch) in branches.iter().enumerate() {
                self.branch(branch, schema, &format!("{field}.{keyword}[{index}]"));
            }
        }
        if let Some(not) = schema.get("not") {
            self.branch(not, schema, &format!("{field}.not"));
        }
        for (name, property) in map(schema, "properties") {
            self.schema(property, &format!("{field}.properties[{name}]"), Level::Field);
        }
        for (keyword, level) in [("items", Level::Item), ("additionalProperties", Level::Field)] {
            if let Some(inner) = schema.get(keyword).filter(|inner| inner.as_map().is_some()) {
                self.schema(inner, &format!("{field}.{keyword}"), level);
            }
        }
    }

    fn kind(&mut self, schema: &Value, field: &str, level: Level) {
        let kind = text(schema, "type");
        let is_int_or_string = flag(schema, "x-kubernetes-int-or-string");
        let place = format!("{field}.type");
        let is_free = is_int_or_string || flag(schema, "x-kubernetes-preserve-unknown-fields");
        match level {
            Level::Root if kind.is_empty() => self.required(place.clone(), "must not be empty at the root"),
            Level::Root if kind != "object" => {
                self.invalid(place.clone(), &kind.into(), "must be object at the root");
            }
            _ if schema.get("$ref").is_some() => {} // forbidden, which is said elsewhere
            Level::Field if kind.is_empty() && !is_free => {
                self.required(place.clone(), "must not be empty for specified object fields");
            }
            Level::Item if kind.is_empty() && !is_free => {
                self.required(place.clone(), "must not be empty for specified array items");
            }
            _ => {}
        }
        if !kind.is_empty() && !TYPES.contains(&kind) {
            self.errors.push(FieldError::not_supported(place, &kind.into(), &TYPES));
        }
        if flag(schema, "x-kubernetes-embedded-resource") {
            self.embedded(schema, field);
        }
    }

    fn embedded(&mut self, schema: &Value, field: &str) {
        let kind = text(schema, "type");
        if kind != "object" {
            let detail = "must be object if x-kubernetes-embedded-resource is true";
            self.invalid(format!("{field}.type"), &kind.into(), detail);
        }
        let is_free = flag(schema, "x-kubernetes-preserve-unknown-fields");
        if !is_free && map(schema, "properties").next().is_none() {
            let detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
            self.required(format!("{field}.properties"), detail);
        }
    }

    fn unsupported(&mut self, schema: &Value, field: &str) {
        for keyword in ["$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties"] {
            if schema.get(keyword).is_some() {
                self.forbidden(format!("{field}.{keyword}"), &format!("{keyword} is not supported"));
            }
        }
        if flag(schema, "uniqueItems") {
            let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.forbidden(format!("{field}.uniqueItems"), detail);
        }
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_some() {
            self.forbidden(
                format!("{field}.additionalProperties"),
                "additionalProperties and properties are mutual exclusive",
            );
        }
        if matches!(schema.get("items"), Some(Value::List(_))) {
            self.forbidden(format!("{field}.items"), "items must be a schema object and not an array");
        }
        let preserve = "x-kubernetes-preserve-unknown-fields";
        if schema.get(preserve).and_then(Value::as_bool) == Some(false) {
            self.invalid(format!("{field}.{preserve}"), &Value::Bool(false), "must be true or undefined");
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && let Err(error) = regex::Regex::new(pattern)
        {
            let detail =
                format!("must be a valid regular expression, but isn't: {}", go_words(&error.to_string(), pattern));
            self.invalid(format!("{field}.pattern"), &pattern.into(), &detail);
        }
    }

    fn list(&mut self, schema: &Value, field: &str) {
        let kind = text(schema, "type");
        if kind == "array" && schema.get("items").is_none() {
            self.required(format!("{field}.items"), "must be specified");
        }
        let Some(list_type) = schema.get("x-kubernetes-list-type").and_then(Value::as_str) else {
            if schema.get("x-kubernetes-list-map-keys").is_some() {
                self.required(
                    format!("{field}.x-kubernetes-list-type"),
                    "must be map if x-kubernetes-list-map-keys is non-empty",
                );
            }
            return;
        };
        if !matches!(list_type, "atomic" | "set" | "map") {
            let place = format!("{field}.x-kubernetes-list-type");
            self.errors.push(FieldError::not_supported(place, &list_type.into(), &["atomic", "set", "map"]));
        }
        if kind.is_empty() {
            self.required(format!("{field}.type"), "must be array if x-kubernetes-list-type is specified");
        } else if kind != "array" {
            let detail = "must be array if x-kubernetes-list-type is specified";
            self.invalid(format!("{field}.type"), &kind.into(), detail);
        }
        let items = schema.get("items").cloned().unwrap_or_default();
        if list_type != "atomic" && flag(&items, "nullable") {
            let detail = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
            self.forbidden(format!("{field}.items.nullable"), &detail);
        }
        match list_type {
            "map" => self.keyed(schema, &items, field),
            "set" => self.set(&items, field),
            _ => {}
        }
    }

    fn keyed(&mut self, schema: &Value, items: &Value, field: &str) {
        let place = format!("{field}.x-kubernetes-list-map-keys");
        let keys = schema.get("x-kubernetes-list-map-keys").cloned().unwrap_or_default();
        let names: Vec<&str> = keys.as_list().unwrap_or_default().iter().filter_map(Value::as_str).collect();
        if names.is_empty() {
            self.required(place.clone(), "must not be empty if x-kubernetes-list-type is map");
        }
        if text(items, "type") != "object" {
            let detail = "must be object if parent array's x-kubernetes-list-type is map";
            self.invalid(format!("{field}.items.type"), &text(items, "type").into(), detail);
            return;
        }
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            self.invalid(place.clone(), &keys, "must not contain duplicate entries");
        }
        let required = items.get("required").and_then(Value::as_list).unwrap_or_default();
        for name in names {
            let Some(property) = items.at(&["properties", name]) else {
                self.invalid(place.clone(), &keys, "entries must all be names of item properties");
                continue;
            };
            let inside = format!("{field}.items.properties[{name}]");
            if matches!(text(property, "type"), "array" | "object") {
                let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                self.invalid(format!("{inside}.type"), &text(property, "type").into(), detail);
            }
            let is_required = required.iter().any(|required| required.as_str() == Some(name));
            if !is_required && property.get("default").is_none() {
                let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
                self.required(format!("{inside}.default"), detail);
            }
            if flag(property, "nullable") {
                let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
                self.forbidden(format!("{inside}.nullable"), detail);
            }
        }
    }

    fn set(&mut self, items: &Value, field: &str) {
        let (key, is_atomic) = match text(items, "type") {
            "object" => ("x-kubernetes-map-type", text(items, "x-kubernetes-map-type") == "atomic"),
            "array" => ("x-kubernetes-list-type", matches!(text(items, "x-kubernetes-list-type"), "" | "atomic")),
            _ => return,
        };
        if !is_atomic {
            let given = items.get(key).cloned().unwrap_or_default();
            let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
            self.invalid(format!("{field}.items.{key}"), &given, detail);
        }
    }

    fn map(&mut self, schema: &Value, field: &str) {
        let Some(map_type) = schema.get("x-kubernetes-map-type").and_then(Value::as_str) else { return };
        if !matches!(map_type, "atomic" | "granular") {
            let place = format!("{field}.x-kubernetes-map-type");
            self.errors.push(FieldError::not_supported(place, &map_type.into(), &["atomic", "granular"]));
        }
        let kind = text(schema, "type");
        if kind.is_empty() {
            self.required(format!("{field}.type"), "must be object if x-kubernetes-map-type is specified");
        } else if kind != "object" {
            let detail = "must be object if x-kubernetes-map-type is specified";
            self.invalid(format!("{field}.type"), &kind.into(), detail);
        }
    }

    /// A default is pruned and valid.
    fn default(&mut self, schema: &Value, field: &str) {
        let Some(default) = schema.get("default") else { return };
        let place = format!("{field}.default");
        let parsed = Schema::from_json(schema);
        if !prune_value(&parsed, &mut default.clone()).is_empty() {
            self.invalid(place, default, "must not have unknown fields");
            return;
        }
        for mut error in validate(&parsed, default, None) {
            error.field = match error.field.as_str() {
                "<nil>" => place.clone(),
                inner => format!("{place}.{inner}"),
            };
            self.errors.push(error);
        }
    }

    /// A branch only restricts: it has no structure of its own. (That it names only what the structure has is not asked,
    /// here as on a real server.)
    fn branch(&mut self, branch: &Value, structure: &Value, field: &str) {
        let is_int_or_string = flag(structure, "x-kubernetes-int-or-string");
        for keyword in STRUCTURE.into_iter().filter(|keyword| branch.get(keyword).is_some()) {
            if keyword == "type" && is_int_or_string {
                continue; // the two types of int-or-string may be spelled out
            }
            let is_value = matches!(keyword, "additionalProperties" | "default");
            let state = if is_value { "undefined" } else { "empty" };
            self.forbidden(format!("{field}.{keyword}"), &format!("must be {state} to be structural"));
        }
        for marker in MARKERS.into_iter().chain(["nullable"]).filter(|marker| flag(branch, marker)) {
            self.forbidden(format!("{field}.{marker}"), "must be false to be structural");
        }
        let known = |keys: &[&str]| structure.at(keys).cloned().unwrap_or_default();
        for (name, inner) in map(branch, "properties") {
            self.branch(inner, &known(&["properties", name]), &format!("{field}.properties[{name}]"));
        }
        if let Some(inner) = branch.get("items") {
            self.branch(inner, &known(&["items"]), &format!("{field}.items"));
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let branches = branch.get(keyword).and_then(Value::as_list).unwrap_or_default();
            for (index, inner) in branches.iter().enumerate() {
                self.branch(inner, structure, &format!("{field}.{keyword}[{index}]"));
            }
        }
        if let Some(inner) = branch.get("not") {
            self.branch(inner, structure, &format!("{field}.not"));
        }
    }
}

/// What Go says of a malformed regular expression, where it is known.
fn go_words(error: &str, pattern: &str) -> String {
    let said = if error.contains("unclosed group") {
        format!("missing closing ): `{pattern}`")
    } else if error.contains("unopened group") {
        format!("unexpected ): `{pattern}`")
    } else if error.contains("unclosed character class") {
        format!("missing closing ]: `{}`", &pattern[pattern.rfind('[').unwrap_or_default()..])
    } else if error.contains("repetition operator missing expression") {
        let operator = pattern.chars().find(|character| "*+?".contains(*character)).unwrap_or('*');
        format!("missing argument to repetition operator: `{operator}`")
    } else {
        return error.to_owned();
    };
    format!("error parsing regexp: {said}")
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    /// Cases with the answers of a real server: a property `x` with this schema, and the errors.
    static RECORDED: &str = include_str!("../../tests/fixtures/structural.json");

    #[test]
    fn refuses_what_a_real_server_refuses() {
        let recorded = from_json(RECORDED).unwrap();
        for case in recorded.as_list().unwrap() {
            let schema = case.get("schema").unwrap();
            let ours: Vec<String> = structural_errors(schema, "s").iter().map(ToString::to_string).collect();
            let theirs = case.get("errors").and_then(Value::as_list).unwrap();
            // The words about a broken pattern are those of another engine.
            let comparable = |text: &str| text.split("isn't:").next().unwrap_or_default().to_owned();
            let mut theirs: Vec<String> = theirs.iter().filter_map(Value::as_str).map(comparable).collect();
            let mut ours: Vec<String> = ours.iter().map(|text| comparable(text)).collect();
            theirs.sort_unstable();
            ours.sort_unstable();
            assert_eq!(ours, theirs, "{schema}");
        }
    }
}
