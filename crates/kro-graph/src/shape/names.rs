//! Ids and iterators.

use foldhash::{HashMap, HashSet};
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::shape as codes;
use kro_value::{FieldPath, Str};

use crate::CompileOptions;
use crate::definition::{Definition, Entry};
use crate::names;
use crate::report::Report;

pub(super) fn check(report: &mut Report<'_>, definition: &Definition, options: &CompileOptions) {
    check_ids(report, &definition.resources);
    let ids: HashSet<&Str> = definition.resources.iter().map(|entry| &entry.id).collect();
    for entry in &definition.resources {
        check_iterators(report, entry, &ids, options);
    }
}

fn check_ids(report: &mut Report<'_>, entries: &[Entry]) {
    let mut first: HashMap<&Str, FieldPath> = HashMap::default();
    for entry in entries.iter().filter(|entry| !entry.id.is_empty()) {
        let (id, path) = (&entry.id, entry.path.field("id"));
        let violation = if names::is_reserved(id) {
            format!("id {id} is a reserved keyword in KRO")
        } else if !names::is_lower_camel(id) {
            format!("id {id} is not a valid KRO resource id: must be lower camelCase")
        } else if let Some(other) = first.get(id) {
            let message = format!("naming convention violation: found duplicate resource IDs {id}");
            let mut diagnostic = Diagnostic::error(codes::DUPLICATE_ID, message).about(id.as_str()).at(path);
            if let Some(span) = report.source().value_span(other) {
                diagnostic = diagnostic.also(span, "first used here");
            }
            report.push(diagnostic);
            continue;
        } else {
            if names::is_cel_name(id) {
                warn_of_cel_name(report, id, &path);
            }
            first.insert(id, path);
            continue;
        };
        let message = format!("naming convention violation: {violation}");
        report.push(Diagnostic::error(codes::ID, message).about(id.as_str()).at(path));
    }
}

fn warn_of_cel_name(report: &mut Report<'_>, id: &Str, path: &FieldPath) {
    let message = format!("id {id} hides the CEL name {id:?} in every expression of this definition");
    report.push(Diagnostic::warning(codes::HIDES_CEL_NAME, message).about(id.as_str()).at(path.clone()));
}

fn check_iterators(report: &mut Report<'_>, entry: &Entry, ids: &HashSet<&Str>, options: &CompileOptions) {
    let id = &entry.id;
    let mut report_problem = |path: FieldPath, problem: String| {
        let message = format!("resource {id:?}: {problem}");
        report.push_key(Diagnostic::error(codes::FOR_EACH, message).about(id.as_str()).at(path));
    };
    let dimensions_max = options.collection_dimensions_max;
    if entry.for_each.len() > dimensions_max {
        let count = entry.for_each.len();
        let problem = format!(
            "forEach cannot have more than {dimensions_max} dimensions, got {count} (limit collection_dimensions_max)"
        );
        report_problem(entry.path.field("forEach"), problem);
    }
    let mut seen = HashSet::default();
    for (name, text) in &entry.for_each {
        let problem = if !names::is_lower_camel(name) {
            format!("forEach iterator name {name:?} is not valid: must be lowerCamelCase")
        } else if names::is_reserved(name) {
            format!("forEach iterator name {name:?} is a reserved keyword")
        } else if ids.contains(name) {
            format!("forEach iterator name {name:?} conflicts with resource ID")
        } else if !seen.insert(name) {
            format!("duplicate forEach iterator name {name:?}")
        } else {
            continue;
        };
        report_problem(text.path.clone(), problem);
    }
}
