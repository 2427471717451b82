//! What a change of an API does to stored instances: breaking, compatible or without effect.
//!
//! [`compare`] looks at the whole CustomResourceDefinition, also at what the Go implementation overlooks (validation
//! rules, formats, value types of maps, printer columns, ...), and gives every change its full path, in stable order.

mod bounds;
mod change;
mod diagnose;
mod node;

use kro_value::Value;

pub use change::{Change, ChangeType, Class};

/// How [`compare`] judges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompareOptions {
    /// Judge changes below `status` like those of `spec`. By default they are compatible at worst: kro itself writes the
    /// status, so nothing stored is lost for good.
    pub strict_status: bool,
}

/// All differences between two versions of an API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evolution {
    /// Sorted by path and type.
    pub changes: Vec<Change>,
}

/// What cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareError {
    /// What is wrong with one of the sides.
    pub message: String,
}

impl std::fmt::Display for CompareError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for CompareError {}

/// How many changes a summary tells in full.
const SUMMARY_CHANGES_MAX: usize = 3;

impl Evolution {
    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Changes of one class, in order.
    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.class == class)
    }

    /// True with at least one breaking change.
    pub fn is_breaking(&self) -> bool {
        self.of_class(Class::Breaking).next().is_some()
    }

    /// The breaking changes in one line: the first three, and how many more there are.
    pub fn summary(&self) -> String {
        let breaking: Vec<&Change> = self.of_class(Class::Breaking).collect();
        if breaking.is_empty() {
            return "no breaking changes".to_owned();
        }
        let mut parts: Vec<String> =
            breaking.iter().take(SUMMARY_CHANGES_MAX).map(|change| change.to_string()).collect();
        if breaking.len() > SUMMARY_CHANGES_MAX {
            parts.push(format!("and {} more changes", breaking.len() - SUMMARY_CHANGES_MAX));
        }
        parts.join("; ")
    }
}

/// Compares two CustomResourceDefinitions of one API: the applied one and the wanted one.
///
/// # Errors
/// When one side does not have exactly one version, or that version no schema.
pub fn compare(old: &Value, new: &Value, options: CompareOptions) -> Result<Evolution, CompareError> {
    let (old_version, new_version) = (versions(old), versions(new));
    let ([old_version], [new_version]) = (old_version, new_version) else {
        let (old_count, new_count) = (old_version.len(), new_version.len());
        let message =
            format!("expected exactly one version in each CRD, got {old_count} old and {new_count} new versions");
        return Err(CompareError { message });
    };
    let mut changes = Vec::new();
    compare_envelope(&mut changes, old, new);
    let name = |version: &Value| version.get("name").cloned().unwrap_or_default();
    if name(old_version) != name(new_version) {
        let change = Change::breaking("version", ChangeType::TypeChanged).values(name(old_version), name(new_version));
        return Ok(Evolution { changes: vec![change] });
    }
    compare_version(&mut changes, old_version, new_version);
    let old_schema = schema(old_version, "old")?;
    let new_schema = schema(new_version, "new")?;
    node::compare(&mut changes, Some(old_schema), Some(new_schema), "");
    if !options.strict_status {
        soften_status(&mut changes);
    }
    changes.sort_by(|left, right| (&left.path, left.change_type).cmp(&(&right.path, right.change_type)));
    Ok(Evolution { changes })
}

fn versions(crd: &Value) -> &[Value] {
    crd.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default()
}

fn schema<'a>(version: &'a Value, side: &str) -> Result<&'a Value, CompareError> {
    version.at(&["schema", "openAPIV3Schema"]).filter(|schema| !schema.is_null()).ok_or_else(|| CompareError {
        message: format!("{side} version {} has no schema", version.str_at(&["name"]).unwrap_or_default()),
    })
}

/// Scope, names and what else stands around the versions.
fn compare_envelope(changes: &mut Vec<Change>, old: &Value, new: &Value) {
    let at = |crd: &Value, keys: &[&str]| crd.at(keys).cloned().unwrap_or_default();
    for (path, keys, change_type) in [
        ("scope", &["spec", "scope"][..], ChangeType::ScopeChanged),
        ("names.shortNames", &["spec", "names", "shortNames"], ChangeType::NamesChanged),
        ("names.categories", &["spec", "names", "categories"], ChangeType::NamesChanged),
    ] {
        let (old, new) = (at(old, keys), at(new, keys));
        if !is_same_or_empty(&old, &new) {
            let class = if change_type == ChangeType::ScopeChanged { Class::Breaking } else { Class::Compatible };
            changes.push(Change::new(class, path, change_type).values(old, new));
        }
    }
    for key in ["labels", "annotations"] {
        compare_metadata(changes, key, &at(old, &["metadata", key]), &at(new, &["metadata", key]));
    }
}

/// Only what the wanted side says: other keys belong to others.
fn compare_metadata(changes: &mut Vec<Change>, key: &str, old: &Value, new: &Value) {
    for (name, value) in new.as_map().into_iter().flatten() {
        let before = old.get(name).cloned().unwrap_or_default();
        if before != *value {
            let path = format!("metadata.{key}.{name}");
            changes.push(Change::compatible(path, ChangeType::MetadataChanged).values(before, value.clone()));
        }
    }
}

fn compare_version(changes: &mut Vec<Change>, old: &Value, new: &Value) {
    let served = |version: &Value| version.get("served").and_then(Value::as_bool).unwrap_or_default();
    if served(old) && !served(new) {
        changes.push(Change::breaking("version.served", ChangeType::TypeChanged).values(true.into(), false.into()));
    }
    let status = |version: &Value| version.at(&["subresources", "status"]).is_some_and(|status| !status.is_null());
    if status(old) && !status(new) {
        changes.push(Change::breaking("version.subresources.status", ChangeType::PropertyRemoved));
    }
    let columns = |version: &Value| version.get("additionalPrinterColumns").cloned().unwrap_or_default();
    let (old, new) = (columns(old), columns(new));
    if !is_same_or_empty(&old, &new) {
        let change = Change::compatible("version.additionalPrinterColumns", ChangeType::PrinterColumnsChanged);
        changes.push(change.values(old, new));
    }
}

fn is_same_or_empty(old: &Value, new: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
    old == new || (is_empty(old) && is_empty(new))
}

fn soften_status(changes: &mut [Change]) {
    const STATUS: &str = ".properties.status";
    let below = |path: &str| path.strip_prefix(STATUS).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    for change in changes.iter_mut().filter(|change| change.class == Class::Breaking && below(&change.path)) {
        change.class = Class::Compatible;
    }
}

#[cfg(test)]
mod tests;
