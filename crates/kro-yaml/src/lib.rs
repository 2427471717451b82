//! A YAML tree with byte spans, typed as sigs.k8s.io/yaml does.
