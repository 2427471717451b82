//! Rules when their definition is written: they must compile, fit their place and be cheap enough.

use std::sync::Arc;

use kro_apimachinery::{FieldError, FieldErrorKind};
use kro_cel::cost::{SizeHints, estimate};
use kro_cel::{Checked, Environment, Type};
use kro_schema::cel::{SchemaSizes, SchemaTypes};
use kro_schema::structural::{AdditionalProperties, ListType, Rule, Schema};
use kro_value::{Str, Value, to_json};

use super::{environment, program, with_object_members};

/// What one rule may cost at most, all its evaluations in an object together.
const RULE_COST_MAX: u64 = 10_000_000;
/// What all rules of a schema may cost.
const SCHEMA_COST_MAX: u64 = 100_000_000;
/// Cheaper rules are not named when the sum is too much.
const COST_WORTH_NAMING: u64 = 1_000_000;
/// How many rules are named then.
const NAMED_MAX: usize = 4;
const REASONS: &[&str] = &["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Everything that is wrong with the rules of a schema that stands at `field`; `is_structural` says that the schema
/// itself has no errors: only then rules are compiled.
pub(crate) fn errors(schema: &Schema, field: &str, is_structural: bool) -> Vec<FieldError> {
    let mut check = Check { errors: Vec::new(), compiles: false, total: 0, dear: Vec::new() };
    check.node(schema, &Place::root(field));
    if !is_structural || !check.errors.is_empty() {
        return check.errors;
    }
    check.compiles = true;
    check.node(schema, &Place::root(field));
    if check.total > SCHEMA_COST_MAX {
        check.dear.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
        for (_, place) in check.dear.iter().take(NAMED_MAX) {
            let detail = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
            check.errors.push(FieldError::forbidden(place.clone(), detail));
        }
        let what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
        check.errors.push(FieldError::forbidden(field, too_dear(what, check.total, SCHEMA_COST_MAX)));
    }
    check.errors
}

/// Where a schema stands.
struct Place {
    field: String,
    is_root: bool,
    /// How many values of this schema an object may have.
    count: u64,
    /// The list that keeps old and new values from being told apart.
    uncorrelatable: Option<String>,
}

impl Place {
    fn root(field: &str) -> Self {
        Self { field: field.to_owned(), is_root: true, count: 1, uncorrelatable: None }
    }

    fn inside(&self, suffix: &str, count: u64) -> Self {
        Self {
            field: format!("{}{suffix}", self.field),
            is_root: false,
            count: self.count.saturating_mul(count),
            uncorrelatable: self.uncorrelatable.clone(),
        }
    }
}

struct Check {
    errors: Vec<FieldError>,
    /// False in the first round, which looks at the form only.
    compiles: bool,
    total: u64,
    dear: Vec<(u64, String)>,
}

impl Check {
    fn node(&mut self, schema: &Schema, place: &Place) {
        for (name, property) in schema.properties() {
            self.node(&property, &place.inside(&format!(".properties[{name}]"), 1));
        }
        if let AdditionalProperties::Schema(values) = schema.additional_properties() {
            self.node(&values, &place.inside(".additionalProperties", size_of(schema)));
        }
        if let Some(items) = schema.items() {
            let mut inside = place.inside(".items", size_of(schema));
            if schema.list_type() != Some(ListType::Map) && inside.uncorrelatable.is_none() {
                inside.uncorrelatable = Some(place.field.clone());
            }
            self.node(&items, &inside);
        }
        let rules = schema.validations();
        if rules.is_empty() {
            return;
        }
        let schema = if place.is_root { Schema::from_json(&with_object_members(schema)) } else { schema.clone() };
        for (index, rule) in rules.iter().enumerate() {
            let field = format!("{}.x-kubernetes-validations[{index}]", place.field);
            if self.compiles { self.compile(&schema, rule, &field, place) } else { self.form(&schema, rule, &field) }
        }
    }

    fn invalid(&mut self, field: &str, member: &str, value: &Value, detail: impl Into<String>) {
        self.errors.push(FieldError::invalid(format!("{field}.{member}"), value, detail));
    }

    /// A finding about a rule as a whole.
    fn refuse(&mut self, field: &str, member: &str, rule: &Rule, detail: impl Into<String>) {
        let error = FieldError::new(FieldErrorKind::Invalid, format!("{field}.{member}"), detail);
        self.errors.push(FieldError { value: Some(go_struct(rule)), ..error });
    }

    fn form(&mut self, schema: &Schema, rule: &Rule, field: &str) {
        let has_breaks = |text: &str| text.contains(['\n', '\r']);
        let (text, message) = (rule.rule.trim(), rule.message.trim());
        if text.is_empty() {
            self.errors.push(FieldError::required(format!("{field}.rule"), "rule is not specified"));
        } else if !rule.message.is_empty() && message.is_empty() {
            self.invalid(field, "message", &rule.message.clone().into(), "must be non-empty if specified");
        } else if has_breaks(message) {
            self.invalid(field, "message", &rule.message.clone().into(), "must not contain line breaks");
        } else if has_breaks(text) && message.is_empty() {
            let detail = "must be specified if rule contains line breaks";
            self.errors.push(FieldError::required(format!("{field}.message"), detail));
        }
        if !rule.message_expression.is_empty() && rule.message_expression.trim().is_empty() {
            let detail = "must be non-empty if specified";
            self.errors.push(FieldError::required(format!("{field}.messageExpression"), detail));
        }
        if !rule.reason.is_empty() && !REASONS.contains(&rule.reason.as_str()) {
            let reason = Value::from(rule.reason.clone());
            self.errors.push(FieldError::not_supported(format!("{field}.reason"), &reason, REASONS));
        }
        if !rule.field_path.is_empty() && !leads(schema, &rule.field_path) {
            self.invalid(field, "fieldPath", &rule.field_path.clone().into(), "must be a valid path");
        }
    }

    fn compile(&mut self, schema: &Schema, rule: &Rule, field: &str, place: &Place) {
        let scope = Scope::new(schema, rule.optional_old_self == Some(true));
        match scope.check(&rule.rule) {
            Err(detail) => return self.refuse(field, "rule", rule, detail),
            Ok(checked) if *checked.result_type() != Type::Bool => {
                return self.refuse(field, "rule", rule, "cel expression must evaluate to a bool");
            }
            Ok(checked) => self.charge(&scope, &rule.rule, &checked, (field, "rule"), "estimated rule cost", place),
        }
        if !rule.message_expression.is_empty() {
            match scope.check(&rule.message_expression) {
                Err(detail) => {
                    let detail = format!("messageExpression {detail}");
                    self.refuse(field, "messageExpression", rule, detail);
                }
                Ok(checked) if *checked.result_type() != Type::String => {
                    let detail = "messageExpression must evaluate to a string";
                    self.refuse(field, "messageExpression", rule, detail);
                }
                Ok(checked) => {
                    let at = (field, "messageExpression");
                    self.charge(
                        &scope,
                        &rule.message_expression,
                        &checked,
                        at,
                        "estimated messageExpression cost",
                        place,
                    );
                }
            }
        }
        self.transition(rule, field, place);
    }

    fn transition(&mut self, rule: &Rule, field: &str, place: &Place) {
        let uses_old =
            program(&rule.rule).is_ok_and(|program| program.variables().iter().any(|name| name == "oldSelf"));
        match (&place.uncorrelatable, rule.optional_old_self) {
            (Some(list), _) if uses_old => {
                let detail =
                    format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
                self.invalid(field, "rule", &rule.rule.clone().into(), detail);
            }
            (_, Some(value)) if !uses_old => {
                let detail = "may not be set if oldSelf is not used in rule";
                self.invalid(field, "optionalOldSelf", &value.into(), detail);
            }
            _ => {}
        }
    }

    fn charge(
        &mut self,
        scope: &Scope,
        text: &str,
        checked: &Checked,
        (field, member): (&str, &str),
        what: &str,
        place: &Place,
    ) {
        let ast = scope.environment.parse(text).ast;
        let cost = estimate(&ast, checked, &scope.sizes).max.saturating_mul(place.count);
        let field = format!("{field}.{member}");
        if cost > RULE_COST_MAX {
            self.errors.push(FieldError::forbidden(field.clone(), too_dear(what, cost, RULE_COST_MAX)));
        }
        self.total = self.total.saturating_add(cost);
        if cost >= COST_WORTH_NAMING {
            self.dear.push((cost, field));
        }
    }
}

/// The variables of a rule.
struct Scope {
    environment: Environment,
    sizes: SchemaSizes,
}

impl Scope {
    fn new(schema: &Schema, old_is_optional: bool) -> Self {
        let mut types = SchemaTypes::new();
        let own = types.declare("self", schema).unwrap_or(Type::Dyn);
        let old = if old_is_optional { Type::optional(own.clone()) } else { own.clone() };
        let mut sizes = SchemaSizes::new();
        sizes.declare("self", schema);
        sizes.declare("oldSelf", schema);
        let environment =
            environment().extend().types(Arc::new(types)).variable("self", own).variable("oldSelf", old).build();
        Self { environment, sizes }
    }

    fn check(&self, text: &str) -> Result<Checked, String> {
        let parsed = self.environment.parse(text);
        let failed = |issues: &[kro_cel::Issue]| {
            let texts: Vec<String> = issues.iter().map(|issue| issue.render(text)).collect();
            format!("compilation failed: {}", texts.join("\n"))
        };
        if !parsed.errors.is_empty() {
            return Err(failed(&parsed.errors));
        }
        let checked = self.environment.check(&parsed.ast);
        if checked.errors.is_empty() { Ok(checked) } else { Err(failed(&checked.errors)) }
    }
}

/// How many entries a value may have.
fn size_of(schema: &Schema) -> u64 {
    let mut sizes = SchemaSizes::new();
    sizes.declare("self", schema);
    sizes.size("self", &[], &Type::Dyn).map_or(u64::MAX, |bounds| bounds.max)
}

fn too_dear(what: &str, cost: u64, limit: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // shown with one digit
    let factor = cost as f64 / limit as f64;
    let factor = if factor > 100.0 {
        "more than 100x".to_owned()
    } else if factor < 1.5 {
        format!("{factor:.6}x")
    } else {
        format!("{factor:.1}x")
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}

/// True when a path such as `.spec.x` or `.map['key']` leads somewhere.
fn leads(schema: &Schema, path: &str) -> bool {
    let mut current = schema.clone();
    let mut rest = path;
    while !rest.is_empty() {
        let (name, after) = if let Some(inner) = rest.strip_prefix('.') {
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            inner.split_at(end)
        } else if let Some((name, after)) = rest.strip_prefix("['").and_then(|inner| inner.split_once("']")) {
            (name, after)
        } else {
            return false;
        };
        let values = match current.additional_properties() {
            AdditionalProperties::Schema(values) => Some(values),
            _ => None,
        };
        match current.property(name).or(values) {
            Some(next) => current = next,
            None => return false,
        }
        rest = after;
    }
    true
}

/// A rule as Go prints it in JSON, with its members in the order of the type.
fn go_struct(rule: &Rule) -> String {
    let text = |text: &Str| html_escaped(&text.clone().into());
    let reason = if rule.reason.is_empty() { "null".to_owned() } else { text(&rule.reason) };
    let optional = rule.optional_old_self.map_or("null".to_owned(), |value| value.to_string());
    format!(
        "{{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{reason},\"FieldPath\":{},\"OptionalOldSelf\":{optional}}}",
        text(&rule.rule),
        text(&rule.message),
        text(&rule.message_expression),
        text(&rule.field_path),
    )
}

/// Go's JSON escapes what HTML would misread.
fn html_escaped(value: &Value) -> String {
    to_json(value).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
