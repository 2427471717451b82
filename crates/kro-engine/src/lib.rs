//! Plan, readiness, status, ApplySet and deletion of one instance, as pure functions.
