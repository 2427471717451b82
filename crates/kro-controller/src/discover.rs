use std::collections::BTreeMap;
use std::path::Path;

use kro_manager::{ApiRequest, ApiResponse, Verb, path};
use kro_value::{Str, Value};
use kube_client::config::{KubeConfigOptions, Kubeconfig};
use kube_client::{Client, Config};

use crate::ControllerError;
use crate::request::{describe, send};

/// Reads what a cluster serves; never writes.
pub struct Discovery {
    client: Client,
    agent: String,
    server: String,
}

/// The group versions of an API server, with the addresses of their OpenAPI v3 documents. An address has the hash of its
/// document: what was once read there need never be read again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaIndex {
    addresses: BTreeMap<(Str, Str), String>,
}

impl SchemaIndex {
    /// The versions of a group and their addresses.
    pub fn versions(&self, group: &str) -> impl Iterator<Item = (&Str, &str)> {
        let of_group = self.addresses.iter().filter(move |((known, _), _)| known == group);
        of_group.map(|((_, version), address)| (version, address.as_str()))
    }
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
        let server = config.cluster_url.to_string();
        Ok(Self { server, ..Self::new(Client::try_from(config).map_err(|error| wrong(&error))?) })
    }

    /// Reads by this client.
    pub fn new(client: Client) -> Self {
        Self { client, agent: format!("kro/{}", env!("CARGO_PKG_VERSION")), server: String::new() }
    }

    /// The address of the API server; empty for a client that was given.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// A CustomResourceDefinition; `None` when there is none of the name.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn custom_resource_definition(&self, name: &str) -> Result<Option<Value>, ControllerError> {
        self.find(path::object("apiextensions.k8s.io", "v1", None, "customresourcedefinitions", name)).await
    }

    /// What group versions there are, and where their schemas are read.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn schema_index(&self) -> Result<SchemaIndex, ControllerError> {
        let index = self.find("/openapi/v3".to_owned()).await?.unwrap_or_default();
        let address = |(key, entry): (&Str, &Value)| {
            let (group, version) = match key.strip_prefix("apis/") {
                Some(rest) => rest.split_once('/')?,
                None => ("", key.strip_prefix("api/")?),
            };
            let address = entry.str_at(&["serverRelativeURL"])?.to_owned();
            Some(((Str::new(group), Str::new(version)), address))
        };
        let paths = index.get("paths").and_then(Value::as_map);
        Ok(SchemaIndex { addresses: paths.into_iter().flatten().filter_map(address).collect() })
    }

    /// The OpenAPI v3 document at an address of the index; null when there is none.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn document(&self, address: &str) -> Result<Value, ControllerError> {
        let answer = self.get(address.to_owned()).await?;
        if answer.status == 301 {
            // Something changed since the index was read: there is another hash.
            let plain = address.split('?').next().unwrap_or_default();
            return Ok(self.find(plain.to_owned()).await?.unwrap_or_default());
        }
        Ok(if answer.is_success() { answer.body } else { Value::Null })
    }

    /// The `APIResourceList` of a group version; `None` when it is not served. The core group is empty.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn resources(&self, group: &str, version: &str) -> Result<Option<Value>, ControllerError> {
        self.find(match group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        })
        .await
    }

    async fn find(&self, target: String) -> Result<Option<Value>, ControllerError> {
        let answer = self.get(target.clone()).await?;
        match answer.status {
            404 => Ok(None),
            _ if answer.is_success() => Ok(Some(answer.body)),
            _ => Err(refused(&target, &answer)),
        }
    }

    async fn get(&self, path: String) -> Result<ApiResponse, ControllerError> {
        send(&self.client, &self.agent, &ApiRequest { verb: Verb::Get, path, query: Vec::new(), body: None }).await
    }
}

fn refused(target: &str, answer: &ApiResponse) -> ControllerError {
    ControllerError::Refused { target: target.to_owned(), status: answer.status, message: answer.message() }
}
