//! managedFields of creates, updates and patches.

use kro_value::Value;

use super::Call;

/// Records what a write that is no apply changed; `live` is the object before it, in the version of the request.
pub(super) fn track_update(call: &Call, live: Option<&Value>, new: &mut Value) {
    let _ = (call, live, new);
}

/// When managedFields differ from the stored ones only in times and nothing else changed, the old times stay: a write
/// that changes nothing writes nothing.
pub(super) fn keep_times_of_unchanged(object: &mut Value, live: &Value) {
    const PATH: &[&str] = &["metadata", "managedFields"];
    let (Some(new), Some(old)) = (object.at(PATH), live.at(PATH)) else { return };
    if new == old || without_times(new) != without_times(old) {
        return;
    }
    let mut candidate = object.clone();
    candidate.set_at(PATH, old.clone());
    if candidate == *live {
        *object = candidate;
    }
}

fn without_times(entries: &Value) -> Vec<Value> {
    let strip = |entry: &Value| {
        let mut entry = entry.clone();
        entry.remove_at(&["time"]);
        entry
    };
    entries.as_list().unwrap_or_default().iter().map(strip).collect()
}
