//! Stage 5: templates against the schemas of Kubernetes.

codes! {
    /// There is no schema for a kind.
    UNKNOWN_KIND = 5001 "unknown kind";
    /// A namespace on a cluster-scoped object.
    CLUSTER_SCOPED = 5002 "namespace on a cluster-scoped resource";
    /// No namespace where the instance has none to give.
    NAMESPACE_REQUIRED = 5003 "namespace is missing";
    /// A literal of another type.
    LITERAL_TYPE = 5004 "literal of another type";
    /// A field that the kind does not have.
    UNKNOWN_FIELD = 5005 "field that the kind does not have";
    /// A field is missing that the kind requires.
    REQUIRED_FIELD = 5006 "field that the kind requires is missing";
    /// A literal outside the enumeration.
    ENUM = 5007 "literal outside the enumeration";
    /// A literal that does not match the pattern.
    PATTERN = 5008 "literal does not match the pattern";
    /// A literal beyond a bound.
    BOUND = 5009 "literal beyond a bound";
    /// An expression of a type that the field does not take.
    EXPRESSION_TYPE = 5010 "expression of another type than the field";
    /// An expression in the body of a CustomResourceDefinition.
    CRD_EXPRESSION = 5011 "expression in a CustomResourceDefinition";
    /// A literal name that Kubernetes refuses.
    NAME = 5012 "illegal object name";
    /// An object without a name.
    NAME_REQUIRED = 5013 "object without a name";
    /// Items of a list that must be unique are not.
    DUPLICATE_ITEM = 5014 "repeated list item";
}
