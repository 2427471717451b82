//! What changes since an earlier definition do to the instances there are.

use std::path::Path;

use kro_api::metadata::ANNOTATION_ALLOW_BREAKING;
use kro_diagnostics::{Diagnostic, Diagnostics, Severity};
use kro_graph::evolution::{CompareOptions, compare};
use kro_graph::{CompileOptions, Graph, Source};
use kro_value::Value;

use crate::check::{Checked, check};
use crate::error::CliError;
use crate::input::Input;

/// Compares every definition with the earlier one of the same name in a file or folder.
pub fn compare_with_file(earlier: &Path, checked: &Checked, options: &CompileOptions) -> Result<Diagnostics, CliError> {
    let input = Input::read(&[earlier.to_owned()])?;
    let before = check(&input, options);
    let mut found = Diagnostics::new();
    for (source, graph) in &checked.graphs {
        let old = before.graphs.iter().find(|(_, old)| old.name == graph.name);
        if let Some(old) = old.and_then(|(_, old)| crd_of(old)) {
            compare_crds(source, old, graph, &mut found)?;
        }
    }
    // Only after it was looked for in vain: other files of the folder may be wrong for good reasons.
    match before.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        Some(error) if before.graphs.is_empty() => Err(CliError::Earlier(error.message.clone())),
        _ => Ok(found),
    }
}

/// Compares every definition with the CustomResourceDefinition that a cluster serves for it.
pub fn compare_with_served(served: &[Value], checked: &Checked) -> Result<Diagnostics, CliError> {
    let mut found = Diagnostics::new();
    for (source, graph) in &checked.graphs {
        let Some(new) = crd_of(graph) else { continue };
        let name = new.str_at(&["metadata", "name"]);
        if let Some(old) = served.iter().find(|old| old.str_at(&["metadata", "name"]) == name) {
            compare_crds(source, old, graph, &mut found)?;
        }
    }
    Ok(found)
}

fn crd_of(graph: &Graph) -> Option<&Value> {
    graph.instance.as_ref().map(|api| &api.crd)
}

fn compare_crds(source: &Source, old: &Value, new: &Graph, found: &mut Diagnostics) -> Result<(), CliError> {
    let Some(crd) = crd_of(new) else { return Ok(()) };
    let evolution = compare(old, crd, CompareOptions::default());
    let evolution = evolution.map_err(|error| CliError::Earlier(error.to_string()))?;
    let is_allowed = source.value.str_at(&["metadata", "annotations", ANNOTATION_ALLOW_BREAKING]) == Some("true");
    let about = |diagnostic: Diagnostic| {
        let severity = if is_allowed { diagnostic.severity.max(Severity::Warning) } else { diagnostic.severity };
        Diagnostic { severity, ..diagnostic }.about(new.name.as_str())
    };
    found.extend(evolution.diagnostics(source).into_iter().map(about));
    Ok(())
}
