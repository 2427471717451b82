//! Many instances of one graph: made, seen to be ready, deleted, seen to be gone.

use std::collections::HashMap;
use std::time::Instant;

use kro_value::Value;

use crate::Failure;
use crate::api::{Api, Watch};
use crate::bare::{collection, each};
use crate::graphs::Graph;

/// Instances of one graph in one namespace.
pub struct Fleet {
    pub api: Api,
    pub graph: Graph,
    pub namespace: String,
    watch: Watch,
}

impl Fleet {
    pub async fn open(api: &Api, graph: Graph, namespace: &str) -> Result<Self, Failure> {
        let watch = api.watch(&collection(graph, namespace)).await?;
        Ok(Self { api: api.clone(), graph, namespace: namespace.to_owned(), watch })
    }

    fn path(&self) -> String {
        collection(self.graph, &self.namespace)
    }

    /// Creates instances, 16 at a time, and waits until all are ready. Seconds from the first request to the last
    /// event.
    pub async fn make(&mut self, names: &[String]) -> Result<f64, Failure> {
        let started = Instant::now();
        let (api, graph, path) = (self.api.clone(), self.graph, self.path());
        let creations = each(names, |name| {
            let (api, path) = (api.clone(), path.clone());
            async move { api.create(&path, &graph.instance(&name)).await.map(drop) }
        });
        let arrivals = wait(&mut self.watch, names, |seen| !seen.deleted && is_ready(&seen.object));
        tokio::try_join!(creations, arrivals)?;
        Ok(started.elapsed().as_secs_f64())
    }

    /// Deletes instances, 16 at a time, and waits until all are gone.
    pub async fn delete(&mut self, names: &[String]) -> Result<f64, Failure> {
        let started = Instant::now();
        let (api, path) = (self.api.clone(), self.path());
        let deletions = each(names, |name| {
            let (api, path) = (api.clone(), path.clone());
            async move { api.delete(&format!("{path}/{name}")).await.map(drop) }
        });
        let departures = wait(&mut self.watch, names, |seen| seen.deleted);
        tokio::try_join!(deletions, departures)?;
        Ok(started.elapsed().as_secs_f64())
    }

    /// Waits until every one of these is ready in the eyes of the watch that is open.
    pub async fn see_ready(&mut self, names: &[String]) -> Result<(), Failure> {
        wait(&mut self.watch, names, |seen| !seen.deleted && is_ready(&seen.object)).await
    }

    pub async fn get(&self, name: &str) -> Result<Value, Failure> {
        self.api.get(&format!("{}/{name}", self.path())).await
    }
}

/// Reads events until each name was seen as wanted once.
pub async fn wait(
    watch: &mut Watch,
    names: &[String],
    is_it: impl Fn(&crate::api::Seen) -> bool,
) -> Result<(), Failure> {
    let mut missing: HashMap<&str, ()> = names.iter().map(|name| (name.as_str(), ())).collect();
    while !missing.is_empty() {
        let seen = watch.next().await?;
        if is_it(&seen) {
            missing.remove(seen.object.str_at(&["metadata", "name"]).unwrap_or_default());
        }
    }
    Ok(())
}

/// `Ready` at the current generation.
pub fn is_ready(object: &Value) -> bool {
    let conditions = object.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    let root = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some("Ready"));
    root.is_some_and(|root| {
        root.str_at(&["status"]) == Some("True")
            && root.get("observedGeneration") == object.at(&["metadata", "generation"])
    })
}

/// `prefix-0`, `prefix-1`, ...
pub fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}-{number}")).collect()
}
