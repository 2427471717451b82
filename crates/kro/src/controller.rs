//! `kro controller`: the manager on a real cluster.

use std::process::ExitCode;

use kro_controller::{Controller, Settings, connect, install};

use crate::cli::ControllerArguments;
use crate::error::CliError;
use crate::signal;

/// Runs until the process is told to end.
pub async fn run(arguments: ControllerArguments) -> Result<ExitCode, CliError> {
    let client = connect(arguments.kubeconfig.as_deref()).await?;
    if arguments.install_crds {
        install(&client, &kro_manager::custom_resource_definitions()).await?;
        tracing::info!("kro's own CustomResourceDefinitions are installed");
    }
    let controller = Controller::start(client, settings(&arguments));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "the controller runs");
    signal::wait().await;
    tracing::info!("ending: nothing new is started, requests under way are waited for");
    controller.shut_down().await;
    Ok(ExitCode::SUCCESS)
}

fn settings(arguments: &ControllerArguments) -> Settings {
    let manager = kro_manager::Config {
        version: crate::version(),
        seed: crate::seed(),
        allow_crd_deletion: arguments.allow_crd_deletion,
        graph_revisions_max: arguments.rgd_max_graph_revisions,
        collection_size_max: arguments.rgd_max_collection_size,
        ..kro_manager::Config::default()
    };
    Settings { manager, requests: None }
}
