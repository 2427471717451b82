use std::collections::BTreeMap;

use kro_value::Value;

use crate::expectation::{describe, find_difference, find_miss};
use crate::likeness::{Picture, picture};
use crate::{Answer, Cluster, Expectation, ObjectRef, Patch, Record, Refusal, Scenario, Simulated, Step, wait};

/// How long anything may take to come true, on the cluster's clock.
const TIMEOUT_MS: i64 = 90_000;
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";

/// How a scenario is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everything must hold.
    Strict,
    /// Something goes wrong besides: requests are not counted, and objects may be written more often.
    Faulty,
}

/// What a run left behind; empty where the cluster cannot be looked at as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// At the end of the steps.
    pub before: Picture,
    /// After everything that was applied was deleted.
    pub after: Picture,
}

/// Plays a scenario, then takes down what it applied, last first, and waits until it is gone.
///
/// # Errors
/// With the step that failed and what was seen.
pub fn run(scenario: &Scenario, cluster: &mut dyn Cluster) -> Result<(), String> {
    play(scenario, cluster, Mode::Strict).map(|_| ())
}

pub(crate) fn play(scenario: &Scenario, cluster: &mut dyn Cluster, mode: Mode) -> Result<Outcome, String> {
    if let Some(config) = &scenario.config {
        cluster.configure(config.clone());
        cluster.restart_controller();
    }
    let mut run = Run { cluster, mode, applied: Vec::new(), mark: 0, remembered: BTreeMap::new() };
    for (at, step) in scenario.steps.iter().enumerate() {
        run.play(step).map_err(|message| format!("{} step {}: {message}", scenario.name, at + 1))?;
    }
    let named = |message: String| format!("{} taking down: {message}", scenario.name);
    let before = run.picture();
    run.take_down().map_err(named)?;
    let after = run.picture();
    run.check_leaks().map_err(named)?;
    Ok(Outcome { before, after })
}

struct Run<'a> {
    cluster: &'a mut dyn Cluster,
    mode: Mode,
    applied: Vec<ObjectRef>,
    mark: usize,
    /// UID and resource version.
    remembered: BTreeMap<String, (String, String)>,
}

impl Run<'_> {
    fn play(&mut self, step: &Step) -> Result<(), String> {
        let is_strict = self.mode == Mode::Strict;
        match step {
            Step::Apply { manifests, manager, is_forced } => {
                manifests.iter().try_for_each(|manifest| self.apply(manifest, manager, *is_forced))
            }
            Step::Merge(patch) => accepted(self.merge(patch)?),
            Step::Delete { object, propagation } => accepted(self.delete(object, propagation)?),
            Step::Refused { step, message } => self.check_refused(step, message),
            Step::Expect(expectations) => self.expect(expectations),
            Step::Requests(wanted) if is_strict => self.check_requests(wanted),
            Step::RequestCount { matching, at_least, at_most } if is_strict => {
                self.check_count(matching, *at_least, *at_most)
            }
            Step::Events(wanted) if is_strict => self.check_events(wanted),
            Step::Unchanged(objects) if is_strict => {
                objects.iter().try_for_each(|object| self.check_remembered(object, "unchanged"))
            }
            Step::Requests(_) | Step::RequestCount { .. } | Step::Events(_) | Step::Unchanged(_) => Ok(()),
            Step::Mark => {
                self.mark = self.cluster.records().len();
                Ok(())
            }
            Step::Quiet => self.check_quiet(),
            Step::Stop => {
                self.cluster.stop_controller();
                Ok(())
            }
            Step::Restart => {
                self.cluster.restart_controller();
                Ok(())
            }
            Step::RestartAfter(requests) => {
                let sent = self.cluster.records().len();
                let restarted = self.cluster.restart_controller_after(sent + requests);
                if is_strict { restarted } else { Ok(()) }
            }
            Step::Remember(objects) => objects.iter().try_for_each(|object| {
                let version = version_of(object, self.cluster)?;
                self.remembered.insert(object.to_string(), version);
                Ok(())
            }),
            Step::Kept(objects) => objects.iter().try_for_each(|object| self.check_remembered(object, "kept")),
            Step::Replaced(objects) => objects.iter().try_for_each(|object| self.check_remembered(object, "replaced")),
            Step::Refuse(refusal) => self.refuse(refusal),
            Step::Heal => self.simulated().map(|cluster| cluster.heal()),
            Step::CutWatches => self.simulated().map(|cluster| cluster.cut_watches()),
            Step::Advance(ms) => wait(self.cluster, *ms, |_| false).map(|_| ()),
            Step::NeverLogged(text) => self.check_never_logged(text),
        }
    }

    fn simulated(&mut self) -> Result<&mut dyn Simulated, String> {
        self.cluster.simulated().ok_or_else(|| "only a simulated cluster can do that".to_owned())
    }

    fn refuse(&mut self, refusal: &Refusal) -> Result<(), String> {
        self.simulated()?.refuse(refusal.clone());
        Ok(())
    }

    /// Applies as a user would; a kind that is about to be served is waited for.
    fn apply(&mut self, manifest: &Value, manager: &str, is_forced: bool) -> Result<(), String> {
        let object = ObjectRef::of(manifest, self.cluster.namespace());
        // What was there before goes with its owner.
        if !self.applied.contains(&object) && object.get(self.cluster).is_none() {
            self.applied.push(object.clone());
        }
        let manifest = with_uids(manifest, self.cluster)?;
        let mut last = String::new();
        let done = wait(self.cluster, TIMEOUT_MS, |cluster| {
            let Some(path) = object.path(cluster) else {
                last = format!("{} is not served", object.kind);
                return false;
            };
            let answer = apply(&path, &manifest, manager, is_forced, cluster);
            last = format!("{} {}", answer.status, answer.body);
            matches!(answer.status, 200 | 201)
        })?;
        if done { Ok(()) } else { Err(format!("cannot apply {object}: {last}{}", self.describe_definitions())) }
    }

    /// What the definitions that were applied say of themselves: why a kind may not be served.
    fn describe_definitions(&mut self) -> String {
        let definitions = self.applied.iter().filter(|object| object.kind == "ResourceGraphDefinition");
        let status = |object: &ObjectRef, cluster: &mut dyn Cluster| {
            object.get(cluster).and_then(|live| live.get("status").cloned())
        };
        definitions.filter_map(|object| Some(format!("\n{object}: {}", status(object, self.cluster)?))).collect()
    }

    fn merge(&mut self, patch: &Patch) -> Result<Answer, String> {
        let Patch { object, subresource, patch } = patch;
        let path = object.path(self.cluster).ok_or_else(|| format!("{} is not served", object.kind))?;
        let patch = with_uids(patch, self.cluster)?;
        Ok(self.cluster.request("PATCH", &format!("{path}{subresource}?fieldManager=user"), MERGE, Some(&patch)))
    }

    fn delete(&mut self, object: &ObjectRef, propagation: &str) -> Result<Answer, String> {
        let path = object.path(self.cluster).ok_or_else(|| format!("{} is not served", object.kind))?;
        let query = if propagation.is_empty() { String::new() } else { format!("?propagationPolicy={propagation}") };
        Ok(self.cluster.request("DELETE", &format!("{path}{query}"), "", None))
    }

    fn check_refused(&mut self, step: &Step, message: &str) -> Result<(), String> {
        let answer = match step {
            Step::Merge(patch) => self.merge(patch)?,
            Step::Delete { object, propagation } => self.delete(object, propagation)?,
            Step::Apply { manifests, manager, is_forced } => {
                let [manifest] = manifests.as_slice() else { return Err("one manifest is expected".to_owned()) };
                let object = ObjectRef::of(manifest, self.cluster.namespace());
                let path = object.path(self.cluster).ok_or_else(|| format!("{} is not served", object.kind))?;
                apply(&path, manifest, manager, *is_forced, self.cluster)
            }
            _ => return Err("this step cannot be refused".to_owned()),
        };
        match answer.body.str_at(&["message"]) {
            Some(text) if answer.status >= 400 && text.contains(message) => Ok(()),
            _ => Err(format!("was not refused with {message:?}: {} {}", answer.status, answer.body)),
        }
    }

    fn expect(&mut self, expectations: &[Expectation]) -> Result<(), String> {
        let timeout = if self.mode == Mode::Strict { TIMEOUT_MS } else { 3 * TIMEOUT_MS };
        let mut miss = None;
        let met = wait(self.cluster, timeout, |cluster| {
            miss = expectations.iter().find_map(|expectation| find_miss(expectation, cluster));
            miss.is_none()
        })?;
        if met {
            return Ok(());
        }
        let lines = self.lines();
        let last = &lines[lines.len().saturating_sub(10)..];
        Err(format!("never came to hold: {}\nlast requests:\n{}", miss.unwrap_or_default(), last.join("\n")))
    }

    /// On a real server what was done may be seen before its answer has arrived.
    fn check_requests(&mut self, wanted: &[String]) -> Result<(), String> {
        const ANSWERED_WITHIN_MS: i64 = 5_000;
        let deadline = self.cluster.now_ms() + ANSWERED_WITHIN_MS;
        loop {
            let result = self.find_requests(wanted);
            if result.is_ok() || self.cluster.simulated().is_some() || !self.cluster.progress(deadline)? {
                return result;
            }
        }
    }

    fn find_requests(&mut self, wanted: &[String]) -> Result<(), String> {
        let lines = self.lines();
        let mut rest = lines.iter();
        for line in wanted {
            if !rest.any(|seen| seen == line) {
                return Err(format!("{line} is not among the requests, or not in order:\n{}", lines.join("\n")));
            }
        }
        Ok(())
    }

    fn check_count(&mut self, matching: &str, at_least: usize, at_most: usize) -> Result<(), String> {
        let lines: Vec<String> = self.lines().into_iter().filter(|line| line.contains(matching)).collect();
        if (at_least..=at_most).contains(&lines.len()) {
            return Ok(());
        }
        Err(format!("{} requests:\n{}", lines.len(), lines.join("\n")))
    }

    fn check_events(&mut self, wanted: &[Value]) -> Result<(), String> {
        let mut missing = None;
        let met = wait(self.cluster, TIMEOUT_MS, |cluster| {
            let events = cluster.events();
            let is_there = |wanted: &&Value| events.iter().any(|event| find_difference(wanted, event, "").is_none());
            missing = wanted
                .iter()
                .find(|wanted| !is_there(wanted))
                .map(|wanted| format!("{wanted} is not among {events:#?}"));
            missing.is_none()
        })?;
        if met { Ok(()) } else { Err(missing.unwrap_or_default()) }
    }

    /// Comes to rest first, then must stay there.
    fn check_quiet(&mut self) -> Result<(), String> {
        let rest = self.cluster.rest_ms();
        let mut known = self.cluster.records().len();
        let mut since = self.cluster.now_ms();
        let quiet = wait(self.cluster, 2 * TIMEOUT_MS, |cluster| {
            let count = cluster.records().len();
            if count != known {
                (known, since) = (count, cluster.now_ms());
            }
            cluster.now_ms() - since >= rest
        })?;
        let lines = self.lines();
        let last = &lines[lines.len().saturating_sub(10)..];
        if quiet { Ok(()) } else { Err(format!("never at rest; its last requests were:\n{}", last.join("\n"))) }
    }

    fn check_remembered(&mut self, object: &ObjectRef, wanted: &str) -> Result<(), String> {
        let now = version_of(object, self.cluster)?;
        let then = self.remembered.get(&object.to_string()).ok_or_else(|| format!("{object} was not remembered"))?;
        let found = match (now.0 == then.0, now.1 == then.1) {
            (true, true) => "unchanged",
            (true, false) => "kept",
            _ => "replaced",
        };
        let is_right = found == wanted || (wanted == "kept" && found == "unchanged");
        if is_right { Ok(()) } else { Err(format!("{object} is {found}, not {wanted}: {then:?} then, {now:?} now")) }
    }

    fn check_never_logged(&mut self, text: &str) -> Result<(), String> {
        let mut lines = self.simulated()?.logs();
        lines.extend(self.simulated()?.labels());
        let objects = self.simulated()?.objects();
        lines.extend(self.cluster.events().iter().map(ToString::to_string));
        lines.extend(objects.iter().filter_map(|object| object.get("status")).map(ToString::to_string));
        match lines.iter().find(|line| line.contains(text)) {
            Some(line) => Err(format!("{text:?} is told: {line}")),
            None => Ok(()),
        }
    }

    /// The requests since the mark, without their queries.
    fn lines(&mut self) -> Vec<String> {
        let path = |record: &Record| record.target.split('?').next().unwrap_or_default().to_owned();
        let records = self.cluster.records();
        records.iter().skip(self.mark).map(|record| format!("{} {}", record.method, path(record))).collect()
    }

    fn take_down(&mut self) -> Result<(), String> {
        let applied = std::mem::take(&mut self.applied);
        if let Some(simulated) = self.cluster.simulated() {
            simulated.heal();
        }
        for object in applied.iter().rev() {
            let Some(path) = object.path(self.cluster) else { continue };
            // A CRD or a revision of a definition is made again as long as the definition is there.
            let owned =
                object.get(self.cluster).and_then(|live| live.at(&["metadata", "labels", "kro.run/owned"]).cloned());
            if owned.is_some() && matches!(object.kind.as_str(), "CustomResourceDefinition" | "GraphRevision") {
                continue;
            }
            self.cluster.request("DELETE", &path, "", None);
            // A real one takes long, and the more kinds there are the longer.
            if object.kind == "Namespace" && self.cluster.simulated().is_none() {
                continue;
            }
            let gone = wait(self.cluster, 2 * TIMEOUT_MS, |cluster| object.get(cluster).is_none())?;
            if !gone {
                let left = object.get(self.cluster).unwrap_or_default();
                return Err(format!("{object} does not go:\n{}", describe(&left)));
            }
        }
        Ok(())
    }

    /// The cluster as a whole, once it has come to rest.
    fn picture(&mut self) -> Picture {
        if self.cluster.simulated().is_none() {
            return Picture::new();
        }
        // Rest is checked where the scenario says so; here it is only given the time.
        let _ = self.check_quiet();
        self.cluster.simulated().map(|simulated| picture(&simulated.objects())).unwrap_or_default()
    }

    /// When everything was taken down nothing that belonged to an instance is left.
    fn check_leaks(&mut self) -> Result<(), String> {
        let Some(simulated) = self.cluster.simulated() else { return Ok(()) };
        let objects = simulated.objects();
        let is_child = |object: &&Value| object.at(&["metadata", "labels", "kro.run/node-id"]).is_some();
        match objects.iter().find(is_child) {
            Some(left) => Err(format!("left behind: {left}")),
            None => Ok(()),
        }
    }
}

fn accepted(answer: Answer) -> Result<(), String> {
    if answer.status < 300 { Ok(()) } else { Err(format!("was refused: {}", answer.body)) }
}

fn apply(path: &str, manifest: &Value, manager: &str, is_forced: bool, cluster: &mut dyn Cluster) -> Answer {
    let target = format!("{path}?fieldManager={manager}&force={is_forced}");
    cluster.request("PATCH", &target, APPLY, Some(manifest))
}

/// The manifest with the UIDs of live objects in place of `$(uid Kind name)`.
fn with_uids(value: &Value, cluster: &mut dyn Cluster) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix("$(uid ").and_then(|rest| rest.strip_suffix(')')) {
            Some(object) => {
                let mut object = ObjectRef::parse(object)?;
                object.fallback = cluster.namespace().to_owned();
                Value::from(version_of(&object, cluster)?.0)
            }
            None => value.clone(),
        },
        Value::List(items) => {
            let items: Result<Vec<Value>, String> = items.iter().map(|item| with_uids(item, cluster)).collect();
            Value::from(items?)
        }
        Value::Map(map) => {
            let mut whole = value.clone();
            for (key, entry) in map {
                whole.ensure_map().insert(key.clone(), with_uids(entry, cluster)?);
            }
            whole
        }
        other => other.clone(),
    })
}

/// UID and resource version.
fn version_of(object: &ObjectRef, cluster: &mut dyn Cluster) -> Result<(String, String), String> {
    let live = object.get(cluster).ok_or_else(|| format!("{object} is not there"))?;
    let text = |key: &str| live.str_at(&["metadata", key]).unwrap_or_default().to_owned();
    Ok((text("uid"), text("resourceVersion")))
}
