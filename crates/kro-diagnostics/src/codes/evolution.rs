//! Stage 6: a change of an API that has instances.

codes! {
    /// Stored instances or clients would break.
    BREAKING = 6001 "breaking change of an API";
    /// The API changes and nothing breaks.
    COMPATIBLE = 6002 "compatible change of an API";
}
