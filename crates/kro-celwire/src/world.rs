use std::collections::BTreeMap;
use std::sync::Arc;

use kro_cel::{CelValue, Environment, FunctionDecl, OverloadDecl, Type, library, view};
use kro_schema::builtin;
use kro_schema::cel::SchemaTypes;
use kro_schema::structural::Schema;
use kro_schema::view::SchemaView;
use kro_value::Str;
use serde_json::{Map, Value};

use crate::plain;
use crate::typetext::parse_type;
use crate::value::{decode, plain_value};
use crate::{Session, WireError};

/// The values of variables by name.
pub type Variables = BTreeMap<Str, CelValue>;

/// An environment with the schemas of its variables and the values that it gives them.
#[derive(Clone, Debug)]
pub struct World {
    /// What expressions may use.
    pub environment: Environment,
    /// Values that a question need not give.
    pub bindings: Variables,
    views: BTreeMap<Str, SchemaView>,
}

/// The environment of a profile: `kro` (also for an empty name), `standard` or `extended`.
pub fn profile(name: &str) -> Option<Environment> {
    let libraries = match name {
        "" | "kro" => return Some(library::kro_environment()),
        "standard" => vec![library::standard()],
        "extended" => library::extended(),
        _ => return None,
    };
    let builder = libraries.iter().fold(Environment::builder(), |builder, library| builder.library(library));
    Some(builder.optional_syntax(name == "extended").build())
}

impl World {
    /// Builds the environment that `{profile, container, vars, funcs, bindings}` describes; schemas may be referred to by
    /// name.
    ///
    /// # Errors
    /// When the description has another form, or names something that is not there.
    pub fn build(description: &Value, schemas: &Map<String, Value>) -> Result<Self, WireError> {
        let text = |name: &str| description[name].as_str().unwrap_or_default();
        let base = profile(text("profile")).ok_or_else(|| format!("unknown profile {:?}", text("profile")))?;
        let mut builder = base.extend().container(text("container"));
        let (mut types, mut views) = (SchemaTypes::new(), BTreeMap::new());
        for (name, declared) in entries(&description["vars"]) {
            let ty = match declared.as_str() {
                Some(text) => parse_type(text),
                None => declare_schema(&mut types, &mut views, name, declared, schemas),
            };
            builder = builder.variable(name.as_str(), ty.map_err(|error| error.within(format!("variable {name}")))?);
        }
        for function in declare_functions(&description["funcs"])? {
            builder = builder.function(function);
        }
        let environment = builder.types(Arc::new(types)).build();
        let mut world = Self { environment, bindings: Variables::new(), views };
        world.bindings = world.bind(&description["bindings"])?;
        Ok(world)
    }

    /// Builds an environment from the JSON text of its description, as [`Self::build`] does without named schemas.
    ///
    /// # Errors
    /// When the text is no JSON, and as [`Self::build`].
    pub fn read(text: &str) -> Result<Self, WireError> {
        let description: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Self::build(&description, &Map::new())
    }

    /// Declares a variable with its value, in place of an older one of the name.
    pub fn define(&mut self, name: &str, ty: Type, value: CelValue) {
        self.environment = self.environment.extend().variable(name, ty).build();
        self.views.remove(name);
        self.bindings.insert(Str::new(name), value);
    }

    /// Gives a variable a value written as people write it: what its type wants is made of the plain JSON. A variable that
    /// is not declared becomes `dyn`.
    ///
    /// # Errors
    /// When the variable's type cannot be made of the value.
    pub fn define_plain(&mut self, name: &str, value: &kro_value::Value) -> Result<(), WireError> {
        let declared = self.environment.variable(name).map(|variable| variable.ty.clone());
        let seen = match (self.views.get(name), declared) {
            (Some(schema), _) => view::typed(value, schema).map_err(|error| WireError(error.to_string())),
            (None, Some(ty)) => plain::convert(value, &ty),
            (None, None) => {
                self.define(name, Type::Dyn, CelValue::from_json(value.clone()));
                return Ok(());
            }
        };
        let seen = seen.map_err(|error| error.within(format!("variable {name}")))?;
        self.bindings.insert(Str::new(name), seen);
        Ok(())
    }

    /// The variables of a question: those of the environment and those that the question gives.
    ///
    /// # Errors
    /// When a value has no form that its variable takes.
    pub fn bind(&self, bindings: &Value) -> Result<Variables, WireError> {
        let mut variables = self.bindings.clone();
        for (name, value) in entries(bindings) {
            let value = self.bind_one(name, value).map_err(|error| error.within(format!("binding {name}")))?;
            variables.insert(Str::new(name), value);
        }
        Ok(variables)
    }

    fn bind_one(&self, name: &str, value: &Value) -> Result<CelValue, WireError> {
        match self.views.get(name) {
            Some(schema) => view::typed(&plain_value(value)?, schema).map_err(|error| error.to_string().into()),
            None => decode(value),
        }
    }
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

/// A variable with a schema: `{"schema": …}`, `{"schema_ref": name}` or `{"apiVersion": …, "kind": …}` of a built-in kind;
/// for lists of such objects with `"list": true`.
fn declare_schema(
    types: &mut SchemaTypes,
    views: &mut BTreeMap<Str, SchemaView>,
    name: &str,
    declared: &Value,
    schemas: &Map<String, Value>,
) -> Result<Type, WireError> {
    let schema = find_schema(declared, schemas)?;
    let view = SchemaView::new(schema.clone());
    let is_list = declared["list"].as_bool() == Some(true);
    let ty = if is_list { types.declare_list(name, &schema) } else { types.declare(name, &schema) };
    views.insert(Str::new(name), if is_list { view.list_of() } else { view });
    ty.ok_or_else(|| "schema has no CEL declaration".into())
}

fn find_schema(declared: &Value, schemas: &Map<String, Value>) -> Result<Schema, WireError> {
    if let (Some(version), Some(kind)) = (declared["apiVersion"].as_str(), declared["kind"].as_str()) {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        return builtin::resolve(group, version, kind).ok_or_else(|| format!("{kind} is no built-in kind").into());
    }
    let named = declared["schema_ref"].as_str().and_then(|name| schemas.get(name));
    let json = named.or_else(|| declared.get("schema")).ok_or("no schema")?;
    Ok(Schema::from_json(&plain_value(json)?))
}

/// Functions without code: `[{"name", "overloads": [{"id", "params", "result", "instance"}]}]`.
///
/// # Errors
/// When a type of a signature cannot be read.
pub fn declare_functions(json: &Value) -> Result<Vec<FunctionDecl>, WireError> {
    let functions = json.as_array().map(Vec::as_slice).unwrap_or_default();
    functions.iter().map(declare_function).collect()
}

fn declare_function(json: &Value) -> Result<FunctionDecl, WireError> {
    let overloads = json["overloads"].as_array().map(Vec::as_slice).unwrap_or_default();
    let overloads = overloads.iter().map(declare_overload).collect::<Result<Vec<_>, _>>()?;
    Ok(FunctionDecl::named(json["name"].as_str().unwrap_or_default().into(), overloads))
}

fn declare_overload(json: &Value) -> Result<OverloadDecl, WireError> {
    let params = json["params"].as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |param: &Value| parse_type(param.as_str().unwrap_or_default());
    let params = params.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let member = json["instance"].as_bool() == Some(true);
    Ok(OverloadDecl::new(json["id"].as_str().unwrap_or_default().into(), member, params, read(&json["result"])?))
}

impl Session {
    /// The environment of a question: a name, a description, or nothing for kro's own without variables.
    pub(crate) fn describe<'s>(&'s self, environment: &'s Value) -> Result<&'s Value, WireError> {
        match environment {
            Value::String(name) => {
                self.environments.get(name).ok_or_else(|| format!("unknown environment {name:?}").into())
            }
            other => Ok(other),
        }
    }
}
