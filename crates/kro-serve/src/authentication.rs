//! Who sends a request: a client certificate, else a bearer token, else nobody.

use http::{HeaderMap, header};
use kro_apiserver::User;
use kro_value::Str;

use crate::status::{self, Refusal};
use crate::tls::SubjectNames;

/// The group of everyone who proved who they are.
const AUTHENTICATED: &str = "system:authenticated";

/// The bearer tokens that a listener knows.
#[derive(Clone, Default)]
pub struct Tokens {
    entries: Vec<(String, User)>,
}

impl Tokens {
    /// No tokens.
    pub fn new() -> Self {
        Self::default()
    }

    /// These tokens with one more: whoever presents it is this user.
    #[must_use]
    pub fn with(mut self, token: impl Into<String>, user: User) -> Self {
        self.entries.push((token.into(), user));
        self
    }

    /// The user of a token. Every entry is compared in full, so that the time taken says nothing.
    fn user(&self, token: &str) -> Option<&User> {
        self.entries.iter().fold(None, |found, (known, user)| if same(known, token) { Some(user) } else { found })
    }
}

/// Compares without an early exit.
fn same(left: &str, right: &str) -> bool {
    let differing = left.bytes().zip(right.bytes()).fold(0, |differing, (left, right)| differing | (left ^ right));
    left.len() == right.len() && differing == 0
}

/// The user of a verified client certificate: its common name, its organisations as groups.
pub(crate) fn of_certificate(der: &[u8]) -> Option<User> {
    let names = SubjectNames::of_certificate(der);
    let groups: Vec<&str> = names.organisations.iter().map(String::as_str).chain([AUTHENTICATED]).collect();
    names.common_name.map(|name| User::in_groups(&name, &groups))
}

/// The user of a request on a connection; `issued` knows the tokens that the API itself gave out.
///
/// # Errors
/// 401 when a token is presented that nobody knows.
pub(crate) fn of_request(
    certificate: Option<&User>,
    headers: &HeaderMap,
    tokens: &Tokens,
    issued: impl FnOnce(&str) -> Option<User>,
) -> Result<User, Refusal> {
    if let Some(user) = certificate {
        return Ok(user.clone());
    }
    let Some(token) = bearer(headers) else { return Ok(User::anonymous()) };
    tokens.user(token).map(authenticated).or_else(|| issued(token)).ok_or_else(status::unauthorized)
}

/// The bearer token of the `Authorization` header; other schemes are no authentication at all.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.trim())
}

fn authenticated(user: &User) -> User {
    let mut user = user.clone();
    if !user.is_in(AUTHENTICATED) {
        user.groups.push(Str::new(AUTHENTICATED));
    }
    user
}

#[cfg(test)]
mod tests {
    use super::{Tokens, of_request};
    use http::{HeaderMap, HeaderValue, header};
    use kro_apiserver::User;

    fn user(authorization: Option<&str>, certificate: Option<&User>) -> Result<User, ()> {
        let tokens = Tokens::new().with("secret", User::in_groups("ann", &["team"]));
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        of_request(certificate, &headers, &tokens, |_| None).map_err(|_| ())
    }

    #[test]
    fn a_known_token_names_its_user() {
        for scheme in ["Bearer secret", "bearer secret"] {
            assert_eq!(user(Some(scheme), None), Ok(User::in_groups("ann", &["team", "system:authenticated"])));
        }
    }

    #[test]
    fn an_unknown_token_is_refused_and_nothing_is_nobody() {
        for wrong in ["Bearer secre", "Bearer secrets", "Bearer SECRET"] {
            assert_eq!(user(Some(wrong), None), Err(()));
        }
        for nothing in [None, Some("Basic YTpi"), Some("Bearer")] {
            assert_eq!(user(nothing, None), Ok(User::anonymous()));
        }
    }

    #[test]
    fn a_certificate_goes_before_a_token() {
        let admin = User::admin();
        assert_eq!(user(Some("Bearer wrong"), Some(&admin)), Ok(User::admin()));
    }
}
