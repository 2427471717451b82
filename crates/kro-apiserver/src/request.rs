use std::fmt;

use bytes::Bytes;
use kro_value::Str;

/// An HTTP method that the Kubernetes API knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads one object or a collection, or opens a watch.
    Get,
    /// As GET, without a body in the answer.
    Head,
    /// Creates an object.
    Post,
    /// Replaces an object.
    Put,
    /// Changes an object.
    Patch,
    /// Deletes an object or a collection.
    Delete,
    /// Always refused.
    Options,
}

impl Method {
    /// Reads the upper-case name of a method; `None` for methods outside the Kubernetes API.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => return None,
        })
    }

    /// The upper-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// HTTP headers in order; names are compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    entries: Vec<(Str, String)>,
}

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header behind those with the same name.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.entries.push((Str::new(name), value.into()));
    }

    /// These headers with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// Replaces every header of this name by one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.entries.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
        self.push(name, value);
    }

    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().find(|(existing, _)| existing.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Every value of a header, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |(existing, _)| existing.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Every header in order, with its name as it was given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Who sends a request, as authentication (outside of this crate) found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// For example `system:serviceaccount:ns:name`.
    pub name: Str,
    /// Empty when unknown.
    pub uid: Str,
    /// Groups, `system:authenticated` included where it holds.
    pub groups: Vec<Str>,
    /// Extra attributes: key to values.
    pub extra: Vec<(Str, Vec<Str>)>,
}

impl User {
    /// A user in `system:masters`, whom everything is allowed.
    pub fn admin() -> Self {
        Self::in_groups("kro-admin", &["system:masters", "system:authenticated"])
    }

    /// Nobody known.
    pub fn anonymous() -> Self {
        Self::in_groups("system:anonymous", &["system:unauthenticated"])
    }

    /// An authenticated user in these groups; add `system:authenticated` yourself.
    pub fn in_groups(name: &str, groups: &[&str]) -> Self {
        let groups = groups.iter().map(Str::new).collect();
        Self { name: Str::new(name), uid: Str::default(), groups, extra: Vec::new() }
    }

    /// The user of a ServiceAccount, with the groups that come with it.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let of_namespace = format!("system:serviceaccounts:{namespace}");
        Self::in_groups(
            &format!("system:serviceaccount:{namespace}:{name}"),
            &["system:serviceaccounts", &of_namespace, "system:authenticated"],
        )
    }

    /// True when the user is a member of the group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|member| member == group)
    }
}

/// One request, read completely.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// The path, percent-encoded as it came: `/api/v1/namespaces/default/configmaps`.
    pub path: String,
    /// The query without `?`, percent-encoded as it came; empty when there is none.
    pub query: String,
    /// The headers.
    pub headers: Headers,
    /// The body; empty when there is none.
    pub body: Bytes,
    /// Who asks.
    pub user: User,
}

impl Request {
    /// A request of the administrator without body and headers; `target` is a path with an optional query.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Headers::new(),
            body: Bytes::new(),
            user: User::admin(),
        }
    }

    /// The same request with a body of this content type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.headers.set("Content-Type", content_type);
        self.body = body.into();
        self
    }

    /// The same request with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same request by another user.
    #[must_use]
    pub fn by(mut self, user: User) -> Self {
        self.user = user;
        self
    }
}
