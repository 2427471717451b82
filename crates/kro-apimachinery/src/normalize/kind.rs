use kro_schema::structural::{AdditionalProperties, Schema, SchemaType};

pub(super) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
pub(super) const JSON_SCHEMA_PROPS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

/// What Go type stands behind a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bytes,
    Bool,
    Int32,
    Int64,
    Float,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Struct,
    Map,
    List,
    /// A JSON schema, or something that is none.
    SchemaOr,
    /// Any JSON.
    Raw,
}

impl Kind {
    pub fn of(schema: &Schema) -> Self {
        let name = schema.reference().map_or("", |name| name.rsplit('.').next().unwrap_or(name));
        match name {
            "Quantity" => return Self::Quantity,
            "IntOrString" => return Self::IntOrString,
            "Time" => return Self::Time,
            "MicroTime" => return Self::MicroTime,
            "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray" => {
                return Self::SchemaOr;
            }
            _ => {}
        }
        match (schema.schema_type(), schema.format()) {
            (Some(SchemaType::String), Some("byte")) => Self::Bytes,
            (Some(SchemaType::String), _) => Self::Text,
            (Some(SchemaType::Boolean), _) => Self::Bool,
            (Some(SchemaType::Integer), Some("int32")) => Self::Int32,
            (Some(SchemaType::Integer), _) => Self::Int64,
            (Some(SchemaType::Number), _) => Self::Float,
            (Some(SchemaType::Array), _) => Self::List,
            (Some(SchemaType::Object), _) if schema.has_properties() => Self::Struct,
            (Some(SchemaType::Object), _) if values(schema).is_some() => Self::Map,
            _ => Self::Raw,
        }
    }

    /// Go's `omitempty` drops scalars and empty containers, but never a struct.
    pub fn is_dropped_when_zero(self) -> bool {
        !matches!(self, Self::Struct | Self::Time | Self::MicroTime | Self::Quantity | Self::IntOrString)
    }
}

/// The schema of a map's values.
pub(super) fn values(schema: &Schema) -> Option<Schema> {
    match schema.additional_properties() {
        AdditionalProperties::Schema(values) => Some(values),
        _ => None,
    }
}

/// The name of the Go struct of a schema.
pub(super) fn go_struct(schema: &Schema) -> &str {
    schema.reference().map_or("", |name| name.rsplit('.').next().unwrap_or(name))
}

/// The Go type as the decoder's errors print it.
pub(super) fn go_type(schema: &Schema, kind: Kind) -> String {
    match kind {
        Kind::Text | Kind::Quantity | Kind::Time | Kind::MicroTime => "string".to_owned(),
        Kind::Bytes => "[]uint8".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::Int32 | Kind::IntOrString => "int32".to_owned(),
        Kind::Int64 => "int64".to_owned(),
        Kind::Float => "float64".to_owned(),
        Kind::Raw | Kind::SchemaOr => "interface {}".to_owned(),
        Kind::List => {
            format!("[]{}", schema.items().map_or_else(String::new, |items| go_type(&items, Kind::of(&items))))
        }
        Kind::Map => {
            format!(
                "map[string]{}",
                values(schema).map_or_else(String::new, |values| go_type(&values, Kind::of(&values)))
            )
        }
        Kind::Struct => {
            let name = schema.reference().unwrap_or_default();
            let mut parts = name.rsplit('.');
            let (kind, package) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            format!("{package}.{kind}")
        }
    }
}
