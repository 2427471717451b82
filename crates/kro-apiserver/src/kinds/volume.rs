//! What the server decides about claims on volumes.

use kro_value::Value;

/// A claim is filled from another claim or from a snapshot; anything else is said by `dataSourceRef` alone.
pub(super) fn prepare_claim(claim: &mut Value) {
    let (path, reference) = (["spec", "dataSource"], ["spec", "dataSourceRef"]);
    let Some(mut source) = claim.at(&path).filter(|source| !source.is_null()).cloned() else { return };
    let text = |key: &str| source.str_at(&[key]).unwrap_or_default();
    let is_known = matches!(
        (text("apiGroup"), text("kind")),
        ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
    );
    if !is_known {
        claim.remove_at(&path);
        return;
    }
    if source.get("apiGroup").is_none() {
        source.set_at(&["apiGroup"], Value::Null);
    }
    if claim.at(&reference).is_none() {
        claim.set_at(&reference, source.clone());
    }
    claim.set_at(&path, source);
}
