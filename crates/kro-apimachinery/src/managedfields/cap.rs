use std::collections::HashMap;

use kro_value::Str;

use super::{Entry, Identity, Managers, Operation};

/// Entries of updaters that an object may have.
const UPDATERS_MAX: usize = 10;
const ANCIENT_CHANGES: &str = "ancient-changes";

/// Merges the oldest updaters of one version into `ancient-changes` until there are few enough.
pub(super) fn cap(mut managers: Managers) -> Managers {
    let is_updater = |entry: &&Entry| entry.identity.operation == Operation::Update;
    let mut updaters: Vec<_> = managers.entries().iter().filter(is_updater).map(age).collect();
    let mut count = updaters.len();
    updaters.sort();
    let mut first_of_version: HashMap<Str, Identity> = HashMap::new();
    for (_, identity) in updaters {
        if count <= UPDATERS_MAX {
            break;
        }
        let Some(version) = managers.get(&identity).map(|entry| entry.api_version.clone()) else { continue };
        match first_of_version.remove(&version) {
            None => {
                first_of_version.insert(version, identity);
            }
            Some(first) => {
                let bucket = merge(&mut managers, &first, &identity, &version);
                first_of_version.insert(version, bucket);
                count -= 1;
            }
        }
    }
    managers
}

fn age(entry: &Entry) -> (Option<Str>, Identity) {
    (entry.time.clone(), entry.identity.clone())
}

fn merge(managers: &mut Managers, first: &Identity, second: &Identity, version: &Str) -> Identity {
    let bucket = Identity::new(ANCIENT_CHANGES, Operation::Update, version, "");
    let (first, second) = (managers.take(first), managers.take(second));
    let mut fields = managers.take(&bucket).map(|entry| entry.fields).unwrap_or_default();
    for entry in first.iter().chain(&second) {
        fields = fields.union(&entry.fields);
    }
    let time = second.or(first).and_then(|entry| entry.time);
    managers.put(Entry { identity: bucket.clone(), api_version: version.clone(), time, fields });
    bucket
}
