//! Wire constants of kro: everything a user, another controller or the Go implementation can see by name.
//!
//! One place for each string, so that the wire contract can be read here and changed nowhere else.

pub mod condition;
pub mod metadata;

/// The API group of ResourceGraphDefinitions, and the default group of the APIs they define.
pub const GROUP: &str = "kro.run";
/// The group of kro's own bookkeeping objects.
pub const INTERNAL_GROUP: &str = "internal.kro.run";
/// The version of both groups.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of a ResourceGraphDefinition.
pub const RGD_API_VERSION: &str = "kro.run/v1alpha1";
/// `kind` of a ResourceGraphDefinition.
pub const RGD_KIND: &str = "ResourceGraphDefinition";
/// The resource of ResourceGraphDefinitions in request paths.
pub const RGD_PLURAL: &str = "resourcegraphdefinitions";
/// `apiVersion` of a GraphRevision.
pub const GRAPH_REVISION_API_VERSION: &str = "internal.kro.run/v1alpha1";
/// `kind` of a GraphRevision.
pub const GRAPH_REVISION_KIND: &str = "GraphRevision";
/// The resource of GraphRevisions in request paths.
pub const GRAPH_REVISION_PLURAL: &str = "graphrevisions";
