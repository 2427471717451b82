use std::fmt;
use std::sync::{Arc, OnceLock};

use kro_apimachinery::typed::Type;
use kro_schema::structural::Schema;
use kro_value::Str;

use crate::rules::Tree;

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

    /// True for this resource of this group.
    pub fn is(&self, group: &str, resource: &str) -> bool {
        self.group == group && self.resource == resource
    }
}

/// `deployments.apps`, or `configmaps` in the core group.
impl fmt::Display for GroupResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.resource)?;
        if self.group.is_empty() { Ok(()) } else { write!(formatter, ".{}", self.group) }
    }
}

/// A column that a CustomResourceDefinition adds to tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterColumn {
    /// The heading.
    pub name: Str,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub value_type: Str,
    /// An OpenAPI format; empty without one.
    pub format: Str,
    /// Empty without one.
    pub description: Str,
    /// Columns above 0 are for wide output.
    pub priority: i64,
    /// Where the value is.
    pub json_path: Str,
}

/// Where the scale subresource of a custom resource finds its values; dotted paths with a leading dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePaths {
    /// Desired replicas, under `.spec`.
    pub spec_replicas: Str,
    /// Observed replicas, under `.status`.
    pub status_replicas: Str,
    /// The selector as text, under `.spec` or `.status`; empty without one.
    pub label_selector: Str,
}

/// One version of a resource.
#[derive(Debug, Clone)]
pub struct Version {
    /// `v1`, `v1alpha1`.
    pub name: Str,
    /// Requests for other versions get 404.
    pub served: bool,
    /// The schema; `None` keeps everything as it was sent.
    pub schema: Option<Schema>,
    /// Names of the subresources.
    pub subresources: Vec<Str>,
    /// Scale of a custom resource.
    pub scale: Option<ScalePaths>,
    /// Columns of a custom resource; empty for built-in kinds, whose columns are code.
    pub columns: Vec<PrinterColumn>,
    /// Paths (with a leading dot) that field selectors of a custom resource may use.
    pub selectable_fields: Vec<Str>,
    /// What to warn of in every request; empty when the version is not deprecated.
    pub deprecation: Str,
    /// The structure of objects for server-side apply, made on first use.
    pub(crate) structure: OnceLock<Type>,
    /// The rules of a custom resource, compiled on first use.
    pub(crate) rules: OnceLock<Option<Arc<Tree>>>,
}

impl Version {
    /// True when there is a subresource of this name.
    pub fn has_subresource(&self, name: &str) -> bool {
        self.subresources.iter().any(|subresource| subresource == name)
    }
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
    /// Abbreviations, such as `deploy`.
    pub short_names: Vec<Str>,
    /// Groups of resources, such as `all`.
    pub categories: Vec<Str>,
    /// Verbs of the resource itself, as discovery lists them.
    pub verbs: Vec<Str>,
    /// All versions, preferred first.
    pub versions: Vec<Version>,
    /// Index of the version that objects are stored at.
    pub storage: usize,
    /// Defined by a CustomResourceDefinition.
    pub custom: bool,
    /// Its CustomResourceDefinition is being deleted: nothing new may be created.
    pub terminating: bool,
    /// Counts the definitions of this server, so that objects remember which schema they were written under; 0 for
    /// built-in kinds.
    pub revision: u64,
}

impl Resource {
    /// The index of a served version.
    pub fn version(&self, name: &str) -> Option<usize> {
        self.versions.iter().position(|version| version.served && version.name == name)
    }

    /// `apps/v1`, or `v1` in the core group.
    pub fn api_version(&self, version: usize) -> Str {
        let version = self.versions.get(version).map(|version| version.name.as_str()).unwrap_or_default();
        if self.id.group.is_empty() {
            Str::new(version)
        } else {
            kro_value::format_smolstr!("{}/{version}", self.id.group)
        }
    }

    /// The schema of a version.
    pub fn schema(&self, version: usize) -> Option<&Schema> {
        self.versions.get(version)?.schema.as_ref()
    }

    /// The structure of the objects of a version.
    pub(crate) fn structure(&self, version: usize) -> Type {
        let make = |version: &Version| match &version.schema {
            Some(schema) if self.custom => Type::from_custom_resource_schema(schema),
            Some(schema) => Type::from_schema(schema),
            None => Type::deduced(),
        };
        self.versions
            .get(version)
            .map_or_else(Type::deduced, |version| version.structure.get_or_init(|| make(version)).clone())
    }

    /// The compiled rules of a version; `None` without any.
    pub(crate) fn rules(&self, version: usize) -> Option<Arc<Tree>> {
        let version = self.versions.get(version)?;
        let make = || version.schema.as_ref().and_then(Tree::of).map(Arc::new);
        version.rules.get_or_init(make).clone()
    }

    /// True when objects have a `status` of their own endpoint.
    pub fn has_status(&self, version: usize) -> bool {
        self.versions.get(version).is_some_and(|version| version.has_subresource("status"))
    }

    /// True when discovery lists this verb.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}
