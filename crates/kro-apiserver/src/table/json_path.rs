//! The JSONPath of printer columns.

use kro_value::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    All,
    /// `[?(@.field == "text")]`: the items whose member compares so.
    Filter {
        path: Vec<Step>,
        operator: Operator,
        operand: Value,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Exists,
    Equal,
    NotEqual,
}

/// The first value at a path (with or without leading dot or braces); `None` when there is none or the path is
/// malformed.
pub(super) fn first(value: &Value, path: &str) -> Option<Value> {
    let path = path.trim().trim_start_matches('{').trim_end_matches('}');
    let steps = parse(path)?;
    let mut found = vec![value.clone()];
    for step in &steps {
        found = found.iter().flat_map(|value| walk(value, step)).collect();
    }
    found.into_iter().next()
}

fn walk(value: &Value, step: &Step) -> Vec<Value> {
    match step {
        Step::Field(name) => value.get(name).cloned().into_iter().collect(),
        Step::Index(index) => {
            let items = value.as_list().unwrap_or_default();
            let length = i64::try_from(items.len()).unwrap_or_default();
            let position = if *index < 0 { index + length } else { *index };
            usize::try_from(position).ok().and_then(|position| items.get(position)).cloned().into_iter().collect()
        }
        Step::All => match value {
            Value::List(items) => items.to_vec(),
            Value::Map(map) => map.values().cloned().collect(),
            _ => Vec::new(),
        },
        Step::Filter { path, operator, operand } => {
            let items = value.as_list().unwrap_or_default();
            items.iter().filter(|item| passes(item, path, *operator, operand)).cloned().collect()
        }
    }
}

fn passes(item: &Value, path: &[Step], operator: Operator, operand: &Value) -> bool {
    let mut found = vec![item.clone()];
    for step in path {
        found = found.iter().flat_map(|value| walk(value, step)).collect();
    }
    match (operator, found.first()) {
        (Operator::Exists, found) => found.is_some(),
        (Operator::Equal, Some(found)) => found == operand,
        (Operator::NotEqual, Some(found)) => found != operand,
        (_, None) => false,
    }
}

fn parse(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    while !rest.is_empty() {
        let (step, length) = match rest.strip_prefix('[') {
            Some(inner) => {
                let end = closing(inner)?;
                (bracket(inner[..end].trim())?, end + 2)
            }
            None => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let end = field_end(name);
                let dots = rest.len() - name.len();
                if end == 0 {
                    return if rest == "." { Some(steps) } else { None };
                }
                let text = name[..end].replace("\\.", ".");
                (if text == "*" { Step::All } else { Step::Field(text) }, dots + end)
            }
        };
        steps.push(step);
        rest = &rest[length..];
    }
    Some(steps)
}

/// Where a field name ends: at a bracket or at a dot that is not escaped.
fn field_end(name: &str) -> usize {
    let mut escaped = false;
    for (index, character) in name.char_indices() {
        match character {
            '\\' => escaped = true,
            '.' | '[' if !escaped => return index,
            _ => escaped = false,
        }
    }
    name.len()
}

/// The position of the bracket that closes a step; brackets in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0;
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(index),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(text: &str) -> Option<Step> {
    if text == "*" {
        return Some(Step::All);
    }
    if let Some(condition) = text.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        return filter(condition.trim());
    }
    match literal(text)? {
        Value::String(name) => Some(Step::Field(name.to_string())),
        Value::Int(index) => Some(Step::Index(index)),
        _ => None,
    }
}

fn filter(condition: &str) -> Option<Step> {
    let condition = condition.strip_prefix('@')?;
    let signs = [("==", Operator::Equal), ("!=", Operator::NotEqual)];
    let split = signs.into_iter().find_map(|(sign, operator)| Some((condition.split_once(sign)?, operator)));
    let Some(((path, operand), operator)) = split else {
        return Some(Step::Filter { path: parse(condition.trim())?, operator: Operator::Exists, operand: Value::Null });
    };
    Some(Step::Filter { path: parse(path.trim())?, operator, operand: literal(operand.trim())? })
}

fn literal(text: &str) -> Option<Value> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            return Some(inner.into());
        }
    }
    match text {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ => text.parse::<i64>().ok().map(Value::Int),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds() {
        let value =
            kro_value::from_json(r#"{"a":{"b":1,"c.d":"x"},"l":[{"t":"R","s":"True","n":2},{"t":"S","s":"False"}]}"#)
                .unwrap();
        for (path, found) in [
            (".a.b", Some("1")),
            ("a.b", Some("1")),
            (".a.c\\.d", Some("\"x\"")),
            (".a['c.d']", Some("\"x\"")),
            (".l[1].t", Some("\"S\"")),
            (".l[-1].t", Some("\"S\"")),
            (".l[*].s", Some("\"True\"")),
            (r#".l[?(@.t=="S")].s"#, Some("\"False\"")),
            (".l[?(@.t == 'R')].n", Some("2")),
            (".l[?(@.n)].t", Some("\"R\"")),
            (".l[9].t", None),
            (".nope", None),
            (".l[", None),
            ("..", None),
        ] {
            assert_eq!(first(&value, path).map(|value| value.to_string()).as_deref(), found, "{path}");
        }
    }
}
