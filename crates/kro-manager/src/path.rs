//! Request paths of the Kubernetes API.

/// The path of a collection: `/api/v1/...` for the core group, `/apis/<group>/<version>/...` otherwise.
pub fn collection(group: &str, version: &str, namespace: Option<&str>, plural: &str) -> String {
    let mut path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    if let Some(namespace) = namespace {
        path.push_str("/namespaces/");
        path.push_str(namespace);
    }
    path.push('/');
    path.push_str(plural);
    path
}

/// The path of one object.
pub fn object(group: &str, version: &str, namespace: Option<&str>, plural: &str, name: &str) -> String {
    format!("{}/{name}", collection(group, version, namespace, plural))
}

#[cfg(test)]
mod tests {
    #[test]
    fn core_and_named_groups() {
        assert_eq!(super::collection("", "v1", Some("a"), "pods"), "/api/v1/namespaces/a/pods");
        assert_eq!(super::object("apps", "v1", None, "deployments", "x"), "/apis/apps/v1/deployments/x");
    }
}
