//! The CEL rules of custom resources (`x-kubernetes-validations`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use kro_apimachinery::{FieldError, FieldErrorKind, print_value};
use kro_cel::view::{Shape, typed};
use kro_cel::{Budget, CelValue, Environment, EvalContext, EvalError, Program, library};
use kro_schema::structural::{AdditionalProperties, ListType, Rule, Schema};
use kro_value::{Str, Value};

/// What the rules of an object say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) errors: Vec<FieldError>,
    /// Broken rules of parts that did not change.
    pub(crate) warnings: Vec<String>,
}

/// True when there are rules anywhere in a schema.
pub(crate) fn has_rules(schema: &Schema) -> bool {
    fn finds(json: &Value) -> bool {
        match json {
            Value::Map(map) => map.iter().any(|(key, value)| key == "x-kubernetes-validations" || finds(value)),
            Value::List(items) => items.iter().any(finds),
            _ => false,
        }
    }
    finds(&schema.to_json())
}

/// Checks every rule of an object; `old` is the object before an update.
pub(crate) fn check(schema: &Schema, object: &Value, old: Option<&Value>) -> Outcome {
    let mut walk = Walk { outcome: Outcome::default(), context: EvalContext::new(Budget::default()), spent: false };
    walk.value(schema, object, old, "", true);
    walk.outcome
}

struct Walk {
    outcome: Outcome,
    /// One budget for all rules of a request.
    context: EvalContext,
    spent: bool,
}

impl Walk {
    /// The rules of a value, then those of what is in it.
    fn value(&mut self, schema: &Schema, value: &Value, old: Option<&Value>, path: &str, is_root: bool) {
        if value.is_null() || self.spent {
            return;
        }
        let rules = schema.validations();
        if !rules.is_empty() {
            let shape = Shape::from_openapi(&if is_root { with_object_members(schema) } else { schema.to_json() });
            for rule in &rules {
                self.rule(rule, &shape, value, old, path);
            }
        }
        match value {
            Value::Map(map) => {
                for (name, child) in map {
                    let child_schema = schema.property(name).or_else(|| match schema.additional_properties() {
                        AdditionalProperties::Schema(values) => Some(values),
                        _ => None,
                    });
                    let Some(child_schema) = child_schema else { continue };
                    let child_path = child_path(schema, path, name);
                    self.value(&child_schema, child, old.and_then(|old| old.get(name)), &child_path, false);
                }
            }
            Value::List(items) => {
                let Some(item_schema) = schema.items() else { return };
                for (index, item) in items.iter().enumerate() {
                    let old_item = correlated(schema, item, old);
                    self.value(&item_schema, item, old_item, &format!("{path}[{index}]"), false);
                }
            }
            _ => {}
        }
    }

    fn rule(&mut self, rule: &Rule, shape: &Shape, value: &Value, old: Option<&Value>, path: &str) {
        let fail = |walk: &mut Self, message: String| {
            let message = format!("{message} evaluating rule: {}", message_or_rule(rule));
            let kind = Value::from(value.type_name());
            walk.outcome.errors.push(FieldError::invalid(shown(path), &kind, message));
        };
        let program = match program(&rule.rule) {
            Ok(program) => program,
            Err(message) => return fail(self, message),
        };
        let is_transition = program.variables().iter().any(|name| name == "oldSelf");
        let takes_absent = rule.optional_old_self == Some(true);
        if is_transition && !takes_absent && old.is_none() {
            return;
        }
        let variables = match variables(shape, value, old, takes_absent) {
            Ok(variables) => variables,
            Err(error) => return fail(self, error.message().to_owned()),
        };
        match program.evaluate_with(&variables, &mut self.context) {
            Ok(CelValue::Bool(true)) => {}
            Ok(_) => {
                let error = self.broken(rule, value, path, &variables);
                if !is_transition && old.is_some_and(|old| old == value) {
                    self.outcome.warnings.push(error.to_string());
                } else {
                    self.outcome.errors.push(error);
                }
            }
            Err(error) => {
                self.spent = error.kind() == kro_cel::ErrorKind::BudgetExceeded;
                fail(self, error.message().to_owned());
            }
        }
    }

    fn broken(&mut self, rule: &Rule, value: &Value, path: &str, variables: &BTreeMap<Str, CelValue>) -> FieldError {
        let detail = self.message(rule, variables);
        let kind = match rule.reason.as_str() {
            "FieldValueRequired" => FieldErrorKind::Required,
            "FieldValueForbidden" => FieldErrorKind::Forbidden,
            "FieldValueDuplicate" => FieldErrorKind::Duplicate,
            _ => FieldErrorKind::Invalid,
        };
        let is_container = matches!(value, Value::Map(_) | Value::List(_));
        let shows_value = !is_container && matches!(kind, FieldErrorKind::Invalid | FieldErrorKind::Duplicate);
        let field = format!("{path}{}", rule.field_path);
        let detail = if kind == FieldErrorKind::Duplicate { String::new() } else { detail };
        FieldError { value: shows_value.then(|| print_value(value)), ..FieldError::new(kind, shown(&field), detail) }
    }

    /// What the rule's message expression gives, else its message, else the rule itself.
    fn message(&mut self, rule: &Rule, variables: &BTreeMap<Str, CelValue>) -> String {
        if !rule.message_expression.is_empty()
            && let Ok(program) = program(&rule.message_expression)
            && let Ok(value) = program.evaluate_with(variables, &mut self.context)
            && let Some(text) = value.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.contains('\n'))
        {
            return text.to_owned();
        }
        match rule.message.trim() {
            "" => format!("failed rule: {}", rule.rule.trim()),
            message => message.to_owned(),
        }
    }
}

fn variables(
    shape: &Shape,
    value: &Value,
    old: Option<&Value>,
    takes_absent: bool,
) -> Result<BTreeMap<Str, CelValue>, EvalError> {
    let mut variables = BTreeMap::new();
    variables.insert(Str::new_static("self"), typed(value, shape)?);
    let old = old.map(|old| typed(old, shape)).transpose()?;
    let old = match (old, takes_absent) {
        (Some(old), true) => Some(CelValue::some(old)),
        (None, true) => Some(CelValue::none()),
        (old, false) => old,
    };
    variables.extend(old.map(|old| (Str::new_static("oldSelf"), old)));
    Ok(variables)
}

/// The old item that an item of a list comes from: only lists with keys tell.
fn correlated<'a>(schema: &Schema, item: &Value, old: Option<&'a Value>) -> Option<&'a Value> {
    if schema.list_type() != Some(ListType::Map) {
        return None;
    }
    let same = |old: &&Value| schema.list_map_keys().iter().all(|key| old.get(key) == item.get(key));
    old?.as_list()?.iter().find(same)
}

fn child_path(schema: &Schema, path: &str, name: &str) -> String {
    match (path.is_empty(), schema.property(name).is_some()) {
        (true, _) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (false, false) => format!("{path}[{name}]"),
    }
}

/// The root has no path.
fn shown(path: &str) -> &str {
    match path.trim_start_matches('.') {
        "" => "<nil>",
        path => path,
    }
}

fn message_or_rule(rule: &Rule) -> &str {
    if rule.message.is_empty() { &rule.rule } else { &rule.message }
}

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

fn program(text: &str) -> Result<Program, String> {
    let environment = environment();
    let parsed = environment.parse(text);
    if let Some(error) = parsed.errors.first() {
        return Err(format!("compilation failed: {}", error.message));
    }
    environment.plan(&parsed.ast, None).map_err(|error| error.message().to_owned())
}

/// The functions that Kubernetes offers to rules.
fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut libraries = library::kro();
        libraries.push(library::sets());
        let builder = libraries.iter().fold(Environment::builder(), |builder, library| builder.library(library));
        builder.optional_syntax(true).cross_type_numeric_comparisons(true).build()
    })
}
