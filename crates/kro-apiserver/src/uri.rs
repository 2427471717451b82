use std::borrow::Cow;

/// A query string, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name, true).into_owned(), decode(value, true).into_owned())
        };
        Self { pairs: text.split('&').filter(|part| !part.is_empty()).map(pair).collect() }
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter, empty when it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A boolean as Go reads it; what cannot be read counts as true.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|text| !matches!(text, "0" | "f" | "F" | "false" | "False" | "FALSE" | ""))
    }
}

/// The segments of a path, decoded.
pub(crate) fn segments(path: &str) -> Vec<Cow<'_, str>> {
    path.split('/').filter(|segment| !segment.is_empty()).map(|segment| decode(segment, false)).collect()
}

/// Decodes `%41`, and `+` in queries. What is no valid escape stays; invalid UTF-8 is replaced.
fn decode(text: &str, plus: bool) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%' || plus && byte == b'+') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| hex(bytes.get(at + 1..at + 3)?)).flatten();
        decoded.push(escape.unwrap_or(if plus && bytes[at] == b'+' { b' ' } else { bytes[at] }));
        at += if escape.is_some() { 3 } else { 1 };
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes() {
        let query = Query::parse("labelSelector=a%3Db%2Cc&watch=1&x=a+b&bad=%zz&empty");
        assert_eq!(query.text("labelSelector"), "a=b,c");
        assert_eq!((query.flag("watch"), query.flag("nope")), (Some(true), None));
        assert_eq!((query.text("x"), query.text("bad"), query.get("empty")), ("a b", "%zz", Some("")));
        assert_eq!(segments("/api/v1/a%2Fb/c+d"), ["api", "v1", "a/b", "c+d"]);
    }
}
