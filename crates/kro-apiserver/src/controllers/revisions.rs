//! Histories of templates as ControllerRevisions: StatefulSets and DaemonSets.

use kro_value::{Value, format_smolstr};

use super::api::Deletion;
use super::known::REVISIONS;
use super::{Api, object, template, value};

pub(super) const HASH_LABEL: &str = "controller-revision-hash";

/// The name of the current template's revision and its hash.
pub(super) struct Revision {
    pub(super) name: String,
    pub(super) hash: String,
}

/// Makes sure that the revision of the current template is there and is the newest.
pub(super) fn ensure(owner: &Value, api: &mut Api<'_, '_>) -> Revision {
    let current = owner.at(&["spec", "template"]).cloned().unwrap_or_default();
    let hash = template::hash(&current);
    let name = format!("{}-{hash}", object::name(owner));
    let known = api.controlled(&REVISIONS, owner);
    let newest = known.iter().map(|revision| object::int(revision, &["revision"])).max().unwrap_or_default();
    match known.iter().find(|revision| object::name(revision) == name) {
        Some(revision) if object::int(revision, &["revision"]) < newest => {
            api.patch(&REVISIONS, revision, &value!({ "revision": (newest + 1) }));
        }
        Some(_) => {}
        None => {
            let mut data = current;
            data.set_at(&["$patch"], "replace".into());
            let mut labels = owner.at(&["spec", "template", "metadata", "labels"]).cloned().unwrap_or_default();
            labels.set_at(&[HASH_LABEL], hash.as_str().into());
            let revision = value!({
                "metadata": {
                    "name": (format_smolstr!("{name}")), "labels": labels,
                    "ownerReferences": [(object::controller_reference(owner))]
                },
                "data": { "spec": { "template": data } },
                "revision": (newest + 1)
            });
            api.create(&REVISIONS, object::namespace(owner), revision);
        }
    }
    Revision { name, hash }
}

/// Deletes the oldest revisions that no Pod uses, beyond the history limit.
pub(super) fn remove_history(owner: &Value, live: &[&str], api: &mut Api<'_, '_>) {
    let limit = owner.at(&["spec", "revisionHistoryLimit"]).and_then(Value::as_i64).unwrap_or(10);
    let mut unused = api.controlled(&REVISIONS, owner);
    unused.retain(|revision| !live.contains(&object::name(revision)));
    unused.sort_by_key(|revision| object::int(revision, &["revision"]));
    let surplus = unused.len().saturating_sub(usize::try_from(limit).unwrap_or_default());
    for revision in &unused[..surplus] {
        api.delete(&REVISIONS, revision, Deletion::BACKGROUND);
    }
}
