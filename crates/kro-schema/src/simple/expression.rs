//! The type of a field: `string`, `[]map[string]Port`.

use std::ops::Range;

use kro_value::Str;

/// How many `[]` and `map[string]` may stand before a type.
const PREFIXES_MAX: usize = 16;

/// The built-in types and what OpenAPI calls them.
const BUILT_IN: [(&str, &str); 5] =
    [("string", "string"), ("integer", "integer"), ("boolean", "boolean"), ("float", "number"), ("object", "object")];

/// A type as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeExpression {
    /// From the outermost inwards.
    pub prefixes: Vec<Prefix>,
    /// What stands after the prefixes.
    pub base: Base,
    /// Its bytes in the text.
    pub base_range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// `[]`
    List,
    /// `map[string]`
    Map,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// A built-in type, by its name in OpenAPI.
    BuiltIn(&'static str),
    /// A type of `schema.types`.
    Named(Str),
}

/// What is wrong with a type, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeError {
    pub message: String,
    pub range: Range<usize>,
    pub help: Option<&'static str>,
}

impl TypeExpression {
    /// Reads the text before the first `|`.
    pub(super) fn parse(text: &str) -> Result<Self, TypeError> {
        let mut prefixes = Vec::new();
        let mut at = 0;
        let mut empty = ("empty type", "write a type such as string, integer, boolean, float, object, []string");
        loop {
            let rest = &text[at..];
            at += rest.len() - rest.trim_start().len();
            let rest = text[at..].trim_end();
            if rest.is_empty() {
                let range = text.find(|character: char| !character.is_whitespace()).unwrap_or(0)..at;
                return Err(TypeError { message: empty.0.to_owned(), range, help: Some(empty.1) });
            }
            if prefixes.len() > PREFIXES_MAX {
                let message = format!("type nesting too deep (max {PREFIXES_MAX}): {rest:?}");
                return Err(TypeError { message, range: at..at + rest.len(), help: None });
            }
            if rest.starts_with("[]") {
                prefixes.push(Prefix::List);
                at += 2;
                empty = ("empty slice element type", "write the type of the items after it: []string");
            } else if rest.starts_with("map[string]") {
                prefixes.push(Prefix::Map);
                at += "map[string]".len();
                empty = ("map value type is required", "write the type of the values after it: map[string]string");
            } else if rest.starts_with("map[") {
                let end = rest.find(']').map_or(rest.len(), |bracket| bracket + 1);
                let help = Some("the keys of JSON objects are strings: map[string]...");
                return Err(TypeError { message: "map key must be string".to_owned(), range: at..at + end, help });
            } else {
                return Ok(Self { prefixes, base: base(rest), base_range: at..at + rest.len() });
            }
        }
    }
}

fn base(name: &str) -> Base {
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((_, open_api)) => Base::BuiltIn(open_api),
        None => Base::Named(Str::new(name)),
    }
}

/// True for the name of a built-in type.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// What to write instead of an unknown type.
pub(super) fn advice<'a>(name: &str, declared: impl Iterator<Item = &'a str>) -> Option<String> {
    let instead = match name.to_ascii_lowercase().as_str() {
        "int" | "int32" | "int64" | "uint" | "long" => "integer",
        "number" | "double" | "float32" | "float64" | "decimal" => "float",
        "bool" => "boolean",
        "str" | "text" => "string",
        "any" | "map" | "json" => "object",
        "array" | "list" | "slice" => return Some("write []T for a list of T".to_owned()),
        _ if name.ends_with("[]") => return Some(format!("write []{} for a list", name.trim_end_matches("[]"))),
        _ if name.contains('=') => return Some("write a `|` between the type and its markers".to_owned()),
        _ => {
            let known = BUILT_IN.iter().map(|(known, _)| *known);
            return kro_diagnostics::did_you_mean(name, known.chain(declared));
        }
    };
    Some(format!("the type is called {instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        use Prefix::{List, Map};
        for (text, prefixes, base) in [
            ("string", vec![], Base::BuiltIn("string")),
            (" float ", vec![], Base::BuiltIn("number")),
            ("[] string", vec![List], Base::BuiltIn("string")),
            (" [][]map[string] [] Port", vec![List, List, Map, List], Base::Named("Port".into())),
            ("mapped", vec![], Base::Named("mapped".into())),
            ("int", vec![], Base::Named("int".into())),
        ] {
            let parsed = TypeExpression::parse(text).unwrap();
            assert_eq!((parsed.prefixes, parsed.base), (prefixes, base), "{text}");
        }
        assert!(TypeExpression::parse(&("[]".repeat(16) + "string")).is_ok());
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let deep = "[]".repeat(17) + "string";
        for (text, message, range) in [
            ("", "empty type", 0..0),
            ("  ", "empty type", 0..2),
            ("[]", "empty slice element type", 0..2),
            ("string[]map[string] ", "", 0..0),
            (" map[string] ", "map value type is required", 1..13),
            ("[]map[int]string", "map key must be string", 2..10),
            ("map[string", "map key must be string", 0..10),
            (&deep, "type nesting too deep (max 16): \"string\"", 34..40),
        ] {
            match TypeExpression::parse(text) {
                Ok(parsed) => assert!(message.is_empty(), "{text}: {parsed:?}"),
                Err(error) => assert_eq!((error.message.as_str(), error.range), (message, range), "{text}"),
            }
        }
    }
}
