use kro_value::{Str, Value};

use crate::write::Call;

const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Finalizer, phase and the label with the name.
pub(super) fn prepare_create(object: &mut Value) {
    let name = object.str_at(&["metadata", "name"]).map(Str::new).unwrap_or_default();
    object.set_at(&["metadata", "labels", NAME_LABEL], name.into());
    let mut finalizers = object.at(&["spec", "finalizers"]).and_then(Value::as_list).unwrap_or_default().to_vec();
    if !finalizers.iter().any(|finalizer| finalizer.as_str() == Some("kubernetes")) {
        finalizers.push("kubernetes".into());
    }
    object.set_at(&["spec", "finalizers"], finalizers.into());
    object.set_at(&["status", "phase"], "Active".into());
}

/// Finalizers of the spec change only through `/finalize`.
pub(super) fn prepare_update(call: &Call, object: &mut Value, old: &Value) {
    if call.subresource == "finalize" {
        let finalizers = object.at(&["spec", "finalizers"]).cloned();
        let labels = object.at(&["metadata", "labels"]).cloned();
        let managed = object.at(&["metadata", "managedFields"]).cloned();
        *object = old.clone();
        for (path, value) in [(&["metadata", "labels"], labels), (&["metadata", "managedFields"], managed)] {
            if let Some(value) = value {
                object.set_at(path, value);
            }
        }
        match finalizers {
            Some(finalizers) if finalizers.as_list().is_some_and(|list| !list.is_empty()) => {
                object.set_at(&["spec", "finalizers"], finalizers);
            }
            _ => object.set_at(&["spec"], Value::Map(kro_value::Map::new())),
        }
        return;
    }
    if !call.is_status() {
        let spec = old.get("spec").cloned().unwrap_or_default();
        object.set_at(&["spec"], spec);
        let name = call.name.clone();
        object.set_at(&["metadata", "labels", NAME_LABEL], name.into());
    }
}

pub(super) fn prepare_deletion(object: &mut Value) {
    object.set_at(&["status", "phase"], "Terminating".into());
}

/// True while the spec's finalizers keep a namespace.
pub(super) fn is_held(object: &Value) -> bool {
    object.at(&["spec", "finalizers"]).and_then(Value::as_list).is_some_and(|finalizers| !finalizers.is_empty())
}
