use regex::{Captures, Regex};

use super::regexes::compile;
use super::{Outcome, function, new_string};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::CelValue;

/// cel-go's own functions with regular expressions.
pub fn regex() -> Library {
    Library::new(
        "regex",
        [
            function(
                "regex.extract",
                [(
                    "regex_extract_string_string(string, string) -> optional_type(string) ~ find | extract",
                    extract as Implementation,
                )],
            ),
            function(
                "regex.extractAll",
                [(
                    "regex_extractAll_string_string(string, string) -> list(string) ~ find | extract all",
                    extract_all as Implementation,
                )],
            ),
            function(
                "regex.replace",
                [
                    (
                        "regex_replace_string_string_string(string, string, string) -> string ~ regex | replace matches",
                        replace as Implementation,
                    ),
                    (
                        "regex_replace_string_string_string_int(string, string, string, int) -> string ~ regex | replace matches",
                        replace,
                    ),
                ],
            ),
        ],
    )
}

/// The text and the expression, which may have one group.
fn single_group<'a>(context: &mut EvalContext, args: &'a [CelValue]) -> Result<(&'a str, Regex), EvalError> {
    let [CelValue::String(text), CelValue::String(pattern)] = args else { return Err(EvalError::no_overload()) };
    context.charge(100 + 10 * pattern.len() as u64 + text.len() as u64)?;
    let regex = compile(pattern)?;
    if regex.captures_len() > 2 {
        let shown = super::quoted::quote(pattern);
        return Err(EvalError::invalid(format!("regular expression has more than one capturing group: {shown}")));
    }
    Ok((text, regex))
}

/// The group of a match, or all of it when the expression has none.
fn captured<'t>(regex: &Regex, captures: &Captures<'t>) -> &'t str {
    captures.get(regex.captures_len() - 1).map_or("", |found| found.as_str())
}

fn extract(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, regex) = single_group(context, args)?;
    let found = regex.captures(text).map(|captures| captured(&regex, &captures));
    match found {
        Some("") if regex.captures_len() == 2 => Ok(CelValue::none()),
        Some(found) => new_string(context, found.to_owned()).map(CelValue::some),
        None => Ok(CelValue::none()),
    }
}

fn extract_all(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, regex) = single_group(context, args)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(text) {
        let part = captured(&regex, &captures);
        if regex.captures_len() == 1 || !part.is_empty() {
            context.allocate_items(1)?;
            found.push(CelValue::from(part));
        }
    }
    Ok(CelValue::list(found))
}

fn replace(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let (text, pattern, replacement, limit) = match args {
        [CelValue::String(text), CelValue::String(pattern), CelValue::String(replacement)] => {
            (text, pattern, replacement, -1)
        }
        [CelValue::String(text), CelValue::String(pattern), CelValue::String(replacement), CelValue::Int(limit)] => {
            (text, pattern, replacement, *limit)
        }
        _ => return Err(EvalError::no_overload()),
    };
    if limit == 0 {
        return Ok(CelValue::String(text.clone()));
    }
    context.charge(100 + 10 * pattern.len() as u64 + text.len() as u64)?;
    let regex = compile(pattern)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut out = String::new();
    let mut last = 0;
    for captures in regex.captures_iter(text).take(limit) {
        let Some(whole) = captures.get(0) else { continue };
        let before = out.len();
        out.push_str(&text[last..whole.start()]);
        expand(replacement, &captures, &mut out)?;
        context.allocate(out.len() - before)?;
        last = whole.end();
    }
    out.push_str(&text[last..]);
    new_string(context, out)
}

/// Writes a replacement, in which `\1` stands for a group.
fn expand(replacement: &str, captures: &Captures<'_>, out: &mut String) -> Result<(), EvalError> {
    let refuse =
        |problem: &str| EvalError::invalid(format!("invalid replacement string: '{replacement}' \\ {problem}"));
    let mut characters = replacement.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            None => return Err(refuse("not allowed at end")),
            Some('\\') => out.push('\\'),
            Some(digit) => {
                let group = digit.to_digit(10).ok_or_else(|| refuse("must be followed by a digit or \\"))? as usize;
                if group >= captures.len() {
                    let count = captures.len() - 1;
                    return Err(EvalError::invalid(format!(
                        "replacement string references group {group} but regex has only {count} group(s)"
                    )));
                }
                out.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
        }
    }
    Ok(())
}
