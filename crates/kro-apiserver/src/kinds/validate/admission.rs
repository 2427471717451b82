//! Webhooks and policies of admission.

use kro_apimachinery::{FieldError, names};
use kro_value::Value;

use super::place::{Findings, Place, Seen};

const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

pub(super) fn webhooks(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let mut seen = Seen::default();
    for hook in Place::root(object, &findings).get("webhooks").items() {
        webhook(&hook);
        if !seen.is_new(hook.get("name").text()) {
            hook.get("name").duplicate();
        }
    }
    findings.into_errors()
}

fn webhook(hook: &Place<'_>) {
    let name = hook.get("name");
    if name.require("") {
        let problems = names::subdomain_errors(name.text());
        if problems.is_empty() && name.text().split('.').count() < 3 {
            name.invalid("should be a domain with at least three segments separated by dots");
        }
        name.invalid_each(problems);
    }
    hook.get("rules").items().iter().for_each(rule);
    hook.get("failurePolicy").one_of(&["Fail", "Ignore"]);
    hook.get("matchPolicy").one_of(&["Equivalent", "Exact"]);
    let effects = hook.get("sideEffects");
    if effects.is_empty() {
        effects.required("must specify one of None, NoneOnDryRun");
    } else {
        effects.one_of(&["None", "NoneOnDryRun"]);
    }
    let timeout = hook.get("timeoutSeconds");
    if timeout.int().is_some_and(|seconds| !(1..=30).contains(&seconds)) {
        timeout.invalid("the timeout value must be between 1 and 30 seconds");
    }
    for key in ["namespaceSelector", "objectSelector"] {
        hook.get(key).label_selector();
    }
    client(&hook.get("clientConfig"));
    let versions = hook.get("admissionReviewVersions");
    if versions.is_empty() {
        versions.required("must specify one of v1, v1beta1");
    } else if !versions.items().iter().any(|version| matches!(version.text(), "v1" | "v1beta1")) {
        versions.invalid("must include at least one of v1, v1beta1");
    }
    conditions(&hook.get("matchConditions"));
}

fn client(config: &Place<'_>) {
    let (url, service) = (config.get("url"), config.get("service"));
    if url.is_set() == service.is_set() {
        return config.required("exactly one of url or service is required");
    }
    if service.is_set() {
        for key in ["name", "namespace"] {
            service.get(key).require("");
        }
        return;
    }
    let scheme = url.text().split("://").next().unwrap_or_default();
    if scheme != "https" {
        url.invalid_as(scheme, "'https' is the only allowed URL scheme; desired format: https://host[/path]");
    }
}

/// Which requests are meant.
fn rule(rule: &Place<'_>) {
    let (groups, versions) = (rule.get("apiGroups"), rule.get("apiVersions"));
    groups.require("");
    wildcard(&groups, "if '*' is present, must not specify other API groups");
    versions.require("");
    wildcard(&versions, "if '*' is present, must not specify other API versions");
    rule.get("resources").require("");
    let operations = rule.get("operations");
    operations.require("");
    operations.items().iter().for_each(|operation| operation.one_of(OPERATIONS));
    wildcard(&operations, "if '*' is present, must not specify other operations");
    rule.get("scope").one_of(&["*", "Cluster", "Namespaced"]);
}

fn wildcard(list: &Place<'_>, detail: &str) {
    let items = list.items();
    if items.len() > 1 && items.iter().any(|item| item.text() == "*") {
        list.invalid(detail);
    }
}

fn conditions(list: &Place<'_>) {
    let mut seen = Seen::default();
    for condition in list.items() {
        let name = condition.get("name");
        if name.require("") {
            name.qualified_name();
            if !seen.is_new(name.text()) {
                name.duplicate();
            }
        }
        if condition.get("expression").text().trim().is_empty() {
            condition.get("expression").required("");
        }
    }
}

pub(super) fn policy(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let spec = root.get("spec");
    let constraints = spec.get("matchConstraints");
    if constraints.is_set() {
        constraints.get("resourceRules").require("");
        for key in ["resourceRules", "excludeResourceRules"] {
            constraints.get(key).items().iter().for_each(rule);
        }
        constraints.get("matchPolicy").one_of(&["Equivalent", "Exact"]);
    } else {
        constraints.required("");
    }
    spec.get("failurePolicy").one_of(&["Fail", "Ignore"]);
    let (validations, annotations) = (spec.get("validations"), spec.get("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        let detail = "validations or auditAnnotations must contain at least one item";
        validations.required(detail);
        annotations.required(detail);
    }
    validations.items().iter().for_each(validation);
    conditions(&spec.get("matchConditions"));
    for variable in spec.get("variables").items() {
        let name = variable.get("name");
        if name.require("name is not specified") && !is_identifier(name.text()) {
            name.invalid("must be a valid CEL identifier");
        }
        if variable.get("expression").text().trim().is_empty() {
            variable.get("expression").required("expression is not specified");
        }
    }
    for annotation in annotations.items() {
        let key = annotation.get("key");
        if key.require("") {
            let whole = format!("{}/{}", root.at(&["metadata", "name"]).text(), key.text());
            names::qualified_name_errors(&whole).into_iter().for_each(|detail| key.invalid_as(whole.as_str(), detail));
        }
    }
    let kind = spec.get("paramKind");
    if kind.is_set() {
        for key in ["apiVersion", "kind"] {
            kind.get(key).require("");
        }
    }
    findings.into_errors()
}

fn validation(validation: &Place<'_>) {
    if validation.get("expression").text().trim().is_empty() {
        validation.get("expression").required("expression is not specified");
    }
    let message = validation.get("message");
    if message.text().contains(['\n', '\r']) {
        message.invalid("must not contain line breaks");
    } else if message.is_set() && message.text().trim().is_empty() {
        message.invalid("message must be non-empty if specified");
    }
    validation.get("reason").one_of(&["Forbidden", "Invalid", "RequestEntityTooLarge"]);
}

fn is_identifier(name: &str) -> bool {
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn binding(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    spec.get("policyName").require("");
    let actions = spec.get("validationActions");
    actions.require("at least one validation action is required");
    let mut seen = Seen::default();
    for action in actions.items() {
        action.one_of(&["Audit", "Deny", "Warn"]);
        if !seen.is_new(action.text()) {
            action.duplicate();
        }
    }
    let has = |name: &str| actions.items().iter().any(|action| action.text() == name);
    if has("Deny") && has("Warn") {
        actions.invalid("must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)");
    }
    let parameter = spec.get("paramRef");
    if parameter.is_set() {
        parameter.get("parameterNotFoundAction").require("");
    }
    findings.into_errors()
}
