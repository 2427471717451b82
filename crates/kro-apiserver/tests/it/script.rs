//! A script: requests in order, with what each must be answered.
//!
//! A step sends a request (`send`; `again` sends the last answer's body), reads a watch that was opened before (`events`), or lets time pass (`pass`, in
//! seconds). The profile is `bare` unless the script names another. Expected bodies are subsets: members that are not named do not matter, lists must have the same length.
//! `<any>` stands for any value, `<absent>` for none. `${name}` is replaced by what a step captured.

use std::collections::BTreeMap;

use kro_apiserver::{ApiServer, Authorization, Config, Method, Profile, Request, Timestamp, User, WatchId};
use kro_value::{FieldPath, Map, Str, Value, from_json, from_json_bytes, to_json};

pub struct Script {
    pub id: String,
    profile: Profile,
    authorization: Authorization,
    steps: Vec<Value>,
}

/// The scripts of a file, one for each document.
pub fn read(text: &str) -> Vec<Script> {
    let parsed = kro_yaml::parse(text, kro_diagnostics::FileId(0));
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    parsed.values().into_iter().filter(|value| !value.is_null()).map(|value| script(&value)).collect()
}

fn script(value: &Value) -> Script {
    let profile = match value.str_at(&["profile"]) {
        Some("control-plane") => Profile::ControlPlane,
        Some("dev") => Profile::Dev,
        _ => Profile::Bare,
    };
    let authorization = match value.str_at(&["authorization"]) {
        Some("rbac") => Authorization::Rbac,
        _ => Authorization::AllowAll,
    };
    let steps = value.get("steps").and_then(Value::as_list).expect("steps").to_vec();
    Script { id: value.str_at(&["id"]).expect("id").to_owned(), profile, authorization, steps }
}

struct Runner {
    server: ApiServer,
    now: Timestamp,
    captured: BTreeMap<String, String>,
    watches: BTreeMap<String, WatchId>,
    /// The body of the last answer.
    last: Value,
}

pub fn run(script: &Script) -> Result<(), String> {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let config = Config { profile: script.profile, authorization: script.authorization, ..Config::default() };
    let mut runner = Runner {
        server: ApiServer::new(config, now),
        now,
        captured: BTreeMap::new(),
        watches: BTreeMap::new(),
        last: Value::Null,
    };
    for (index, step) in script.steps.iter().enumerate() {
        runner.step(step).map_err(|failure| format!("step {}: {failure}", index + 1))?;
        runner.server.tick(runner.now);
    }
    Ok(())
}

impl Runner {
    fn step(&mut self, step: &Value) -> Result<(), String> {
        let step = self.substitute(step);
        if let Some(seconds) = step.get("pass").and_then(Value::as_f64) {
            self.pass(self.now.checked_add(jiff::SignedDuration::from_secs_f64(seconds)).unwrap());
            return Ok(());
        }
        if step.get("expire").is_some() {
            self.server.expire_history();
            return Ok(());
        }
        if let Some(line) = step.str_at(&["again"]) {
            let mut step = step.clone();
            step.set_at(&["send"], line.into());
            step.set_at(&["body"], self.last.clone());
            return self.send(&step);
        }
        match step.str_at(&["events"]) {
            Some(name) => self.events(name, &step),
            None => self.send(&step),
        }
    }

    /// Lets time pass from one thing that is due to the next.
    fn pass(&mut self, end: Timestamp) {
        while let Some(due) = self.server.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            if !self.server.tick(self.now) {
                break; // a watch is due, which the script reads by itself
            }
        }
        self.now = end;
    }

    fn send(&mut self, step: &Value) -> Result<(), String> {
        let line = step.str_at(&["send"]).ok_or("a step needs send, events or pass")?;
        let request = request(line, step);
        let response = self.server.handle(&request, self.now);
        let told = || format!("{line} -> {} {}", response.status, String::from_utf8_lossy(response.bytes()));
        let wanted = step.get("status").and_then(Value::as_i64).unwrap_or(200);
        if i64::from(response.status) != wanted {
            return Err(format!("expected {wanted}: {}", told()));
        }
        if let Some(id) = response.watch() {
            self.watches.insert(step.str_at(&["watch"]).unwrap_or("watch").to_owned(), id);
        }
        if let Some(text) = step.str_at(&["text"]) {
            let body = String::from_utf8_lossy(response.bytes());
            return if body.trim_end() == text.trim_end() {
                Ok(())
            } else {
                Err(format!("expected {text}: {}", told()))
            };
        }
        let body = from_json_bytes(response.bytes()).unwrap_or_default();
        self.last = body.clone();
        if let Some(expected) = step.get("exact") {
            let body = comparable(&body);
            if body != *expected {
                return Err(format!("expected exactly\n{expected}\nfound\n{body}"));
            }
        }
        if let Some(expected) = step.get("expect") {
            matches(expected, &body, "").map_err(|failure| format!("{failure}\n{}", told()))?;
        }
        if let Some(headers) = step.get("headers") {
            let actual = headers_of(&response);
            matches(headers, &actual, "headers").map_err(|failure| format!("{failure}\n{actual}"))?;
        }
        self.capture(step, &body)
    }

    fn capture(&mut self, step: &Value, body: &Value) -> Result<(), String> {
        for (name, path) in step.get("capture").and_then(Value::as_map).into_iter().flatten() {
            let path = FieldPath::parse(path.as_str().unwrap()).unwrap();
            let value = body.at_path(&path).ok_or_else(|| format!("nothing to capture at {path}: {body}"))?;
            let text = value.as_str().map_or_else(|| to_json(value), ToOwned::to_owned);
            self.captured.insert(name.to_string(), text);
        }
        Ok(())
    }

    fn events(&mut self, name: &str, step: &Value) -> Result<(), String> {
        let id = *self.watches.get(name).ok_or("no such watch")?;
        let poll = self.server.next_events(id, self.now);
        let events: Value = poll.chunks.iter().map(|chunk| from_json_bytes(chunk).unwrap()).collect();
        let expected = step.get("expect").cloned().unwrap_or_else(|| Value::list([]));
        matches(&expected, &events, "events").map_err(|failure| format!("{failure}\n{events}"))?;
        let ended = step.get("ended").and_then(Value::as_bool).unwrap_or(false);
        if poll.ended == ended { Ok(()) } else { Err(format!("ended is {}", poll.ended)) }
    }

    fn substitute(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let mut text = text.to_string();
                for (name, captured) in &self.captured {
                    text = text.replace(&format!("${{{name}}}"), captured);
                }
                text.into()
            }
            Value::List(items) => items.iter().map(|item| self.substitute(item)).collect(),
            Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), self.substitute(value)))),
            other => other.clone(),
        }
    }
}

/// An object without what differs from run to run; its uid is written `<uid>`.
fn comparable(object: &Value) -> Value {
    let uid = object.str_at(&["metadata", "uid"]).unwrap_or("<none>");
    let mut object = from_json(&to_json(object).replace(uid, "<uid>")).unwrap();
    for key in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        object.remove_at(&["metadata", key]);
    }
    object
}

fn request(line: &str, step: &Value) -> Request {
    let (method, target) = line.split_once(' ').expect("METHOD path");
    let mut request = Request::new(Method::parse(method).expect("a method"), &target.replace(' ', "%20"));
    let default_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let content_type = step.str_at(&["type"]).unwrap_or(default_type);
    if let Some(raw) = step.str_at(&["raw"]) {
        request = request.with_body(content_type, raw.to_owned());
    } else if let Some(body) = step.get("body") {
        request = request.with_body(content_type, to_json(body));
    }
    for (header, value) in [("Accept", "accept"), ("User-Agent", "agent"), ("If-None-Match", "etag")] {
        if let Some(value) = step.str_at(&[value]) {
            request = request.with_header(header, value);
        }
    }
    for (name, value) in step.get("with").and_then(Value::as_map).into_iter().flatten() {
        request = request.with_header(name, value.as_str().unwrap());
    }
    match step.str_at(&["as"]) {
        Some(name) => request.by(User::in_groups(name, &["system:authenticated"])),
        None => request,
    }
}

/// All headers as an object; those that repeat are lists.
fn headers_of(response: &kro_apiserver::Response) -> Value {
    let mut all: BTreeMap<Str, Vec<Value>> = BTreeMap::new();
    for (name, value) in response.headers.iter() {
        all.entry(Str::new(name)).or_default().push(value.into());
    }
    let mut map = Map::new();
    for (name, mut values) in all {
        let single = values.len() == 1 && name != "Warning";
        map.insert(name, if single { values.remove(0) } else { values.into() });
    }
    map.into()
}

/// Compares a body with what is expected of it.
fn matches(expected: &Value, actual: &Value, path: &str) -> Result<(), String> {
    let differs = || Err(format!("{path}: expected {expected}, found {actual}"));
    match (expected, actual) {
        (Value::String(text), _) if text == "<any>" => Ok(()),
        (Value::String(pattern), Value::String(text)) if pattern.starts_with("<has ") => {
            let part = pattern.trim_start_matches("<has ").trim_end_matches('>');
            if text.contains(part) { Ok(()) } else { differs() }
        }
        (Value::Map(wanted), Value::Map(map)) => wanted.iter().try_for_each(|(key, value)| {
            let path = format!("{path}.{key}");
            match (value.as_str(), map.get(key)) {
                (Some("<absent>"), None) => Ok(()),
                (Some("<absent>"), Some(found)) => Err(format!("{path}: expected nothing, found {found}")),
                (_, None) => Err(format!("{path}: expected {value}, found nothing")),
                (_, Some(found)) => matches(value, found, &path),
            }
        }),
        (Value::List(wanted), Value::List(items)) if wanted.len() == items.len() => {
            let pairs = wanted.iter().zip(items.iter()).enumerate();
            pairs.into_iter().try_for_each(|(index, (wanted, item))| matches(wanted, item, &format!("{path}[{index}]")))
        }
        _ if expected == actual => Ok(()),
        _ => differs(),
    }
}

#[test]
fn matcher_tells_differences() {
    let value = |text| from_json(text).unwrap();
    for (expected, actual, good) in [
        (r#"{"a":"<any>"}"#, r#"{"a":1,"b":2}"#, true),
        (r#"{"a":"<absent>"}"#, r#"{"a":1}"#, false),
        (r#"{"a":[1]}"#, r#"{"a":[1,2]}"#, false),
        (r#"{"a":"<has b>"}"#, r#"{"a":"abc"}"#, true),
        (r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#, false),
    ] {
        assert_eq!(matches(&value(expected), &value(actual), "").is_ok(), good, "{expected} {actual}");
    }
}
