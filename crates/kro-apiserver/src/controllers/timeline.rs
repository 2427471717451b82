//! Timelines: what becomes of objects of any kind, as a user declares it. This is how an object of a cloud's operator
//! becomes ready without that cloud.

use std::time::Duration;

use jiff::Timestamp;
use kro_value::{FieldPath, Str, Value};

use super::delays::{after, parse_duration};
use super::outcome::{Outcome, delay, merge, outcome};
use super::queue::Queue;
use super::{Key, object};
use crate::{Access, Change, ChangeKind, ObjectRef, PatchType, Reactor};

/// What becomes of the objects of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    api_version: Str,
    kind: Str,
    /// In order, each counted from the one before.
    steps: Vec<Step>,
    /// Instead of all steps when the object is annotated to fail.
    failure: Option<Step>,
    /// Kept on the object while it lives, and for some time after its deletion.
    finalizer: Option<(Str, Duration)>,
}

/// One change of a status.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    after: Duration,
    /// Merged into the status; `${path}` in texts stands for a field of the object.
    status: Value,
}

impl Timeline {
    /// Reads the timelines of a document: a list of them, or one.
    ///
    /// ```yaml
    /// apiVersion: s3.services.k8s.aws/v1alpha1
    /// kind: Bucket
    /// steps:
    ///   - {after: 500ms, status: {conditions: [{type: Synced, status: "False"}]}}
    ///   - {after: 2s, status: {arn: "arn:aws:s3:::${metadata.name}", conditions: [{type: Synced, status: "True"}]}}
    /// failure: {after: 1s, status: {conditions: [{type: Terminal, status: "True"}]}}
    /// deletion: {finalizer: finalizers.example.com/bucket, after: 1s}
    /// ```
    ///
    /// # Errors
    /// What is wrong with the first one that is.
    pub fn parse(document: &Value) -> Result<Vec<Self>, String> {
        match document {
            Value::Null => Ok(Vec::new()),
            Value::List(items) => items.iter().map(Self::parse_one).collect(),
            one => Self::parse_one(one).map(|timeline| vec![timeline]),
        }
    }

    fn parse_one(value: &Value) -> Result<Self, String> {
        let text = |key: &str| value.str_at(&[key]).map(Str::new).filter(|text| !text.is_empty());
        let needed = |key: &str| text(key).ok_or_else(|| format!("a timeline needs {key}"));
        let (api_version, kind) = (needed("apiVersion")?, needed("kind")?);
        let of = |error: String| format!("timeline of {kind}: {error}");
        let steps = value.get("steps").and_then(Value::as_list).unwrap_or_default();
        let steps = steps.iter().map(Step::parse).collect::<Result<Vec<_>, _>>().map_err(of)?;
        let failure = value.get("failure").map(Step::parse).transpose().map_err(of)?;
        let finalizer = match value.get("deletion") {
            None => None,
            Some(deletion) => {
                let name = deletion.str_at(&["finalizer"]).ok_or_else(|| of("deletion needs finalizer".to_owned()))?;
                Some((Str::new(name), read_after(deletion).map_err(of)?))
            }
        };
        Ok(Self { api_version, kind, steps, failure, finalizer })
    }

    fn is_about(&self, change: &Change) -> bool {
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        change.resource.kind == self.kind && change.resource.id.group == group
    }
}

impl Step {
    fn parse(value: &Value) -> Result<Self, String> {
        let status = value.get("status").filter(|status| status.as_map().is_some());
        let status = status.cloned().ok_or_else(|| "a step needs status, a map".to_owned())?;
        Ok(Self { after: read_after(value)?, status })
    }
}

fn read_after(value: &Value) -> Result<Duration, String> {
    match value.get("after") {
        None => Ok(Duration::ZERO),
        Some(after) => after
            .as_str()
            .and_then(parse_duration)
            .ok_or_else(|| format!("after: {after} is no duration such as 500ms or 2s")),
    }
}

/// What is to be done next to an object: by its timeline, its place, the generation that it is about, and the step.
type Due = (usize, Key, i64, usize);

/// A step number that stands for the end of an object.
const END: usize = usize::MAX;

/// Runs timelines.
pub(super) struct Timelines {
    timelines: Vec<Timeline>,
    queue: Queue<Due>,
}

impl Timelines {
    pub(super) fn new(timelines: Vec<Timeline>) -> Self {
        Self { timelines, queue: Queue::new() }
    }

    fn step(&self, index: usize, step: usize, object: &Value) -> Option<Step> {
        let timeline = self.timelines.get(index)?;
        match outcome(&[object]) {
            Outcome::Never => None,
            Outcome::Fail | Outcome::Crash => timeline.failure.clone().filter(|_| step == 0),
            Outcome::Succeed => timeline.steps.get(step).cloned(),
        }
    }

    fn end(&mut self, access: &mut Access<'_>, target: &ObjectRef, live: &Value, finalizer: &Str) {
        let kept = object::list(live, &["metadata", "finalizers"]).iter();
        let kept = kept.filter(|name| name.as_str() != Some(finalizer)).cloned().collect();
        patch(access, target, "", Value::map([("metadata", Value::map([("finalizers", kept)]))]));
    }
}

/// A refused write is no use trying again: the object or its schema is at odds with the timeline.
fn patch(access: &mut Access<'_>, target: &ObjectRef, subresource: &str, change: Value) {
    let _ = access.patch(target, subresource, PatchType::Merge, &change);
}

fn generation(object: &Value) -> i64 {
    object.at(&["metadata", "generation"]).and_then(Value::as_i64).unwrap_or_default()
}

impl Reactor for Timelines {
    fn name(&self) -> &'static str {
        "timeline-controller"
    }

    fn observe(&mut self, change: &Change, now: Timestamp) {
        if change.kind == ChangeKind::Deleted {
            return;
        }
        let live = &change.object;
        for (index, timeline) in self.timelines.iter().enumerate().filter(|(_, timeline)| timeline.is_about(change)) {
            let (key, generation_now) = (object::key(live), generation(live));
            if object::is_terminating(live) {
                let wait = timeline.finalizer.as_ref().map_or(Duration::ZERO, |(_, wait)| *wait);
                self.queue.add((index, key, 0, END), after(now, delay(&[live], wait)));
            } else if change.previous.as_ref().is_none_or(|previous| generation(previous) != generation_now) {
                let wait = self.step(index, 0, live).map_or(Duration::ZERO, |step| step.after);
                self.queue.add((index, key, generation_now, 0), after(now, delay(&[live], wait)));
            }
        }
    }

    fn run(&mut self, access: &mut Access<'_>, now: Timestamp) {
        while let Some((index, key, about, step)) = self.queue.pop(now) {
            let Some(timeline) = self.timelines.get(index) else { continue };
            let Some(resource) = access.resource_of(&timeline.api_version, &timeline.kind) else { continue };
            let Some(live) = access.get(&resource, &key.namespace, &key.name) else { continue };
            let finalizer = timeline.finalizer.clone().map(|(name, _)| name);
            let target = ObjectRef::of(&resource, &live);
            if step == END {
                if let Some(finalizer) = finalizer.filter(|_| object::is_terminating(&live)) {
                    self.end(access, &target, &live, &finalizer);
                }
                continue;
            }
            if object::is_terminating(&live) || generation(&live) != about {
                continue;
            }
            let known = object::list(&live, &["metadata", "finalizers"]);
            if let Some(finalizer) = finalizer.filter(|name| known.iter().all(|known| known.as_str() != Some(name))) {
                let all = known.iter().cloned().chain([Value::from(finalizer)]).collect();
                patch(access, &target, "", Value::map([("metadata", Value::map([("finalizers", all)]))]));
            }
            let Some(now_due) = self.step(index, step, &live) else { continue };
            let mut status = live.get("status").cloned().unwrap_or_default();
            merge(&mut status, &rendered(&now_due.status, &live));
            let has_endpoint = resource.has_status(resource.storage);
            patch(access, &target, if has_endpoint { "status" } else { "" }, Value::map([("status", status)]));
            if let Some(next) = self.step(index, step + 1, &live) {
                self.queue.add((index, key, about, step + 1), after(now, delay(&[&live], next.after)));
            }
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }
}

/// A value whose texts take fields of the object for `${path}`; a text that is nothing else takes the field's type too.
fn rendered(template: &Value, object: &Value) -> Value {
    let field = |path: &str| FieldPath::parse(path).ok().and_then(|path| object.at_path(&path)).cloned();
    match template {
        Value::String(text) => {
            let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            match whole.filter(|path| !path.contains("${")) {
                Some(path) => field(path).unwrap_or_default(),
                None => interpolated(text, &field).into(),
            }
        }
        Value::List(items) => items.iter().map(|item| rendered(item, object)).collect(),
        Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), rendered(value, object)))),
        other => other.clone(),
    }
}

fn interpolated(text: &str, field: &dyn Fn(&str) -> Option<Value>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once("${") {
        out.push_str(before);
        let Some((path, after)) = inner.split_once('}') else {
            out.push_str("${");
            rest = inner;
            continue;
        };
        match field(path) {
            Some(Value::String(value)) => out.push_str(&value),
            Some(value) => out.push_str(&value.to_string()),
            None => {}
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use kro_value::{from_json, from_json_bytes};

    use super::*;
    use crate::controllers::Options;
    use crate::{ApiServer, Config, Method, Request};

    const BUCKETS: &str = "/apis/x.io/v1/namespaces/default/buckets";

    fn send(server: &mut ApiServer, method: Method, path: &str, body: &str, now: Timestamp) -> Value {
        let kind = if method == Method::Patch { "application/merge-patch+json" } else { "application/json" };
        let request = Request::new(method, path);
        let request = if body.is_empty() { request } else { request.with_body(kind, body.to_owned()) };
        from_json_bytes(server.handle(&request, now).bytes()).unwrap()
    }

    fn server() -> ApiServer {
        let timelines = Timeline::parse(
            &from_json(
                r#"[{"apiVersion":"x.io/v1","kind":"Bucket","steps":[{"after":"1s","status":{"phase":"creating"}},
                {"after":"2s","status":{"phase":"ready","arn":"arn:${metadata.name}!","size":"${spec.size}"}}],
                "failure":{"status":{"phase":"failed"}},"deletion":{"finalizer":"x.io/f","after":"3s"}}]"#,
            )
            .unwrap(),
        );
        let options = Options { timelines: timelines.unwrap(), ..Options::of(Config::default().profile) };
        let mut server = ApiServer::with_controllers(Config::default(), &options, Timestamp::UNIX_EPOCH);
        let definition = r#"{"metadata":{"name":"buckets.x.io"},"spec":{"group":"x.io","scope":"Namespaced","names":{"plural":"buckets",
            "kind":"Bucket"},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{
            "openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}"#;
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        send(&mut server, Method::Post, path, definition, Timestamp::UNIX_EPOCH);
        server
    }

    #[test]
    fn an_object_goes_through_its_steps_and_ends() {
        let mut server = server();
        let at = |second| Timestamp::from_second(second).unwrap();
        let body = r#"{"apiVersion":"x.io/v1","kind":"Bucket","metadata":{"name":"b"},"spec":{"size":5}}"#;
        send(&mut server, Method::Post, BUCKETS, body, at(0));
        let bad = body.replace("\"name\":\"b\"", "\"name\":\"bad\",\"annotations\":{\"sim.kro.run/outcome\":\"fail\"}");
        send(&mut server, Method::Post, BUCKETS, &bad, at(0));
        let path = format!("{BUCKETS}/b");
        for (second, status) in [
            (0, "null"),
            (1, r#"{"phase":"creating"}"#),
            (2, r#"{"phase":"creating"}"#),
            (3, r#"{"arn":"arn:b!","phase":"ready","size":5}"#),
        ] {
            server.tick(at(second));
            let found = send(&mut server, Method::Get, &path, "", at(second));
            assert_eq!(found.get("status").cloned().unwrap_or_default().to_string(), status, "at {second} s");
        }
        let failed = send(&mut server, Method::Get, &format!("{BUCKETS}/bad"), "", at(3));
        assert_eq!(failed.str_at(&["status", "phase"]), Some("failed"));
        // A change begins again.
        send(&mut server, Method::Patch, &path, r#"{"spec":{"size":6}}"#, at(3));
        server.tick(at(4));
        server.tick(at(6));
        let found = send(&mut server, Method::Get, &path, "", at(6));
        assert_eq!(found.at(&["status", "size"]), Some(&Value::Int(6)));
        send(&mut server, Method::Delete, &path, "", at(6));
        server.tick(at(8));
        assert_eq!(send(&mut server, Method::Get, &path, "", at(8)).str_at(&["kind"]), Some("Bucket"));
        server.tick(at(9));
        assert_eq!(send(&mut server, Method::Get, &path, "", at(9)).str_at(&["reason"]), Some("NotFound"));
    }

    #[test]
    fn what_is_no_timeline_is_said() {
        for (text, error) in [
            ("{}", "a timeline needs apiVersion"),
            (r#"[{"apiVersion":"v1"}]"#, "a timeline needs kind"),
            (r#"{"apiVersion":"v1","kind":"A","steps":[{}]}"#, "timeline of A: a step needs status, a map"),
            (
                r#"{"apiVersion":"v1","kind":"A","steps":[{"after":"soon","status":{}}]}"#,
                r#"timeline of A: after: "soon" is no duration such as 500ms or 2s"#,
            ),
            (r#"{"apiVersion":"v1","kind":"A","deletion":{}}"#, "timeline of A: deletion needs finalizer"),
        ] {
            assert_eq!(Timeline::parse(&from_json(text).unwrap()).unwrap_err(), error, "{text}");
        }
        assert_eq!(Timeline::parse(&Value::Null), Ok(Vec::new()));
    }
}
