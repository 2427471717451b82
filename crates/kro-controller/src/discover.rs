use std::path::Path;

use kro_manager::{ApiRequest, ApiResponse, Verb, path};
use kro_value::{Str, Value, format_smolstr};
use kube_client::config::{KubeConfigOptions, Kubeconfig};
use kube_client::{Client, Config};

use crate::ControllerError;
use crate::request::{describe, send};

/// Reads what a cluster serves; never writes.
pub struct Discovery {
    client: Client,
    agent: String,
}

/// What an API server says of one group version.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupVersion {
    /// The OpenAPI v3 document; null when there is none.
    pub document: Value,
    /// The `APIResourceList`.
    pub resources: Value,
}

impl Discovery {
    /// Connects to the cluster of a context of a kubeconfig: without a file that of `KUBECONFIG`, the service account of
    /// the pod, or the one at home; without a context the current one.
    ///
    /// # Errors
    /// When there is no usable configuration.
    pub async fn connect(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Self, ControllerError> {
        let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
        let wrong = |error: &dyn std::error::Error| ControllerError::Config(describe(error));
        let config = match kubeconfig {
            Some(file) => {
                let kubeconfig = Kubeconfig::read_from(file).map_err(|error| wrong(&error))?;
                Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| wrong(&error))?
            }
            None if context.is_some() => Config::from_kubeconfig(&options).await.map_err(|error| wrong(&error))?,
            None => Config::infer().await.map_err(|error| wrong(&error))?,
        };
        Ok(Self::new(Client::try_from(config).map_err(|error| wrong(&error))?))
    }

    /// Reads by this client.
    pub fn new(client: Client) -> Self {
        Self { client, agent: format!("kro/{}", env!("CARGO_PKG_VERSION")) }
    }

    /// All CustomResourceDefinitions.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn custom_resource_definitions(&self) -> Result<Vec<Value>, ControllerError> {
        let target = path::collection("apiextensions.k8s.io", "v1", None, "customresourcedefinitions");
        let mut found = Vec::new();
        let mut next = Str::default();
        loop {
            let mut query = vec![("limit", Str::new_static("500"))];
            if !next.is_empty() {
                query.push(("continue", next));
            }
            let answer = self.get(target.clone(), query).await?;
            if !answer.is_success() {
                return Err(refused(&target, &answer));
            }
            found.extend_from_slice(answer.body.get("items").and_then(Value::as_list).unwrap_or_default());
            next = Str::new(answer.body.str_at(&["metadata", "continue"]).unwrap_or_default());
            if next.is_empty() {
                return Ok(found);
            }
        }
    }

    /// A group version; `None` when it is not served. The core group is empty.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn group_version(&self, group: &str, version: &str) -> Result<Option<GroupVersion>, ControllerError> {
        let target = match group {
            "" => format_smolstr!("api/{version}"),
            group => format_smolstr!("apis/{group}/{version}"),
        };
        let resources = self.get(format!("/{target}"), Vec::new()).await?;
        if resources.status == 404 {
            return Ok(None);
        }
        if !resources.is_success() {
            return Err(refused(&target, &resources));
        }
        // Without a schema the kind is still known to be there.
        let document = self.get(format!("/openapi/v3/{target}"), Vec::new()).await?;
        let document = if document.is_success() { document.body } else { Value::Null };
        Ok(Some(GroupVersion { document, resources: resources.body }))
    }

    async fn get(&self, path: String, query: Vec<(&'static str, Str)>) -> Result<ApiResponse, ControllerError> {
        send(&self.client, &self.agent, &ApiRequest { verb: Verb::Get, path, query, body: None }).await
    }
}

fn refused(target: &str, answer: &ApiResponse) -> ControllerError {
    ControllerError::Refused { target: target.to_owned(), status: answer.status, message: answer.message() }
}
