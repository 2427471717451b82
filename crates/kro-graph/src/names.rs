//! Names that authors choose: kinds, ids, iterators; and ids for manifests that have none.

use kro_value::{Str, format_smolstr};

/// Words of kro's own that no id or iterator may be.
const KRO_WORDS: &[&str] = &[
    "apiVersion",
    "context",
    "dependencies",
    "dependency",
    "each",
    "externalRef",
    "externalReference",
    "externalReferences",
    "externalRefs",
    "graph",
    "instance",
    "item",
    "items",
    "kind",
    "kro",
    "metadata",
    "namespace",
    "object",
    "resource",
    "resourceGraphDefinition",
    "resourcegraphdefinition",
    "resources",
    "root",
    "runtime",
    "schema",
    "self",
    "serviceAccountName",
    "spec",
    "status",
    "this",
    "variables",
    "vars",
    "version",
];

/// Words of CEL that no id or iterator may be.
const CEL_WORDS: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// Types and namespaces of CEL. They may be ids, but an id hides what they name.
const CEL_NAMES: &[&str] = &[
    "base64",
    "bool",
    "bytes",
    "cel",
    "cidr",
    "double",
    "duration",
    "dyn",
    "hash",
    "int",
    "ip",
    "json",
    "list",
    "lists",
    "map",
    "math",
    "optional",
    "quantity",
    "random",
    "semver",
    "sets",
    "string",
    "strings",
    "timestamp",
    "type",
    "uint",
    "url",
];

/// True for a word that no id and no iterator may be (case matters).
pub fn is_reserved(word: &str) -> bool {
    KRO_WORDS.contains(&word) || CEL_WORDS.contains(&word)
}

/// True for the name of a CEL type or function namespace, which an id would hide.
pub fn is_cel_name(word: &str) -> bool {
    CEL_NAMES.contains(&word)
}

/// True for `^[A-Z][a-zA-Z0-9]*$`.
pub fn is_upper_camel(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// True for `^[a-z][a-zA-Z0-9]*$`.
pub fn is_lower_camel(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// True for a DNS-1035 label: at most 63 of `a-z0-9-`, a letter first, no hyphen last.
pub fn is_dns_1035_label(word: &str) -> bool {
    word.len() <= 63
        && word.starts_with(|first: char| first.is_ascii_lowercase())
        && !word.ends_with('-')
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// True for a DNS-1123 subdomain: at most 253 of `a-z0-9.-`, every part between dots beginning and ending
/// alphanumerically.
pub fn is_dns_1123_subdomain(word: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    word.len() <= 253 && word.split('.').all(is_part)
}

/// True for `^v[0-9]+(alpha[0-9]+|beta[0-9]+)?$`.
pub fn is_version(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('v') else { return false };
    let tail = rest.trim_start_matches(|byte: char| byte.is_ascii_digit());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    tail.len() < rest.len()
        && (tail.is_empty() || tail.strip_prefix("alpha").or(tail.strip_prefix("beta")).is_some_and(is_number))
}

/// The id of a manifest that has none: its name in lower camel case, followed by its kind unless the name ends in the
/// kind already. `my-deployment` of kind Deployment is `myDeployment`; a Service `web` is `webService`.
///
/// It depends on nothing but the manifest itself, so that adding a manifest renames no other. Where that gives no
/// legal id (a digit first, a reserved word), the kind comes first: `service1password`.
pub fn derive_id(kind: &str, name: &str) -> Str {
    let mut id = lower_first(&camel(name));
    if !id.to_ascii_lowercase().ends_with(&kind.to_ascii_lowercase()) {
        id.push_str(kind);
    }
    if is_lower_camel(&id) && !is_reserved(&id) {
        return id.into();
    }
    format_smolstr!("{}{}", lower_first(&camel(kind)), camel(name))
}

/// Upper camel case of the letters and digits; everything else separates words.
pub fn camel(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(String::new(), |mut result, word| {
        result.push_str(&word[..1].to_ascii_uppercase());
        result.push_str(&word[1..]);
        result
    })
}

/// Lowers the first word: `MyApp` -> `myApp`, `DNSRecord` -> `dnsRecord`.
fn lower_first(text: &str) -> String {
    let uppers = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let lowered = if uppers > 1 && uppers < text.len() { uppers - 1 } else { uppers };
    format!("{}{}", text[..lowered].to_ascii_lowercase(), &text[lowered..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_ids() {
        for (kind, name, id) in [
            ("Deployment", "my-deployment", "myDeployment"),
            ("Service", "web", "webService"),
            ("RoleBinding", "dev-rolebinding", "devRolebinding"),
            ("ConfigMap", "ml-model-config", "mlModelConfigConfigMap"),
            ("Namespace", "namespace", "namespaceNamespace"),
            ("Service", "1password", "service1password"),
            ("Service", "", "service"),
            ("Role", "system:read.all", "systemReadAllRole"),
            ("DNSRecord", "4x", "dnsRecord4x"),
        ] {
            assert_eq!(derive_id(kind, name), id, "{kind} {name}");
        }
    }

    #[test]
    fn knows_patterns() {
        for (word, version) in [
            ("v1", true),
            ("v1alpha1", true),
            ("v2beta3", true),
            ("v", false),
            ("v1alpha", false),
            ("1", false),
            ("v1x", false),
        ] {
            assert_eq!(is_version(word), version, "{word}");
        }
        assert!(is_upper_camel("WebApp") && !is_upper_camel("webApp") && !is_upper_camel("Web-App"));
        assert!(is_lower_camel("webApp") && !is_lower_camel("WebApp") && !is_lower_camel("web_app"));
        assert!(is_reserved("schema") && is_reserved("while") && !is_reserved("Schema"));
        assert!(is_dns_1123_subdomain("a.b-c") && !is_dns_1123_subdomain("a..b") && !is_dns_1123_subdomain("A"));
        assert!(is_dns_1035_label("a1") && !is_dns_1035_label("1a") && !is_dns_1035_label("a-"));
    }
}
