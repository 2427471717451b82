//! The canonical form of built-in kinds: what a round trip through the Go types of Kubernetes leaves of an object.

mod kind;
mod scalar;

use kro_schema::builtin::{self, Zero};
use kro_schema::structural::Schema;
use kro_value::{Map, Str, Value, format_smolstr};

use kind::Kind;

/// An object in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalized {
    /// The object.
    pub value: Value,
    /// Paths of the fields that the kind does not have and that are gone, as `spec.containers[0].foo`.
    pub unknown: Vec<Str>,
}

/// Brings an object of a built-in kind into canonical form: unknown fields and empty optional ones go, fields that are
/// always written come, quantities, times and base64 are rewritten. Doing it twice is doing it once.
///
/// # Errors
/// The words of Go's decoder for a value of the wrong type.
pub fn normalize(schema: &Schema, object: &Value) -> Result<Normalized, String> {
    let mut walk = Walk { path: String::new(), fields: Vec::new(), unknown: Vec::new() };
    let value = walk.value(schema, Kind::of(schema), object, "")?;
    walk.unknown.sort_unstable();
    Ok(Normalized { value, unknown: walk.unknown })
}

/// Brings `metadata` (of a custom resource or an embedded object) into canonical form; paths begin with `metadata`.
///
/// # Errors
/// The words of Go's decoder for a value of the wrong type.
pub fn normalize_metadata(metadata: &Value) -> Result<Normalized, String> {
    let Some(schema) = builtin::definition(kind::OBJECT_META) else {
        return Ok(Normalized { value: metadata.clone(), unknown: Vec::new() });
    };
    let mut walk = Walk { path: "metadata".to_owned(), fields: Vec::new(), unknown: Vec::new() };
    let value = walk.value(&schema, Kind::Struct, metadata, "")?;
    Ok(Normalized { value, unknown: walk.unknown })
}

struct Walk {
    /// Fields, keys and indexes, for reports of unknown fields.
    path: String,
    /// Fields of structs only, for the decoder's errors.
    fields: Vec<Str>,
    unknown: Vec<Str>,
}

impl Walk {
    /// `owner` is the Go struct that the value is a field of, for messages.
    fn value(&mut self, schema: &Schema, kind: Kind, value: &Value, owner: &str) -> Result<Value, String> {
        match (kind, value) {
            (_, Value::Null) => Ok(zero_of(schema, kind)),
            (Kind::Raw, value) => Ok(value.clone()),
            (Kind::Struct, Value::Map(map)) => self.structure(schema, map),
            (Kind::Map, Value::Map(map)) => self.map(schema, map, owner),
            (Kind::List, Value::List(items)) => self.list(schema, items, owner),
            (Kind::SchemaOr, Value::Map(map)) => match builtin::definition(kind::JSON_SCHEMA_PROPS) {
                Some(props) => self.structure(&props, map),
                None => Ok(value.clone()),
            },
            (Kind::SchemaOr, value) => Ok(value.clone()),
            (Kind::Struct | Kind::Map | Kind::List, value) => Err(self.mismatch(schema, kind, value, owner)),
            (scalar, value) => {
                scalar::normalize(scalar, value).unwrap_or_else(|| Err(self.mismatch(schema, scalar, value, owner)))
            }
        }
    }

    fn structure(&mut self, schema: &Schema, map: &Map) -> Result<Value, String> {
        let owner = kind::go_struct(schema);
        for name in map.keys().filter(|name| schema.property(name).is_none()) {
            let path = if self.path.is_empty() { name.clone() } else { format_smolstr!("{}.{name}", self.path) };
            self.unknown.push(path);
        }
        let mut fields = Vec::with_capacity(map.len());
        for (name, child) in schema.properties() {
            if let Some(value) = self.field(name, &child, map.get(name), owner)? {
                fields.push((name.clone(), value));
            }
        }
        Ok(Value::Map(fields.into_iter().collect()))
    }

    fn field(
        &mut self,
        name: &str,
        schema: &Schema,
        value: Option<&Value>,
        owner: &str,
    ) -> Result<Option<Value>, String> {
        let kind = Kind::of(schema);
        let zero = builtin::zero(schema);
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(absent(schema, kind, zero)) };
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        self.fields.push(Str::new(name));
        let value = self.value(schema, kind, value, owner)?;
        self.fields.pop();
        self.path.truncate(length);
        Ok(match zero {
            Zero::Dropped if kind.is_dropped_when_zero() && is_zero(&value) => None,
            Zero::Omitted if is_zero(&value) => None,
            _ => Some(value),
        })
    }

    fn map(&mut self, schema: &Schema, map: &Map, owner: &str) -> Result<Value, String> {
        let Some(values) = kind::values(schema) else { return Ok(Value::Map(map.clone())) };
        let kind = Kind::of(&values);
        let mut entries = Vec::with_capacity(map.len());
        for (name, value) in map {
            let length = self.path.len();
            self.path.push('.');
            self.path.push_str(name);
            let value = match value {
                Value::Null if kind == Kind::Bytes => Value::from(""), // as it comes back from storage
                value => self.value(&values, kind, value, owner)?,
            };
            entries.push((name.clone(), value));
            self.path.truncate(length);
        }
        Ok(Value::Map(entries.into_iter().collect()))
    }

    fn list(&mut self, schema: &Schema, items: &[Value], owner: &str) -> Result<Value, String> {
        let Some(item_schema) = schema.items() else { return Ok(items.to_vec().into()) };
        let kind = Kind::of(&item_schema);
        let mut normalized = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let length = self.path.len();
            self.path.push_str(&format!("[{index}]"));
            normalized.push(self.value(&item_schema, kind, item, owner)?);
            self.path.truncate(length);
        }
        Ok(normalized.into())
    }

    fn mismatch(&self, schema: &Schema, kind: Kind, value: &Value, owner: &str) -> String {
        let (found, wanted) = (scalar::go_json_kind(kind, value), kind::go_type(schema, kind));
        if owner.is_empty() {
            return format!("json: cannot unmarshal {found} into Go value of type {wanted}");
        }
        let path = self.fields.join(".");
        format!("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}")
    }
}

/// What is written for a field that is absent.
fn absent(schema: &Schema, kind: Kind, zero: Zero) -> Option<Value> {
    match zero {
        Zero::Kept | Zero::Omitted => None,
        Zero::Dropped if kind.is_dropped_when_zero() => None,
        Zero::Dropped | Zero::Emitted => Some(zero_of(schema, kind)),
    }
}

fn zero_of(schema: &Schema, kind: Kind) -> Value {
    match kind {
        Kind::Text => Value::from(""),
        Kind::Int32 | Kind::Int64 | Kind::Float | Kind::IntOrString => Value::Int(0),
        Kind::Bool => Value::Bool(false),
        Kind::Quantity => Value::from("0"),
        Kind::Struct => {
            let field = |(name, child): (&Str, Schema)| {
                let kind = Kind::of(&child);
                Some((name.clone(), absent(&child, kind, builtin::zero(&child))?))
            };
            Value::Map(schema.properties().filter_map(field).collect())
        }
        Kind::Raw | Kind::SchemaOr | Kind::Map | Kind::List | Kind::Bytes | Kind::Time | Kind::MicroTime => Value::Null,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Float(value) => *value == 0.0,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    fn run(group: &str, kind: &str, object: &str) -> Result<Normalized, String> {
        let schema = builtin::resolve(group, "v1", kind).unwrap();
        let normalized = normalize(&schema, &from_json(object).unwrap())?;
        let again = normalize(&schema, &normalized.value)?;
        assert_eq!(again.value, normalized.value, "a second time changes something");
        Ok(normalized)
    }

    #[test]
    fn empty_fields_go_and_constant_ones_come() {
        for (group, kind, object, result) in [
            (
                "",
                "ConfigMap",
                r#"{"data":{},"immutable":false,"metadata":{"labels":{},"name":""}}"#,
                r#"{"immutable":false,"metadata":{}}"#,
            ),
            (
                "",
                "Service",
                r#"{"spec":{"ports":[{"port":80,"nodePort":0}],"clusterIP":""}}"#,
                r#"{"metadata":{},"spec":{"ports":[{"port":80,"targetPort":0}]},"status":{"loadBalancer":{}}}"#,
            ),
            (
                "apps",
                "Deployment",
                r#"{"spec":{"replicas":0,"paused":false,"template":{"spec":{"containers":[{"name":"c"}]}}}}"#,
                r#"{"metadata":{},"spec":{"replicas":0,"strategy":{},"template":{"metadata":{},"spec":{"containers":[{"name":"c","resources":{}}]}}},"status":{}}"#,
            ),
            ("", "Secret", r#"{"data":{"a":null,"b":"YQ=="}}"#, r#"{"data":{"a":"","b":"YQ=="},"metadata":{}}"#),
            (
                "",
                "Event",
                r#"{"metadata":{"creationTimestamp":null}}"#,
                r#"{"eventTime":null,"firstTimestamp":null,"involvedObject":{},"lastTimestamp":null,"metadata":{},"reportingComponent":"","reportingInstance":"","source":{}}"#,
            ),
        ] {
            assert_eq!(run(group, kind, object).unwrap().value.to_string(), result, "{object}");
        }
    }

    #[test]
    fn values_are_rewritten() {
        let pod = run(
            "",
            "Pod",
            r#"{"metadata":{"creationTimestamp":"2026-01-01T01:00:00.5+01:00"},"spec":{"containers":[{"name":"c","resources":
            {"limits":{"cpu":"1000m","memory":"1024Mi","x":2}},"ports":[{"containerPort":80}]}]}}"#,
        );
        assert_eq!(
            pod.unwrap().value.to_string(),
            r#"{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"c","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"1","memory":"1Gi","x":"2"}}}]},"status":{}}"#
        );
    }

    #[test]
    fn unknown_fields_are_reported() {
        let pod =
            run("", "Pod", r#"{"foo":1,"spec":{"containers":[{"name":"c","bar":{}}]},"metadata":{"x":1}}"#).unwrap();
        assert_eq!(pod.unknown, ["foo", "metadata.x", "spec.containers[0].bar"]);
    }

    #[test]
    fn wrong_types_are_refused_in_the_words_of_go() {
        for (group, kind, object, error) in [
            (
                "apps",
                "Deployment",
                r#"{"spec":{"replicas":"1"}}"#,
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                "apps",
                "Deployment",
                r#"{"spec":{"replicas":1.5}}"#,
                "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                "",
                "ConfigMap",
                r#"{"data":{"a":1}}"#,
                "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
            ),
            (
                "",
                "Pod",
                r#"{"spec":{"containers":{}}}"#,
                "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
            ),
            (
                "",
                "Pod",
                r#"{"metadata":{"labels":{"a":1}}}"#,
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
            ),
            (
                "",
                "Pod",
                r#"{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}"#,
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
        ] {
            assert_eq!(run(group, kind, object).unwrap_err(), error, "{object}");
        }
    }

    #[test]
    fn schemas_inside_definitions_are_looked_into() {
        let schema = builtin::resolve("apiextensions.k8s.io", "v1", "CustomResourceDefinition").unwrap();
        let object = from_json(
            r#"{"spec":{"group":"g","names":{"kind":"K","plural":"ks"},"scope":"Namespaced","versions":[{"name":"v1","served":true,
            "storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"a":{"type":"array","items":
            {"type":"string","frob":1}},"b":{"x-kubernetes-preserve-unknown-fields":true,"default":{"any":[null]}}}}}}]}}"#,
        );
        let normalized = normalize(&schema, &object.unwrap()).unwrap();
        assert_eq!(normalized.unknown, ["spec.versions[0].schema.openAPIV3Schema.properties.a.items.frob"]);
        let path = ["spec", "versions"];
        let version = &normalized.value.at(&path).unwrap().as_list().unwrap()[0];
        let properties = version.at(&["schema", "openAPIV3Schema", "properties"]).unwrap();
        assert_eq!(
            properties.to_string(),
            r#"{"a":{"items":{"type":"string"},"type":"array"},"b":{"default":{"any":[null]},"x-kubernetes-preserve-unknown-fields":true}}"#
        );
    }
}
