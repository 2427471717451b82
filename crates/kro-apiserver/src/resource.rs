use std::fmt;

use kro_value::Str;

/// A resource without its version: what storage, watches and RBAC go by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// Empty for the core group.
    pub group: Str,
    /// The plural, as in paths.
    pub resource: Str,
}

impl GroupResource {
    /// A resource of a group.
    pub fn new(group: impl Into<Str>, resource: impl Into<Str>) -> Self {
        Self { group: group.into(), resource: resource.into() }
    }
}

/// `deployments.apps`, or `configmaps` in the core group.
impl fmt::Display for GroupResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.resource)?;
        if self.group.is_empty() { Ok(()) } else { write!(formatter, ".{}", self.group) }
    }
}

/// One version of a resource.
#[derive(Debug, Clone)]
pub struct Version {
    /// `v1`, `v1alpha1`.
    pub name: Str,
    /// Requests for other versions get 404.
    pub served: bool,
}

/// What is served under a path: a built-in kind or one of a CustomResourceDefinition. Immutable; a changed
/// definition makes a new one.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Group and plural.
    pub id: GroupResource,
    /// `Deployment`
    pub kind: Str,
    /// `DeploymentList`
    pub list_kind: Str,
    /// `deployment`
    pub singular: Str,
    /// Lives in a namespace.
    pub namespaced: bool,
    /// All versions; the storage version is at `storage`.
    pub versions: Vec<Version>,
    /// Index of the storage version.
    pub storage: usize,
    /// Defined by a CustomResourceDefinition.
    pub custom: bool,
}
