//! HTTP listener and tower service of the embedded API.
