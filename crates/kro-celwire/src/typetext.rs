use kro_cel::Type;

use crate::WireError;

/// How deep types may nest.
const DEPTH_MAX: usize = 64;

/// A type from the text that cel-go prints: `map(string, list(int))`. A name after `$` is a type parameter; a name that is
/// not known is an opaque type.
///
/// # Errors
/// When the text is no type.
pub fn parse_type(text: &str) -> Result<Type, WireError> {
    let (ty, rest) = read(text, 0)?;
    if rest.trim().is_empty() { Ok(ty) } else { Err(format!("type {text:?}: trailing {rest:?}").into()) }
}

fn read(text: &str, depth: usize) -> Result<(Type, &str), WireError> {
    let text = text.trim_start();
    let end = text.find(|char: char| !(char.is_alphanumeric() || matches!(char, '.' | '_' | '$' | '@')));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if name.is_empty() || depth > DEPTH_MAX {
        return Err(format!("bad type {text:?}").into());
    }
    let (params, rest) = read_params(rest.trim_start(), depth)?;
    Ok((build(name, params).ok_or_else(|| format!("type {text:?}: parameters wanted"))?, rest))
}

fn read_params(text: &str, depth: usize) -> Result<(Vec<Type>, &str), WireError> {
    let mut params = Vec::new();
    let Some(mut rest) = text.strip_prefix('(') else { return Ok((params, text)) };
    loop {
        let (param, after) = read(rest, depth + 1)?;
        params.push(param);
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix(')') {
            return Ok((params, after));
        }
        rest = after.strip_prefix(',').ok_or_else(|| format!("bad type {text:?}"))?;
    }
}

fn build(name: &str, params: Vec<Type>) -> Option<Type> {
    if let Some(param) = name.strip_prefix('$') {
        return Some(Type::param(param));
    }
    match name {
        "list" | "map" | "optional_type" | "wrapper" => Type::compound(name, &params),
        "type" if params.len() == 1 => Type::compound(name, &params),
        _ if params.is_empty() => Type::named(name).or_else(|| Some(Type::opaque(name, []))),
        _ => Some(Type::opaque(name, params)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_types_print_as() {
        for text in [
            "int",
            "map(string, list(dyn))",
            "optional_type(map(int, bytes))",
            "type(timestamp)",
            "type",
            "wrapper(string)",
            "net.IP",
            "kubernetes.Quantity",
            "my.pair(int, list(string))",
        ] {
            assert_eq!(parse_type(text).unwrap().to_string(), text);
        }
        assert_eq!(parse_type(" list( $T ) ").unwrap(), Type::list(Type::param("T")));
    }

    #[test]
    fn refuses_what_is_no_type() {
        for text in ["", "list", "map(int)", "list(int", "list(int))", "list(,)", "int int", &"list(".repeat(100_000)] {
            assert!(parse_type(text).is_err(), "{text:.40}");
        }
    }
}
