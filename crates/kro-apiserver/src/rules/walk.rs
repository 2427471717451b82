use std::collections::BTreeMap;

use kro_apimachinery::{FieldError, FieldErrorKind, print_value};
use kro_cel::view::{Shape, typed};
use kro_cel::{Budget, CelValue, EvalContext, EvalError};
use kro_schema::structural::Rule;
use kro_value::{Str, Value};

use super::tree::{Compiled, Tree};

/// What the rules of an object say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) errors: Vec<FieldError>,
    /// Broken rules of parts that did not change.
    pub(crate) warnings: Vec<String>,
}

/// Checks every rule of an object; `old` is the object before an update.
pub(crate) fn check(rules: &Tree, object: &Value, old: Option<&Value>) -> Outcome {
    let mut walk = Walk { outcome: Outcome::default(), context: EvalContext::new(Budget::default()), spent: false };
    walk.value(rules, object, old, "");
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
    fn value(&mut self, tree: &Tree, value: &Value, old: Option<&Value>, path: &str) {
        if value.is_null() || self.spent {
            return;
        }
        for rule in &tree.rules {
            self.rule(rule, &tree.shape, value, old, path);
        }
        for (name, property) in &tree.properties {
            let Some(child) = value.get(name) else { continue };
            let place = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            self.value(property, child, old.and_then(|old| old.get(name)), &place);
        }
        if let (Some(values), Some(map)) = (&tree.values, value.as_map()) {
            for (key, child) in map {
                self.value(values, child, old.and_then(|old| old.get(key)), &format!("{path}[{key}]"));
            }
        }
        if let (Some(items), Some(list)) = (&tree.items, value.as_list()) {
            for (index, item) in list.iter().enumerate() {
                self.value(items, item, correlated(&tree.keys, item, old), &format!("{path}[{index}]"));
            }
        }
    }

    fn rule(&mut self, compiled: &Compiled, shape: &Shape, value: &Value, old: Option<&Value>, path: &str) {
        let rule = &compiled.rule;
        let fail = |walk: &mut Self, message: &str| {
            let message = format!("{message} evaluating rule: {}", message_or_rule(rule));
            let kind = Value::from(value.type_name());
            walk.outcome.errors.push(FieldError::invalid(shown(path), &kind, message));
        };
        let program = match &compiled.program {
            Ok(program) => program,
            Err(message) => return fail(self, message),
        };
        let is_transition = compiled.is_transition();
        let takes_absent = rule.optional_old_self == Some(true);
        if is_transition && !takes_absent && old.is_none() {
            return;
        }
        let variables = match variables(shape, value, old, takes_absent) {
            Ok(variables) => variables,
            Err(error) => return fail(self, error.message()),
        };
        match program.evaluate_with(&variables, &mut self.context) {
            Ok(CelValue::Bool(true)) => {}
            Ok(_) => {
                let error = self.broken(compiled, value, path, &variables);
                if !is_transition && old.is_some_and(|old| old == value) {
                    self.outcome.warnings.push(error.to_string());
                } else {
                    self.outcome.errors.push(error);
                }
            }
            Err(error) => {
                self.spent = error.kind() == kro_cel::ErrorKind::BudgetExceeded;
                fail(self, error.message());
            }
        }
    }

    fn broken(
        &mut self,
        compiled: &Compiled,
        value: &Value,
        path: &str,
        variables: &BTreeMap<Str, CelValue>,
    ) -> FieldError {
        let rule = &compiled.rule;
        let detail = self.message(compiled, variables);
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
    fn message(&mut self, compiled: &Compiled, variables: &BTreeMap<Str, CelValue>) -> String {
        if let Some(program) = &compiled.message
            && let Ok(value) = program.evaluate_with(variables, &mut self.context)
            && let Some(text) = value.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.contains('\n'))
        {
            return text.to_owned();
        }
        match compiled.rule.message.trim() {
            "" => format!("failed rule: {}", compiled.rule.rule.trim()),
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
fn correlated<'a>(keys: &[Str], item: &Value, old: Option<&'a Value>) -> Option<&'a Value> {
    if keys.is_empty() {
        return None;
    }
    let same = |old: &&Value| keys.iter().all(|key| old.get(key) == item.get(key));
    old?.as_list()?.iter().find(same)
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
