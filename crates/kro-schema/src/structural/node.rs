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
    /// `None` for the many schemas with nothing of it.
    rare: Option<Box<Rare>>,
    /// Compiled on first use; `None` inside for a pattern outside RE2.
    pub pattern: OnceLock<Option<Box<regex::Regex>>>,
}

/// What few schemas have.
#[derive(Debug, Default)]
struct Rare {
    all_of: Vec<Arc<Node>>,
    any_of: Vec<Arc<Node>>,
    one_of: Vec<Arc<Node>>,
    not: Option<Arc<Node>>,
    list_map_keys: Vec<Str>,
}

impl Node {
    pub fn parse(json: &Value) -> Arc<Self> {
        let mut node = Self {
            json: json.clone(),
            keywords: 0,
            reference: None,
            schema_type: None,
            properties: Vec::new(),
            required: Vec::new(),
            items: None,
            additional: Additional::Absent,
            rare: None,
            pattern: OnceLock::new(),
        };
        json.as_map().into_iter().flatten().for_each(|(keyword, value)| node.read(keyword, value));
        if node.reference.is_none() {
            node.unwrap_reference();
        } else if let Some(rare) = &mut node.rare {
            rare.all_of.clear();
        }
        Arc::new(node)
    }

    fn read(&mut self, keyword: &str, value: &Value) {
        self.keywords |= keyword_bit(keyword);
        match keyword {
            "$ref" => self.reference = reference(value),
            "type" => self.schema_type = value.as_str().and_then(SchemaType::parse),
            "properties" => self.properties = properties(value.as_map()),
            "required" => self.required = strings(value),
            "items" => self.items = schema(value),
            "additionalProperties" => self.additional = additional(value),
            "allOf" => self.rare().all_of = nodes(value),
            "anyOf" => self.rare().any_of = nodes(value),
            "oneOf" => self.rare().one_of = nodes(value),
            "not" => self.rare().not = schema(value),
            "x-kubernetes-list-map-keys" => self.rare().list_map_keys = strings(value),
            _ => {}
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// OpenAPI v3 wraps a reference in a single allOf wherever the referring field says something of its own.
    fn unwrap_reference(&mut self) {
        let Some(rare) = &mut self.rare else { return };
        if let [only] = rare.all_of.as_slice()
            && only.reference.is_some()
        {
            self.reference.clone_from(&only.reference);
            rare.all_of.clear();
        }
    }

    pub fn all_of(&self) -> &[Arc<Node>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.all_of)
    }

    pub fn any_of(&self) -> &[Arc<Node>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.any_of)
    }

    pub fn one_of(&self) -> &[Arc<Node>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.one_of)
    }

    pub fn not(&self) -> Option<&Arc<Node>> {
        self.rare.as_ref()?.not.as_ref()
    }

    pub fn list_map_keys(&self) -> &[Str] {
        self.rare.as_ref().map_or(&[], |rare| &rare.list_map_keys)
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
fn reference(target: &Value) -> Option<Str> {
    let target = target.as_str()?;
    Some(Str::new(target.rsplit('/').next().unwrap_or(target)))
}

fn properties(map: Option<&Map>) -> Vec<(Str, Arc<Node>)> {
    map.into_iter().flatten().map(|(name, json)| (name.clone(), Node::parse(json))).collect()
}

fn schema(json: &Value) -> Option<Arc<Node>> {
    json.as_map().map(|_| Node::parse(json))
}

fn nodes(json: &Value) -> Vec<Arc<Node>> {
    json.as_list().unwrap_or_default().iter().map(Node::parse).collect()
}

fn strings(json: &Value) -> Vec<Str> {
    json.as_list().unwrap_or_default().iter().filter_map(Value::as_str).map(Str::new).collect()
}

fn additional(json: &Value) -> Additional {
    match json {
        Value::Bool(allowed) => Additional::Allowed(*allowed),
        Value::Map(_) => Additional::Node(Node::parse(json)),
        _ => Additional::Absent,
    }
}
