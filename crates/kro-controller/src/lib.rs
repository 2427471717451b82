//! The driver of the manager: tokio and kube.
