//! Schemas of fields, structures and named types.

use std::collections::BTreeMap;

use kro_diagnostics::{Diagnostic, Diagnostics, codes};
use kro_value::{Map, Str, Value};

use super::Tree;
use super::expression::{Base, Prefix, TypeExpression, advice};
use super::field::{Declaration, Field, Shape, parse_fields};
use super::marker::Marker;
use super::report::Scope;
use super::{any, apply, consistency, openapi};

/// The schema of a field or a named type.
#[derive(Debug, Clone, Default)]
pub(super) struct Built {
    pub schema: Map,
    /// The field must be given.
    pub required: bool,
    /// The type is not known, so nothing can be said about its markers.
    pub unknown: bool,
}

impl Built {
    pub(super) fn unknown() -> Self {
        Self { schema: any(), required: false, unknown: true }
    }
}

/// Builds schemas; knows the named types that are built already.
#[derive(Default)]
pub(super) struct Builder {
    pub types: BTreeMap<Str, Built>,
    pub diagnostics: Diagnostics,
}

impl Builder {
    /// The schema of `spec`.
    pub(super) fn root(&mut self, tree: &Tree<'_>) -> Map {
        let mut scope = Scope::default();
        if openapi::is_marked(tree) {
            return self.openapi(tree, &mut scope).schema;
        }
        let fields = parse_fields(tree, &mut scope, &mut self.diagnostics);
        self.structure(&fields, &mut scope)
    }

    pub(super) fn build(&mut self, declaration: &Declaration<'_>, scope: &mut Scope) -> Built {
        match &declaration.shape {
            Shape::Broken => Built::unknown(),
            Shape::OpenApi => self.openapi(&declaration.tree, scope),
            Shape::Structure(fields) => Built { schema: self.structure(fields, scope), ..Built::default() },
            Shape::Text { expression, markers } => self.text(&declaration.tree, expression, markers, scope),
        }
    }

    fn structure(&mut self, fields: &[Field<'_>], scope: &mut Scope) -> Map {
        let mut built = Vec::with_capacity(fields.len());
        for field in fields {
            scope.enter(field.name.clone());
            built.push((field.name.clone(), self.build(&field.declaration, scope)));
            scope.leave();
        }
        structure(built)
    }

    fn text(&mut self, tree: &Tree<'_>, expression: &TypeExpression, markers: &[Marker], scope: &Scope) -> Built {
        let mut built = self.base(tree, expression, scope);
        for prefix in expression.prefixes.iter().rev() {
            built = Built { schema: wrap(*prefix, built.schema), ..Built::default() };
        }
        let mut problems = apply::apply_all(&mut built, markers);
        if problems.is_empty() && !markers.is_empty() && !built.unknown {
            problems = consistency::check(&built.schema, markers);
        }
        self.diagnostics.extend(problems.into_iter().map(|problem| problem.report(tree, &scope.building())));
        built
    }

    fn base(&mut self, tree: &Tree<'_>, expression: &TypeExpression, scope: &Scope) -> Built {
        let name = match &expression.base {
            Base::BuiltIn(name) => return Built { schema: built_in(name), ..Built::default() },
            Base::Named(name) => name,
        };
        if let Some(built) = self.types.get(name) {
            return built.clone();
        }
        let message = match &scope.type_name {
            Some(of) => format!("type {of}: unknown type {name}"),
            None => format!("{}unknown type: {name}", scope.building()),
        };
        let mut diagnostic = Diagnostic::error(codes::simple::UNKNOWN_TYPE, message).at(tree.path().clone());
        diagnostic = diagnostic.spanned(tree.text_span(expression.base_range.clone()));
        if let Some(advice) = advice(name, self.types.keys().map(Str::as_str)) {
            diagnostic = diagnostic.help(advice);
        }
        self.diagnostics.push(diagnostic);
        Built::unknown()
    }
}

fn built_in(name: &'static str) -> Map {
    if name == "object" {
        let mut schema = any();
        schema.insert("type", Value::from(name));
        return schema;
    }
    Map::from_iter([("type".into(), Value::from(name))])
}

fn wrap(prefix: Prefix, inner: Map) -> Map {
    let (kind, key) = match prefix {
        Prefix::List => ("array", "items"),
        Prefix::Map => ("object", "additionalProperties"),
    };
    Map::from_iter([("type".into(), Value::from(kind)), (key.into(), Value::Map(inner))])
}

/// The schema of a structure. Where nothing in it is required and something has a default, the structure itself
/// defaults to `{}`, so that the defaults in it take effect when it is left out.
pub(super) fn structure(fields: Vec<(Str, Built)>) -> Map {
    let mut required: Vec<&Str> = fields.iter().filter(|(_, field)| field.required).map(|(name, _)| name).collect();
    required.sort();
    let has_default = fields.iter().any(|(_, field)| field.schema.contains_key("default"));
    let default = (required.is_empty() && has_default).then(|| Value::Map(Map::new()));
    let required: Vec<Value> = required.into_iter().cloned().map(Value::String).collect();
    let properties = Value::map(fields.into_iter().map(|(name, field)| (name, Value::Map(field.schema))));
    let mut entries = Vec::with_capacity(3);
    entries.extend(default.map(|default| ("default".into(), default)));
    entries.push(("properties".into(), properties));
    if !required.is_empty() {
        entries.push(("required".into(), required.into()));
    }
    entries.push(("type".into(), Value::from("object")));
    entries.into_iter().collect()
}
