use super::{FunctionDecl, Outcome, function, method, new_string};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::{CelList, CelValue};

/// cel-go's extended strings, in their latest version.
pub fn strings() -> Library {
    let mut functions = vec![
        method("charAt", [("string_char_at_int(string, int) -> string ~ one | character", char_at as Implementation)]),
        method(
            "lowerAscii",
            [(
                "string_lower_ascii(string) -> string ~ copy | transform",
                (|context, args| map_text(context, args, str::to_ascii_lowercase)) as Implementation,
            )],
        ),
        method(
            "upperAscii",
            [(
                "string_upper_ascii(string) -> string ~ copy | transform",
                (|context, args| map_text(context, args, str::to_ascii_uppercase)) as Implementation,
            )],
        ),
        method(
            "trim",
            [(
                "string_trim(string) -> string ~ copy | transform",
                (|context, args| map_text(context, args, |text| text.trim().to_owned())) as Implementation,
            )],
        ),
        method(
            "reverse",
            [(
                "string_reverse(string) -> string ~ copy | transform",
                (|context, args| map_text(context, args, |text| text.chars().rev().collect())) as Implementation,
            )],
        ),
        method(
            "format",
            [("string_format(string, list(dyn)) -> string ~ walk 0", super::formatting::format as Implementation)],
        ),
        function("strings.quote", [("strings_quote(string) -> string ~ convert 8", quote as Implementation)]),
    ];
    functions.extend(searching());
    functions.extend(cutting());
    Library::new("strings", functions).with_validator("format", super::formatting::validate)
}

fn searching() -> [FunctionDecl; 2] {
    [
        method(
            "indexOf",
            [
                ("string_index_of_string(string, string) -> int ~ elements | find", index_of as Implementation),
                ("string_index_of_string_int(string, string, int) -> int ~ elements | find", index_of),
            ],
        ),
        method(
            "lastIndexOf",
            [
                (
                    "string_last_index_of_string(string, string) -> int ~ elements | find",
                    last_index_of as Implementation,
                ),
                ("string_last_index_of_string_int(string, string, int) -> int ~ elements | find", last_index_of),
            ],
        ),
    ]
}

fn cutting() -> [FunctionDecl; 4] {
    [
        method(
            "replace",
            [
                (
                    "string_replace_string_string(string, string, string) -> string ~ replace | replace",
                    replace as Implementation,
                ),
                (
                    "string_replace_string_string_int(string, string, string, int) -> string ~ replace | replace",
                    replace,
                ),
            ],
        ),
        method(
            "split",
            [
                ("string_split_string(string, string) -> list(string) ~ split | split", split as Implementation),
                ("string_split_string_int(string, string, int) -> list(string) ~ split | split", split),
            ],
        ),
        method(
            "substring",
            [
                ("string_substring_int(string, int) -> string ~ copy | transform", substring as Implementation),
                ("string_substring_int_int(string, int, int) -> string ~ copy | transform", substring),
            ],
        ),
        method(
            "join",
            [
                ("list_join(list(string)) -> string ~ join | join", join as Implementation),
                ("list_join_string(list(string), string) -> string ~ join | join", join),
            ],
        ),
    ]
}

#[cold]
fn out_of_range(index: i64) -> EvalError {
    EvalError::invalid(format!("index out of range: {index}"))
}

/// Every character is looked at.
fn charge(context: &mut EvalContext, text: &str) -> Result<(), EvalError> {
    context.charge(text.len() as u64 / 8)
}

fn map_text(context: &mut EvalContext, args: &[CelValue], change: fn(&str) -> String) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    charge(context, text)?;
    new_string(context, change(text))
}

fn char_at(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text), CelValue::Int(index)] = args else { return Err(EvalError::no_overload()) };
    charge(context, text)?;
    let start = byte_offset(text, *index).ok_or_else(|| out_of_range(*index))?;
    let found: String = text[start..].chars().take(1).collect();
    new_string(context, found)
}

/// Where the character with a number starts; the end for the number after the last one.
fn byte_offset(text: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    let ends = std::iter::once(text.len());
    text.char_indices().map(|(at, _)| at).chain(ends).nth(index)
}

/// The number of the character that starts at a byte.
#[allow(clippy::cast_possible_wrap)]
fn char_index(text: &str, byte: usize) -> i64 {
    text[..byte].chars().count() as i64
}

fn length(text: &str) -> i64 {
    char_index(text, text.len())
}

fn index_of(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, part, offset) = match args {
        [CelValue::String(text), CelValue::String(part)] => (text, part, 0),
        [CelValue::String(text), CelValue::String(part), CelValue::Int(offset)] => (text, part, *offset),
        _ => return Err(EvalError::no_overload()),
    };
    charge(context, text)?;
    if offset < 0 {
        return Err(out_of_range(offset));
    }
    if part.is_empty() {
        return Ok(CelValue::Int(offset.min(length(text))));
    }
    let found = byte_offset(text, offset).and_then(|start| Some(start + text[start..].find(part.as_str())?));
    Ok(CelValue::Int(found.map_or(-1, |byte| char_index(text, byte))))
}

fn last_index_of(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, part, offset) = match args {
        [CelValue::String(text), CelValue::String(part)] => (text, part, None),
        [CelValue::String(text), CelValue::String(part), CelValue::Int(offset)] => (text, part, Some(*offset)),
        _ => return Err(EvalError::no_overload()),
    };
    charge(context, text)?;
    if let Some(offset) = offset.filter(|offset| *offset < 0) {
        return Err(out_of_range(offset));
    }
    let length = length(text);
    if part.is_empty() {
        return Ok(CelValue::Int(offset.unwrap_or(length).min(length)));
    }
    if offset.is_some_and(|offset| offset >= length) {
        return Ok(CelValue::Int(-1));
    }
    // the match may reach beyond the offset, it only has to start there
    let start = offset.and_then(|offset| byte_offset(text, offset)).unwrap_or(text.len());
    let end = (start + part.len()).min(text.len());
    let end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
    let found = text[..end].rmatch_indices(part.as_str()).map(|(at, _)| at).find(|at| *at <= start);
    Ok(CelValue::Int(found.map_or(-1, |byte| char_index(text, byte))))
}

fn replace(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, old, new, limit) = match args {
        [CelValue::String(text), CelValue::String(old), CelValue::String(new)] => (text, old, new, -1),
        [CelValue::String(text), CelValue::String(old), CelValue::String(new), CelValue::Int(limit)] => {
            (text, old, new, *limit)
        }
        _ => return Err(EvalError::no_overload()),
    };
    charge(context, text)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let matches = text.matches(old.as_str()).take(limit).count();
    context.allocate(text.len().saturating_add(matches.saturating_mul(new.len())))?;
    Ok(CelValue::String(text.replacen(old.as_str(), new, limit).into()))
}

fn split(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, separator, limit) = match args {
        [CelValue::String(text), CelValue::String(separator)] => (text, separator, -1),
        [CelValue::String(text), CelValue::String(separator), CelValue::Int(limit)] => (text, separator, *limit),
        _ => return Err(EvalError::no_overload()),
    };
    charge(context, text)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(CelValue::list([]));
    }
    let count = if separator.is_empty() { text.chars().count() } else { text.matches(separator.as_str()).count() + 1 };
    context.allocate_items(count.min(limit))?;
    context.allocate(text.len())?;
    let parts: Vec<CelValue> = if separator.is_empty() {
        split_characters(text, limit).map(CelValue::from).collect()
    } else {
        text.splitn(limit, separator.as_str()).map(CelValue::from).collect()
    };
    Ok(CelValue::list(parts))
}

/// Single characters; the last part takes the rest when there are more than the limit.
fn split_characters(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).take(limit).collect();
    (0..starts.len()).map(move |index| {
        let end = starts.get(index + 1).copied().unwrap_or(text.len());
        &text[starts[index]..end]
    })
}

fn substring(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, start, end) = match args {
        [CelValue::String(text), CelValue::Int(start)] => (text, *start, None),
        [CelValue::String(text), CelValue::Int(start), CelValue::Int(end)] => (text, *start, Some(*end)),
        _ => return Err(EvalError::no_overload()),
    };
    charge(context, text)?;
    if let Some(end) = end.filter(|end| start > *end) {
        return Err(EvalError::invalid(format!("invalid substring range. start: {start}, end: {end}")));
    }
    let first = byte_offset(text, start).ok_or_else(|| out_of_range(start))?;
    let last = match end {
        Some(end) => byte_offset(text, end).ok_or_else(|| out_of_range(end))?,
        None => text.len(),
    };
    new_string(context, text[first..last].to_owned())
}

fn join(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args {
        [CelValue::List(list)] => join_with(context, list, ""),
        [CelValue::List(list), CelValue::String(separator)] => join_with(context, list, separator),
        _ => Err(EvalError::no_overload()),
    }
}

fn join_with(context: &mut EvalContext, list: &CelList, separator: &str) -> Outcome {
    // as much as fits most lists; the budget is charged before more is taken
    let mut joined = match list {
        CelList::Built(items) => String::with_capacity(
            items
                .iter()
                .filter_map(CelValue::as_str)
                .map(|text| text.len() + separator.len())
                .sum::<usize>()
                .min(1 << 16),
        ),
        _ => String::new(),
    };
    for (index, item) in list.iter().enumerate() {
        let item = item?;
        let CelValue::String(text) = &item else {
            let shown = super::formatting::display(&item);
            return Err(EvalError::invalid(format!("join: invalid input: {shown}")));
        };
        context.allocate(text.len() + separator.len())?;
        context.charge(1)?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    Ok(CelValue::String(joined.into()))
}

fn quote(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    charge(context, text)?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    new_string(context, quoted)
}
