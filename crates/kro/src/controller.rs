//! `kro controller`: the manager on a real cluster.

use std::process::ExitCode;
use std::time::Duration;

use kro_controller::{Controller, Endpoint, LeaderElection, Settings, connect, install};

use crate::cli::ControllerArguments;
use crate::error::CliError;
use crate::feature_gates::FeatureGates;
use crate::signal;

/// Where a pod finds the namespace of its service account.
const POD_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Runs until the process is told to end.
pub async fn run(arguments: ControllerArguments) -> Result<ExitCode, CliError> {
    let settings = settings(&arguments)?;
    let unused = arguments.legacy.given();
    if !unused.is_empty() {
        tracing::warn!(flags = unused.join(","), "these flags of the Go implementation have no effect here");
    }
    let client = connect(arguments.kubeconfig.as_deref()).await?;
    if arguments.install_crds {
        install(&client, &kro_manager::custom_resource_definitions()).await?;
        tracing::info!("kro's own CustomResourceDefinitions are installed");
    }
    let controller = Controller::start(client, settings);
    let metrics = Endpoint::metrics(&arguments.metrics_bind_address, controller.monitor()).await?;
    let probes = Endpoint::probes(&arguments.health_probe_bind_address, controller.monitor()).await?;
    let address =
        |endpoint: &Option<Endpoint>| endpoint.as_ref().map_or_else(|| "off".to_owned(), |on| on.address().to_string());
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, metrics = address(&metrics), probes = address(&probes), "the controller runs");
    signal::wait().await;
    tracing::info!("ending: nothing new is started, requests under way are waited for");
    if !controller.shut_down(arguments.graceful_shutdown_timeout).await {
        tracing::warn!("some requests were not answered in time");
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(arguments: &ControllerArguments) -> Result<Settings, CliError> {
    let gates: FeatureGates = arguments.feature_gates.parse().map_err(CliError::FeatureGates)?;
    let manager = kro_manager::Config {
        version: crate::version(),
        seed: crate::seed(),
        allow_crd_deletion: arguments.allow_crd_deletion,
        graph_revisions_max: usize::try_from(arguments.rgd_max_graph_revisions).unwrap_or(0),
        collection_size_max: arguments.rgd_max_collection_size,
        collection_dimensions_max: arguments.rgd_max_collection_dimension_size,
        backoff_min_ms: ms(arguments.dynamic_controller_rate_limiter_min_delay),
        backoff_max_ms: ms(arguments.dynamic_controller_rate_limiter_max_delay),
        omit_function: gates.cel_omit_function,
        instance_condition_events: gates.instance_condition_events,
        instance_condition_metrics: gates.instance_condition_metrics,
        ..kro_manager::Config::default()
    };
    let election = if arguments.leader_elect { Some(election(arguments)?) } else { None };
    Ok(Settings { manager, election, ..Settings::default() })
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1)
}

fn election(arguments: &ControllerArguments) -> Result<LeaderElection, CliError> {
    let namespace = match arguments.leader_election_namespace.as_str() {
        "" => std::fs::read_to_string(POD_NAMESPACE).map_err(|_| CliError::NoNamespace)?.trim().to_owned(),
        named => named.to_owned(),
    };
    let host = std::env::var("HOSTNAME").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let host = host.map_or_else(|_| "kro".to_owned(), |host| host.trim().to_owned());
    let identity = format!("{host}_{:016x}", crate::seed());
    Ok(LeaderElection {
        lease_duration: arguments.leader_election_lease_duration,
        renew_deadline: arguments.leader_election_renew_deadline,
        retry_period: arguments.leader_election_retry_period,
        ..LeaderElection::new(namespace, identity)
    })
}
