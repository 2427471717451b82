//! The kinds of a cluster, for commands that otherwise work offline.

use std::collections::BTreeSet;

use kro_controller::Discovery;
use kro_graph::CompileOptions;
use kro_value::Str;

use crate::check::{Checked, check};
use crate::cli::CompileArguments;
use crate::error::CliError;
use crate::input::Input;

/// Compiles the input with the kinds that the cluster serves besides those of the input itself.
pub fn check_with_cluster(
    input: &mut Input,
    options: &CompileOptions,
    arguments: &CompileArguments,
) -> Result<Checked, CliError> {
    if !arguments.asks_cluster() {
        return Ok(check(input, options));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CliError::Runtime)?.block_on(fetch_and_check(input, options, arguments))
}

async fn fetch_and_check(
    input: &mut Input,
    options: &CompileOptions,
    arguments: &CompileArguments,
) -> Result<Checked, CliError> {
    let discovery = Discovery::connect(arguments.kubeconfig.as_deref(), arguments.context.as_deref()).await?;
    input.served_crds = discovery.custom_resource_definitions().await?;
    let checked = check(input, options);
    let missing: BTreeSet<(Str, Str)> =
        checked.missing_kinds.iter().map(|gvk| (gvk.group.clone(), gvk.version.clone())).collect();
    if missing.is_empty() {
        return Ok(checked);
    }
    for (group, version) in missing {
        if let Some(served) = discovery.group_version(&group, &version).await? {
            input.served.add(&group, &version, &served.document, &served.resources);
        }
    }
    Ok(check(input, options))
}
