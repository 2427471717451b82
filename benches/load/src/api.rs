//! The few requests that this program makes itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use kro_value::{Value, from_json_bytes, to_json};
use kube_client::client::Body;
use kube_client::config::{KubeConfigOptions, Kubeconfig};
use kube_client::{Client, Config};

use crate::Failure;

const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json";

/// A client that counts what it sends, in the words of the server's metrics.
#[derive(Clone)]
pub struct Api {
    client: Client,
    sent: Arc<Mutex<BTreeMap<(&'static str, String), f64>>>,
}

impl Api {
    pub async fn connect(kubeconfig: &Path) -> Result<Self, Failure> {
        let (kubeconfig, options) = (Kubeconfig::read_from(kubeconfig)?, KubeConfigOptions::default());
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        // A request that is sent twice would be counted twice by the server.
        config.default_retry = false;
        Ok(Self { client: Client::try_from(config)?, sent: Arc::default() })
    }

    /// What was sent so far, by verb and resource.
    pub fn sent(&self) -> BTreeMap<(&'static str, String), f64> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, verb: &'static str, path: &str) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        *sent.entry((verb, resource_of(path).to_owned())).or_default() += 1.0;
    }

    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send("GET", "GET", path, JSON, None).await
    }

    pub async fn create(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send("POST", "POST", path, JSON, Some(body)).await
    }

    pub async fn update(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send("PUT", "PUT", path, JSON, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.send("DELETE", "DELETE", path, JSON, None).await
    }

    pub async fn merge(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send("PATCH", "PATCH", path, MERGE, Some(body)).await
    }

    pub async fn apply(&self, path: &str, manager: &str, body: &Value) -> Result<Value, Failure> {
        let target = format!("{path}?fieldManager={manager}&force=true");
        self.send("PATCH", "APPLY", &target, APPLY, Some(body)).await
    }

    async fn send(
        &self,
        method: &str,
        verb: &'static str,
        path: &str,
        content: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        self.count(verb, path);
        let body = body.map_or_else(Body::empty, |body| Body::from(to_json(body).into_bytes()));
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, content).body(body)?;
        let response = self.client.send(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{method} {path}: {status}: {}", String::from_utf8_lossy(&bytes)).into());
        }
        Ok(from_json_bytes(&bytes).map_err(|error| error.message)?)
    }

    /// Text that is no JSON, such as metrics.
    pub async fn text(&self, path: &str) -> Result<String, Failure> {
        let response = self.client.send(Request::builder().uri(path).body(Body::empty())?).await?;
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Everything that happens to a kind from now on.
    pub async fn watch(&self, path: &str) -> Result<Watch, Failure> {
        let list = self.send("GET", "LIST", &format!("{path}?limit=1"), JSON, None).await?;
        let version = list.str_at(&["metadata", "resourceVersion"]).unwrap_or_default().to_owned();
        let body = self.follow(path, &version).await?;
        Ok(Watch { api: self.clone(), path: path.to_owned(), version, body, rest: BytesMut::new() })
    }

    async fn follow(&self, path: &str, version: &str) -> Result<Body, Failure> {
        let target =
            format!("{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=3600&resourceVersion={version}");
        self.count("WATCH", path);
        Ok(self.client.send(Request::builder().uri(target).body(Body::empty())?).await?.into_body())
    }
}

/// The plural (with a subresource) that a path is about.
fn resource_of(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let after = if parts.first() == Some(&"api") { 2 } else { 3 };
    let after = if parts.get(after) == Some(&"namespaces") && parts.len() > after + 2 { after + 2 } else { after };
    parts.get(after).copied().unwrap_or_default()
}

/// A watch that is opened again where it ended: the server ends all of a kind whose CRD changes.
pub struct Watch {
    api: Api,
    path: String,
    version: String,
    body: Body,
    rest: BytesMut,
}

/// One event: the object, and whether it is gone.
pub struct Seen {
    pub deleted: bool,
    pub object: Value,
}

impl Watch {
    /// The next event.
    pub async fn next(&mut self) -> Result<Seen, Failure> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end + 1);
                let event = from_json_bytes(&line).map_err(|error| error.message)?;
                let object = event.get("object").cloned().unwrap_or_default();
                if let Some(version) = object.str_at(&["metadata", "resourceVersion"]) {
                    version.clone_into(&mut self.version);
                }
                match event.str_at(&["type"]) {
                    Some("ERROR") => return Err(to_json(&object).into()),
                    Some("BOOKMARK") => {}
                    kind => return Ok(Seen { deleted: kind == Some("DELETED"), object }),
                }
                continue;
            }
            match self.body.frame().await {
                Some(frame) => {
                    if let Some(data) = frame?.data_ref() {
                        self.rest.extend_from_slice(data);
                    }
                }
                None => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    self.rest.clear();
                    self.body = self.api.follow(&self.path, &self.version).await?;
                }
            }
        }
    }
}
