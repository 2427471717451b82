//! What the default admission plugins add to objects.

use kro_value::{Str, Value};

use crate::Profile;
use crate::write::metadata::strings;

/// Completes a new object.
pub(super) fn complete(profile: Profile, group: &str, resource: &str, object: &mut Value) {
    match (group, resource) {
        ("", "persistentvolumeclaims") => add_finalizer(object, "kubernetes.io/pvc-protection"),
        ("", "persistentvolumes") => add_finalizer(object, "kubernetes.io/pv-protection"),
        ("", "pods") => complete_pod(profile, object),
        _ => {}
    }
}

fn add_finalizer(object: &mut Value, finalizer: &str) {
    let mut finalizers = strings(object, "finalizers");
    if finalizers.iter().any(|known| known == finalizer) {
        return;
    }
    finalizers.push(Str::new(finalizer));
    object.set_at(&["metadata", "finalizers"], finalizers.into_iter().map(Value::from).collect());
}

/// The ServiceAccount and two tolerations. The volume with the token is left out: nothing here reads it.
fn complete_pod(profile: Profile, pod: &mut Value) {
    let mut fill = |key: &str, value: Value| {
        if pod.at(&["spec", key]).is_none() {
            pod.set_at(&["spec", key], value);
        }
    };
    if profile != Profile::Bare {
        fill("serviceAccountName", "default".into());
    }
    if let Some(account) = pod.at(&["spec", "serviceAccountName"]).cloned() {
        pod.set_at(&["spec", "serviceAccount"], account);
    }
    tolerate(pod, "node.kubernetes.io/not-ready");
    tolerate(pod, "node.kubernetes.io/unreachable");
}

/// A node may be away for five minutes before its Pods go.
fn tolerate(pod: &mut Value, key: &str) {
    let mut tolerations = pod.at(&["spec", "tolerations"]).and_then(Value::as_list).unwrap_or_default().to_vec();
    let covers = |toleration: &Value| {
        let text = |name: &str| toleration.str_at(&[name]).unwrap_or_default();
        (text("key") == key || text("key").is_empty()) && matches!(text("effect"), "NoExecute" | "")
    };
    if tolerations.iter().any(covers) {
        return;
    }
    tolerations.push(Value::map([
        ("key", Value::from(key)),
        ("operator", "Exists".into()),
        ("effect", "NoExecute".into()),
        ("tolerationSeconds", Value::Int(300)),
    ]));
    pod.set_at(&["spec", "tolerations"], tolerations.into());
}
