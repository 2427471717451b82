//! The bare client loop: only the writes that are necessary, one instance after another, 16 at a time.

use std::time::Instant;

use futures_util::stream::{self, TryStreamExt};
use kro_engine::applyset::Inventory;
use kro_engine::marks::{Definition, inventory_body, mark_instance};
use kro_value::Value;

use crate::Failure;
use crate::api::Api;
use crate::graphs::Graph;

/// Instances at a time.
pub const CONCURRENCY: usize = 16;

/// Whatever is done with the names, 16 at a time. Returns the seconds it took.
pub async fn each<F, R>(names: &[String], work: F) -> Result<f64, Failure>
where
    F: Fn(String) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let started = Instant::now();
    stream::iter(names.iter().cloned().map(Ok)).try_for_each_concurrent(CONCURRENCY, work).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// Creates an instance and does what makes it ready: marks it, applies its children in order, writes its status.
pub async fn make(api: &Api, graph: Graph, namespace: &str, name: &str, status: &Value) -> Result<(), Failure> {
    let path = collection(graph, namespace);
    let instance = api.create(&path, &graph.instance(name)).await?;
    let own = format!("{path}/{name}");
    let marked = api.apply(&own, "kro.run/labeller", &mark(&instance)).await?;
    for child in graph.children(&instance, namespace)? {
        api.apply(&child.path, "kro.run/applyset", &child.body).await?;
    }
    let mut body = marked;
    body.remove_at(&["spec"]);
    body.set_at(&["metadata", "managedFields"], Value::Null);
    body.set_at(&["status"], status.clone());
    api.update(&format!("{own}/status"), &body).await?;
    Ok(())
}

/// Deletes an instance as it has to be: the instance, its children, its finalizer.
pub async fn unmake(api: &Api, graph: Graph, namespace: &str, name: &str) -> Result<(), Failure> {
    let own = format!("{}/{name}", collection(graph, namespace));
    let instance = api.delete(&own).await?;
    for child in graph.children(&instance, namespace)?.iter().rev() {
        api.delete(&child.path).await?;
    }
    let finalizers = Value::map([("finalizers", Value::list([]))]);
    api.merge(&own, &Value::map([("metadata", finalizers)])).await?;
    Ok(())
}

/// One more apply of the first child, with another literal.
pub async fn change(api: &Api, graph: Graph, instance: &Value, namespace: &str, literal: &str) -> Result<(), Failure> {
    let children = graph.children(instance, namespace)?;
    let first = children.into_iter().next().ok_or("no children")?;
    let mut body = first.body;
    body.set_at(&["data", "literal"], Value::from(literal));
    api.apply(&first.path, "kro.run/applyset", &body).await?;
    Ok(())
}

fn mark(instance: &Value) -> Value {
    let definition = Definition { name: "load".into(), uid: "00000000-0000-0000-0000-000000000000".into() };
    let labels = kro_engine::marks::instance_labels(&definition, "devel");
    let inventory = Inventory::default();
    let mut body = mark_instance(instance, &labels, &inventory, "devel");
    let annotations = inventory_body(instance, &inventory, "devel");
    body.set_at(
        &["metadata", "annotations"],
        annotations.at(&["metadata", "annotations"]).cloned().unwrap_or_default(),
    );
    body
}

/// Where instances of a graph are.
pub fn collection(graph: Graph, namespace: &str) -> String {
    format!("/apis/kro.run/v1alpha1/namespaces/{namespace}/{}", graph.plural())
}
