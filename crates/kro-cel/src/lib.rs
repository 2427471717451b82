//! The Common Expression Language: parser, checker, evaluator, Kubernetes and kro libraries.
