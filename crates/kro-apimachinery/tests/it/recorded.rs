//! Replays the scenarios that were recorded on a real server: each step starts from what was stored before it.

use kro_apimachinery::Status;
use kro_apimachinery::managedfields::{FieldFilter, Managers, Request, Versions, apply, update};
use kro_apimachinery::typed::Type;
use kro_schema::structural::Schema;
use kro_value::{Value, from_json};

static RECORDED: &str = include_str!("../fixtures/apply.json");

struct Kind {
    kind: Type,
    group_versions: Vec<String>,
    filter: FieldFilter,
}

impl Versions for Kind {
    fn type_at(&self, api_version: &str) -> Option<Type> {
        self.group_versions.iter().any(|known| known == api_version).then(|| self.kind.clone())
    }

    fn filter_at(&self, _: &str) -> FieldFilter {
        self.filter.clone()
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.str_at(&[key]).unwrap_or_default()
}

fn versions(scenario: &Value, step: &Value) -> Kind {
    let (group, kind, subresource) = (text(scenario, "group"), text(scenario, "kind"), text(step, "subresource"));
    let schema = step.get("schema").or_else(|| scenario.get("schema"));
    let filter = match (schema, subresource) {
        (Some(_), "status") => FieldFilter::except_fields(&["metadata", "spec"]),
        (None, _) if matches!(kind, "ConfigMap" | "Secret") => FieldFilter::All,
        _ => FieldFilter::except_fields(&["status"]),
    };
    let prefix = if group.is_empty() { String::new() } else { format!("{group}/") };
    let kind = match schema {
        Some(schema) => Type::from_custom_resource_schema(&Schema::from_json(schema)),
        None => Type::builtin(group, "v1", kind).unwrap(),
    };
    Kind { kind, group_versions: vec![format!("{prefix}v1"), format!("{prefix}v2")], filter }
}

/// The entries of an object, without times, sorted.
fn entries(object: &Value) -> Vec<String> {
    let managers = Managers::of(object).unwrap();
    let mut entries: Vec<String> = managers
        .entries()
        .iter()
        .map(|entry| format!("{:?} {} {}", entry.identity, entry.api_version, entry.fields.encode()))
        .collect();
    entries.sort();
    entries
}

/// What a write that is no apply hands to the books: the object as it was stored, with the entries of the request.
fn written(step: &Value, live: Option<&Value>) -> Value {
    let mut object = step.get("result").unwrap().clone();
    let path = ["metadata", "managedFields"];
    let before = if text(step, "operation") == "patch" { live } else { step.get("sent") };
    match before.and_then(|before| before.at(&path)) {
        Some(list) => object.set_at(&path, list.clone()),
        None => {
            object.remove_at(&path);
        }
    }
    object
}

fn check_failure(what: &str, status: &Status, step: &Value) {
    let recorded = step.get("result").unwrap();
    assert_eq!(Some(i64::from(status.code)), recorded.get("code").and_then(Value::as_i64), "{what}: {status:?}");
    assert_eq!(status.message, text(recorded, "message"), "{what}");
    let causes = |value: &Value| {
        let causes = value.at(&["details", "causes"]).and_then(Value::as_list).unwrap_or_default();
        let mut texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
        texts.sort();
        texts
    };
    assert_eq!(causes(&status.to_value()), causes(recorded), "{what}");
}

fn replay(scenario: &Value, index: usize, step: &Value) {
    let what = format!("{} step {index}: {}", text(scenario, "id"), text(scenario, "title"));
    let kind = versions(scenario, step);
    let request = Request {
        versions: &kind,
        api_version: text(step, "apiVersion"),
        kind: text(scenario, "kind"),
        manager: text(step, "manager"),
        subresource: text(step, "subresource"),
        now: "2030-01-01T00:00:00Z",
    };
    let live = step.get("live");
    let code = step.get("code").and_then(Value::as_i64).unwrap();
    if text(step, "operation") != "apply" {
        assert!((200..300).contains(&code), "{what}: a write that failed has nothing to tell");
        let stored = update(live, &written(step, live), &request);
        assert_eq!(entries(&stored), entries(step.get("result").unwrap()), "{what}");
        return;
    }
    let force = step.get("force").and_then(Value::as_bool).unwrap_or_default();
    match apply(live, step.get("sent").unwrap(), &request, force) {
        Ok(applied) if code < 300 => {
            assert_eq!(entries(&applied.object), entries(step.get("result").unwrap()), "{what}");
        }
        // Validation comes after the books.
        Ok(_) => assert_eq!(code, 422, "{what}: the server refused what we apply"),
        Err(status) => check_failure(&what, &status, step),
    }
}

#[test]
fn the_books_are_those_of_a_real_server() {
    let recorded = from_json(RECORDED).unwrap();
    let scenarios = recorded.as_list().unwrap();
    assert!(scenarios.len() > 20);
    for entry in scenarios {
        let steps = entry.get("steps").and_then(Value::as_list).unwrap();
        for (index, step) in steps.iter().enumerate() {
            replay(entry.get("scenario").unwrap(), index, step);
        }
    }
}
