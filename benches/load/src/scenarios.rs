//! What is measured: one function for each group of rows.

use std::time::{Duration, Instant};

use kro_value::Value;

use crate::Failure;
use crate::api::Api;
use crate::bare::{collection, each};
use crate::fleet::{Fleet, is_ready, names, wait};
use crate::graphs::Graph;
use crate::process::{Controller, Program};
use crate::report::{Report, percentile};
use crate::steps::{kind_of, length, mb, named, renamed};

pub const DEFINITIONS: &str = "/apis/kro.run/v1alpha1/resourcegraphdefinitions";

/// What every scenario needs.
pub struct Bench {
    pub api: Api,
    pub program: Program,
    pub server: Option<u32>,
    pub report: Report,
    pub rest_s: u64,
    pub samples: usize,
}

impl Bench {
    /// Definitions alone: idle memory, one posted, a hundred posted.
    pub async fn definitions(&mut self) -> Result<(), Failure> {
        let controller = self.start().await?;
        self.report.at_most("RSS idle".into(), mb(&controller), "MB", 15.0, String::new());
        let template = Graph::Simple.definition()?;
        let mut watch = self.api.watch(DEFINITIONS).await?;
        let mut samples = Vec::new();
        for name in names("one", 10) {
            let started = Instant::now();
            self.api.create(DEFINITIONS, &renamed(&template, &name)).await?;
            wait(&mut watch, &[name], |seen| is_ready(&seen.object)).await?;
            samples.push(started.elapsed().as_secs_f64());
        }
        let note = format!("p50 of 10; the slowest {:.3}", percentile(&samples, 100));
        self.report.at_most("definition posted to Active".into(), percentile(&samples, 50), "s", 0.2, note);
        let many = names("many", 100);
        let (api, definitions) = (self.api.clone(), &template);
        let started = Instant::now();
        let before = controller.usage();
        let creations = each(&many, |name| {
            let api = api.clone();
            async move { api.create(DEFINITIONS, &renamed(definitions, &name)).await.map(drop) }
        });
        tokio::try_join!(creations, wait(&mut watch, &many, |seen| is_ready(&seen.object)))?;
        let note = format!("CPU of the controller {:.0} ms", controller.usage().cpu_ms - before.cpu_ms);
        let seconds = started.elapsed().as_secs_f64();
        self.report.at_most("100 definitions posted to all Active".into(), seconds, "s", 5.0, note);
        for name in many.iter().chain(&names("one", 10)) {
            self.api.delete(&format!("{DEFINITIONS}/{name}")).await?;
        }
        controller.settle().await;
        for name in many.iter().chain(&names("one", 10)) {
            let plural = format!("{}s", kind_of(name).to_lowercase());
            let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.kro.run");
            self.api.delete(&path).await?;
        }
        controller.stop().await
    }

    /// Everything about one graph with a fleet of a given size.
    pub async fn fleet(&mut self, graph: Graph, count: usize) -> Result<(), Failure> {
        let label = format!("{} {count}", graph.name());
        let controller = self.start().await?;
        let namespace = self.clean(&controller, graph, &format!("load-{}-{count}", graph.name())).await?;
        let mut definitions = self.api.watch(DEFINITIONS).await?;
        self.api.create(DEFINITIONS, &graph.definition()?).await?;
        wait(&mut definitions, &[graph.name().to_owned()], |seen| is_ready(&seen.object)).await?;
        let mut fleet = Fleet::open(&self.api, graph, &namespace).await?;
        fleet.make(&names("first", 1)).await?;
        let status = fleet.get("first-0").await?.get("status").cloned().unwrap_or_default();

        let own = names("own", count);
        let made_s = self.make(&controller, &mut fleet, &own, &label).await?;
        self.rest(&controller, graph, count, &label).await?;
        self.one_more(&mut fleet, &label).await?;
        controller.stop().await?;
        let bare = self.bare(graph, &namespace, count, &status).await?;
        let ratio = bare.made_s / made_s;
        let note = format!(
            "{:.0}/s against {:.0}/s; the bare loop costs the server {:.2} ms an instance",
            length(&own) / made_s,
            length(&own) / bare.made_s,
            bare.server_ms / length(&own)
        );
        self.report.at_least(format!("{label}: rate against the bare loop"), ratio, "", 0.8, note);
        let controller = self.restart(graph, &label).await?;
        if graph == Graph::Simple {
            self.drift(&fleet, &own, &label).await?;
            self.literal(&fleet, &own, &label).await?;
        }
        // The watch of the fleet was not read for a while: the server has ended it.
        let mut fleet = Fleet::open(&self.api, graph, &namespace).await?;
        let before = controller.usage().cpu_ms;
        let gone_s = fleet.delete(&own).await?;
        let note = format!(
            "{:.0}/s against {:.0}/s; CPU of the controller {:.2} ms an instance",
            length(&own) / gone_s,
            length(&own) / bare.unmade_s,
            (controller.usage().cpu_ms - before) / length(&own)
        );
        let ratio = bare.unmade_s / gone_s;
        self.report.at_least(format!("{label}: delete all, against the bare loop"), ratio, "", 0.6, note);
        fleet.delete(&names("first", 1)).await?;
        self.api.delete(&format!("{DEFINITIONS}/{}", graph.name())).await?;
        controller.settle().await;
        controller.stop().await
    }

    /// Removes what a run that broke has left of a graph, and makes a namespace of this run alone: without a controller
    /// manager none ever goes. Returns its name.
    async fn clean(&self, controller: &Controller, graph: Graph, namespace: &str) -> Result<String, Failure> {
        let left = self.api.get(&format!("/apis/kro.run/v1alpha1/{}", graph.plural())).await.unwrap_or_default();
        for instance in left.get("items").and_then(Value::as_list).unwrap_or_default() {
            let of = |key| instance.str_at(&["metadata", key]).unwrap_or_default();
            self.api.delete(&format!("{}/{}", collection(graph, of("namespace")), of("name"))).await?;
        }
        let definition = format!("{DEFINITIONS}/{}", graph.name());
        let _ = self.api.delete(&definition).await;
        controller.settle().await;
        if self.api.get(&definition).await.is_ok() {
            return Err(format!("the definition {} of an earlier run does not go", graph.name()).into());
        }
        let namespace = format!("{namespace}-{}", std::process::id());
        self.api.create("/api/v1/namespaces", &named("v1", "Namespace", &namespace)).await?;
        Ok(namespace)
    }

    /// Only memory: a growing fleet.
    pub async fn memory(&mut self, graph: Graph, counts: &[usize]) -> Result<(), Failure> {
        let controller = self.start().await?;
        let namespace = self.clean(&controller, graph, &format!("memory-{}", graph.name())).await?;
        let mut definitions = self.api.watch(DEFINITIONS).await?;
        self.api.create(DEFINITIONS, &graph.definition()?).await?;
        wait(&mut definitions, &[graph.name().to_owned()], |seen| is_ready(&seen.object)).await?;
        let mut fleet = Fleet::open(&self.api, graph, &namespace).await?;
        let mut previous: Option<(usize, f64)> = None;
        let mut all = 0;
        for count in counts {
            let more: Vec<String> = (all..*count).map(|number| format!("m-{number}")).collect();
            let seconds = fleet.make(&more).await?;
            all = *count;
            controller.settle().await;
            let rss = controller.usage().rss_kb;
            if let Some(limit) = graph.rss_limit(*count) {
                let name = format!("RSS with {count} {}", graph.name());
                self.report.at_most(name, rss / 1024.0, "MB", limit, format!("{seconds:.1} s to make them"));
            }
            #[allow(clippy::cast_precision_loss)]
            if let Some((count_before, rss_before)) = previous {
                let growth = (rss - rss_before) / (count - count_before) as f64;
                let note = format!("{:.1} MB now; {seconds:.1} s to make them", rss / 1024.0);
                let name = format!("growth from {count_before} to {count} {}", graph.name());
                self.report.at_most(name, growth, "KB an instance", 20.0, note);
            }
            previous = Some((*count, rss));
        }
        let everything: Vec<String> = (0..all).map(|number| format!("m-{number}")).collect();
        fleet.delete(&everything).await?;
        self.api.delete(&format!("{DEFINITIONS}/{}", graph.name())).await?;
        controller.settle().await;
        self.report.show("RSS after all were deleted".into(), mb(&controller), "MB", String::new());
        controller.stop().await
    }

    pub async fn start(&self) -> Result<Controller, Failure> {
        let mut controller = self.program.start()?;
        let mut tries = 0;
        while self.api.get(DEFINITIONS).await.is_err() {
            tries += 1;
            if tries > 100 {
                return Err("the controller did not install its CustomResourceDefinitions".into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        controller.settle().await;
        if controller.is_running() { Ok(controller) } else { Err("the controller has ended; see its log".into()) }
    }
}
