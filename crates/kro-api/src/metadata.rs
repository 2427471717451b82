//! Finalizers, field managers, labels and annotations.

/// The one finalizer, on RGDs, GraphRevisions and instances.
pub const FINALIZER: &str = "kro.run/finalizer";

/// Field manager of children.
pub const MANAGER_APPLYSET: &str = "kro.run/applyset";
/// Field manager of the inventory on an instance.
pub const MANAGER_APPLYSET_PARENT: &str = "kro.run/applyset-parent";
/// Field manager of the finalizer and labels on an instance.
pub const MANAGER_LABELLER: &str = "kro.run/labeller";

/// Prefix of public keys; templates must not set them.
pub const PREFIX: &str = "kro.run/";
/// Prefix of internal keys; templates must not set them.
pub const INTERNAL_PREFIX: &str = "internal.kro.run/";

/// `true` on everything that kro owns.
pub const LABEL_OWNED: &str = "kro.run/owned";
/// The version of the controller that wrote the object.
pub const LABEL_KRO_VERSION: &str = "kro.run/kro-version";
/// UID of the RGD, on CRDs and instances.
pub const LABEL_RGD_ID: &str = "kro.run/resource-graph-definition-id";
/// Name of the RGD, on CRDs, GraphRevisions and instances.
pub const LABEL_RGD_NAME: &str = "kro.run/resource-graph-definition-name";
/// Spec hash, on GraphRevisions.
pub const LABEL_REVISION_HASH: &str = "kro.run/graph-revision-hash";
/// UID of the instance, on children.
pub const LABEL_INSTANCE_ID: &str = "kro.run/instance-id";
/// Name of the instance, on children.
pub const LABEL_INSTANCE_NAME: &str = "kro.run/instance-name";
/// Namespace of the instance, on children of namespaced instances.
pub const LABEL_INSTANCE_NAMESPACE: &str = "kro.run/instance-namespace";
/// API group of the instance, on children.
pub const LABEL_INSTANCE_GROUP: &str = "kro.run/instance-group";
/// API version of the instance, on children.
pub const LABEL_INSTANCE_VERSION: &str = "kro.run/instance-version";
/// Kind of the instance, on children.
pub const LABEL_INSTANCE_KIND: &str = "kro.run/instance-kind";
/// Id of the resource, on children.
pub const LABEL_NODE_ID: &str = "kro.run/node-id";
/// Position in a collection, from 0.
pub const LABEL_COLLECTION_INDEX: &str = "kro.run/collection-index";
/// Size of a collection.
pub const LABEL_COLLECTION_SIZE: &str = "kro.run/collection-size";
/// `kro` on children; never on instances.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Value of [`LABEL_MANAGED_BY`].
pub const MANAGED_BY: &str = "kro";

/// The ApplySet's id, on the instance.
pub const LABEL_APPLYSET_ID: &str = "applyset.kubernetes.io/id";
/// The ApplySet's id, on its members.
pub const LABEL_APPLYSET_PART_OF: &str = "applyset.kubernetes.io/part-of";
/// The tool that manages the set: `kro/<version>`.
pub const ANNOTATION_APPLYSET_TOOLING: &str = "applyset.kubernetes.io/tooling";
/// Kinds of the members, sorted.
pub const ANNOTATION_APPLYSET_GROUP_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// Namespaces of the members besides the instance's own, sorted.
pub const ANNOTATION_APPLYSET_NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
/// Checksum of the inventory.
pub const ANNOTATION_INVENTORY_HASH: &str = "internal.kro.run/applyset-inventory-hash";
/// Deletion wave of a child: decimal, 1 goes last.
pub const ANNOTATION_APPLY_ORDER: &str = "internal.kro.run/apply-order";
/// On an instance: `suspended` (or `disabled`) stops reconciliation.
pub const ANNOTATION_RECONCILE: &str = "kro.run/reconcile";
/// On a resource's template: `true` lets kro delete and create its object again where a field that cannot be changed has
/// to change.
pub const ANNOTATION_REPLACE_IMMUTABLE: &str = "kro.run/replace-immutable";
/// On an RGD: `true` lets a breaking change of the CRD through.
pub const ANNOTATION_ALLOW_BREAKING: &str = "kro.run/allow-breaking-changes";
/// On an RGD without a schema: the namespace of manifests that name none.
pub const ANNOTATION_DEFAULT_NAMESPACE: &str = "kro.run/default-namespace";

/// Every label and annotation of the contract.
pub const LABELS_AND_ANNOTATIONS: [&str; 26] = [
    LABEL_OWNED,
    LABEL_KRO_VERSION,
    LABEL_RGD_ID,
    LABEL_RGD_NAME,
    LABEL_REVISION_HASH,
    LABEL_INSTANCE_ID,
    LABEL_INSTANCE_NAME,
    LABEL_INSTANCE_NAMESPACE,
    LABEL_INSTANCE_GROUP,
    LABEL_INSTANCE_VERSION,
    LABEL_INSTANCE_KIND,
    LABEL_NODE_ID,
    LABEL_COLLECTION_INDEX,
    LABEL_COLLECTION_SIZE,
    LABEL_MANAGED_BY,
    LABEL_APPLYSET_ID,
    LABEL_APPLYSET_PART_OF,
    ANNOTATION_APPLYSET_TOOLING,
    ANNOTATION_APPLYSET_GROUP_KINDS,
    ANNOTATION_APPLYSET_NAMESPACES,
    ANNOTATION_INVENTORY_HASH,
    ANNOTATION_APPLY_ORDER,
    ANNOTATION_RECONCILE,
    ANNOTATION_REPLACE_IMMUTABLE,
    ANNOTATION_ALLOW_BREAKING,
    ANNOTATION_DEFAULT_NAMESPACE,
];
