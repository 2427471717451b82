//! Scripts of requests, without expectations: what must be answered is recorded from a real server.
//!
//! A step names a method with its path (`post: cm`, `apply: cm/a?fieldManager=m`; see `kinds.rs` for short paths), reads a
//! watch (`events: NAME`), defines the kind Widget (`widget: SCHEMA OF SPEC`) or waits (`settle: MILLISECONDS`, which
//! only a real server needs). `body` is sent as JSON, `raw` as it is (with `nested: {level, times}`
//! where it has `@`); `last` is a change of the newest answer's body.
//! `capture` names parts of the answer that later steps use as `${name}`. `at` and `pick` narrow down what is compared.

use std::collections::BTreeMap;
use std::path::Path;

use kro_value::{FieldPath, Value, from_json, to_json};

use super::kinds::{Kind, expand};

/// One script with the token that keeps its objects apart from those of other scripts.
pub struct Script {
    pub file: String,
    pub id: String,
    pub token: String,
    /// Definitions that the embedded API has before the first step; a real server was given them once.
    pub setup: Vec<Value>,
    steps: Vec<Value>,
}

impl Script {
    pub fn new(file: &str, id: &str, steps: Vec<Value>) -> Self {
        Self { file: file.to_owned(), id: id.to_owned(), token: String::new(), setup: Vec::new(), steps }
    }

    /// The steps, one a line.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self.steps.iter().map(|step| format!("  - {}", to_json(step))).collect();
        format!("id: {}\nsteps:\n{}", self.id, lines.join("\n"))
    }
}

/// What a step does.
pub enum Action {
    Send(Sent),
    Events { name: String, ended: bool },
    Settle(u64),
}

/// A request.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: String,
    pub target: String,
    pub body: Option<String>,
    pub headers: Vec<(String, String)>,
}

/// The scripts of the corpus.
pub fn all(root: &Path) -> Vec<Script> {
    let mut files: Vec<_> =
        std::fs::read_dir(root.join("tests/api")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let mut scripts = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        if stem != "differences" {
            read(stem, &std::fs::read_to_string(&file).unwrap(), &mut scripts);
        }
    }
    for (index, script) in scripts.iter_mut().enumerate() {
        script.token = format!("s{index:03}");
    }
    scripts
}

fn read(file: &str, text: &str, scripts: &mut Vec<Script>) {
    let parsed = kro_yaml::parse(text, kro_diagnostics::FileId(0));
    assert!(parsed.diagnostics.is_empty(), "{file}: {:?}", parsed.diagnostics);
    for document in parsed.values().iter().filter(|document| !document.is_null()) {
        let steps = document.get("steps").and_then(Value::as_list).expect("steps").to_vec();
        let id = format!("{file}: {}", document.str_at(&["id"]).expect("id"));
        assert!(scripts.iter().all(|script| script.id != id), "{id} is there twice");
        scripts.push(Script::new(file, &id, steps));
    }
}

/// A script at work: what was captured, and the newest answer.
pub struct Session<'a> {
    script: &'a Script,
    captured: BTreeMap<String, String>,
    last: Value,
}

impl<'a> Session<'a> {
    pub fn new(script: &'a Script) -> Self {
        Self { script, captured: BTreeMap::new(), last: Value::Null }
    }

    pub fn steps(&self) -> &'a [Value] {
        &self.script.steps
    }

    /// The namespace that stands for `default`.
    pub fn namespace(&self) -> String {
        format!("{}-ns", self.script.token)
    }

    pub fn action(&self, step: &Value) -> Action {
        let step = self.substitute(step);
        if let Some(milliseconds) = step.get("settle").and_then(Value::as_i64) {
            return Action::Settle(milliseconds.unsigned_abs());
        }
        if let Some(name) = step.str_at(&["events"]) {
            let ended = step.get("ended").and_then(Value::as_bool).unwrap_or(false);
            return Action::Events { name: name.to_owned(), ended };
        }
        Action::Send(self.request(&step))
    }

    /// Remembers an answer.
    pub fn learn(&mut self, step: &Value, body: &Value) {
        for (name, path) in step.get("capture").and_then(Value::as_map).into_iter().flatten() {
            let path = FieldPath::parse(path.as_str().unwrap()).unwrap();
            let value = body.at_path(&path).cloned().unwrap_or_default();
            let text = value.as_str().map_or_else(|| to_json(&value), ToOwned::to_owned);
            self.captured.insert(name.to_string(), text);
        }
        if body.get("kind").is_some_and(|kind| kind.as_str() != Some("Status")) {
            self.last = body.clone();
        }
    }

    fn request(&self, step: &Value) -> Sent {
        let (method, content_type, short) = verb(step);
        let (target, kind) = expand(&short);
        let content_type = step.str_at(&["type"]).map_or(content_type, long_type);
        let mut headers = vec![("User-Agent".to_owned(), step.str_at(&["agent"]).unwrap_or("corpus").to_owned())];
        let body = self.body(step, kind, &target, content_type);
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        }
        for (header, key) in [("Accept", "accept"), ("If-None-Match", "etag"), ("Impersonate-User", "as")] {
            headers.extend(step.str_at(&[key]).map(|value| (header.to_owned(), self.isolate(value))));
        }
        for (name, value) in step.get("with").and_then(Value::as_map).into_iter().flatten() {
            headers.push((name.to_string(), self.isolate(value.as_str().unwrap())));
        }
        let target = self.isolate(&target).replace(' ', "%20").replace('<', "%3C").replace('>', "%3E");
        Sent { method: method.to_owned(), target, body: body.map(|body| self.isolate(&body)), headers }
    }

    fn body(&self, step: &Value, kind: Option<&Kind>, target: &str, content_type: &str) -> Option<String> {
        if let Some(raw) = step.str_at(&["raw"]) {
            return Some(step.get("nested").map_or_else(|| raw.to_owned(), |levels| nested(raw, levels)));
        }
        if let Some(spec) = step.get("widget") {
            return Some(to_json(&widget(step, spec)));
        }
        if let Some(change) = step.get("last") {
            return Some(to_json(&merged(&self.last, change)));
        }
        if step.get("again").is_some() {
            return Some(to_json(&self.last));
        }
        let mut body = step.get("body")?.clone();
        let is_whole = step.get("post").is_some() || step.get("put").is_some() || content_type.contains("apply");
        if let (Some(kind), true, true) = (kind, is_whole, body.as_map().is_some()) {
            complete(&mut body, kind, target, step.get("put").is_some() || content_type.contains("apply"));
        }
        Some(to_json(&body))
    }

    /// Gives the script its own namespace, API group and names.
    fn isolate(&self, text: &str) -> String {
        let token = &self.script.token;
        text.replace("namespaces/default", &format!("namespaces/{token}-ns"))
            .replace("\"namespace\":\"default\"", &format!("\"namespace\":\"{token}-ns\""))
            .replace("example.com", &format!("{token}.example.com"))
            .replace("${u}", token)
    }

    fn substitute(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let captured = self.captured.iter();
                captured
                    .fold(text.to_string(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
                    .into()
            }
            Value::List(items) => items.iter().map(|item| self.substitute(item)).collect(),
            Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), self.substitute(value)))),
            other => other.clone(),
        }
    }
}

fn verb(step: &Value) -> (&'static str, &'static str, String) {
    const VERBS: &[(&str, &str, &str)] = &[
        ("get", "GET", "json"),
        ("head", "HEAD", "json"),
        ("options", "OPTIONS", "json"),
        ("post", "POST", "json"),
        ("put", "PUT", "json"),
        ("delete", "DELETE", "json"),
        ("merge", "PATCH", "merge"),
        ("jsonpatch", "PATCH", "jsonpatch"),
        ("smp", "PATCH", "smp"),
        ("apply", "PATCH", "apply"),
    ];
    if step.get("widget").is_some() {
        return ("POST", "application/json", "crd".to_owned());
    }
    for (key, method, content_type) in VERBS {
        if let Some(path) = step.str_at(&[key]) {
            return (method, long_type(content_type), path.to_owned());
        }
    }
    let line = step.str_at(&["send"]).or(step.str_at(&["again"])).unwrap_or_else(|| panic!("no request in {step}"));
    let (method, path) = line.split_once(' ').expect("METHOD path");
    let (_, method, _) = VERBS.iter().find(|(_, known, _)| *known == method).expect("a method");
    let content_type = if *method == "PATCH" { "merge" } else { "json" };
    (method, long_type(content_type), path.to_owned())
}

fn long_type(short: &str) -> &str {
    match short {
        "json" => "application/json",
        "yaml" => "application/yaml",
        "jsonpatch" => "application/json-patch+json",
        "merge" => "application/merge-patch+json",
        "smp" => "application/strategic-merge-patch+json",
        "apply" => "application/apply-patch+yaml",
        other => other,
    }
}

/// Puts levels of nesting where the text has `@`: `level`, which has an `@` for what is inside, `times` times.
fn nested(raw: &str, levels: &Value) -> String {
    let (open, close) = levels.str_at(&["level"]).and_then(|level| level.split_once('@')).expect("a level with @");
    let times = levels.get("times").and_then(Value::as_i64).expect("times").unsigned_abs() as usize;
    raw.replace('@', &format!("{}1{}", open.repeat(times), close.repeat(times)))
}

/// Names the kind of an object, and the object where the path does.
fn complete(body: &mut Value, kind: &Kind, target: &str, names: bool) {
    for (key, value) in [("apiVersion", kind.api_version), ("kind", kind.kind)] {
        if body.get(key).is_none() {
            body.set_at(&[key], value.into());
        }
    }
    let path = target.split('?').next().unwrap_or_default();
    let after = path.split(&format!("/{}/", kind.plural)).nth(1).unwrap_or_default();
    let name = after.split('/').next().unwrap_or_default();
    if names && !name.is_empty() && body.at(&["metadata", "name"]).is_none() {
        body.set_at(&["metadata", "name"], name.into());
    }
}

/// The definition of Widget: `spec` by this schema, `status` free with an endpoint of its own. `version` and `crd` in
/// the step change it.
fn widget(step: &Value, spec: &Value) -> Value {
    let text = r#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.example.com"},
        "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget"},"versions":[]}}"#;
    let version = r#"{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object",
        "properties":{"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}"#;
    let mut version = from_json(version).unwrap();
    version.set_at(&["schema", "openAPIV3Schema", "properties", "spec"], spec.clone());
    let version = merged(&version, step.get("version").unwrap_or(&Value::Null));
    let mut definition = from_json(text).unwrap();
    definition.set_at(&["spec", "versions"], Value::list([version]));
    merged(&definition, step.get("crd").unwrap_or(&Value::Null))
}

/// RFC 7386, with null for no change at the root.
fn merged(target: &Value, patch: &Value) -> Value {
    match patch {
        Value::Null => target.clone(),
        Value::Map(changes) => {
            let mut result = target.as_map().cloned().unwrap_or_default();
            for (key, change) in changes {
                if change.is_null() {
                    result.remove(key);
                } else {
                    let old = result.get(key).cloned().unwrap_or_default();
                    result.insert(key.clone(), merged(&old, change));
                }
            }
            result.into()
        }
        other => other.clone(),
    }
}
