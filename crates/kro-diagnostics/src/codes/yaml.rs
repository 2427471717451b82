//! Stage 0: the text as YAML.

codes! {
    /// The text is no YAML.
    SYNTAX = 0001 "malformed YAML";
    /// A mapping has a key twice.
    DUPLICATE_KEY = 0002 "duplicate key";
    /// An alias names no anchor before it, or its own anchor.
    ALIAS = 0003 "unusable alias";
    /// The text is too large, too deep, or its aliases expand to too much.
    LIMIT = 0004 "YAML beyond the limits";
    /// A key has no text form.
    KEY = 0005 "key that is not text";
    /// A scalar contradicts its tag, or JSON cannot hold it.
    SCALAR = 0006 "scalar that cannot be read";
    /// The value of `<<` is no mapping.
    MERGE = 0007 "merge of something that is no mapping";
    /// A `<<` replaces a key written before it.
    MERGE_ORDER = 0008 "merge replaces a key written before it";
    /// A plain key is read as a boolean.
    BOOLEAN_KEY = 0009 "key read as a boolean";
}
