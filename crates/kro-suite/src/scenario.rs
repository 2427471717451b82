use std::path::Path;

use kro_diagnostics::{FileId, SourceMap};
use kro_value::{FieldPath, Value};

use crate::ObjectRef;

/// One scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The name of its file.
    pub name: String,
    /// The sections of the specification that it pins.
    pub pins: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step of a scenario.
#[derive(Debug, Clone)]
pub enum Step {
    /// Server-side apply of manifests; waits for kinds that are about to be served.
    Apply(Vec<Value>),
    /// A merge patch; of a subresource when one is named.
    Merge {
        /// What is patched.
        object: ObjectRef,
        /// `/status`, or empty.
        subresource: String,
        /// The patch.
        patch: Value,
    },
    /// DELETE; the object must exist.
    Delete(ObjectRef),
    /// All of these come to hold.
    Expect(Vec<Expectation>),
    /// Requests of the controller since the mark contain these, in this order: `METHOD path`.
    Requests(Vec<String>),
    /// The controller sent at most this many requests since the mark, those of the method and path part given.
    RequestCount {
        /// A part of `METHOD path`; empty for all.
        matching: String,
        /// The most that are allowed.
        at_most: usize,
    },
    /// Counting of requests starts here.
    Mark,
    /// The controller sends nothing for the cluster's rest time.
    Quiet,
    /// The controller is killed and started again.
    Restart,
    /// The controller is killed after this many more requests, and started again.
    RestartAfter(usize),
    /// Keeps the resource versions of these objects.
    Remember(Vec<ObjectRef>),
    /// These objects have the resource versions that were remembered.
    Unchanged(Vec<ObjectRef>),
}

/// What must come to hold.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// The object is there and looks like this.
    Object {
        /// Which.
        object: ObjectRef,
        /// A part of it.
        has: Value,
        /// Paths that are not there.
        lacks: Vec<FieldPath>,
        /// Type to status, or to a part of the condition.
        conditions: Value,
    },
    /// The object is not there.
    Absent(ObjectRef),
}

/// Reads all scenarios of a folder, by name.
///
/// # Panics
/// When one is malformed: it names the file and what is wrong.
pub fn load_all(folder: &Path) -> Vec<Scenario> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| fail(&format!("{}: {error}", folder.display())));
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let root = folder.parent().and_then(Path::parent).unwrap_or(folder);
    files
        .iter()
        .map(|file| load(file, root).unwrap_or_else(|message| fail(&format!("{}: {message}", file.display()))))
        .collect()
}

#[allow(clippy::panic)] // a malformed scenario is a fault of the test itself
fn fail(message: &str) -> ! {
    panic!("{message}")
}

fn load(file: &Path, root: &Path) -> Result<Scenario, String> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let documents = read_manifests(&text)?;
    let [document] = documents.as_slice() else { return Err("one document is expected".to_owned()) };
    let pins = texts(document.get("pins"))?;
    if pins.is_empty() {
        return Err("pins: the sections that it pins are missing".to_owned());
    }
    let steps = document.get("steps").and_then(Value::as_list).ok_or("steps are missing")?;
    let read =
        |(at, step): (usize, &Value)| read_step(step, root).map_err(|message| format!("step {}: {message}", at + 1));
    Ok(Scenario { name, pins, steps: steps.iter().enumerate().map(read).collect::<Result<_, _>>()? })
}

/// All documents of a YAML text.
pub(crate) fn read_manifests(text: &str) -> Result<Vec<Value>, String> {
    let mut sources = SourceMap::new();
    let file: FileId = sources.add("scenario", text);
    let parsed = kro_yaml::parse(text, file);
    if let Some(first) = parsed.diagnostics.iter().next() {
        return Err(first.to_string());
    }
    Ok(parsed.values().into_iter().filter(|value| !value.is_null()).collect())
}

fn read_step(step: &Value, root: &Path) -> Result<Step, String> {
    let map = step.as_map().filter(|map| map.len() == 1).ok_or("a step is a map with one key")?;
    let (name, argument) = map.iter().next().ok_or("a step is a map with one key")?;
    match name.as_str() {
        "apply" => Ok(Step::Apply(read_manifests(argument.as_str().ok_or("apply takes a text")?)?)),
        "applyFile" => read_file(argument, root).map(Step::Apply),
        "merge" => Ok(Step::Merge {
            object: reference(argument.get("object"))?,
            subresource: argument.str_at(&["subresource"]).map(|name| format!("/{name}")).unwrap_or_default(),
            patch: argument.get("patch").cloned().ok_or("patch is missing")?,
        }),
        "delete" => reference(Some(argument)).map(Step::Delete),
        "expect" => list(argument)?.iter().map(read_expectation).collect::<Result<_, _>>().map(Step::Expect),
        "requests" => texts(Some(argument)).map(Step::Requests),
        "requestCount" => Ok(Step::RequestCount {
            matching: argument.str_at(&["matching"]).unwrap_or_default().to_owned(),
            at_most: count(argument.get("atMost"))?,
        }),
        "mark" => Ok(Step::Mark),
        "quiet" => Ok(Step::Quiet),
        "restart" => Ok(Step::Restart),
        "restartAfter" => count(Some(argument)).map(Step::RestartAfter),
        "remember" => references(argument).map(Step::Remember),
        "unchanged" => references(argument).map(Step::Unchanged),
        other => Err(format!("unknown step {other}")),
    }
}

fn read_file(argument: &Value, root: &Path) -> Result<Vec<Value>, String> {
    let name = argument.as_str().ok_or("applyFile takes a path from the root of the repository")?;
    let text = std::fs::read_to_string(root.join(name)).map_err(|error| format!("{name}: {error}"))?;
    read_manifests(&text)
}

fn read_expectation(value: &Value) -> Result<Expectation, String> {
    if let Some(absent) = value.get("absent") {
        return reference(Some(absent)).map(Expectation::Absent);
    }
    let lacks = texts(value.get("lacks"))?;
    let lacks = lacks.iter().map(|path| FieldPath::parse(path).map_err(|error| format!("{path}: {error}")));
    Ok(Expectation::Object {
        object: reference(value.get("object"))?,
        has: value.get("has").cloned().unwrap_or_else(|| Value::map::<&str>([])),
        lacks: lacks.collect::<Result<_, _>>()?,
        conditions: value.get("conditions").cloned().unwrap_or_default(),
    })
}

fn reference(value: Option<&Value>) -> Result<ObjectRef, String> {
    ObjectRef::parse(value.and_then(Value::as_str).ok_or("an object is missing")?)
}

fn references(value: &Value) -> Result<Vec<ObjectRef>, String> {
    list(value)?.iter().map(|item| reference(Some(item))).collect()
}

fn texts(value: Option<&Value>) -> Result<Vec<String>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let text = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| format!("{item} is no text"));
    list(value)?.iter().map(text).collect()
}

fn list(value: &Value) -> Result<&[Value], String> {
    value.as_list().ok_or_else(|| format!("{value} is no list"))
}

fn count(value: Option<&Value>) -> Result<usize, String> {
    let count = value.and_then(Value::as_i64).and_then(|count| usize::try_from(count).ok());
    count.ok_or_else(|| "a count is missing".to_owned())
}
