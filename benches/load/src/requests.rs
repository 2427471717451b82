//! Requests as the server itself counts them.

use std::collections::BTreeMap;

use crate::Failure;
use crate::api::Api;

/// Requests by verb and resource, without those of this program.
#[derive(Debug, Clone, Default)]
pub struct Requests(BTreeMap<(String, String), f64>);

/// Resources that the controller has to do with; the server's own housekeeping is about others.
const ALWAYS: [&str; 3] = ["resourcegraphdefinitions", "graphrevisions", "customresourcedefinitions"];

impl Requests {
    /// What the server has answered so far, but for this program's own.
    pub async fn read(api: &Api, resources: &[&str]) -> Result<Self, Failure> {
        let text = api.text("/metrics").await?;
        let mut counts = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
            let Some((labels, value)) = line.rsplit_once(' ') else { continue };
            let label = |name: &str| {
                let start = labels.find(&format!("{name}=\""))? + name.len() + 2;
                labels[start..].split('"').next()
            };
            let (Some(verb), Some(resource)) = (label("verb"), label("resource")) else { continue };
            if ALWAYS.contains(&resource) || resources.contains(&resource) {
                let value: f64 = value.parse()?;
                *counts.entry((verb.to_owned(), resource.to_owned())).or_default() += value;
            }
        }
        for ((verb, resource), count) in api.sent() {
            if let Some(found) = counts.get_mut(&(verb.to_owned(), resource)) {
                *found -= count;
            }
        }
        Ok(Self(counts))
    }

    /// What came since.
    pub fn since(&self, before: &Self) -> Self {
        let difference = |(key, count): (&(String, String), &f64)| {
            (key.clone(), count - before.0.get(key).copied().unwrap_or_default())
        };
        Self(self.0.iter().map(difference).filter(|(_, count)| *count != 0.0).collect())
    }

    /// All but the watches: the server counts those when they end.
    pub fn total(&self) -> f64 {
        self.0.iter().filter(|((verb, _), _)| verb != "WATCH").map(|(_, count)| count).sum()
    }

    /// `APPLY configmaps 200, ...`
    pub fn describe(&self) -> String {
        let parts: Vec<String> =
            self.0.iter().map(|((verb, resource), count)| format!("{verb} {resource} {count}")).collect();
        parts.join(", ")
    }
}
