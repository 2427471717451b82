use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kro_value::Value;

use super::{each, fill, member};

/// `stringData` becomes part of `data`.
pub(super) fn secret(object: &mut Value) {
    fill(object, &["type"], "Opaque");
    let texts = object.remove_at(&["stringData"]);
    for (key, text) in texts.as_ref().and_then(Value::as_map).into_iter().flatten() {
        let encoded = STANDARD.encode(text.as_str().unwrap_or_default());
        object.set_at(&["data", key], encoded.into());
    }
}

/// The limits of a container are its defaults, and what it can have at least is requested.
pub(super) fn limit_range(object: &mut Value) {
    member(object, "spec", |spec| {
        each(spec, "limits", |limit| {
            if limit.str_at(&["type"]) != Some("Container") {
                return;
            }
            copy_missing(limit, "max", "default");
            copy_missing(limit, "default", "defaultRequest");
            copy_missing(limit, "min", "defaultRequest");
        });
    });
}

fn copy_missing(limit: &mut Value, from: &str, to: &str) {
    let source = limit.get(from).and_then(Value::as_map).cloned().unwrap_or_default();
    for (resource, amount) in &source {
        fill(limit, &[to, resource], amount.clone());
    }
}

pub(super) fn volume_claim(object: &mut Value) {
    fill(object, &["status", "phase"], "Pending");
    member(object, "spec", |spec| fill(spec, &["volumeMode"], "Filesystem"));
}

pub(super) fn volume(object: &mut Value) {
    fill(object, &["status", "phase"], "Pending");
    member(object, "spec", |spec| {
        fill(spec, &["persistentVolumeReclaimPolicy"], "Retain");
        fill(spec, &["volumeMode"], "Filesystem");
        member(spec, "hostPath", |source| fill(source, &["type"], ""));
    });
}

pub(super) fn storage_class(object: &mut Value) {
    fill(object, &["reclaimPolicy"], "Delete");
    fill(object, &["volumeBindingMode"], "Immediate");
}

pub(super) fn csi_driver(object: &mut Value) {
    member(object, "spec", |spec| {
        fill(spec, &["attachRequired"], true);
        fill(spec, &["podInfoOnMount"], false);
        fill(spec, &["storageCapacity"], false);
        fill(spec, &["requiresRepublish"], false);
        fill(spec, &["seLinuxMount"], false);
        fill(spec, &["fsGroupPolicy"], "ReadWriteOnceWithFSType");
        fill(spec, &["volumeLifecycleModes"], Value::list([Value::from("Persistent")]));
    });
}
