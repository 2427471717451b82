use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Identity, Operation};
use crate::fieldset::{Path, PathText};
use crate::{Cause, Status, go_quote};

/// A field that an applier wants another value of than its owner gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The owner.
    pub owner: Identity,
    /// The field.
    pub path: Path,
}

impl Conflict {
    /// The answer to an apply with these conflicts: 409, causes sorted by manager.
    pub fn status_of_all(mut conflicts: Vec<Self>) -> Status {
        conflicts.sort_by(|left, right| left.owner.cmp(&right.owner));
        let causes = conflicts.iter().map(|conflict| Cause {
            reason: "FieldManagerConflict".into(),
            message: format!("conflict with {}", print(&conflict.owner)),
            field: PathText(&conflict.path).to_string(),
        });
        let causes = causes.collect();
        Status::failure(409, "Conflict", message(&conflicts)).with_causes(causes)
    }
}

fn message(conflicts: &[Conflict]) -> String {
    if let [only] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", print(&only.owner), PathText(&only.path));
    }
    let mut by_owner: BTreeMap<&Identity, Vec<&Path>> = BTreeMap::new();
    for conflict in conflicts {
        by_owner.entry(&conflict.owner).or_default().push(&conflict.path);
    }
    let mut lines = Vec::new();
    for (owner, paths) in by_owner {
        lines.push(format!("conflicts with {}:", print(owner)));
        lines.extend(paths.into_iter().map(|path| format!("- {}", PathText(path))));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

fn print(owner: &Identity) -> String {
    let mut text = go_quote(&owner.manager);
    if !owner.subresource.is_empty() {
        let _ = write!(text, " with subresource {}", go_quote(&owner.subresource));
    }
    if owner.operation == Operation::Update {
        let _ = write!(text, " using {}", owner.api_version);
    }
    text
}
