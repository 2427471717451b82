use crate::fieldset::{Path, PathElement, Set};

/// Which fields a writer through one endpoint may own at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldFilter {
    /// All.
    All,
    /// All but these paths and what is below them: what the endpoint resets, such as `status`.
    Except(Set),
    /// Only these paths and what is below them, such as `spec.replicas`.
    Only(Vec<Path>),
}

impl FieldFilter {
    /// All but some fields at the top of the object.
    pub fn except_fields(names: &[&'static str]) -> Self {
        let paths: Vec<Path> = names.iter().map(|name| vec![PathElement::field(*name)]).collect();
        Self::Except(Set::of(paths.iter().map(Vec::as_slice)))
    }

    /// What is left of a set.
    pub fn filter(&self, set: &Set) -> Set {
        match self {
            Self::All => set.clone(),
            Self::Except(paths) => set.recursive_difference(paths),
            Self::Only(paths) => {
                let kept: Vec<Path> = set
                    .paths()
                    .into_iter()
                    .filter(|path| paths.iter().any(|prefix| path.starts_with(prefix)))
                    .collect();
                Set::of(kept.iter().map(Vec::as_slice))
            }
        }
    }
}
