use std::borrow::Cow;

use kro_value::Str;

use crate::uri::segments;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/version`
    Version,
    /// `/healthz`, `/livez`, `/readyz`
    Health(&'static str),
    /// `/api`
    CoreVersions,
    /// `/apis`
    Groups,
    /// `/apis/GROUP`
    Group(Str),
    /// `/api/v1`, `/apis/GROUP/VERSION`
    GroupVersion { group: Str, version: Str },
    /// `/openapi/v2`
    OpenApiV2,
    /// `/openapi/v3`
    OpenApiIndex,
    /// `/openapi/v3/KEY`
    OpenApiDocument(String),
    /// A collection, an object or a subresource.
    Resource(ResourcePath),
    /// Nowhere.
    Unknown,
}

/// The path of a collection (without name), an object or a subresource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: Str,
    pub(crate) version: Str,
    /// `None` outside of a namespace.
    pub(crate) namespace: Option<Str>,
    pub(crate) resource: Str,
    /// Empty for a collection.
    pub(crate) name: Str,
    /// Empty for the object itself.
    pub(crate) subresource: Str,
}

impl Route {
    pub(crate) fn of(path: &str) -> Self {
        let segments = segments(path);
        let parts: Vec<&str> = segments.iter().map(Cow::as_ref).collect();
        match parts.as_slice() {
            ["version"] => Self::Version,
            ["healthz"] => Self::Health("healthz"),
            ["livez"] => Self::Health("livez"),
            ["readyz"] => Self::Health("readyz"),
            ["api"] => Self::CoreVersions,
            ["apis"] => Self::Groups,
            ["apis", group] => Self::Group(Str::new(group)),
            ["api", version] => Self::GroupVersion { group: Str::default(), version: Str::new(version) },
            ["apis", group, version] => Self::GroupVersion { group: Str::new(group), version: Str::new(version) },
            ["openapi", "v2"] => Self::OpenApiV2,
            ["openapi", "v3"] => Self::OpenApiIndex,
            ["openapi", "v3", key @ ..] => Self::OpenApiDocument(key.join("/")),
            ["api", version, rest @ ..] => resource("", version, rest),
            ["apis", group, version, rest @ ..] => resource(group, version, rest),
            _ => Self::Unknown,
        }
    }
}

fn resource(group: &str, version: &str, rest: &[&str]) -> Route {
    let is_core = group.is_empty();
    let (namespace, rest) = match rest {
        // The Namespace itself, and its subresources.
        ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize"] if is_core => (None, rest),
        ["namespaces", namespace, inner @ ..] if !inner.is_empty() => (Some(Str::new(namespace)), inner),
        _ => (None, rest),
    };
    let part = |index: usize| rest.get(index).map(Str::new).unwrap_or_default();
    if rest.len() > 3 {
        return Route::Unknown;
    }
    Route::Resource(ResourcePath {
        group: Str::new(group),
        version: Str::new(version),
        namespace,
        resource: part(0),
        name: part(1),
        subresource: part(2),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> String {
        match Route::of(text) {
            Route::Resource(path) => format!(
                "{}/{} {} {}/{}/{}",
                path.group,
                path.version,
                path.namespace.as_deref().unwrap_or("-"),
                path.resource,
                path.name,
                path.subresource
            ),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn leads() {
        for (text, expected) in [
            ("/api/v1/pods", "/v1 - pods//"),
            ("/api/v1/namespaces", "/v1 - namespaces//"),
            ("/api/v1/namespaces/a", "/v1 - namespaces/a/"),
            ("/api/v1/namespaces/a/status", "/v1 - namespaces/a/status"),
            ("/api/v1/namespaces/a/pods", "/v1 a pods//"),
            ("/api/v1/namespaces/a/pods/p/log", "/v1 a pods/p/log"),
            ("/apis/g.x/v1/things/t", "g.x/v1 - things/t/"),
            ("/apis/g.x/v1/namespaces/n/things/t/status", "g.x/v1 n things/t/status"),
            ("/apis/g.x", "Group(\"g.x\")"),
            ("/openapi/v3/apis/apps/v1", "OpenApiDocument(\"apis/apps/v1\")"),
            ("/nope", "Unknown"),
            ("/", "Unknown"),
            ("/api/v1/pods/a/b/c", "Unknown"),
        ] {
            assert_eq!(path(text), expected, "{text}");
        }
    }
}
