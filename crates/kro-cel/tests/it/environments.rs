//! The environments of the shared data: profiles, variables with types as text or as schemas.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kro_cel::{Environment, FunctionDecl, OverloadDecl, Type, library};
use kro_schema::cel::SchemaTypes;
use kro_schema::structural::Schema;
use kro_value::{Str, Value};

/// The named environments of the vectors.
pub struct Environments {
    named: BTreeMap<String, Environment>,
}

impl Environments {
    pub fn load(folder: &Path) -> Self {
        let read = |name: &str| {
            let text = std::fs::read_to_string(folder.join("vectors").join(name)).expect("the file is there");
            kro_value::from_json(&text).expect("the file is JSON")
        };
        let (environments, schemas) = (read("envs.json"), read("schemas.json"));
        let environments = environments.as_map().expect("a map of environments");
        let build = |(name, row): (&Str, &Value)| (name.to_string(), environment(row, &schemas));
        Self { named: environments.iter().map(build).collect() }
    }

    pub fn get(&self, name: &str) -> &Environment {
        &self.named[name]
    }
}

/// A profile with all its libraries.
pub fn profile(name: &str) -> Environment {
    if name != "standard" {
        return library::kro_environment();
    }
    Environment::builder().library(&library::standard()).optional_syntax(false).build()
}

/// An environment from its row.
fn environment(row: &Value, schemas: &Value) -> Environment {
    let mut builder = profile(row.str_at(&["profile"]).unwrap_or("kro")).extend();
    let mut types = SchemaTypes::new();
    for (name, declared) in row.get("vars").and_then(Value::as_map).into_iter().flat_map(|map| map.iter()) {
        let ty = match declared.as_str() {
            Some(text) => type_from(text),
            None => schema_type(&mut types, name, declared, schemas),
        };
        builder = builder.variable(name.clone(), ty);
    }
    builder.types(Arc::new(types)).build()
}

fn schema_type(types: &mut SchemaTypes, name: &str, row: &Value, schemas: &Value) -> Type {
    let inline = row.get("schema");
    let schema = inline.or_else(|| schemas.get(row.str_at(&["schema_ref"])?)).expect("a schema");
    let schema = Schema::from_json(schema);
    let is_list = row.get("list").and_then(Value::as_bool).unwrap_or_default();
    let ty = if is_list { types.declare_list(name, &schema) } else { types.declare(name, &schema) };
    ty.expect("a schema with a declaration")
}

/// Functions without code, as tests of the specification declare them.
pub fn function(row: &Value) -> FunctionDecl {
    let overload = |row: &Value| {
        let params = row.get("params").and_then(Value::as_list).unwrap_or_default();
        let params = params.iter().map(|param| type_from(param.as_str().expect("a type")));
        let member = row.get("instance").and_then(Value::as_bool).unwrap_or_default();
        let result = type_from(row.str_at(&["result"]).expect("a type"));
        OverloadDecl::new(row.str_at(&["id"]).unwrap_or_default().into(), member, params, result)
    };
    let overloads = row.get("overloads").and_then(Value::as_list).unwrap_or_default();
    FunctionDecl::named(row.str_at(&["name"]).unwrap_or_default().into(), overloads.iter().map(overload))
}

/// A type from its text: `map(string, list($T))`.
pub fn type_from(text: &str) -> Type {
    let text = text.trim();
    if let Some((name, params)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let params = split(params).into_iter().map(type_from).collect::<Vec<_>>();
        return match (name, params.as_slice()) {
            ("list", [element]) => Type::list(element.clone()),
            ("map", [key, value]) => Type::map(key.clone(), value.clone()),
            ("wrapper", [scalar]) => Type::wrapper(scalar.clone()),
            ("type", [inner]) => Type::type_of(inner.clone()),
            _ => Type::opaque(name, params),
        };
    }
    match text {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "null" | "null_type" => Type::Null,
        "dyn" => Type::Dyn,
        "any" => Type::Any,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "type" => Type::Type(None),
        "kubernetes.Quantity" | "kubernetes.URL" | "kubernetes.Semver" => Type::object(text),
        _ => match text.strip_prefix('$') {
            Some(param) => Type::param(param),
            None => Type::opaque(text, []),
        },
    }
}

/// Splits at the commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
