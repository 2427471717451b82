//! SimpleSchema: the short notation for the fields of an instance, `replicas: integer | default=3 minimum=1`.
//!
//! [`compile`] turns `spec.schema.spec` and `spec.schema.types` of a ResourceGraphDefinition into an OpenAPI v3 schema,
//! in stages: [`marker`] and [`expression`] read the text of one field, [`field`] the tree of fields, [`named`] orders
//! the named types, [`build`] makes schemas, [`apply`] puts the markers on them and [`consistency`] looks for
//! contradictions. All mistakes are reported, with their column in the text of the field where that is known.
//!
//! # Plain OpenAPI among the fields
//! A map with the entry `$openapi: true` is a schema in plain OpenAPI instead of a structure of fields, for what
//! SimpleSchema cannot say (formats, unions, int-or-string, nullable, bounds on maps):
//!
//! ```yaml
//! spec:
//!   name: string | required=true
//!   port: {$openapi: true, x-kubernetes-int-or-string: true, required: true}
//!   window:
//!     $openapi: true
//!     type: object
//!     properties:
//!       start: {type: string, format: date-time}
//!       label: string | maxLength=20
//! ```
//!
//! The mark is unambiguous: a field of a structure can never be a boolean, so no text that was SimpleSchema before
//! means something else. A boolean `required` beside the mark says whether the field itself is required; below the
//! mark, a text in the place of a schema is SimpleSchema again.

mod apply;
mod build;
mod consistency;
mod default;
mod expression;
mod field;
mod go;
mod marker;
mod named;
mod openapi;
mod report;
mod tree;

use kro_diagnostics::{Diagnostic, Diagnostics, codes};
use kro_value::{Map, Value};

pub use tree::Tree;

/// What [`compile`] made.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The OpenAPI v3 schema of the instance's `spec`: an object. A field that is wrong accepts anything in it, so
    /// that later stages do not report the same mistake again.
    pub schema: Value,
    /// All that is wrong, in the order of the text.
    pub diagnostics: Diagnostics,
}

/// Compiles the fields of an instance and the named types they use; `None` and `null` are empty.
pub fn compile(spec: Option<&Tree<'_>>, types: Option<&Tree<'_>>) -> Compiled {
    let mut builder = build::Builder::default();
    if let Some(types) = types.and_then(|types| object(types, "types", &mut builder.diagnostics)) {
        named::build_types(&types, &mut builder);
    }
    let spec = spec.and_then(|spec| object(spec, "spec", &mut builder.diagnostics));
    let schema = match &spec {
        Some(spec) => builder.root(spec),
        None => build::structure(Vec::new()),
    };
    let mut diagnostics = builder.diagnostics;
    diagnostics.sort();
    Compiled { schema: Value::Map(schema), diagnostics }
}

/// The tree if it is a map; reports anything else but `null`.
fn object<'a>(tree: &Tree<'a>, what: &str, diagnostics: &mut Diagnostics) -> Option<Tree<'a>> {
    match tree.value() {
        Value::Map(_) => Some(tree.clone()),
        Value::Null => None,
        other => {
            let message = format!("the {what} of a schema is a map, not {}", article(other.type_name()));
            let diagnostic = Diagnostic::error(codes::simple::FIELD, message);
            diagnostics.push(diagnostic.at(tree.path().clone()).spanned(tree.span()));
            None
        }
    }
}

/// A JSON type with its article.
fn article(name: &str) -> String {
    match name {
        "null" => name.to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// The schema of a field that is wrong: anything goes.
fn any() -> Map {
    Map::from_iter([("x-kubernetes-preserve-unknown-fields".into(), Value::Bool(true))])
}
