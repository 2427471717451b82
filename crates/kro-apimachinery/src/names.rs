//! Rules for names, label keys and label values, with the reference's messages.

/// `name must be...` for an RFC 1123 subdomain.
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const QUALIFIED_FORM: &str = "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SEARCH_DOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// What is wrong with an RFC 1123 subdomain (the names of most objects); empty when nothing is.
pub fn subdomain_errors(name: &str) -> Vec<String> {
    let fits = name.split('.').all(|part| is_label(part, false));
    errors(name, 253, fits, SUBDOMAIN)
}

/// What is wrong with an RFC 1123 label (the names of namespaces); empty when nothing is.
pub fn dns_label_errors(name: &str) -> Vec<String> {
    let message = if subdomain_errors(name).is_empty() { "must not contain dots" } else { LABEL };
    errors(name, 63, is_label(name, false), message)
}

/// What is wrong with the name of hosts `*.example.com`; empty when nothing is.
pub fn wildcard_errors(name: &str) -> Vec<String> {
    let fits = name.strip_prefix("*.").is_some_and(|rest| rest.split('.').all(|part| is_label(part, false)));
    errors(name, 253, fits, WILDCARD)
}

/// What is wrong with a domain in which names are looked up: a subdomain, underscores allowed; empty when nothing is.
pub fn search_domain_errors(name: &str) -> Vec<String> {
    let fits = name.split('.').all(|part| is_label(&part.strip_prefix('_').unwrap_or(part).replace('_', "-"), false));
    errors(name, 253, fits, SEARCH_DOMAIN)
}

/// What is wrong with the name of a port; empty when nothing is.
pub fn port_name_errors(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut require = |holds: bool, message: &str| {
        if !holds {
            found.push(message.to_owned());
        }
    };
    require(name.len() <= 15, "must be no more than 15 characters");
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let message = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
    require(!name.is_empty() && name.bytes().all(allowed), message);
    require(name.bytes().any(|byte| byte.is_ascii_lowercase()), "must contain at least one letter (a-z)");
    require(!name.contains("--"), "must not contain consecutive hyphens");
    require(!name.starts_with('-') && !name.ends_with('-'), "must not begin or end with a hyphen");
    found
}

/// What is wrong with the key of a ConfigMap or Secret; empty when nothing is.
pub fn config_key_errors(key: &str) -> Vec<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let mut found = Vec::new();
    if key.len() > 253 {
        found.push("must be no more than 253 characters".to_owned());
    }
    if key.is_empty() || !key.bytes().all(allowed) {
        found.push(CONFIG_KEY.to_owned());
    } else if matches!(key, "." | "..") {
        found.push(format!("must not be '{key}'"));
    } else if key.starts_with("..") {
        found.push("must not start with '..'".to_owned());
    }
    found
}

/// What is wrong with a name like `acme.io/foo`; empty when nothing is.
pub fn domain_path_errors(name: &str) -> Vec<String> {
    let fits = name.split_once('/').is_some_and(|(domain, path)| {
        subdomain_errors(domain).is_empty() && !path.is_empty() && !path.bytes().any(|byte| byte <= b' ')
    });
    if fits { Vec::new() } else { vec!["must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned()] }
}

/// What is wrong with a DNS-1035 label; empty when nothing is.
pub fn dns_1035_label_errors(name: &str) -> Vec<String> {
    errors(name, 63, is_label(name, true), DNS_1035)
}

/// What is wrong with a name that is only a segment of a path (RBAC objects); empty when nothing is.
pub fn path_segment_errors(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].into_iter().filter(|part| name.contains(part)).map(|part| format!("may not contain '{part}'")).collect()
}

/// What is wrong with the key of a label: `[prefix/]name`; empty when nothing is.
pub fn label_key_errors(key: &str) -> Vec<String> {
    let errors = qualified_name_errors(key).into_iter();
    errors.map(|error| error.replacen("a qualified name must", "a valid label key must", 1)).collect()
}

/// What is wrong with an annotation key, a finalizer and the like: `[prefix/]name`; empty when nothing is.
pub fn qualified_name_errors(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let base = match name.split_once('/') {
        Some((_, base)) if base.contains('/') => return vec![QUALIFIED_FORM.to_owned()],
        Some(("", _)) => {
            found.push("prefix part must be non-empty".to_owned());
            name.split_once('/').map_or(name, |(_, base)| base)
        }
        Some((prefix, base)) => {
            found.extend(subdomain_errors(prefix).into_iter().map(|error| format!("prefix part {error}")));
            base
        }
        None => name,
    };
    if base.is_empty() {
        found.push("name part must be non-empty".to_owned());
    } else if base.len() > 63 {
        found.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_qualified(base) {
        found.push(format!("name part {QUALIFIED}"));
    }
    found
}

/// What is wrong with the value of a label; empty when nothing is.
pub fn label_value_errors(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    if value.len() > 63 {
        found.push("must be no more than 63 bytes".to_owned());
    }
    if !value.is_empty() && !is_qualified(value) {
        found.push(LABEL_VALUE.to_owned());
    }
    found
}

fn errors(name: &str, length_max: usize, fits: bool, message: &str) -> Vec<String> {
    let mut found = Vec::new();
    if name.len() > length_max {
        found.push(format!("must be no more than {length_max} characters"));
    }
    if !fits {
        found.push(message.to_owned());
    }
    found
}

fn is_label(text: &str, starts_with_letter: bool) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().last()) else { return false };
    let starts = if starts_with_letter { first.is_ascii_lowercase() } else { inner(first) };
    starts && inner(last) && text.bytes().all(|byte| inner(byte) || byte == b'-')
}

fn is_qualified(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().last()) else { return false };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses() {
        for (name, good) in [("a.b-c", true), ("A", false), ("", false), ("a..b", false), ("-a", false), ("1a", true)] {
            assert_eq!(subdomain_errors(name).is_empty(), good, "{name}");
        }
        for (name, good) in
            [("a.b/c_D", true), ("a", true), ("/a", false), ("a/b/c", false), ("a/", false), ("_", false)]
        {
            assert_eq!(qualified_name_errors(name).is_empty(), good, "{name}");
        }
        assert!(dns_1035_label_errors("1a").len() == 1 && dns_label_errors("1a").is_empty());
        assert_eq!(path_segment_errors("a%"), ["may not contain '%'"]);
        assert_eq!(label_value_errors(&"a".repeat(64)), ["must be no more than 63 bytes"]);
    }
}
