use std::collections::BTreeMap;

use kro_value::Value;

use crate::expectation::find_miss;
use crate::{Cluster, Expectation, ObjectRef, Record, Scenario, Step, wait};

/// How long anything may take to come true, on the cluster's clock.
const TIMEOUT_MS: i64 = 90_000;
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";

/// Plays a scenario, then takes down what it applied, last first, and waits until it is gone.
///
/// # Errors
/// With the step that failed and what was seen.
pub fn run(scenario: &Scenario, cluster: &mut dyn Cluster) -> Result<(), String> {
    let mut run = Run { cluster, applied: Vec::new(), mark: 0, remembered: BTreeMap::new() };
    for (at, step) in scenario.steps.iter().enumerate() {
        run.play(step).map_err(|message| format!("{} step {}: {message}", scenario.name, at + 1))?;
    }
    run.take_down().map_err(|message| format!("{} taking down: {message}", scenario.name))
}

struct Run<'a> {
    cluster: &'a mut dyn Cluster,
    applied: Vec<ObjectRef>,
    mark: usize,
    remembered: BTreeMap<String, String>,
}

impl Run<'_> {
    fn play(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Apply(manifests) => manifests.iter().try_for_each(|manifest| self.apply(manifest)),
            Step::Merge { object, subresource, patch } => self.merge(object, subresource, patch),
            Step::Delete(object) => self.delete(object),
            Step::Expect(expectations) => self.expect(expectations),
            Step::Requests(wanted) => self.check_requests(wanted),
            Step::RequestCount { matching, at_most } => self.check_count(matching, *at_most),
            Step::Mark => {
                self.mark = self.cluster.records().len();
                Ok(())
            }
            Step::Quiet => self.check_quiet(),
            Step::Restart => {
                self.cluster.restart_controller();
                Ok(())
            }
            Step::RestartAfter(requests) => {
                let sent = self.cluster.records().len();
                self.cluster.restart_controller_after(sent + requests)
            }
            Step::Remember(objects) => objects.iter().try_for_each(|object| {
                let version = version_of(object, self.cluster)?;
                self.remembered.insert(object.to_string(), version);
                Ok(())
            }),
            Step::Unchanged(objects) => objects.iter().try_for_each(|object| self.check_unchanged(object)),
        }
    }

    /// Applies as a user would; a kind that is about to be served is waited for.
    fn apply(&mut self, manifest: &Value) -> Result<(), String> {
        let object = ObjectRef::of(manifest);
        if !self.applied.contains(&object) {
            self.applied.push(object.clone());
        }
        let mut last = String::new();
        let done = wait(self.cluster, TIMEOUT_MS, |cluster| {
            let Some(path) = object.path(cluster) else {
                last = format!("{} is not served", object.kind);
                return false;
            };
            let answer =
                cluster.request("PATCH", &format!("{path}?fieldManager=user&force=true"), APPLY, Some(manifest));
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

    fn merge(&mut self, object: &ObjectRef, subresource: &str, patch: &Value) -> Result<(), String> {
        let path = object.path(self.cluster).ok_or_else(|| format!("{} is not served", object.kind))?;
        let answer =
            self.cluster.request("PATCH", &format!("{path}{subresource}?fieldManager=user"), MERGE, Some(patch));
        if answer.status == 200 { Ok(()) } else { Err(format!("cannot patch {object}: {}", answer.body)) }
    }

    fn delete(&mut self, object: &ObjectRef) -> Result<(), String> {
        let path = object.path(self.cluster).ok_or_else(|| format!("{} is not served", object.kind))?;
        let answer = self.cluster.request("DELETE", &path, "", None);
        if answer.status < 300 { Ok(()) } else { Err(format!("cannot delete {object}: {}", answer.body)) }
    }

    fn expect(&mut self, expectations: &[Expectation]) -> Result<(), String> {
        let mut miss = None;
        let met = wait(self.cluster, TIMEOUT_MS, |cluster| {
            miss = expectations.iter().find_map(|expectation| find_miss(expectation, cluster));
            miss.is_none()
        })?;
        if met { Ok(()) } else { Err(format!("never came to hold: {}", miss.unwrap_or_default())) }
    }

    fn check_requests(&mut self, wanted: &[String]) -> Result<(), String> {
        let lines = self.lines();
        let mut rest = lines.iter();
        for line in wanted {
            if !rest.any(|seen| seen == line) {
                return Err(format!("{line} is not among the requests, or not in order:\n{}", lines.join("\n")));
            }
        }
        Ok(())
    }

    fn check_count(&mut self, matching: &str, at_most: usize) -> Result<(), String> {
        let lines: Vec<String> = self.lines().into_iter().filter(|line| line.contains(matching)).collect();
        if lines.len() <= at_most { Ok(()) } else { Err(format!("{} requests:\n{}", lines.len(), lines.join("\n"))) }
    }

    /// Comes to rest first, then must stay there.
    fn check_quiet(&mut self) -> Result<(), String> {
        let rest = self.cluster.rest_ms();
        let mut known = self.cluster.records().len();
        let mut since = self.cluster.now_ms();
        let quiet = wait(self.cluster, TIMEOUT_MS, |cluster| {
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

    fn check_unchanged(&mut self, object: &ObjectRef) -> Result<(), String> {
        let now = version_of(object, self.cluster)?;
        match self.remembered.get(&object.to_string()) {
            Some(then) if *then == now => Ok(()),
            Some(then) => Err(format!("{object} has changed: resourceVersion {then} then, {now} now")),
            None => Err(format!("{object} was not remembered")),
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
        for object in applied.iter().rev() {
            let Some(path) = object.path(self.cluster) else { continue };
            self.cluster.request("DELETE", &path, "", None);
            let gone = wait(self.cluster, TIMEOUT_MS, |cluster| object.get(cluster).is_none())?;
            if !gone {
                let left = object.get(self.cluster).unwrap_or_default();
                return Err(format!("{object} does not go:\n{}", kro_value::to_json_pretty(&left)));
            }
        }
        Ok(())
    }
}

fn version_of(object: &ObjectRef, cluster: &mut dyn Cluster) -> Result<String, String> {
    let live = object.get(cluster).ok_or_else(|| format!("{object} is not there"))?;
    Ok(live.str_at(&["metadata", "resourceVersion"]).unwrap_or_default().to_owned())
}
