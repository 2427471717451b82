use kro_value::Str;

use crate::library::quote;

/// An absolute URL or an absolute path, taken apart. All parts are as Go's `net/url` shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The URL as text, normalized.
    pub text: Str,
    /// `https`; empty for a path.
    pub scheme: Str,
    /// Host and port.
    pub host: Str,
    /// The path with its escapes.
    pub escaped_path: Str,
    /// Query parameters by name, with their values in the order they are written.
    pub query: Vec<(Str, Vec<Str>)>,
}

impl Url {
    /// Reads a URL with a scheme, or a path that starts with a slash.
    ///
    /// # Errors
    /// What is wrong, in Go's words: `parse "x": invalid URI for request`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let problem = |problem: String| format!("parse {}: {problem}", quote(text));
        // A request has no fragment, so the hash is part of the path or query when the form is checked.
        Parts::read(text, true).map_err(problem)?;
        let (whole, fragment) = text.split_once('#').map_or((text, None), |(whole, tail)| (whole, Some(tail)));
        let parts = Parts::read(whole, false).map_err(problem)?;
        let fragment =
            fragment.map(|fragment| unescape(fragment.as_bytes(), Place::Path)).transpose().map_err(problem)?;
        Ok(parts.build(fragment))
    }

    /// Whether a text has the form of a URL.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn check(text: &str) -> Result<(), String> {
        Parts::read(text, true).map(|_| ()).map_err(|problem| format!("parse {}: {problem}", quote(text)))
    }

    /// The host without port and without the brackets of an IPv6 address.
    pub fn hostname(&self) -> &str {
        let host = self.split_port().0;
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port without its colon; empty when there is none.
    pub fn port(&self) -> &str {
        self.split_port().1
    }

    fn split_port(&self) -> (&str, &str) {
        match self.host.rfind(':') {
            Some(colon) if is_port(&self.host[colon..]) => (&self.host[..colon], &self.host[colon + 1..]),
            _ => (&self.host, ""),
        }
    }
}

/// A URL before it is normalized.
struct Parts<'a> {
    scheme: String,
    /// What follows the scheme when it is no path.
    opaque: Option<&'a str>,
    user: Option<String>,
    host: String,
    has_authority: bool,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Takes a text apart; in a request, what starts with two slashes is a path.
    fn read(text: &'a str, is_request: bool) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text.is_empty() {
            return Err("empty url".to_owned());
        }
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let mut parts = Self {
            scheme: scheme.to_ascii_lowercase(),
            opaque: None,
            user: None,
            host: String::new(),
            has_authority: false,
            path: rest,
            query,
        };
        if !rest.starts_with('/') {
            return match scheme {
                "" if text == "*" => Ok(parts),
                "" => Err("invalid URI for request".to_owned()),
                _ => {
                    parts.opaque = Some(rest);
                    parts.path = "";
                    Ok(parts)
                }
            };
        }
        if let Some(rest) =
            rest.strip_prefix("//").filter(|tail| !scheme.is_empty() || !(is_request || tail.starts_with('/')))
        {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (parts.user, parts.host) = read_authority(authority)?;
            parts.has_authority = true;
            parts.path = path;
        }
        unescape(parts.path.as_bytes(), Place::Path)?;
        Ok(parts)
    }

    fn build(self, fragment: Option<Vec<u8>>) -> Url {
        let path = unescape(self.path.as_bytes(), Place::Path).unwrap_or_default();
        let escaped_path =
            if self.path.bytes().all(is_valid_in_path) { self.path.to_owned() } else { escape(&path, Place::Path) };
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text = format!("{}:", self.scheme);
        }
        if let Some(opaque) = self.opaque {
            text.push_str(opaque);
        } else if !self.host.is_empty() || self.user.is_some() || (self.has_authority && !self.path.is_empty()) {
            text.push_str("//");
            if let Some(user) = &self.user {
                text.push_str(user);
                text.push('@');
            }
            text.push_str(&escape(self.host.as_bytes(), Place::Host));
        }
        text.push_str(&escaped_path);
        if let Some(query) = self.query {
            text.push('?');
            text.push_str(query);
        }
        if let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) {
            text.push('#');
            text.push_str(&escape(&fragment, Place::Path));
        }
        Url {
            text: text.into(),
            scheme: self.scheme.into(),
            host: self.host.into(),
            escaped_path: escaped_path.into(),
            query: read_query(self.query.unwrap_or_default()),
        }
    }
}

/// Where in a URL an escape stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Host,
    User,
    Query,
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

fn read_authority(authority: &str) -> Result<(Option<String>, String), String> {
    let Some((user, host)) = authority.rsplit_once('@') else { return Ok((None, read_host(authority)?)) };
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    let host = read_host(host)?;
    if !user.bytes().all(valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
    let mut shown = escape(&unescape(name.as_bytes(), Place::User)?, Place::User);
    if let Some(password) = password {
        shown.push(':');
        shown.push_str(&escape(&unescape(password.as_bytes(), Place::User)?, Place::User));
    }
    Ok((Some(shown), host))
}

fn read_host(host: &str) -> Result<String, String> {
    let port = if host.starts_with('[') {
        let Some(end) = host.rfind(']') else { return Err("missing ']' in host".to_owned()) };
        &host[end + 1..]
    } else {
        host.find(':').map_or("", |colon| &host[colon..]) // all colons: an IPv6 address needs its brackets
    };
    if !is_port(port) {
        return Err(format!("invalid port {port:?} after host"));
    }
    let bytes = unescape(host.as_bytes(), Place::Host)?;
    let host = String::from_utf8_lossy(&bytes).into_owned();
    if let Some((address, _)) = host.strip_prefix('[').and_then(|host| host.rsplit_once(']')) {
        check_literal(address)?;
    }
    Ok(host)
}

/// What stands between brackets is an IPv6 address, perhaps with a zone.
fn check_literal(address: &str) -> Result<(), String> {
    let bare = address.split_once('%').map_or(address, |(bare, _)| bare);
    if bare.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".to_owned());
    }
    if bare.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(format!("invalid host: {}", super::network::address_problem(address)));
    }
    if address.ends_with('%') {
        return Err(format!("invalid host: ParseAddr(\"{address}\"): zone must be a non-empty string"));
    }
    Ok(())
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').map_or(text.is_empty(), |digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Characters that may stand in a path as they are.
fn is_valid_in_path(byte: u8) -> bool {
    !needs_escape(byte, Place::Path) || b"!'()*[]%".contains(&byte)
}

fn needs_escape(byte: u8, place: Place) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let allowed: &[u8] = match place {
        Place::Path => b"$&+,/:;=@",
        Place::Host => b"!$&'()*+,;=:[]<>\"",
        Place::User => b"$&+,;=",
        Place::Query => b"",
    };
    !allowed.contains(&byte)
}

fn escape(bytes: &[u8], place: Place) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if needs_escape(*byte, place) && !(place == Place::Host && *byte >= 0x80) {
            out.push_str(&format!("%{byte:02X}"));
        } else if *byte < 0x80 {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &[u8], place: Place) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'%' => {
                let digits = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
                let value = digits
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let shown = String::from_utf8_lossy(&text[at..text.len().min(at + 3)]).into_owned();
                let Some(value) = value else { return Err(format!("invalid URL escape {shown:?}")) };
                if place == Place::Host && value < 0x80 && shown != "%25" {
                    return Err(format!("invalid URL escape {shown:?}"));
                }
                out.push(value);
                at += 3;
            }
            b'+' if place == Place::Query => {
                out.push(b' ');
                at += 1;
            }
            byte if place == Place::Host && *byte < 0x80 && needs_escape(*byte, Place::Host) => {
                let shown = char::from(*byte).to_string();
                return Err(format!("invalid character {shown:?} in host name"));
            }
            byte => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    Ok(out)
}

/// The parameters; what is malformed is left out.
fn read_query(query: &str) -> Vec<(Str, Vec<Str>)> {
    let mut found: Vec<(Str, Vec<Str>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| {
            unescape(text.as_bytes(), Place::Query).ok().map(|bytes| Str::from(String::from_utf8_lossy(&bytes)))
        };
        let (Some(name), Some(value)) = (decode(name), decode(value)) else { continue };
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => found.push((name, vec![value])),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let url = Url::parse("HTTPS://user:pw@[fd00::1]:8443/a b/x%20y?q=1&q=2&e=%2B+#frag").unwrap();
        assert_eq!(url.text, "https://user:pw@[fd00::1]:8443/a%20b/x%20y?q=1&q=2&e=%2B+#frag");
        assert_eq!((url.scheme.as_str(), url.host.as_str()), ("https", "[fd00::1]:8443"));
        assert_eq!((url.hostname(), url.port(), url.escaped_path.as_str()), ("fd00::1", "8443", "/a%20b/x%20y"));
        assert_eq!(url.query[0].1, ["1", "2"]);
        assert_eq!(url.query[1].1, ["+ "]);
    }

    #[test]
    fn words_problems_as_go_does() {
        for (text, message) in [
            ("", "parse \"\": empty url"),
            ("://x", "parse \"://x\": missing protocol scheme"),
            ("http://a b", "parse \"http://a b\": invalid character \" \" in host name"),
            ("example.com", "parse \"example.com\": invalid URI for request"),
            ("http://a:x/", "parse \"http://a:x/\": invalid port \":x\" after host"),
            ("/%zz", "parse \"/%zz\": invalid URL escape \"%zz\""),
        ] {
            assert_eq!(Url::parse(text).unwrap_err(), message);
        }
    }
}
