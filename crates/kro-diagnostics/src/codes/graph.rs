//! Stage 4: the graph that expressions make of resources.

codes! {
    /// Resources depend on each other in a circle.
    CYCLE = 4001 "dependency cycle";
    /// A resource reads itself.
    SELF_REFERENCE = 4002 "resource reads itself";
    /// A loop reads an iterator.
    ITERATOR_REFERENCE = 4003 "forEach reads an iterator";
    /// The objects of a collection could have the same name.
    COLLECTION_IDENTITY = 4004 "collection without unique names";
    /// A loop over something that is no list.
    NOT_A_LIST = 4005 "forEach over something that is not a list";
    /// A status field is constant.
    STATUS_CONSTANT = 4006 "status field without an expression";
    /// A status field reads no resource.
    STATUS_REFERENCE = 4007 "status field reads nothing";
    /// The status has a field that kro writes itself.
    STATUS_RESERVED = 4008 "status field of kro's own";
    /// A condition of the status is malformed.
    CONDITION = 4009 "malformed status condition";
    /// Nothing reads an external reference.
    UNUSED = 4010 "unused external reference";
    /// A name that changes by itself.
    UNSTABLE_IDENTITY = 4011 "unstable name";
    /// `schema` in a definition that has none.
    NO_SCHEMA = 4012 "schema in a definition without a schema";
    /// A resource that is left out with what only one of its branches reads.
    SKIPPED_WITH_BRANCH = 4013 "left out with what one branch reads";
}
