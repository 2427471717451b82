//! ValidatingAdmissionPolicies: what cluster administrators decide in CEL.

use std::collections::BTreeMap;

use kro_apimachinery::{Cause, LabelSelector, Status};
use kro_cel::value::{MapBuilder, MapKey};
use kro_cel::{Budget, CelValue, EvalContext, Program};
use kro_value::{Map, Str, Value};

use crate::GroupResource;
use crate::rules::environment;
use crate::state::State;
use crate::store::Key;
use crate::write::Call;

const GROUP: &str = "admissionregistration.k8s.io";

/// What is about to happen to an object.
pub(super) struct Operation<'a> {
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub(super) name: &'static str,
    pub(super) object: Option<&'a Value>,
    pub(super) old: Option<&'a Value>,
}

/// A validation that does not hold.
struct Finding {
    policy: Str,
    binding: Str,
    message: String,
    /// `Invalid` unless the policy says otherwise.
    reason: Str,
}

/// Asks every policy that is bound and about this operation.
///
/// # Errors
/// What the first policy that denies it says.
pub(super) fn validate(state: &State, call: &mut Call, operation: &Operation<'_>) -> Result<(), Status> {
    if call.resource.id.group == GROUP {
        return Ok(());
    }
    let mut denied: Vec<Finding> = Vec::new();
    for binding in objects(state, "validatingadmissionpolicybindings") {
        let Some(policy) = policy_of(state, binding) else { continue };
        let limits = binding.at(&["spec", "matchResources"]);
        let is_about = matches(state, call, operation, policy.at(&["spec", "matchConstraints"]), true)
            && limits.is_none_or(|limits| matches(state, call, operation, Some(limits), false));
        if !is_about {
            continue;
        }
        for params in params_of(state, call, policy, binding) {
            let findings = evaluate(state, call, operation, policy, binding, &params);
            let actions = binding.at(&["spec", "validationActions"]).and_then(Value::as_list).unwrap_or_default();
            for finding in findings {
                if actions.iter().any(|action| action.as_str() == Some("Warn")) {
                    let (policy, binding) = (&finding.policy, &finding.binding);
                    call.warn(format!(
                        "Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {}",
                        finding.message
                    ));
                }
                if actions.iter().any(|action| action.as_str() == Some("Deny")) {
                    denied.push(finding);
                }
            }
        }
    }
    if denied.is_empty() { Ok(()) } else { Err(refusal(call, &denied)) }
}

fn objects<'a>(state: &'a State, resource: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let table = state.store.table(&GroupResource::new(GROUP, resource));
    table.into_iter().flat_map(|table| table.iter()).map(|(_, stored)| &stored.value)
}

fn policy_of<'a>(state: &'a State, binding: &Value) -> Option<&'a Value> {
    let name = binding.str_at(&["spec", "policyName"])?;
    let id = GroupResource::new(GROUP, "validatingadmissionpolicies");
    state.store.get(&id, &Key::new("", name)).map(|stored| &stored.value)
}

fn refusal(call: &Call, denied: &[Finding]) -> Status {
    let text = |finding: &Finding| {
        let (policy, binding) = (&finding.policy, &finding.binding);
        format!("ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {}", finding.message)
    };
    let reason = denied[0].reason.as_str();
    let mut status = call.forbidden(&call.name, &text(&denied[0]));
    status.reason = Str::new(reason);
    status.code = match reason {
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "RequestEntityTooLarge" => 413,
        _ => 422,
    };
    if let Some(details) = &mut status.details {
        let cause = |finding| Cause { reason: Str::default(), message: text(finding), field: String::new() };
        details.causes = denied.iter().map(cause).collect();
    }
    status
}

/// True when constraints are about the operation. A policy's own constraints need a rule that fits; those of a binding
/// may leave rules out.
fn matches(state: &State, call: &Call, operation: &Operation<'_>, given: Option<&Value>, needs_rule: bool) -> bool {
    let Some(given) = given else { return !needs_rule };
    let rules = |key: &str| given.get(key).and_then(Value::as_list).unwrap_or_default();
    let fits = |rule: &Value| rule_fits(call, operation, rule);
    if rules("excludeResourceRules").iter().any(fits) {
        return false;
    }
    let rules = rules("resourceRules");
    if !rules.iter().any(fits) && (needs_rule || !rules.is_empty()) {
        return false;
    }
    let selects = |key: &str, labels: Option<&Value>| {
        let Some(selector) = given.get(key).filter(|selector| selector.as_map().is_some_and(|map| !map.is_empty()))
        else {
            return true;
        };
        let selector = LabelSelector::from_value(selector);
        labels.is_some_and(|labels| selector.matches(labels.as_map()))
    };
    let empty = Value::Map(Map::new());
    let labels = |object: Option<&Value>| {
        object.map(|object| object.at(&["metadata", "labels"]).cloned().unwrap_or_else(|| empty.clone()))
    };
    let of_namespace = labels(namespace(state, call, operation).as_ref());
    let in_namespace =
        of_namespace.is_none() && !call.resource.namespaced || selects("namespaceSelector", of_namespace.as_ref());
    in_namespace
        && (selects("objectSelector", labels(operation.object).as_ref())
            || selects("objectSelector", labels(operation.old).as_ref()))
}

/// The Namespace that an object is in, or is.
fn namespace(state: &State, call: &Call, operation: &Operation<'_>) -> Option<Value> {
    if call.resource.id.is("", "namespaces") {
        return operation.object.or(operation.old).cloned();
    }
    let id = GroupResource::new("", "namespaces");
    state.store.get(&id, &Key::new("", &call.namespace)).map(|stored| stored.value.clone())
}

fn rule_fits(call: &Call, operation: &Operation<'_>, rule: &Value) -> bool {
    let any = |key: &str, fits: &dyn Fn(&str) -> bool| {
        let items = rule.get(key).and_then(Value::as_list).unwrap_or_default();
        items.iter().filter_map(Value::as_str).any(fits)
    };
    let id = &call.resource.id;
    let version = &call.resource.versions[call.version].name;
    let resource = |item: &str| {
        let (resource, subresource) = item.split_once('/').unwrap_or((item, ""));
        let of_kind = resource == "*" || resource == id.resource;
        of_kind && (subresource == call.subresource || subresource == "*" || item == "*/*")
    };
    let scope = match rule.str_at(&["scope"]) {
        Some("Cluster") => !call.resource.namespaced,
        Some("Namespaced") => call.resource.namespaced,
        _ => true,
    };
    let names = rule.get("resourceNames").and_then(Value::as_list).unwrap_or_default();
    any("operations", &|item| item == "*" || item == operation.name)
        && any("apiGroups", &|item| item == "*" || item == id.group)
        && any("apiVersions", &|item| item == "*" || item == version)
        && any("resources", &resource)
        && scope
        && (names.is_empty() || names.iter().any(|name| name.as_str() == Some(&call.name)))
}

/// The objects that a policy is evaluated with: one null without parameters.
fn params_of(state: &State, call: &Call, policy: &Value, binding: &Value) -> Vec<Value> {
    let Some(kind) = policy.at(&["spec", "paramKind"]) else { return vec![Value::Null] };
    let text = |value: &Value, key: &str| value.str_at(&[key]).unwrap_or_default().to_owned();
    let Some(reference) = binding.at(&["spec", "paramRef"]) else { return vec![Value::Null] };
    let Some(resource) = state.registry.of_object(&text(kind, "apiVersion"), &text(kind, "kind")) else {
        return Vec::new();
    };
    let namespace = match (resource.namespaced, text(reference, "namespace")) {
        (false, _) => String::new(),
        (true, given) if given.is_empty() => call.namespace.to_string(),
        (true, given) => given,
    };
    if let Some(name) = reference.str_at(&["name"]) {
        let stored = state.store.get(&resource.id, &Key::new(&namespace, name));
        return stored.map(|stored| stored.value.clone()).into_iter().collect();
    }
    let selector = reference.get("selector").map(LabelSelector::from_value).unwrap_or_default();
    let table = state.store.table(&resource.id).into_iter();
    let objects = table
        .flat_map(|table| table.in_namespace(Some(&namespace).filter(|name| !name.is_empty()).map(String::as_str)));
    objects.filter(|(_, stored)| selector.matches(stored.labels())).map(|(_, stored)| stored.value.clone()).collect()
}

/// One evaluation of a policy.
struct Evaluation {
    variables: BTreeMap<Str, CelValue>,
    context: EvalContext,
}

impl Evaluation {
    fn run(&mut self, text: &str) -> Result<CelValue, String> {
        let program = program(text)?;
        program.evaluate_with(&self.variables, &mut self.context).map_err(|error| error.message().to_owned())
    }
}

fn program(text: &str) -> Result<Program, String> {
    let parsed = environment().parse(text);
    if let Some(error) = parsed.errors.first() {
        return Err(format!("compilation error: compilation failed: {}", error.render(text)));
    }
    environment().plan(&parsed.ast, None).map_err(|error| error.message().to_owned())
}

fn evaluate(
    state: &State,
    call: &Call,
    operation: &Operation<'_>,
    policy: &Value,
    binding: &Value,
    params: &Value,
) -> Vec<Finding> {
    let mut evaluation = Evaluation {
        variables: variables(state, call, operation, params),
        context: EvalContext::new(Budget::default()),
    };
    let list = |key: &str| policy.at(&["spec", key]).and_then(Value::as_list).unwrap_or_default();
    let expression = |item: &Value| item.str_at(&["expression"]).unwrap_or_default().to_owned();
    for condition in list("matchConditions") {
        if matches!(evaluation.run(&expression(condition)), Ok(CelValue::Bool(false))) {
            return Vec::new();
        }
    }
    compose(&mut evaluation, list("variables"));
    let ignores_errors = policy.str_at(&["spec", "failurePolicy"]) == Some("Ignore");
    let mut findings = Vec::new();
    for validation in list("validations") {
        let text = expression(validation);
        let (message, reason) = match evaluation.run(&text) {
            Ok(CelValue::Bool(true)) => continue,
            Ok(_) => {
                let reason = validation.str_at(&["reason"]).unwrap_or("Invalid");
                (message(&mut evaluation, validation, &text), reason)
            }
            Err(_) if ignores_errors => continue,
            Err(error) => (format!("expression '{text}' resulted in error: {error}"), "Invalid"),
        };
        let name = |object: &Value| Str::new(object.str_at(&["metadata", "name"]).unwrap_or_default());
        findings.push(Finding { policy: name(policy), binding: name(binding), message, reason: Str::new(reason) });
    }
    findings
}

fn message(evaluation: &mut Evaluation, validation: &Value, text: &str) -> String {
    let expression = validation.str_at(&["messageExpression"]).unwrap_or_default();
    if !expression.is_empty()
        && let Ok(value) = evaluation.run(expression)
        && let Some(text) = value.as_str().map(str::trim).filter(|text| !text.is_empty() && !text.contains('\n'))
    {
        return text.to_owned();
    }
    match validation.str_at(&["message"]).unwrap_or_default().trim() {
        "" => format!("failed expression: {}", text.trim()),
        message => message.to_owned(),
    }
}

/// `variables.x`, in the order of the policy: each sees those before it. One that fails is missing.
fn compose(evaluation: &mut Evaluation, list: &[Value]) {
    let mut known: Vec<(MapKey, CelValue)> = Vec::new();
    for variable in list {
        let (Some(name), Some(text)) = (variable.str_at(&["name"]), variable.str_at(&["expression"])) else { continue };
        let (Ok(value), Some(key)) = (evaluation.run(text), MapKey::new(&CelValue::string(name))) else { continue };
        known.push((key, value));
        let mut builder = MapBuilder::new();
        known.iter().cloned().for_each(|(key, value)| builder.insert(key, value));
        evaluation.variables.insert(Str::new_static("variables"), CelValue::Map(builder.finish()));
    }
}

fn variables(state: &State, call: &Call, operation: &Operation<'_>, params: &Value) -> BTreeMap<Str, CelValue> {
    let of = |value: Option<&Value>| CelValue::from_json(value.cloned().unwrap_or_default());
    let namespace = namespace(state, call, operation);
    let all = [
        ("object", of(operation.object)),
        ("oldObject", of(operation.old)),
        ("params", CelValue::from_json(params.clone())),
        ("namespaceObject", of(namespace.as_ref())),
        ("request", CelValue::from_json(request(call, operation))),
        ("variables", CelValue::from_json(Value::Map(Map::new()))),
    ];
    all.into_iter().map(|(name, value)| (Str::new_static(name), value)).collect()
}

fn request(call: &Call, operation: &Operation<'_>) -> Value {
    let version = call.resource.versions[call.version].name.clone();
    let id = &call.resource.id;
    let kind = Value::map([
        ("group", Value::from(id.group.clone())),
        ("version", version.clone().into()),
        ("kind", call.resource.kind.clone().into()),
    ]);
    let resource = Value::map([
        ("group", Value::from(id.group.clone())),
        ("version", version.into()),
        ("resource", id.resource.clone().into()),
    ]);
    let groups = call.user.groups.iter().map(|group| Value::from(group.clone())).collect();
    let user = Value::map([("username", Value::from(call.user.name.clone())), ("groups", groups)]);
    Value::map([
        ("kind", kind.clone()),
        ("resource", resource.clone()),
        ("requestKind", kind),
        ("requestResource", resource),
        ("subResource", call.subresource.clone().into()),
        ("name", call.name.clone().into()),
        ("namespace", call.namespace.clone().into()),
        ("operation", operation.name.into()),
        ("userInfo", user),
        ("dryRun", call.dry_run.into()),
    ])
}
