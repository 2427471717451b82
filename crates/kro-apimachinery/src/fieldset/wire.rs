use std::fmt;

use kro_value::{Map, Value, from_json, to_json};

use super::{Node, PathElement, Set};

/// Why a text is no path element or no set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

fn error<T>(message: String) -> Result<T, DecodeError> {
    Err(DecodeError { message })
}

impl PathElement {
    /// The form of `fieldsV1`: `f:name`, `k:{"name":"app"}`, `v:"x"`, `i:0`.
    pub fn encode(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(fields) => format!("k:{}", Value::Map(fields.iter().cloned().collect())),
            Self::Value(value) => format!("v:{}", to_json(value)),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// Reads that form; `None` for a prefix that is not known, which is to be skipped.
    ///
    /// # Errors
    /// When there is no prefix, or bad JSON behind a known one.
    pub fn decode(text: &str) -> Result<Option<Self>, DecodeError> {
        let bytes = text.as_bytes();
        if bytes.len() < 2 {
            return error("key must be 2 characters long:".to_owned());
        }
        if bytes[1] != b':' {
            return error(format!("missing colon: {text}"));
        }
        let rest = text.get(2..).unwrap_or_default();
        Ok(Some(match bytes[0] {
            b'f' => Self::field(rest),
            b'k' => match from_json(rest) {
                Ok(Value::Map(fields)) => Self::key(fields),
                Ok(_) => return error(format!("{rest} is no object")),
                Err(why) => return error(why.to_string()),
            },
            b'v' => match from_json(rest) {
                Ok(value) => Self::Value(value),
                Err(why) => return error(why.to_string()),
            },
            b'i' => match rest.parse() {
                Ok(index) => Self::Index(index),
                Err(_) => return error(format!("{rest} is no index")),
            },
            _ => return Ok(None),
        }))
    }
}

impl Set {
    /// The form of `fieldsV1`.
    pub fn encode(&self) -> Value {
        Value::Map(self.encode_nodes(false))
    }

    fn encode_nodes(&self, member: bool) -> Map {
        let mut entries = Map::new();
        if member {
            entries.insert(".", Value::Map(Map::new()));
        }
        for node in self.nodes() {
            let inside = node.set.encode_nodes(node.member && !node.set.is_empty());
            entries.insert(node.element.encode(), Value::Map(inside));
        }
        entries
    }

    /// Reads the form of `fieldsV1`. Elements with unknown prefixes are dropped.
    ///
    /// # Errors
    /// When something is no object, or an element cannot be read.
    pub fn decode(fields: &Value) -> Result<Self, DecodeError> {
        let Some(fields) = fields.as_map() else { return error("fieldsV1 must be an object".to_owned()) };
        Ok(decode_nodes(fields)?.0)
    }
}

/// The set below an element, and whether the element itself is a member: it is when it says so, or has nothing below.
fn decode_nodes(fields: &Map) -> Result<(Set, bool), DecodeError> {
    let mut set = Set::new();
    for (key, inside) in fields.iter().filter(|(key, _)| *key != ".") {
        let Some(element) = PathElement::decode(key)? else { continue };
        let Some(inside) = inside.as_map() else { return error(format!("{key} must hold an object")) };
        let (inside, member) = decode_nodes(inside)?;
        set.push(Node { element, member, set: inside });
    }
    let member = fields.contains_key(".") || set.is_empty();
    Ok((set, member))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Set {
        Set::decode(&from_json(text).unwrap()).unwrap()
    }

    #[test]
    fn reads_and_prints_the_wire_form() {
        for (text, members) in [
            ("{}", vec![]),
            (r#"{"f:a":{}}"#, vec![".a"]),
            (r#"{"f:a":{"f:b":{}}}"#, vec![".a.b"]),
            (r#"{"f:a":{".":{},"f:b":{}}}"#, vec![".a", ".a.b"]),
            (r#"{"f:a":{"k:{\"name\":\"x\"}":{".":{},"f:v":{}}}}"#, vec![".a[name=\"x\"]", ".a[name=\"x\"].v"]),
            (r#"{"f:a":{"v:\"x\"":{},"v:1":{}}}"#, vec![".a[=1]", ".a[=\"x\"]"]),
        ] {
            let decoded = set(text);
            let paths: Vec<String> =
                decoded.paths().iter().map(|path| crate::fieldset::PathText(path).to_string()).collect();
            assert_eq!(paths, members, "{text}");
            assert_eq!(Set::decode(&decoded.encode()).unwrap(), decoded);
            assert_eq!(decoded.encode(), from_json(text).unwrap());
        }
    }

    #[test]
    fn drops_what_it_does_not_know_and_refuses_what_is_broken() {
        assert!(set(r#"{"x:a":{},"f:b":{}}"#).contains(&[PathElement::field("b")]));
        // An element whose children are all unknown counts as a member.
        assert!(set(r#"{"f:b":{"x:a":{}}}"#).contains(&[PathElement::field("b")]));
        for text in [r#"{"a":{}}"#, r#"{"k:x":{}}"#, r#"{"ab":{}}"#, r#"{"i:x":{}}"#, r#"{"f:a":1}"#, "[]"] {
            assert!(Set::decode(&from_json(text).unwrap()).is_err(), "{text}");
        }
    }
}
