//! The single measurements of a fleet.

use std::time::{Duration, Instant};

use kro_value::Value;

use crate::Failure;
use crate::api::{Seen, Watch};
use crate::bare::{self, each};
use crate::fleet::{Fleet, names, wait};
use crate::graphs::Graph;
use crate::process::{Controller, usage};
use crate::report::percentile;
use crate::requests::Requests;
use crate::scenarios::{Bench, DEFINITIONS};

/// What the bare loop took.
pub struct Bare {
    pub made_s: f64,
    pub unmade_s: f64,
    pub server_ms: f64,
}

impl Bench {
    fn server_cpu(&self) -> f64 {
        self.server.map(usage).unwrap_or_default().cpu_ms
    }

    /// The fleet comes to life under the controller. Seconds.
    pub async fn make(
        &mut self,
        controller: &Controller,
        fleet: &mut Fleet,
        own: &[String],
        label: &str,
    ) -> Result<f64, Failure> {
        let graph = fleet.graph;
        let requests = Requests::read(&self.api, graph.resources()).await?;
        let (used, server) = (controller.usage().cpu_ms, self.server_cpu());
        let seconds = fleet.make(own).await?;
        let (used, server) = (controller.usage().cpu_ms - used, self.server_cpu() - server);
        controller.settle().await;
        let requests = Requests::read(&self.api, graph.resources()).await?.since(&requests);
        let limit = f64::from(u32::try_from(graph.children_count())?) + 4.0;
        let each = requests.total() / length(own);
        self.report.at_most(format!("{label}: requests per instance"), each, "", limit, requests.describe());
        let note = format!("the server: {:.2} ms", server / length(own));
        self.report.show(format!("{label}: CPU of the controller an instance"), used / length(own), "ms", note);
        Ok(seconds)
    }

    /// The same by the bare loop, with the same watch beside it; then all of it is deleted again. No controller runs.
    pub async fn bare(&mut self, graph: Graph, namespace: &str, count: usize, status: &Value) -> Result<Bare, Failure> {
        let all = names("bare", count);
        let mut fleet = Fleet::open(&self.api, graph, namespace).await?;
        let (api, server) = (&self.api, self.server_cpu());
        let work = each(&all, |name| async move { bare::make(api, graph, namespace, &name, status).await });
        let (made_s, ()) = tokio::try_join!(work, fleet.see_ready(&all))?;
        let server_ms = self.server_cpu() - server;
        let unmade_s = each(&all, |name| async move { bare::unmake(api, graph, namespace, &name).await }).await?;
        Ok(Bare { made_s, unmade_s, server_ms })
    }

    /// Nothing happens: nothing is sent, and memory is what it is.
    pub async fn rest(
        &mut self,
        controller: &Controller,
        graph: Graph,
        count: usize,
        label: &str,
    ) -> Result<(), Failure> {
        let before = Requests::read(&self.api, graph.resources()).await?;
        let cpu = controller.usage().cpu_ms;
        tokio::time::sleep(Duration::from_secs(self.rest_s)).await;
        let requests = Requests::read(&self.api, graph.resources()).await?.since(&before);
        let name = format!("{label}: requests at rest in {} s", self.rest_s);
        let note = format!("CPU {:.0} ms {}", controller.usage().cpu_ms - cpu, requests.describe());
        self.report.at_most(name, requests.total(), "", 0.0, note);
        let (name, rss) = (format!("{label}: RSS at rest"), mb(controller));
        match graph.rss_limit(count) {
            Some(limit) => self.report.at_most(name, rss, "MB", limit, String::new()),
            None => self.report.show(name, rss, "MB", String::new()),
        }
        Ok(())
    }

    /// One instance more, and one less.
    pub async fn one_more(&mut self, fleet: &mut Fleet, label: &str) -> Result<(), Failure> {
        let (mut made, mut gone) = (Vec::new(), Vec::new());
        for name in names("more", self.samples) {
            let one = [name];
            made.push(fleet.make(&one).await? * 1000.0);
            tokio::time::sleep(Duration::from_millis(20)).await;
            gone.push(fleet.delete(&one).await? * 1000.0);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let is_simple = fleet.graph == Graph::Simple;
        for (what, samples, limits) in [
            ("one more, created to ready, p50", &made, (15.0, 30.0)),
            ("one deleted to gone, p50", &gone, (30.0, 60.0)),
        ] {
            let (p50, note) = (percentile(samples, 50), format!("p99 {:.1}", percentile(samples, 99)));
            let name = format!("{label}: {what}");
            match fleet.graph {
                Graph::Simple | Graph::WebApp => {
                    self.report.at_most(name, p50, "ms", if is_simple { limits.0 } else { limits.1 }, note);
                }
                _ => self.report.show(name, p50, "ms", note),
            }
        }
        Ok(())
    }

    /// A controller starts and finds everything as it should be.
    pub async fn restart(&mut self, graph: Graph, label: &str) -> Result<Controller, Failure> {
        let before = Requests::read(&self.api, graph.resources()).await?;
        let controller = self.program.start()?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        controller.settle().await;
        let requests = Requests::read(&self.api, graph.resources()).await?.since(&before);
        let used = controller.usage();
        let note = format!("CPU {:.0} ms, RSS {:.1} MB; {}", used.cpu_ms, used.rss_kb / 1024.0, requests.describe());
        self.report.at_most(format!("{label}: requests after a restart"), requests.total(), "", 25.0, note);
        Ok(controller)
    }

    /// Somebody edits a child: how soon it is as it was, from the moment the edit is sent. Beside it the least that is
    /// possible: a client that watches one object of nobody and applies it as soon as it sees the edit.
    pub async fn drift(&mut self, fleet: &Fleet, own: &[String], label: &str) -> Result<(), Failure> {
        let children = format!("/api/v1/namespaces/{}/configmaps", fleet.namespace);
        let mut watch = self.api.watch(&children).await?;
        let (mut samples, mut edits, mut floor) = (Vec::new(), Vec::new(), Vec::new());
        for name in own.iter().cycle().take(self.samples * 4) {
            let child = format!("{name}-first");
            let started = Instant::now();
            self.api.merge(&format!("{children}/{child}"), &drifted()).await?;
            edits.push(milliseconds(started));
            wait(&mut watch, &[child], |seen| literal_of(seen).is_some_and(|text| text != "drifted")).await?;
            samples.push(milliseconds(started));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.api.apply(&format!("{children}/nobodys"), "somebody", &nobodys()).await?;
        for _ in 0..self.samples * 4 {
            floor.push(self.least_drift(&mut watch, &children).await?);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (edit, least) = (percentile(&edits, 50), percentile(&floor, 50));
        let note = format!("the edit is answered after {edit:.1}; a bare watch and apply: {least:.1}");
        for (name, percent, limit, note) in [("p50", 50, 5.0, note), ("p99", 99, 25.0, String::new())] {
            let value = percentile(&samples, percent);
            self.report.at_most(format!("{label}: drift repaired, {name}"), value, "ms", limit, note);
        }
        Ok(())
    }

    /// One edit that this program itself undoes.
    async fn least_drift(&self, watch: &mut Watch, children: &str) -> Result<f64, Failure> {
        let path = format!("{children}/nobodys");
        let body = nobodys();
        let started = Instant::now();
        let edit = drifted();
        let edit = self.api.merge(&path, &edit);
        let undo = async {
            wait(watch, &["nobodys".to_owned()], |seen| literal_of(seen) == Some("drifted")).await?;
            self.api.apply(&path, "somebody", &body).await?;
            wait(watch, &["nobodys".to_owned()], |seen| literal_of(seen) == Some("v0")).await
        };
        tokio::try_join!(edit, undo)?;
        Ok(milliseconds(started))
    }

    /// A literal changes in the definition: all instances follow. The bare loop applies the same children once more.
    pub async fn literal(&mut self, fleet: &Fleet, own: &[String], label: &str) -> Result<(), Failure> {
        let children = format!("/api/v1/namespaces/{}/configmaps", fleet.namespace);
        let firsts: Vec<String> = own.iter().map(|name| format!("{name}-first")).collect();
        let has = |literal: &'static str| move |seen: &Seen| literal_of(seen) == Some(literal);
        let mut watch = self.api.watch(&children).await?;
        let mut definition = fleet.graph.definition()?;
        let resources = definition.at(&["spec", "resources"]).cloned().unwrap_or_default();
        let mut resources = resources.as_list().unwrap_or_default().to_vec();
        if let Some(first) = resources.first_mut() {
            first.set_at(&["template", "data", "literal"], Value::from("v1"));
        }
        definition.set_at(&["spec", "resources"], Value::list(resources));
        let patch = Value::map([("spec", definition.get("spec").cloned().unwrap_or_default())]);
        let requests = Requests::read(&self.api, fleet.graph.resources()).await?;
        let started = Instant::now();
        self.api.merge(&format!("{DEFINITIONS}/{}", fleet.graph.name()), &patch).await?;
        wait(&mut watch, &firsts, has("v1")).await?;
        let seconds = started.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let requests = Requests::read(&self.api, fleet.graph.resources()).await?.since(&requests);
        drop(watch);
        let bare = self.bare_literal(fleet.graph, &fleet.namespace, own.len()).await?;
        let note = format!("{seconds:.2} s against {bare:.2} s; {}", requests.describe());
        self.report.at_least(format!("{label}: literal changed, against the bare loop"), bare / seconds, "", 0.8, note);
        Ok(())
    }

    /// ConfigMaps of nobody, applied once, then applied again with another literal.
    async fn bare_literal(&self, graph: Graph, namespace: &str, count: usize) -> Result<f64, Failure> {
        let api = &self.api;
        let all = names("literal", count);
        let change = |literal: &'static str| {
            move |name: String| async move {
                let mut instance = graph.instance(&name);
                instance.set_at(&["metadata", "uid"], Value::from("00000000-0000-0000-0000-000000000000"));
                bare::change(api, graph, &instance, namespace, literal).await
            }
        };
        each(&all, change("v0")).await?;
        let children = format!("/api/v1/namespaces/{namespace}/configmaps");
        let mut watch = api.watch(&children).await?;
        let firsts: Vec<String> = all.iter().map(|name| format!("{name}-first")).collect();
        let seen = wait(&mut watch, &firsts, |seen| literal_of(seen) == Some("v1"));
        let (seconds, ()) = tokio::try_join!(each(&all, change("v1")), seen)?;
        each(&firsts, |name| {
            let path = format!("{children}/{name}");
            async move { api.delete(&path).await.map(drop) }
        })
        .await?;
        Ok(seconds)
    }
}

/// The edit that has to be undone.
fn drifted() -> Value {
    Value::map([("data", Value::map([("literal", Value::from("drifted"))]))])
}

/// An object without an owner, as it should be.
fn nobodys() -> Value {
    let mut body = named("v1", "ConfigMap", "nobodys");
    body.set_at(&["data"], Value::map([("literal", Value::from("v0"))]));
    body
}

fn literal_of(seen: &Seen) -> Option<&str> {
    seen.object.str_at(&["data", "literal"])
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// How many, as a number to divide by.
#[allow(clippy::cast_precision_loss)]
pub fn length(names: &[String]) -> f64 {
    names.len() as f64
}

/// Resident memory of the controller.
pub fn mb(controller: &Controller) -> f64 {
    controller.usage().rss_kb / 1024.0
}

/// An object with nothing but a name.
pub fn named(api_version: &str, kind: &str, name: &str) -> Value {
    let metadata = Value::map([("name", Value::from(name))]);
    Value::map([("apiVersion", Value::from(api_version)), ("kind", Value::from(kind)), ("metadata", metadata)])
}

/// The kind that a renamed definition defines.
pub fn kind_of(name: &str) -> String {
    let name = name.replace('-', "");
    name[..1].to_uppercase() + &name[1..]
}

/// A definition under another name, with a kind of its own.
pub fn renamed(definition: &Value, name: &str) -> Value {
    let mut definition = definition.clone();
    definition.set_at(&["metadata", "name"], Value::from(name));
    definition.set_at(&["spec", "schema", "kind"], Value::from(kind_of(name)));
    definition
}
