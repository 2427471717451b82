//! The kinds of a cluster, for commands that otherwise work offline.

use std::collections::BTreeSet;

use kro_controller::Discovery;
use kro_graph::CompileOptions;
use kro_value::{Str, Value};

use crate::check::{Checked, check, is_definition};
use crate::cli::CompileArguments;
use crate::error::CliError;
use crate::input::Input;
use crate::schema_cache::SchemaCache;

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
    let cache = SchemaCache::of_server(discovery.server());
    let index = discovery.schema_index().await?;
    for group in used_groups(input) {
        for (version, address) in index.versions(&group) {
            let document = match cache.read(address) {
                Some(document) => document,
                None => {
                    let document = discovery.document(address).await?;
                    cache.write(address, &document);
                    document
                }
            };
            if let Some(resources) = discovery.resources(&group, version).await? {
                input.served.add(&group, version, &document, &resources);
            }
        }
    }
    let checked = check(input, options);
    for crd in checked.graphs.iter().filter_map(|(_, graph)| graph.instance.as_ref()).map(|api| &api.crd) {
        let name = crd.str_at(&["metadata", "name"]).unwrap_or_default();
        input.served_crds.extend(discovery.custom_resource_definition(name).await?);
    }
    Ok(checked)
}

/// The groups of all resources of the definitions.
fn used_groups(input: &Input) -> BTreeSet<Str> {
    let definitions = input.documents.iter().map(|document| document.root.value()).filter(|value| is_definition(value));
    let resources = definitions
        .flat_map(|definition| definition.at(&["spec", "resources"]).and_then(Value::as_list).unwrap_or_default());
    let object = |entry| ["template", "externalRef"].iter().find_map(|key| Value::get(entry, key)).unwrap_or(entry);
    let versions = resources.filter_map(|entry| object(entry).str_at(&["apiVersion"]));
    versions.map(|version| Str::new(version.split_once('/').map_or("", |(group, _)| group))).collect()
}
