//! An in-memory Kubernetes API: knows nothing of kro.
