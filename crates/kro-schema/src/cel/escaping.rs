//! Names of properties as names of fields. The rules are those of Kubernetes.

use std::borrow::Cow;

/// Sequences and what they are escaped to, without the underscores around.
const ESCAPES: [(&str, &str); 4] = [("__", "underscores"), (".", "dot"), ("-", "dash"), ("/", "slash")];

/// True for a word that the language keeps for itself, and so cannot be the name of a variable.
#[rustfmt::skip]
pub fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "true" | "false" | "null" | "in" | "as" | "break" | "const" | "continue" | "else" | "for" | "function" | "if"
            | "import" | "let" | "loop" | "package" | "namespace" | "return" | "var" | "void" | "while"
    )
}

/// True for a name that is the same as a property and as a field: most names, so that most need no copy.
fn is_plain(name: &str) -> bool {
    let starts_well = name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !is_reserved(name)
}

/// The field name of a property: `a-b` is `a__dash__b`. `None` for a property that cannot be a field.
pub fn escape(property: &str) -> Option<Cow<'_, str>> {
    if is_plain(property) { Some(property.into()) } else { escape_marks(property).map(Cow::Owned) }
}

fn escape_marks(property: &str) -> Option<String> {
    let first = property.chars().next()?;
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "_.-/".contains(char);
    if first.is_ascii_digit() || !property.chars().all(is_allowed) {
        return None;
    }
    if is_reserved(property) {
        return Some(format!("__{property}__"));
    }
    let mut out = String::with_capacity(property.len());
    let mut rest = property;
    while let Some(char) = rest.chars().next() {
        match ESCAPES.iter().find(|(plain, _)| rest.starts_with(plain)) {
            Some((plain, word)) => {
                out.push_str("__");
                out.push_str(word);
                out.push_str("__");
                rest = &rest[plain.len()..];
            }
            None => {
                out.push(char);
                rest = &rest[char.len_utf8()..];
            }
        }
    }
    Some(out)
}

/// The property that a field name stands for; `None` for a name with an escape that means nothing.
pub fn unescape(field: &str) -> Option<Cow<'_, str>> {
    if is_plain(field) { Some(field.into()) } else { unescape_marks(field).map(Cow::Owned) }
}

fn unescape_marks(field: &str) -> Option<String> {
    let reserved = field.strip_prefix("__").and_then(|rest| rest.strip_suffix("__")).filter(|word| is_reserved(word));
    if let Some(word) = reserved {
        return Some(word.to_owned());
    }
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find("__") {
        let after = &rest[at + 2..];
        let (plain, word) =
            ESCAPES.iter().find(|(_, word)| after.strip_prefix(word).is_some_and(|end| end.starts_with("__")))?;
        out.push_str(&rest[..at]);
        out.push_str(plain);
        rest = &after[word.len() + 2..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_unescapes() {
        let rows = [
            ("name", "name"),
            ("a-b", "a__dash__b"),
            ("a.b/c", "a__dot__b__slash__c"),
            ("a__b", "a__underscores__b"),
            ("namespace", "__namespace__"),
            ("in", "__in__"),
            ("_x", "_x"),
            ("a---b", "a__dash____dash____dash__b"),
        ];
        for (plain, escaped) in rows {
            assert_eq!(escape(plain).as_deref(), Some(escaped));
            assert_eq!(unescape(escaped).as_deref(), Some(plain));
        }
        assert_eq!(escape("1a"), None);
        assert_eq!(escape("a b"), None);
        assert_eq!(escape(""), None);
        assert_eq!(unescape("a__b"), None);
    }
}
