//! Plain OpenAPI among the fields: maps marked by `$openapi: true`.

use kro_diagnostics::{Diagnostic, codes::simple, did_you_mean};
use kro_value::{Map, Str, Value};

use super::build::{Builder, Built};
use super::expression::{Base, TypeExpression};
use super::field::{Declaration, Use};
use super::report::Scope;
use super::{Tree, any, article, consistency};
use crate::structural::SchemaType;

/// The entry that marks a map as plain OpenAPI.
const MARK: &str = "$openapi";

/// What the value of a keyword is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Schema,
    Schemas,
    SchemaMap,
    SchemaOrBoolean,
    Text,
    Type,
    Boolean,
    Number,
    Size,
    Texts,
    List,
    Any,
}

/// The keywords that the schemas of CustomResourceDefinitions may have.
const KEYWORDS: &[(&str, Kind)] = &[
    ("type", Kind::Type),
    ("properties", Kind::SchemaMap),
    ("items", Kind::Schema),
    ("additionalProperties", Kind::SchemaOrBoolean),
    ("required", Kind::Texts),
    ("default", Kind::Any),
    ("enum", Kind::List),
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("format", Kind::Text),
    ("pattern", Kind::Text),
    ("nullable", Kind::Boolean),
    ("minimum", Kind::Number),
    ("maximum", Kind::Number),
    ("exclusiveMinimum", Kind::Boolean),
    ("exclusiveMaximum", Kind::Boolean),
    ("multipleOf", Kind::Number),
    ("minLength", Kind::Size),
    ("maxLength", Kind::Size),
    ("minItems", Kind::Size),
    ("maxItems", Kind::Size),
    ("minProperties", Kind::Size),
    ("maxProperties", Kind::Size),
    ("uniqueItems", Kind::Boolean),
    ("allOf", Kind::Schemas),
    ("anyOf", Kind::Schemas),
    ("oneOf", Kind::Schemas),
    ("not", Kind::Schema),
    ("example", Kind::Any),
    ("externalDocs", Kind::Any),
    ("x-kubernetes-preserve-unknown-fields", Kind::Boolean),
    ("x-kubernetes-int-or-string", Kind::Boolean),
    ("x-kubernetes-embedded-resource", Kind::Boolean),
    ("x-kubernetes-list-type", Kind::Text),
    ("x-kubernetes-list-map-keys", Kind::Texts),
    ("x-kubernetes-map-type", Kind::Text),
    ("x-kubernetes-validations", Kind::List),
];

/// True for a map that is plain OpenAPI.
pub(super) fn is_marked(tree: &Tree<'_>) -> bool {
    tree.value().get(MARK) == Some(&Value::Bool(true))
}

/// The named types that the SimpleSchema texts below use.
pub(super) fn uses(tree: &Tree<'_>, uses: &mut Vec<Use>) {
    if let Value::String(text) = tree.value() {
        let expression = TypeExpression::parse(text.split('|').next().unwrap_or_default());
        if let Ok(TypeExpression { base: Base::Named(name), base_range, .. }) = expression {
            uses.push(Use { name, span: tree.text_span(base_range) });
        }
        return;
    }
    for member in tree.members() {
        match keyword(&member.key) {
            Some(Kind::Schema | Kind::SchemaOrBoolean) => self::uses(&member.tree, uses),
            Some(Kind::SchemaMap) => member.tree.members().iter().for_each(|field| self::uses(&field.tree, uses)),
            Some(Kind::Schemas) => member.tree.items().iter().for_each(|item| self::uses(item, uses)),
            _ => {}
        }
    }
}

fn keyword(name: &str) -> Option<Kind> {
    KEYWORDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

impl Builder {
    /// The schema of a marked map.
    pub(super) fn openapi(&mut self, tree: &Tree<'_>, scope: &mut Scope) -> Built {
        let mut required = false;
        let mut schema = Map::new();
        for member in tree.members() {
            match (member.key.as_str(), member.tree.value()) {
                (MARK, _) => {}
                ("required", Value::Bool(flag)) => required = *flag,
                _ => self.keyword(&mut schema, member, scope),
            }
        }
        self.finish(tree, &schema, scope);
        Built { schema, required, unknown: false }
    }

    /// A schema below the mark: a map in OpenAPI, or a text in SimpleSchema.
    fn subschema(&mut self, tree: &Tree<'_>, scope: &mut Scope, structural: bool) -> Map {
        match tree.value() {
            Value::String(_) => {
                let declaration = Declaration::parse(tree.clone(), scope, &mut self.diagnostics);
                self.build(&declaration, scope).schema
            }
            Value::Map(_) => {
                let mut schema = Map::new();
                for member in tree.members() {
                    self.keyword(&mut schema, member, scope);
                }
                if structural {
                    self.finish(tree, &schema, scope);
                }
                schema
            }
            other => {
                let message = format!("a schema is a map or a SimpleSchema text, not {}", article(other.type_name()));
                self.refuse(tree, message, scope);
                any()
            }
        }
    }

    fn keyword(&mut self, schema: &mut Map, member: super::tree::Member<'_>, scope: &mut Scope) {
        let (key, tree) = (member.key, member.tree);
        let Some(kind) = keyword(&key) else {
            let help = match key.as_str() {
                "$ref" => Some(
                    "schemas of instances hold no references; use a named type in the place of the schema".to_owned(),
                ),
                _ => did_you_mean(&key, KEYWORDS.iter().map(|(known, _)| *known)),
            };
            let message = format!("{}unknown OpenAPI keyword {key:?}", scope.building());
            let diagnostic = Diagnostic::error(simple::OPENAPI, message).at(tree.path().clone());
            let diagnostic = diagnostic.spanned(member.key_span.or_else(|| tree.span()));
            self.diagnostics.push(match help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            });
            return;
        };
        let value = match kind {
            Kind::SchemaOrBoolean if matches!(tree.value(), Value::Bool(_)) => tree.value().clone(),
            Kind::Schema | Kind::SchemaOrBoolean => Value::Map(self.subschema(&tree, scope, key != "not")),
            Kind::Schemas if matches!(tree.value(), Value::List(_)) => {
                let part = |part: &Tree<'_>| Value::Map(self.subschema(part, scope, false));
                tree.items().iter().map(part).collect()
            }
            Kind::SchemaMap if matches!(tree.value(), Value::Map(_)) => self.properties(schema, &tree, scope),
            _ => match misfit(kind, tree.value()) {
                Some(expected) => return self.refuse(&tree, format!("the value of {key} must be {expected}"), scope),
                None => tree.value().clone(),
            },
        };
        match value {
            // Fields in SimpleSchema may have put names there already.
            Value::List(names) if key == "required" => {
                names.iter().filter_map(Value::as_str).for_each(|name| require(schema, name))
            }
            value => {
                schema.insert(key, value);
            }
        }
    }

    /// The schemas of the fields. Where a field is a SimpleSchema text with `required=true`, it joins the list.
    fn properties(&mut self, schema: &mut Map, tree: &Tree<'_>, scope: &mut Scope) -> Value {
        let mut fields: Vec<(Str, Value)> = Vec::new();
        for member in tree.members() {
            scope.enter(member.key.clone());
            let built = if matches!(member.tree.value(), Value::String(_)) {
                let declaration = Declaration::parse(member.tree, scope, &mut self.diagnostics);
                self.build(&declaration, scope)
            } else {
                Built { schema: self.subschema(&member.tree, scope, true), ..Built::default() }
            };
            scope.leave();
            if built.required {
                require(schema, &member.key);
            }
            fields.push((member.key, Value::Map(built.schema)));
        }
        Value::map(fields)
    }

    /// What is wrong with a schema as a whole.
    fn finish(&mut self, tree: &Tree<'_>, schema: &Map, scope: &Scope) {
        let open = ["x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"];
        let untyped = open.iter().any(|key| schema.get(key) == Some(&Value::Bool(true)));
        if tree.value().get("type").is_none() && !untyped {
            self.refuse(tree, "a schema needs a type".to_owned(), scope);
        }
        let prefix = scope.building();
        let problems = consistency::check_schema(schema, &|_| None);
        self.diagnostics.extend(problems.into_iter().map(|problem| problem.report(tree, &prefix)));
    }

    fn refuse(&mut self, tree: &Tree<'_>, message: String, scope: &Scope) {
        let message = format!("{}{message}", scope.building());
        self.diagnostics.push(Diagnostic::error(simple::OPENAPI, message).at(tree.path().clone()).spanned(tree.span()));
    }
}

fn require(schema: &mut Map, name: &str) {
    let mut names = schema.get("required").and_then(Value::as_list).unwrap_or_default().to_vec();
    let name = Value::from(name);
    if !names.contains(&name) {
        names.push(name);
    }
    schema.insert("required", Value::from(names));
}

/// What the value of a keyword should be; `None` when it is that.
fn misfit(kind: Kind, value: &Value) -> Option<&'static str> {
    let texts = |items: &[Value]| items.iter().all(|item| matches!(item, Value::String(_)));
    let (fits, expected) = match kind {
        Kind::Any => (true, ""),
        Kind::Schema | Kind::SchemaOrBoolean => (false, "a schema"),
        Kind::Schemas => (false, "a list of schemas"),
        Kind::SchemaMap => (false, "a map of schemas"),
        Kind::Text => (value.as_str().is_some(), "a string"),
        Kind::Boolean => (value.as_bool().is_some(), "true or false"),
        Kind::Number => (value.as_f64().is_some(), "a number"),
        Kind::Size => (value.as_i64().is_some_and(|size| size >= 0), "an integer that is not negative"),
        Kind::List => (value.as_list().is_some(), "a list"),
        Kind::Texts => (value.as_list().is_some_and(texts), "a list of strings"),
        Kind::Type => {
            let known = value.as_str().and_then(SchemaType::parse).is_some();
            (known, "one of array, boolean, integer, number, object, string")
        }
    };
    (!fits).then_some(expected)
}
