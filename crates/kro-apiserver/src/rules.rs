//! The CEL rules of custom resources (`x-kubernetes-validations`).

mod definition;
mod tree;
mod walk;

use std::sync::OnceLock;

use kro_cel::{Environment, Program, library};
use kro_schema::structural::Schema;
use kro_value::Value;

pub(crate) use definition::errors as definition_errors;
pub(crate) use tree::Tree;
pub(crate) use walk::check;

/// The root's rules see the members of every object too.
fn with_object_members(schema: &Schema) -> Value {
    let mut json = schema.to_json();
    let text = Value::map([("type", Value::from("string"))]);
    let names = Value::map([("name", text.clone()), ("generateName", text.clone())]);
    let metadata = Value::map([("type", Value::from("object")), ("properties", names)]);
    for (name, member) in [("apiVersion", text.clone()), ("kind", text), ("metadata", metadata)] {
        json.set_at(&["properties", name], member);
    }
    json
}

/// A rule or message expression, ready to run.
fn program(text: &str) -> Result<Program, String> {
    let environment = environment();
    let parsed = environment.parse(text);
    if let Some(error) = parsed.errors.first() {
        return Err(format!("compilation failed: {}", error.message));
    }
    environment.plan(&parsed.ast, None).map_err(|error| error.message().to_owned())
}

/// What Kubernetes offers to rules and policies, without variables.
pub(crate) fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(library::kubernetes_environment)
}
