//! What the server decides about the objects of definitions.

use kro_value::{Str, Value};

use super::{FINALIZER, set_condition};
use crate::write::Call;
use crate::write::metadata::{self, time_text};

/// Names that follow from others, and the conversion strategy.
pub(crate) fn default(object: &mut Value) {
    let kind = object.str_at(&["spec", "names", "kind"]).unwrap_or_default().to_owned();
    let mut fill = |path: &[&str], value: String| {
        if object.str_at(path).unwrap_or_default().is_empty() && !value.is_empty() {
            object.set_at(path, value.into());
        }
    };
    if !kind.is_empty() {
        fill(&["spec", "names", "singular"], kind.to_lowercase());
        fill(&["spec", "names", "listKind"], format!("{kind}List"));
    }
    fill(&["spec", "conversion", "strategy"], "None".to_owned());
    if object.at(&["status", "storedVersions"]).is_some() {
        prepare_update(object);
    }
}

/// A new definition has nothing accepted.
pub(crate) fn prepare_create(object: &mut Value) {
    let status = Value::map([
        ("acceptedNames", Value::map([("kind", Value::from("")), ("plural", "".into())])),
        ("conditions", Value::Null),
        ("storedVersions", storage_version(object).into_iter().map(Value::from).collect()),
    ]);
    object.set_at(&["status"], status);
}

/// A new storage version is remembered, and none is forgotten.
pub(crate) fn prepare_update(object: &mut Value) {
    let Some(version) = storage_version(object) else { return };
    let mut stored = super::texts(object.at(&["status", "storedVersions"]));
    if !stored.contains(&version) {
        stored.push(version);
        object.set_at(&["status", "storedVersions"], stored.into_iter().map(Value::from).collect());
    }
}

/// A definition that is being deleted waits for its objects.
pub(crate) fn hold(object: &mut Value) {
    let mut finalizers = metadata::strings(object, "finalizers");
    if metadata::is_terminating(object) || finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
        return;
    }
    finalizers.push(Str::new_static(FINALIZER));
    object.set_at(&["metadata", "finalizers"], finalizers.into_iter().map(Value::from).collect());
}

/// Tells that the deletion began.
pub(crate) fn mark_terminating(call: &Call, object: &mut Value) {
    if super::condition(object, "Terminating").is_some() {
        return;
    }
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    let time = time_text(call.now);
    set_condition(object, "Terminating", "True", "InstanceDeletionPending", message, &time);
}

fn storage_version(object: &Value) -> Option<Str> {
    let versions = object.at(&["spec", "versions"])?.as_list()?;
    let stores = |version: &&Value| version.get("storage").and_then(Value::as_bool) == Some(true);
    versions.iter().find(stores)?.str_at(&["name"]).map(Str::new)
}
