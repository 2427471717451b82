//! What changes since an earlier definition do to the instances there are.

use std::path::Path;

use kro_api::metadata::ANNOTATION_ALLOW_BREAKING;
use kro_diagnostics::codes::evolution::{BREAKING, COMPATIBLE};
use kro_diagnostics::{Diagnostic, Diagnostics, Severity};
use kro_graph::evolution::{Change, Class, CompareOptions, compare};
use kro_graph::{CompileOptions, Graph, Source};
use kro_value::FieldPath;

use crate::check::{Checked, check};
use crate::error::CliError;
use crate::input::Input;

/// Compares every definition with the earlier one of the same name in a file or folder.
pub fn compare_with(earlier: &Path, checked: &Checked, options: &CompileOptions) -> Result<Diagnostics, CliError> {
    let input = Input::read(&[earlier.to_owned()])?;
    let before = check(&input, options);
    let mut found = Diagnostics::new();
    for (source, graph) in &checked.graphs {
        let Some((_, old)) = before.graphs.iter().find(|(_, old)| old.name == graph.name) else { continue };
        compare_graphs(source, old, graph, &mut found)?;
    }
    // Only after it was looked for in vain: other files of the folder may be wrong for good reasons.
    match before.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        Some(error) if before.graphs.is_empty() => Err(CliError::Earlier(error.message.clone())),
        _ => Ok(found),
    }
}

fn compare_graphs(source: &Source, old: &Graph, new: &Graph, found: &mut Diagnostics) -> Result<(), CliError> {
    let (Some(old_api), Some(new_api)) = (&old.instance, &new.instance) else { return Ok(()) };
    let evolution = compare(&old_api.crd, &new_api.crd, CompareOptions::default());
    let evolution = evolution.map_err(|error| CliError::Earlier(error.to_string()))?;
    let annotation = source.value.str_at(&["metadata", "annotations", ANNOTATION_ALLOW_BREAKING]);
    let is_allowed = annotation == Some("true");
    let told = evolution.changes.iter().filter(|change| change.class != Class::Ignored);
    told.for_each(|change| found.push(describe(change, source, new, is_allowed)));
    Ok(())
}

fn describe(change: &Change, source: &Source, graph: &Graph, is_allowed: bool) -> Diagnostic {
    let path = path_of(&change.path);
    let span = source.document.as_ref().map(|document| document.nearest_span(&path));
    let (code, severity) = match (change.class, is_allowed) {
        (Class::Breaking, false) => (BREAKING, Severity::Error),
        (Class::Breaking, true) => (BREAKING, Severity::Warning),
        _ => (COMPATIBLE, Severity::Note),
    };
    let diagnostic = Diagnostic::new(code, severity, change.to_string()).about(graph.name.as_str());
    let diagnostic = diagnostic.at(path).spanned(span);
    match severity {
        Severity::Error => diagnostic.help(format!(
            "the annotation {ANNOTATION_ALLOW_BREAKING}: \"true\" on the definition lets it through; \
             instances that do not fit any more have to be mended by hand"
        )),
        _ => diagnostic,
    }
}

/// The place in a definition that makes a place in its CustomResourceDefinition.
fn path_of(changed: &str) -> FieldPath {
    let mut path = vec!["spec", "schema"];
    let mut steps = changed.split('.').filter(|step| !step.is_empty());
    match steps.next() {
        Some("properties") => {
            path.extend(steps.next());
            while let (Some("properties"), Some(name)) = (steps.next(), steps.next()) {
                path.push(name);
            }
        }
        Some("scope") => path.push("scope"),
        Some("version") if changed.ends_with("additionalPrinterColumns") => path.push("additionalPrinterColumns"),
        Some("version") => path.push("apiVersion"),
        _ => {}
    }
    FieldPath::fields(path)
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn places_are_those_of_the_definition() {
        for (changed, path) in [
            (".properties.spec.properties.size.minimum", "spec.schema.spec.size"),
            (".properties.spec.properties.a.properties.b", "spec.schema.spec.a.b"),
            (".properties.spec.properties.list.items.type", "spec.schema.spec.list"),
            (".properties.status.properties.x", "spec.schema.status.x"),
            ("scope", "spec.schema.scope"),
            ("version.served", "spec.schema.apiVersion"),
            ("names.shortNames", "spec.schema"),
        ] {
            assert_eq!(path_of(changed).to_string(), path);
        }
    }
}
