use std::sync::{Arc, OnceLock};

use kro_value::{Map, Str, Value};

/// The `type` of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaType {
    /// `array`
    Array,
    /// `boolean`
    Boolean,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `object`
    Object,
    /// `string`
    String,
}

impl SchemaType {
    /// Reads the value of `type`; `None` for anything else than the six types of structural schemas.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "array" => Self::Array,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "object" => Self::Object,
            "string" => Self::String,
            _ => return None,
        })
    }

    /// The value of `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        }
    }
}

/// The value of `x-kubernetes-list-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListType {
    /// Replaced as a whole.
    Atomic,
    /// Unique scalars, merged by value.
    Set,
    /// Objects, merged by the fields of `x-kubernetes-list-map-keys`.
    Map,
}

/// The value of `x-kubernetes-map-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MapType {
    /// Merged key by key.
    Granular,
    /// Replaced as a whole.
    Atomic,
}

/// What a schema says of keys that are no declared property.
#[derive(Debug)]
pub(super) enum Additional {
    Absent,
    Allowed(bool),
    Node(Arc<Node>),
}

/// One parsed schema, as written; references are not followed here.
#[derive(Debug)]
pub(super) struct Node {
    /// The source; keywords that are rarely asked for are read from here.
    pub json: Value,
    /// The keywords of `json`; see [`keyword_bit`].
    pub keywords: u64,
    pub reference: Option<Str>,
    pub schema_type: Option<SchemaType>,
    /// Sorted by name.
    pub properties: Vec<(Str, Arc<Node>)>,
    pub required: Vec<Str>,
    pub items: Option<Arc<Node>>,
    pub additional: Additional,
    pub all_of: Vec<Arc<Node>>,
    pub any_of: Vec<Arc<Node>>,
    pub one_of: Vec<Arc<Node>>,
    pub not: Option<Arc<Node>>,
    pub list_map_keys: Vec<Str>,
    /// Compiled on first use; `None` inside for a pattern outside RE2.
    pub pattern: OnceLock<Option<regex::Regex>>,
}

impl Node {
    pub fn parse(json: &Value) -> Arc<Self> {
        let all_of = nodes(json.get("allOf"));
        // OpenAPI v3 wraps a reference in a single allOf wherever the referring field says something of its own.
        let reference = reference(json).or_else(|| match all_of.as_slice() {
            [only] => only.reference.clone(),
            _ => None,
        });
        Arc::new(Self {
            json: json.clone(),
            keywords: json.as_map().into_iter().flatten().fold(0, |bits, (keyword, _)| bits | keyword_bit(keyword)),
            schema_type: json.get("type").and_then(Value::as_str).and_then(SchemaType::parse),
            properties: properties(json.get("properties").and_then(Value::as_map)),
            required: strings(json.get("required")),
            items: json.get("items").filter(|items| items.as_map().is_some()).map(Self::parse),
            additional: additional(json.get("additionalProperties")),
            all_of: if reference.is_some() { Vec::new() } else { all_of },
            any_of: nodes(json.get("anyOf")),
            one_of: nodes(json.get("oneOf")),
            not: json.get("not").filter(|not| not.as_map().is_some()).map(Self::parse),
            list_map_keys: strings(json.get("x-kubernetes-list-map-keys")),
            reference,
            pattern: OnceLock::new(),
        })
    }

    /// The value of a keyword.
    pub fn keyword(&self, name: &str) -> Option<&Value> {
        if self.keywords & keyword_bit(name) == 0 { None } else { self.json.get(name) }
    }

    pub fn property(&self, name: &str) -> Option<&Arc<Node>> {
        let index = self.properties.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()?;
        Some(&self.properties[index].1)
    }
}

/// One bit of 64 for a keyword: most keywords are absent from most schemas, and that must be quick to see.
fn keyword_bit(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (first, last) = (bytes.first().copied().unwrap_or_default(), bytes.last().copied().unwrap_or_default());
    let middle = bytes.get(bytes.len() / 2).copied().unwrap_or_default();
    let mixed = usize::from(first) * 7 + usize::from(last) * 31 + usize::from(middle) * 3 + bytes.len();
    1 << (mixed % 64)
}

/// The name behind `#/components/schemas/` or `#/definitions/`.
fn reference(json: &Value) -> Option<Str> {
    let target = json.get("$ref")?.as_str()?;
    Some(Str::new(target.rsplit('/').next().unwrap_or(target)))
}

fn properties(map: Option<&Map>) -> Vec<(Str, Arc<Node>)> {
    map.into_iter().flatten().map(|(name, json)| (name.clone(), Node::parse(json))).collect()
}

fn nodes(json: Option<&Value>) -> Vec<Arc<Node>> {
    json.and_then(Value::as_list).unwrap_or_default().iter().map(Node::parse).collect()
}

fn strings(json: Option<&Value>) -> Vec<Str> {
    let items = json.and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(Str::new).collect()
}

fn additional(json: Option<&Value>) -> Additional {
    match json {
        Some(Value::Bool(allowed)) => Additional::Allowed(*allowed),
        Some(schema @ Value::Map(_)) => Additional::Node(Node::parse(schema)),
        _ => Additional::Absent,
    }
}
