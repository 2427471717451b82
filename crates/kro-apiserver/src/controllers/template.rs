//! Pods from templates, and the hash that names a template.

use kro_value::{Value, to_json};

use super::{object, value};

/// Characters of encoded hashes: no vowels, nothing that looks alike.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A short name for the content of a template (FNV-1a of its canonical text): equal content, equal name.
pub(super) fn hash(template: &Value) -> String {
    let digest = to_json(template)
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let letter = |digit: u8| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()]);
    digest.to_string().bytes().map(letter).collect()
}

/// FNV-1a over the bytes of a text: for names, not for security.
pub(super) fn fnv64(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A Pod from the template of `owner`, named exactly or by a prefix that gets a random end.
pub(super) fn pod(owner: &Value, template: &Value, name: PodName<'_>) -> Value {
    let mut pod = value!({ "metadata": {}, "spec": (template.get("spec").cloned().unwrap_or_default()) });
    for key in ["labels", "annotations", "finalizers"] {
        if let Some(item) = template.at(&["metadata", key]) {
            pod.set_at(&["metadata", key], item.clone());
        }
    }
    match name {
        PodName::Exact(name) => pod.set_at(&["metadata", "name"], name.into()),
        PodName::Prefix(prefix) => pod.set_at(&["metadata", "generateName"], format!("{prefix}-").into()),
    }
    pod.set_at(&["metadata", "ownerReferences"], value!([(object::controller_reference(owner))]));
    pod
}

/// How a Pod gets its name.
#[derive(Debug, Clone, Copy)]
pub(super) enum PodName<'a> {
    Exact(&'a str),
    Prefix(&'a str),
}

/// The order in which surplus Pods go: those without a node first, then those that are not running or not ready, then
/// the youngest.
pub(super) fn sort_for_removal(pods: &mut [Value]) {
    let rank = |pod: &Value| {
        let scheduled = pod.str_at(&["spec", "nodeName"]).is_some();
        let running = pod.str_at(&["status", "phase"]) == Some("Running");
        (scheduled, running, object::is_true(pod, "Ready"))
    };
    let created = |pod: &Value| object::time_at(pod, &["metadata", "creationTimestamp"]);
    pods.sort_by(|left, right| {
        let by_age = created(right).cmp(&created(left)).then_with(|| object::name(left).cmp(object::name(right)));
        rank(left).cmp(&rank(right)).then(by_age)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use kro_value::from_json;

    #[test]
    fn a_hash_depends_on_content_only() {
        let one = from_json(r#"{"a":1,"b":"x"}"#).unwrap();
        let same = from_json(r#"{"b":"x","a":1}"#).unwrap();
        let other = from_json(r#"{"a":1,"b":"y"}"#).unwrap();
        assert_eq!(hash(&one), hash(&same));
        assert_ne!(hash(&one), hash(&other));
        assert!(hash(&one).bytes().all(|byte| ALPHABET.contains(&byte)));
    }

    #[test]
    fn surplus_pods_go_in_order() {
        let pod = |name: &str, node: bool, ready: bool, created: &str| {
            let mut pod = value!({
                "metadata": { "name": name, "creationTimestamp": created },
                "spec": {},
                "status": { "phase": (if ready { "Running" } else { "Pending" }) }
            });
            if node {
                pod.set_at(&["spec", "nodeName"], "n".into());
            }
            if ready {
                pod.set_at(&["status", "conditions"], value!([{ "type": "Ready", "status": "True" }]));
            }
            pod
        };
        let mut pods = vec![
            pod("old", true, true, "2020-01-01T00:00:00Z"),
            pod("young", true, true, "2020-01-02T00:00:00Z"),
            pod("starting", true, false, "2020-01-01T00:00:00Z"),
            pod("unscheduled", false, false, "2020-01-01T00:00:00Z"),
        ];
        sort_for_removal(&mut pods);
        let names: Vec<_> = pods.iter().map(object::name).collect();
        assert_eq!(names, ["unscheduled", "starting", "young", "old"]);
    }
}
