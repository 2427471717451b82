use std::path::{Path, PathBuf};

use kro_diagnostics::{FileId, SourceMap};
use kro_value::{FieldPath, Value};

use crate::scenario::Patch;
use crate::shorthand::{definition, instance};
use crate::{Expectation, ObjectRef, Refusal, Scenario, Step};

/// Reads all scenarios of a folder and its folders, by name; what they do in `default` happens in `namespace`.
///
/// # Panics
/// When one is malformed: it names the file and what is wrong.
pub fn load_all(folder: &Path, namespace: &str) -> Vec<Scenario> {
    let mut files = Vec::new();
    find_files(folder, &mut files);
    files.sort();
    files.iter().map(|file| load(file, folder, namespace)).collect()
}

/// Reads the scenario of one name. See [`load_all`].
///
/// # Panics
/// When it is malformed.
pub fn load_one(folder: &Path, name: &str, namespace: &str) -> Scenario {
    load(&folder.join(format!("{name}.yaml")), folder, namespace)
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| fail(&format!("{}: {error}", folder.display())));
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            find_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

#[allow(clippy::panic)] // a malformed scenario is a fault of the test itself
fn fail(message: &str) -> ! {
    panic!("{message}")
}

fn load(file: &Path, folder: &Path, namespace: &str) -> Scenario {
    let name = file.strip_prefix(folder).unwrap_or(file).with_extension("").to_string_lossy().into_owned();
    let root = folder.parent().and_then(Path::parent).unwrap_or(folder);
    let scenario = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let scenario = scenario.and_then(|text| read(name, &text, &Reader { root, namespace }));
    scenario.unwrap_or_else(|message| fail(&format!("{}: {message}", file.display())))
}

fn read(name: String, text: &str, reader: &Reader<'_>) -> Result<Scenario, String> {
    let documents = read_manifests(text)?;
    let [document] = documents.as_slice() else { return Err("one document is expected".to_owned()) };
    let known = ["pins", "controller", "knownFailing", "embeddedOnly", "withoutFaults", "steps"];
    if let Some(key) = document.as_map().and_then(|map| map.keys().find(|key| !known.contains(&key.as_str()))) {
        return Err(format!("unknown key {key}"));
    }
    let pins = texts(document.get("pins"))?;
    if pins.is_empty() {
        return Err("pins: the sections that it pins are missing".to_owned());
    }
    let steps = document.get("steps").and_then(Value::as_list).ok_or("steps are missing")?;
    let read = |(at, step): (usize, &Value)| reader.step(step).map_err(|message| format!("step {}: {message}", at + 1));
    let text = |key: &str| document.str_at(&[key]).map(str::to_owned);
    Ok(Scenario {
        name,
        pins,
        config: document.get("controller").map(config).transpose()?,
        known_failing: text("knownFailing"),
        embedded_only: text("embeddedOnly"),
        without_faults: text("withoutFaults"),
        steps: steps.iter().enumerate().map(read).collect::<Result<_, _>>()?,
    })
}

fn config(value: &Value) -> Result<kro_manager::Config, String> {
    let mut config = kro_manager::Config::default();
    for (key, value) in value.as_map().into_iter().flatten() {
        let number = || count(Some(value));
        let flag = || value.as_bool().ok_or_else(|| format!("{key} is true or false"));
        match key.as_str() {
            "version" => config.version = value.as_str().unwrap_or_default().into(),
            "collectionSizeMax" => config.collection_size_max = number()?,
            "graphRevisionsMax" => config.graph_revisions_max = number()?,
            "allowCrdDeletion" => config.allow_crd_deletion = flag()?,
            "instanceConditionEvents" => config.instance_condition_events = flag()?,
            "omitFunction" => config.omit_function = flag()?,
            other => return Err(format!("unknown setting {other}")),
        }
    }
    Ok(config)
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

struct Reader<'a> {
    root: &'a Path,
    namespace: &'a str,
}

impl Reader<'_> {
    fn step(&self, step: &Value) -> Result<Step, String> {
        let map = step.as_map().filter(|map| map.len() == 1).ok_or("a step is a map with one key")?;
        let (name, argument) = map.iter().next().ok_or("a step is a map with one key")?;
        let argument = &self.moved(argument);
        match name.as_str() {
            "apply" => self.manifests(argument).map(by_user),
            "applyAs" => Ok(Step::Apply {
                manager: argument.str_at(&["manager"]).ok_or("manager is missing")?.to_owned(),
                is_forced: argument.get("force").and_then(Value::as_bool).unwrap_or_default(),
                manifests: self.manifests(argument.get("manifest").ok_or("manifest is missing")?)?,
            }),
            "applyFile" => self.file(argument).map(by_user),
            "define" => definition(argument).map(|manifest| by_user(vec![manifest])),
            "instance" => instance(argument).map(|manifest| by_user(vec![manifest])),
            "merge" => Ok(Step::Merge(Patch {
                object: self.reference(argument.get("object"))?,
                subresource: argument.str_at(&["subresource"]).map(|name| format!("/{name}")).unwrap_or_default(),
                patch: argument.get("patch").cloned().ok_or("patch is missing")?,
            })),
            "delete" => Ok(Step::Delete {
                object: self.reference(argument.get("object").or(Some(argument)))?,
                propagation: argument.str_at(&["propagation"]).unwrap_or_default().to_owned(),
            }),
            "refused" => self.refused(argument),
            "expect" => {
                list(argument)?.iter().map(|one| self.expectation(one)).collect::<Result<_, _>>().map(Step::Expect)
            }
            "requests" => texts(Some(argument)).map(Step::Requests),
            "requestCount" => Ok(Step::RequestCount {
                matching: argument.str_at(&["matching"]).unwrap_or_default().to_owned(),
                at_least: argument.get("atLeast").map_or(Ok(0), |least| count(Some(least)))?,
                at_most: argument.get("atMost").map_or(Ok(usize::MAX), |most| count(Some(most)))?,
            }),
            "events" => list(argument).map(|events| Step::Events(events.to_vec())),
            "mark" => Ok(Step::Mark),
            "quiet" => Ok(Step::Quiet),
            "stop" => Ok(Step::Stop),
            "restart" => Ok(Step::Restart),
            "restartAfter" => count(Some(argument)).map(Step::RestartAfter),
            "remember" => self.references(argument).map(Step::Remember),
            "unchanged" => self.references(argument).map(Step::Unchanged),
            "kept" => self.references(argument).map(Step::Kept),
            "replaced" => self.references(argument).map(Step::Replaced),
            "refuse" => refusal(argument).map(Step::Refuse),
            "heal" => Ok(Step::Heal),
            "cutWatches" => Ok(Step::CutWatches),
            "advance" => count(Some(argument)).map(|seconds| Step::Advance(seconds as i64 * 1000)),
            "neverLogged" => Ok(Step::NeverLogged(argument.as_str().ok_or("a text is missing")?.to_owned())),
            other => Err(format!("unknown step {other}")),
        }
    }

    /// The same in the namespace of this run: `default`, and what is in it.
    fn moved(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if self.namespace != "default" => Value::from(self.moved_text(text)),
            Value::List(items) => items.iter().map(|item| self.moved(item)).collect(),
            Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), self.moved(value)))),
            other => other.clone(),
        }
    }

    fn moved_text(&self, text: &str) -> String {
        let namespace = self.namespace;
        match text {
            "default" => namespace.to_owned(),
            _ if text.ends_with("/default") => format!("{}{namespace}", text.trim_end_matches("default")),
            _ => text.replace("default/", &format!("{namespace}/")),
        }
    }

    /// Manifests as text or as structure, one or several.
    fn manifests(&self, value: &Value) -> Result<Vec<Value>, String> {
        match value {
            Value::String(text) => Ok(read_manifests(text)?.iter().map(|manifest| self.moved(manifest)).collect()),
            Value::List(items) => Ok(items.to_vec()),
            other => Ok(vec![other.clone()]),
        }
    }

    fn file(&self, argument: &Value) -> Result<Vec<Value>, String> {
        let name = argument.as_str().ok_or("applyFile takes a path from the root of the repository")?;
        let text = std::fs::read_to_string(self.root.join(name)).map_err(|error| format!("{name}: {error}"))?;
        self.manifests(&Value::from(text))
    }

    fn refused(&self, argument: &Value) -> Result<Step, String> {
        let message = argument.str_at(&["message"]).ok_or("message is missing")?.to_owned();
        let mut step = argument.clone();
        step.ensure_map().retain(|key, _| key != "message");
        Ok(Step::Refused { step: Box::new(self.step(&step)?), message })
    }

    fn expectation(&self, value: &Value) -> Result<Expectation, String> {
        let known = ["absent", "ready", "list", "selector", "names", "object", "has", "lacks", "conditions"];
        if let Some(key) = value.as_map().and_then(|map| map.keys().find(|key| !known.contains(&key.as_str()))) {
            return Err(format!("unknown expectation {key}"));
        }
        if let Some(absent) = value.get("absent") {
            return self.reference(Some(absent)).map(Expectation::Absent);
        }
        if let Some(kind) = value.str_at(&["list"]) {
            return Ok(Expectation::Names {
                kind: self.in_namespace(ObjectRef::parse(&format!("{kind} x"))?),
                selector: value.str_at(&["selector"]).unwrap_or_default().to_owned(),
                names: texts(value.get("names"))?,
            });
        }
        let ready = || Value::map([("Ready", Value::from("True"))]);
        let lacks = texts(value.get("lacks"))?;
        let lacks = lacks.iter().map(|path| FieldPath::parse(path).map_err(|error| format!("{path}: {error}")));
        Ok(Expectation::Object {
            object: self.reference(value.get("object").or_else(|| value.get("ready")))?,
            has: value.get("has").cloned().unwrap_or_else(|| Value::map::<&str>([])),
            lacks: lacks.collect::<Result<_, _>>()?,
            conditions: match value.get("conditions") {
                Some(conditions) => conditions.clone(),
                None if value.get("ready").is_some() => ready(),
                None => Value::Null,
            },
        })
    }

    fn reference(&self, value: Option<&Value>) -> Result<ObjectRef, String> {
        let object = ObjectRef::parse(value.and_then(Value::as_str).ok_or("an object is missing")?)?;
        Ok(self.in_namespace(object))
    }

    fn in_namespace(&self, mut object: ObjectRef) -> ObjectRef {
        if object.namespace.is_empty() {
            object.fallback = self.namespace.to_owned();
        }
        object
    }

    fn references(&self, value: &Value) -> Result<Vec<ObjectRef>, String> {
        list(value)?.iter().map(|item| self.reference(Some(item))).collect()
    }
}

fn by_user(manifests: Vec<Value>) -> Step {
    Step::Apply { manifests, manager: "user".to_owned(), is_forced: true }
}

fn refusal(argument: &Value) -> Result<Refusal, String> {
    let text = |key: &str| argument.str_at(&[key]).map(str::to_owned);
    let status = count(argument.get("status"))?;
    Ok(Refusal {
        matching: text("matching").ok_or("matching is missing")?,
        status: u16::try_from(status).map_err(|error| error.to_string())?,
        reason: text("reason").unwrap_or_else(|| "Injected".to_owned()),
        message: text("message").unwrap_or_else(|| "injected".to_owned()),
        times: argument.get("times").map_or(Ok(usize::MAX), |times| count(Some(times)))?,
    })
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
