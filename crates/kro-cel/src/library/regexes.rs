use regex::Regex;

use super::{Outcome, method, new_string};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::CelValue;

/// The Kubernetes functions with regular expressions.
pub fn kubernetes_regex() -> Library {
    Library::new(
        "kubernetes.regex",
        [
            method("find", [("string_find_string(string, string) -> string ~ find | one", find as Implementation)]),
            method(
                "findAll",
                [
                    ("string_find_all_string(string, string) -> list(string) ~ find | one", find_all as Implementation),
                    ("string_find_all_string_int(string, string, int) -> list(string) ~ find | one", find_all),
                ],
            ),
        ],
    )
}

/// Compiles a regular expression of RE2 syntax. The size of the automaton is limited, and matching takes linear time.
pub(crate) fn compile(pattern: &str) -> Result<Regex, EvalError> {
    let translated = super::regex_syntax::translate(pattern)
        .map_err(|problem| EvalError::invalid(format!("error parsing regexp: {problem}")))?;
    regex::RegexBuilder::new(&translated).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(250).build().map_err(
        |error| EvalError::invalid(format!("error parsing regexp: {}", in_go_words(&error.to_string(), pattern))),
    )
}

/// The regex crate explains over many lines; the last one says what is wrong.
fn in_go_words(text: &str, pattern: &str) -> String {
    match text.lines().last().unwrap_or(text).trim_start_matches("error: ") {
        "unclosed group" => format!("missing closing ): `{pattern}`"),
        "unopened group" => format!("unexpected ): `{pattern}`"),
        "repetition operator missing expression" => "missing argument to repetition operator: `*`".to_owned(),
        other => other.to_owned(),
    }
}

fn charge(context: &mut EvalContext, text: &str, pattern_length: usize) -> Result<(), EvalError> {
    context.charge(1 + (text.len() as u64 / 16) * (1 + pattern_length as u64 / 16))
}

/// Compiling is much dearer than matching.
fn compile_charged(context: &mut EvalContext, pattern: &str) -> Result<Regex, EvalError> {
    context.charge(100 + 10 * pattern.len() as u64)?;
    compile(pattern)
}

/// The same for a pattern of Kubernetes' functions that is known only now, of whose errors they say more.
fn compile_found(context: &mut EvalContext, pattern: &str) -> Result<Regex, EvalError> {
    context.charge(100 + 10 * pattern.len() as u64)?;
    compile(pattern).map_err(|error| EvalError::invalid(format!("Illegal regex: {}", error.message())))
}

/// `text.matches(pattern)`: true when some part of the text matches.
pub(super) fn matches(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    match args {
        [CelValue::String(text), CelValue::String(pattern)] => {
            let regex = compile_charged(context, pattern)?;
            matches_with(context, text, &regex)
        }
        [CelValue::String(_) | CelValue::Timestamp(_) | CelValue::Duration(_), _] => Err(EvalError::no_overload()),
        _ => Err(super::no_overload("matches")),
    }
}

/// [`matches`] with an expression that is compiled already.
pub(crate) fn matches_with(context: &mut EvalContext, text: &str, regex: &Regex) -> Outcome {
    charge(context, text, regex.as_str().len())?;
    Ok(CelValue::Bool(regex.is_match(text)))
}

fn find(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text), CelValue::String(pattern)] = args else { return Err(EvalError::no_overload()) };
    let regex = compile_found(context, pattern)?;
    find_with(context, text, &regex)
}

/// What functions with a literal pattern look at: the reference takes what an optional holds for the value itself there.
pub(crate) fn held(value: &CelValue) -> &CelValue {
    if let CelValue::Optional(Some(inner)) = value { held(inner) } else { value }
}

/// `text.find(pattern)` with an expression that is compiled already: the first match, or an empty text.
pub(crate) fn find_with(context: &mut EvalContext, text: &str, regex: &Regex) -> Outcome {
    charge(context, text, regex.as_str().len())?;
    let found = regex.find(text).map_or("", |found| found.as_str());
    new_string(context, found.to_owned())
}

fn find_all(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text), CelValue::String(pattern), ..] = args else { return Err(EvalError::no_overload()) };
    let regex = compile_found(context, pattern)?;
    find_all_with(context, text, &regex, args.get(2))
}

/// `text.findAll(pattern, limit)` with an expression that is compiled already; no limit when it is negative.
pub(crate) fn find_all_with(context: &mut EvalContext, text: &str, regex: &Regex, limit: Option<&CelValue>) -> Outcome {
    let limit = match limit.map(held) {
        None => usize::MAX,
        Some(CelValue::Int(limit)) => usize::try_from(*limit).unwrap_or(usize::MAX),
        Some(_) => return Err(EvalError::no_overload()),
    };
    charge(context, text, regex.as_str().len())?;
    let mut found = Vec::new();
    for part in regex.find_iter(text).take(limit) {
        context.allocate_items(1)?;
        found.push(CelValue::from(part.as_str()));
    }
    Ok(CelValue::list(found))
}
