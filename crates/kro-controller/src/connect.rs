use std::path::Path;

use kube_client::config::{KubeConfigOptions, Kubeconfig};
use kube_client::{Client, Config};

use crate::ControllerError;
use crate::request::describe;

/// A client for the cluster of a kubeconfig; without one, for the cluster that `KUBECONFIG`, the service account of the
/// pod or the kubeconfig at home names, in this order.
///
/// # Errors
/// When there is no usable configuration.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Client, ControllerError> {
    let mut config = match kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file).map_err(|error| ControllerError::Config(describe(&error)))?;
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .map_err(|error| ControllerError::Config(describe(&error)))?
        }
        None => Config::infer().await.map_err(|error| ControllerError::Config(describe(&error)))?,
    };
    // The manager retries by itself, and says so.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| ControllerError::Config(describe(&error)))
}
