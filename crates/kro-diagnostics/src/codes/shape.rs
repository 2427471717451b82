//! Stage 1: the shape of a ResourceGraphDefinition.

codes! {
    /// A field has a value of another JSON type.
    WRONG_TYPE = 1001 "field of another type";
    /// A field that the API does not have.
    UNKNOWN_FIELD = 1002 "unknown field";
    /// A field is missing that must be there.
    REQUIRED = 1003 "required field is missing";
    /// The object is no ResourceGraphDefinition.
    NOT_A_DEFINITION = 1004 "not a ResourceGraphDefinition";
    /// The kind of instances is not UpperCamelCase or too long.
    KIND = 1005 "illegal kind";
    /// Version, group, scope or a printer column of the API is illegal.
    API = 1006 "illegal API";
    /// A short name or category is illegal or repeated.
    ALIAS = 1007 "illegal short name or category";
    /// The id of a resource is reserved or not lowerCamelCase.
    ID = 1008 "illegal resource id";
    /// Two resources have one id.
    DUPLICATE_ID = 1009 "duplicate resource id";
    /// An id is the name of a CEL type or library.
    HIDES_CEL_NAME = 1010 "resource id hides a name of CEL";
    /// A loop is malformed: too many dimensions, an illegal iterator.
    FOR_EACH = 1011 "malformed forEach";
    /// A resource does not have exactly one of `template` and `externalRef`.
    COMBINATION = 1012 "invalid combination of resource fields";
    /// An external reference does not have exactly one of `name` and `selector`.
    EXTERNAL_IDENTITY = 1013 "malformed external reference";
    /// A template is no Kubernetes object.
    NOT_AN_OBJECT = 1014 "template is not a Kubernetes object";
    /// A label or annotation that belongs to kro.
    RESERVED_KEY = 1015 "reserved label or annotation";
    /// The definition is larger than allowed.
    LIMIT = 1016 "definition beyond the limits";
    /// Which namespace the manifests of a graph without a schema go to.
    DEFAULT_NAMESPACE = 1017 "default namespace of a graph without a schema";
    /// Two definitions that cannot both be applied.
    DEFINED_TWICE = 1018 "defined twice";
}
