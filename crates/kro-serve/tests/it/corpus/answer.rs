//! Answers without what differs from run to run.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kro_value::{FieldPath, Value, from_json, to_json};
use regex::{Captures, Regex};

static UID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap());
static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)").unwrap());
static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{3,}\b").unwrap());
static AGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(\d+[smhd])+$").unwrap());
static CURRENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(current: |too old resource version: \d+ \()\d+").unwrap());

/// What a server answered, as it came.
#[derive(Debug, Default)]
pub struct Raw {
    pub status: u16,
    pub content_type: String,
    pub warnings: Vec<String>,
    pub body: Vec<u8>,
    pub watch: bool,
}

impl Raw {
    pub fn value(&self) -> Value {
        kro_value::from_json_bytes(&self.body).unwrap_or_default()
    }
}

/// Writes the answers to one script in a form that can be compared.
#[derive(Default)]
pub struct Normalizer {
    token: String,
    uids: BTreeMap<String, usize>,
    revisions: BTreeMap<String, usize>,
    generated: BTreeMap<String, usize>,
}

impl Normalizer {
    pub fn new(token: &str) -> Self {
        Self { token: token.to_owned(), ..Self::default() }
    }

    pub fn answer(&mut self, step: &Value, raw: &Raw) -> Value {
        let mut answer = Value::map([("status", Value::from(i64::from(raw.status)))]);
        if !raw.content_type.is_empty() {
            answer.set_at(&["type"], raw.content_type.as_str().into());
        }
        if !raw.warnings.is_empty() {
            let warnings = raw.warnings.iter().map(|text| self.text(text).into()).collect::<Vec<Value>>();
            answer.set_at(&["warnings"], warnings.into());
        }
        if raw.watch {
            return answer;
        }
        let text = String::from_utf8_lossy(&raw.body);
        let body = match from_json(&text) {
            Ok(_) => {
                let body = from_json(&self.without_token(&text)).unwrap();
                self.object(&narrowed(step, &body))
            }
            Err(_) => self.text(&text).into(),
        };
        answer.set_at(&["body"], body);
        answer
    }

    pub fn events(&mut self, events: &[Value]) -> Value {
        // Bookmarks that come by time say nothing.
        let is_timed = |event: &&Value| {
            let end = event.at(&["object", "metadata", "annotations", "k8s.io/initial-events-end"]);
            event.str_at(&["type"]) == Some("BOOKMARK") && end.is_none()
        };
        let events = events.iter().filter(|event| !is_timed(event)).map(|event| {
            let event = from_json(&self.without_token(&to_json(event))).unwrap();
            let mut event = event;
            if event.str_at(&["type"]) == Some("BOOKMARK") {
                event.set_at(&["object", "metadata", "resourceVersion"], "<>".into());
            }
            self.object(&event)
        });
        Value::map([("events", events.collect::<Vec<_>>().into())])
    }

    fn without_token(&self, text: &str) -> String {
        let token = &self.token;
        text.replace(&format!("{token}-ns"), "default")
            .replace(&format!("{token}.example.com"), "example.com")
            .replace(&format!("com.example.{token}"), "com.example")
            .replace(&format!("{token}."), "")
            .replace(token.as_str(), "u")
            .replace("\"realcluster\"", "\"kube-apiserver\"") // the name of the program, as a manager
    }

    fn object(&mut self, body: &Value) -> Value {
        self.note_generated_name(body);
        let value = self.value("", body);
        sorted_causes(value)
    }

    /// Names that the server made up.
    fn note_generated_name(&mut self, value: &Value) {
        if let (Some(prefix), Some(name)) =
            (value.str_at(&["metadata", "generateName"]), value.str_at(&["metadata", "name"]))
            && name.starts_with(prefix)
            && name.len() == prefix.len() + 5
        {
            let next = self.generated.len();
            self.generated.entry(name.to_owned()).or_insert(next);
        }
        for item in value.get("items").and_then(Value::as_list).unwrap_or_default() {
            self.note_generated_name(item);
        }
    }

    fn value(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::Map(map) => {
                let is_list = map.get("items").is_some_and(|items| items.as_list().is_some() || items.is_null())
                    || map.get("rows").is_some();
                let walk = |(key, value): (&kro_value::Str, &Value)| {
                    let mut value = value.clone();
                    if is_list && key == "metadata" && value.get("resourceVersion").is_some() {
                        value.set_at(&["resourceVersion"], "<>".into()); // moves with everything that is written
                    }
                    (key.clone(), self.value(key, &value))
                };
                Value::map(map.iter().map(walk).collect::<Vec<_>>())
            }
            Value::List(items) => items.iter().map(|item| self.value(key, item)).collect(),
            Value::String(text) => self.string(key, text).into(),
            Value::Int(port) if key == "nodePort" && *port >= 30_000 => "<port>".into(),
            other => other.clone(),
        }
    }

    fn string(&mut self, key: &str, text: &str) -> String {
        match key.rsplit('.').next().unwrap_or_default() {
            "resourceVersion" if text.len() >= 3 => return self.revision(text),
            "continue" if !text.is_empty() => return "<continue>".to_owned(),
            "clusterIP" | "clusterIPs" if text.starts_with("10.") => return "<ip>".to_owned(),
            "cells" if AGE.is_match(text) => return "<age>".to_owned(),
            _ => {}
        }
        self.text(text)
    }

    fn revision(&mut self, text: &str) -> String {
        let next = self.revisions.len() + 1;
        format!("<rv:{}>", self.revisions.entry(text.to_owned()).or_insert(next))
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = self.without_token(text);
        for (name, number) in &self.generated {
            text = text.replace(name.as_str(), &format!("<generated:{number}>"));
        }
        let uids = &mut self.uids;
        let text = UID.replace_all(&text, |found: &Captures<'_>| {
            let next = uids.len() + 1;
            format!("<uid:{}>", uids.entry(found[0].to_owned()).or_insert(next))
        });
        let text = TIME.replace_all(&text, "<t>");
        let text = CURRENT.replace_all(&text, "$1<rv>");
        let known = |found: &Captures<'_>| match self.revisions.get(&found[0]) {
            Some(number) => format!("<rv:{number}>"),
            None => found[0].to_owned(),
        };
        NUMBER.replace_all(&text, known).into_owned()
    }
}

/// The parts of a body that a step wants compared.
fn narrowed(step: &Value, body: &Value) -> Value {
    if let Some(paths) = step.get("at").and_then(Value::as_list) {
        let part = |path: &Value| {
            let text = path.as_str().unwrap();
            (text.to_owned(), body.at_path(&FieldPath::parse(text).unwrap()).cloned().unwrap_or_default())
        };
        return Value::map(paths.iter().map(part));
    }
    let Some(pick) = step.get("pick") else { return body.clone() };
    let path = FieldPath::parse(pick.str_at(&["list"]).expect("pick.list")).unwrap();
    let items = body.at_path(&path).and_then(Value::as_list).unwrap_or_default();
    let fits = |item: &&Value| {
        let wanted = pick.get("where").and_then(Value::as_map).expect("pick.where");
        wanted.iter().all(|(path, value)| item.at_path(&FieldPath::parse(path).unwrap()) == Some(value))
    };
    items.iter().filter(fits).cloned().collect()
}

/// The reference walks maps in random order: where it found several things, their order says nothing.
fn sorted_causes(mut status: Value) -> Value {
    let causes = status.at(&["details", "causes"]).and_then(Value::as_list).unwrap_or_default();
    if causes.len() > 1 {
        let mut causes = causes.to_vec();
        causes.sort_by_key(to_json);
        status.set_at(&["details", "causes"], causes.into());
        let message = status.str_at(&["message"]).unwrap_or_default();
        if let Some((head, _)) = message.split_once("is invalid: [") {
            status.set_at(&["message"], format!("{head}is invalid: [<causes>]").into());
        }
    }
    status
}

#[test]
fn what_differs_from_run_to_run_is_numbered() {
    let mut normalizer = Normalizer::new("s007");
    let body = r#"{"metadata":{"name":"s007","namespace":"s007-ns","uid":"00000000-1111-2222-3333-444444444444","resourceVersion":"1234",
        "creationTimestamp":"2026-01-01T00:00:00Z"},"note":"1234 5678 of s007.example.com"}"#;
    let raw = Raw { status: 200, body: body.as_bytes().to_vec(), ..Raw::default() };
    let expected = r#"{"status":200,"body":{"metadata":{"name":"u","namespace":"default","uid":"<uid:1>","resourceVersion":"<rv:1>",
        "creationTimestamp":"<t>"},"note":"<rv:1> 5678 of example.com"}}"#;
    assert_eq!(normalizer.answer(&Value::Null, &raw), from_json(expected).unwrap());
}
