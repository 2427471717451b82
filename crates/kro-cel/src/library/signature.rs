use kro_value::Str;

use crate::declarations::{Cost, OverloadDecl, Tracked};
use crate::types::Type;

/// An overload from its text: `list_slice(list(T), int, int) -> list(T) ~ list`. Upper-case letters are type parameters.
/// Behind the tilde is the cost, unless it is one, and behind a bar what the reference tracks, unless it is that. What is misspelt becomes [`Type::Error`], which a test looks for.
pub(super) fn parse(text: &'static str, member: bool) -> OverloadDecl {
    let (text, costs) = text.split_once(" ~ ").unwrap_or((text, "one"));
    let (cost, tracked) = costs.split_once(" | ").unwrap_or((costs, "same"));
    let (head, result) = text.rsplit_once(" -> ").unwrap_or((text, "?"));
    let (id, params) = head.split_once('(').unwrap_or((head, ")"));
    let params = arguments(params.strip_suffix(')').unwrap_or(params));
    let (cost, tracked) = (cost_of(cost), tracked_of(tracked));
    let result = if cost.is_some() && tracked.is_some() { type_of(result) } else { Type::Error };
    let overload = OverloadDecl::new(Str::new_static(id), member, params, result);
    overload.costs(cost.unwrap_or_default()).tracked(tracked.unwrap_or_default())
}

/// What the reference tracks, by its name in the table.
fn tracked_of(text: &str) -> Option<Tracked> {
    Some(match text {
        "same" => Tracked::AsEstimated,
        "one" => Tracked::One,
        "walk" => Tracked::Walk,
        "character" => Tracked::Character,
        "transform" => Tracked::Transform,
        "find" => Tracked::Find,
        "replace" => Tracked::Replace,
        "split" => Tracked::Split,
        "join" => Tracked::Join,
        "items" => Tracked::Items,
        "list" => Tracked::List,
        "pairwise" => Tracked::Pairwise(0),
        "pairwise 1" => Tracked::Pairwise(1),
        "extract" => Tracked::Extract { list: false },
        "extract all" => Tracked::Extract { list: true },
        "replace matches" => Tracked::ReplaceMatches,
        "unbounded" => Tracked::Unbounded,
        _ => return None,
    })
}

/// A cost by its name in the table, with the number that some have.
fn cost_of(text: &str) -> Option<Cost> {
    let (name, detail) = text.split_once(' ').unwrap_or((text, "0"));
    let number = detail.parse().unwrap_or(0);
    Some(match name {
        "one" => Cost::One,
        "free" => Cost::Free,
        "walk" => Cost::Walk(number),
        "walk2" => Cost::WalkTwice(number),
        "copy" => Cost::Copy,
        "items" => Cost::Items(number),
        "elements" => Cost::Elements,
        "search" => Cost::Search,
        "regex" => Cost::Regex,
        "find" => Cost::Find,
        "concat" => Cost::Concat,
        "append" => Cost::Append,
        "compare" => Cost::Compare,
        "replace" => Cost::Replace,
        "split" => Cost::Split,
        "join" => Cost::Join,
        "address" => Cost::Address { text: detail == "text", range: false },
        "range" => Cost::Address { text: detail == "text", range: true },
        "format" => Cost::Format,
        "convert" => Cost::Convert { quarters: number },
        "list" => Cost::List,
        "distinct" => Cost::Distinct,
        "flatten" => Cost::Flatten,
        "range_of" => Cost::Range,
        "pairs" => Cost::Pairs(number),
        "everything" => Cost::Everything,
        _ => return None,
    })
}

fn arguments(text: &str) -> Vec<Type> {
    let mut types = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                types.push(type_of(&text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        types.push(type_of(&text[start..]));
    }
    types
}

fn type_of(text: &str) -> Type {
    let text = text.trim();
    if let Some((name, params)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        return Type::compound(name, &arguments(params)).unwrap_or(Type::Error);
    }
    match text {
        "net.IP" | "net.CIDR" | "kro.run.Runtime" => Type::opaque(text, []),
        "A" | "B" | "K" | "V" | "T" => Type::param(text),
        name => Type::named(name).unwrap_or(Type::Error),
    }
}
