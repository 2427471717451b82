//! `string.format`: clauses such as `%s` and `%.2f`.

use super::{Outcome, new_string};
use crate::ast::{Ast, ExprId, ExprKind, Literal};
use crate::checker::Checked;
use crate::eval::{EvalContext, EvalError, FormatPiece};
use crate::issue::{Issue, IssueKind};
use crate::types::Type;
use crate::value::CelValue;

/// Digits after the point when a clause does not say.
const PRECISION_DEFAULT: usize = 6;
const PRECISION_MAX: usize = 100;

/// One clause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    String,
    Decimal,
    Fixed(usize),
    Scientific(usize),
    Binary,
    Hexadecimal { upper: bool },
    Octal,
}

/// A part of a format text.
enum Part<'a> {
    Text(&'a str),
    Clause(Verb),
}

/// Reads the next part and returns the rest. Errors come without their place.
fn next_part(text: &str) -> Result<(Part<'_>, &str), String> {
    let Some(at) = text.find('%') else { return Ok((Part::Text(text), "")) };
    if at > 0 {
        return Ok((Part::Text(&text[..at]), &text[at..]));
    }
    if let Some(rest) = text.strip_prefix("%%") {
        return Ok((Part::Text("%"), rest));
    }
    let (verb, rest) = clause(&text[1..]).map_err(|problem| format!("could not parse formatting clause: {problem}"))?;
    Ok((Part::Clause(verb), rest))
}

fn clause(text: &str) -> Result<(Verb, &str), String> {
    let (precision, rest) = precision(text).map_err(|problem| format!("error while parsing precision: {problem}"))?;
    // clauses are bytes: a character of several bytes is shown by its first one
    let byte = rest.bytes().next().unwrap_or(b' ');
    let verb = match byte {
        b's' => Verb::String,
        b'd' => Verb::Decimal,
        b'f' => Verb::Fixed(precision),
        b'e' => Verb::Scientific(precision),
        b'b' => Verb::Binary,
        b'x' => Verb::Hexadecimal { upper: false },
        b'X' => Verb::Hexadecimal { upper: true },
        b'o' => Verb::Octal,
        other => return Err(format!("unrecognized formatting clause \"{}\"", char::from(other))),
    };
    Ok((verb, &rest[1..]))
}

fn precision(text: &str) -> Result<(usize, &str), String> {
    let Some(tail) = text.strip_prefix('.') else { return Ok((PRECISION_DEFAULT, text)) };
    let Some(end) = tail.find(|c: char| !c.is_ascii_digit()) else {
        return Err("could not find end of precision specifier".to_owned());
    };
    let digits = &tail[..end];
    let problem = if digits.is_empty() { "invalid syntax" } else { "value out of range" };
    let precision: usize = digits.parse().map_err(|_| {
        let shown = super::quoted::quote(digits);
        format!("error while converting precision to integer: strconv.Atoi: parsing {shown}: {problem}")
    })?;
    if precision > PRECISION_MAX {
        return Err(format!("precision {precision} exceeds maximum allowed precision {PRECISION_MAX}"));
    }
    Ok((precision, &tail[end..]))
}

/// The parts of a text that has only plain clauses for texts and whole numbers.
pub(crate) fn plain_pieces(text: &str) -> Option<Vec<FormatPiece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, tail) = next_part(rest).ok()?;
        pieces.push(match part {
            Part::Text(text) => FormatPiece::Text(text.into()),
            Part::Clause(Verb::String) => FormatPiece::String,
            Part::Clause(Verb::Decimal) => FormatPiece::Decimal,
            Part::Clause(_) => return None,
        });
        rest = tail;
    }
    Some(pieces)
}

/// `text.format(arguments)`
pub(super) fn format(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text), CelValue::List(list)] = args else { return Err(EvalError::no_overload()) };
    context.charge(text.len() as u64 / 8)?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut index = 0;
    while !rest.is_empty() {
        if rest.starts_with('%') && !rest.starts_with("%%") {
            check_argument(rest, index, list.len()).map_err(EvalError::invalid)?;
        }
        let (part, tail) = next_part(rest).map_err(EvalError::invalid)?;
        rest = tail;
        let Part::Clause(verb) = part else {
            if let Part::Text(text) = part {
                out.push_str(text);
            }
            continue;
        };
        let value = list.get(index).unwrap_or(Ok(CelValue::Null))?;
        index += 1;
        let before = out.len();
        match (verb, &value) {
            (Verb::String, CelValue::String(text)) => out.push_str(text),
            (Verb::String | Verb::Decimal, CelValue::Int(number)) => push_number(&mut out, *number),
            _ => out.push_str(&write(context, verb, &value)?),
        }
        context.allocate(out.len() - before)?;
    }
    new_string(context, out)
}

fn push_number(out: &mut String, number: i64) {
    use std::fmt::Write;
    // a string takes everything
    let _ = write!(out, "{number}");
}

/// Whether there is an argument for the clause, which is looked for before the clause is read.
fn check_argument(rest: &str, index: usize, count: usize) -> Result<(), String> {
    if index >= count {
        return Err(format!("index {index} out of range"));
    }
    if rest.len() == 1 { Err("unexpected end of string".to_owned()) } else { Ok(()) }
}

fn write(context: &mut EvalContext, verb: Verb, value: &CelValue) -> Result<String, EvalError> {
    let written = match verb {
        Verb::String => {
            let mut out = String::new();
            write_string(context, value, &mut out)?.map(|()| out)
        }
        Verb::Decimal => decimal(value),
        Verb::Fixed(precision) => fixed(value, precision),
        Verb::Scientific(precision) => scientific(value, precision),
        Verb::Binary => integer(value, |number| format!("{number:b}")).or_else(|| match value {
            CelValue::Bool(value) => Some(if *value { "1" } else { "0" }.to_owned()),
            _ => None,
        }),
        Verb::Octal => integer(value, |number| format!("{number:o}")),
        Verb::Hexadecimal { upper } => hexadecimal(value).map(|text| if upper { text.to_uppercase() } else { text }),
    };
    written.ok_or_else(|| {
        let problem = complaint(verb, offending(verb, value));
        EvalError::invalid(format!("error during formatting: {problem}"))
    })
}

/// The part of a value that has no text: the value itself, or something inside of a list or map.
fn offending(verb: Verb, value: &CelValue) -> &str {
    let inner = match (verb, value) {
        (Verb::String, CelValue::List(list)) => {
            list.iter().flatten().find(|item| display_within_bounds(item).is_none())
        }
        (Verb::String, CelValue::Map(map)) => map.entries().ok().and_then(|entries| {
            entries.into_iter().map(|(_, value)| value).find(|item| display_within_bounds(item).is_none())
        }),
        _ => None,
    };
    match inner {
        Some(CelValue::Optional(_)) => "optional_type",
        Some(CelValue::Opaque(opaque)) => opaque.type_name(),
        _ => value.type_name(),
    }
}

fn complaint(verb: Verb, given: &str) -> String {
    match verb {
        Verb::String => format!(
            "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and \
             timestamps, was given {given}"
        ),
        Verb::Decimal => format!("decimal clause can only be used on ints, uints, and doubles, was given {given}"),
        Verb::Fixed(_) => format!("fixed-point clause can only be used on ints, uints, and doubles, was given {given}"),
        Verb::Scientific(_) => {
            format!("scientific clause can only be used on ints, uints, and doubles, was given {given}")
        }
        Verb::Binary => format!("only ints, uints, and bools can be formatted as binary, was given {given}"),
        Verb::Hexadecimal { .. } => {
            format!("only ints, uints, bytes, and strings can be formatted as hex, was given {given}")
        }
        Verb::Octal => format!("octal clause can only be used on ints and uints, was given {given}"),
    }
}

fn decimal(value: &CelValue) -> Option<String> {
    match value {
        CelValue::Int(value) => Some(value.to_string()),
        CelValue::Uint(value) => Some(value.to_string()),
        CelValue::Double(value) => Some(plain_double(*value)),
        _ => None,
    }
}

/// All digits, without an exponent.
fn plain_double(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    value.to_string() // NaN prints as such
}

#[allow(clippy::cast_precision_loss)]
fn double(value: &CelValue) -> Option<f64> {
    match value {
        CelValue::Int(value) => Some(*value as f64),
        CelValue::Uint(value) => Some(*value as f64),
        CelValue::Double(value) => Some(*value),
        _ => None,
    }
}

fn fixed(value: &CelValue, precision: usize) -> Option<String> {
    let value = double(value)?;
    Some(if value.is_finite() { format!("{value:.precision$}") } else { plain_double(value) })
}

fn scientific(value: &CelValue, precision: usize) -> Option<String> {
    let value = double(value)?;
    if !value.is_finite() {
        return Some(plain_double(value));
    }
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    Some(format!("{mantissa}e{sign}{digits:0>2}"))
}

/// An integer's magnitude in some base, with a minus where it is negative.
fn integer(value: &CelValue, digits: fn(u64) -> String) -> Option<String> {
    match value {
        CelValue::Int(value) if *value < 0 => Some(format!("-{}", digits(value.unsigned_abs()))),
        CelValue::Int(value) => Some(digits(value.unsigned_abs())),
        CelValue::Uint(value) => Some(digits(*value)),
        _ => None,
    }
}

fn hexadecimal(value: &CelValue) -> Option<String> {
    let of_bytes = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match value {
        CelValue::String(text) => Some(of_bytes(text.as_bytes())),
        CelValue::Bytes(bytes) => Some(of_bytes(bytes)),
        _ => integer(value, |number| format!("{number:x}")),
    }
}

/// The text of `%s`; `None` for values without one.
fn write_string(context: &mut EvalContext, value: &CelValue, out: &mut String) -> Result<Option<()>, EvalError> {
    context.charge(1)?;
    match value {
        CelValue::Null => out.push_str("null"),
        CelValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        CelValue::String(text) => {
            context.allocate(text.len())?;
            out.push_str(text);
        }
        CelValue::Bytes(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        CelValue::Timestamp(value) => {
            out.push_str(&crate::value::CelTimestamp { offset_seconds: 0, ..*value }.to_text());
        }
        CelValue::Duration(value) => out.push_str(&super::conversions::duration_text(*value)),
        CelValue::Type(name) => out.push_str(name),
        CelValue::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                if write_string(context, &item?, out)?.is_none() {
                    return Ok(None);
                }
            }
            out.push(']');
        }
        CelValue::Map(map) => return write_map(context, map, out),
        _ => match decimal(value) {
            Some(text) => out.push_str(&text),
            None => return Ok(None),
        },
    }
    Ok(Some(()))
}

/// Entries in the order of their keys' texts.
fn write_map(context: &mut EvalContext, map: &crate::value::CelMap, out: &mut String) -> Result<Option<()>, EvalError> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.entries()? {
        let mut text = String::new();
        if write_string(context, &value, &mut text)?.is_none() {
            return Ok(None);
        }
        entries.push((key.to_string(), text));
    }
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    let entries: Vec<String> = entries.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
    out.push('{');
    out.push_str(&entries.join(", "));
    out.push('}');
    Ok(Some(()))
}

/// A value as messages show it; `None` for values without a text and for large ones.
pub(crate) fn display_within_bounds(value: &CelValue) -> Option<String> {
    let mut out = String::new();
    let mut context = EvalContext::new(crate::eval::Budget { steps: 1_000, bytes: 16 << 10 });
    write_string(&mut context, value, &mut out).ok().flatten().map(|()| out)
}

/// A value as messages show it.
pub(crate) fn display(value: &CelValue) -> String {
    display_within_bounds(value).unwrap_or_else(|| value.type_name().to_owned())
}

/// Checks a call of `format` whose text and arguments are literals, as cel-go does.
pub(super) fn validate(ast: &Ast, checked: &Checked, call: ExprId) -> Vec<Issue> {
    let ExprKind::Call { target: Some(target), args, .. } = ast.kind(call) else { return Vec::new() };
    let (ExprKind::Literal(Literal::String(text)), [list]) = (ast.kind(*target), args.as_slice()) else {
        return Vec::new();
    };
    let ExprKind::List { elements, .. } = ast.kind(*list) else { return Vec::new() };
    let problem = check_clauses(ast, checked, text, elements);
    let issue = match problem {
        Ok(used) if elements.len() > used => {
            let count = elements.len();
            Some((call, format!("too many arguments supplied to string.format (expected {used}, got {count})")))
        }
        Ok(_) => None,
        Err((place, problem)) => Some((place.unwrap_or(call), problem)),
    };
    issue
        .map(|(place, message)| Issue::new(IssueKind::Argument, ast.span(place), ast.anchor(place), message))
        .into_iter()
        .collect()
}

/// How many arguments the clauses of a text take, or what is wrong and with which argument.
fn check_clauses(
    ast: &Ast,
    checked: &Checked,
    text: &str,
    elements: &[ExprId],
) -> Result<usize, (Option<ExprId>, String)> {
    let mut rest = text;
    let mut index = 0;
    while !rest.is_empty() {
        if rest == "%" {
            return Err((None, "unexpected end of string".to_owned())); // before it is looked for an argument
        }
        if rest.starts_with('%') && !rest.starts_with("%%") {
            check_argument(rest, index, elements.len()).map_err(|problem| (None, problem))?;
        }
        let (part, tail) = next_part(rest).map_err(|problem| (None, problem))?;
        rest = tail;
        let Part::Clause(verb) = part else { continue };
        let Some(element) = elements.get(index) else { break };
        index += 1;
        if let Some((place, given)) = misfit(ast, checked, verb, *element) {
            return Err((Some(place), format!("error during formatting: {}", complaint(verb, &given))));
        }
    }
    Ok(index)
}

/// The argument, or the part of it, whose type a clause does not take.
fn misfit(ast: &Ast, checked: &Checked, verb: Verb, element: ExprId) -> Option<(ExprId, String)> {
    let ty = match checked.type_of(element) {
        Type::Wrapper(scalar) => scalar,
        ty => ty,
    };
    let number = matches!(ty, Type::Int | Type::Uint | Type::Double);
    let fits = match verb {
        Verb::Decimal | Verb::Fixed(_) | Verb::Scientific(_) => number,
        Verb::Binary => matches!(ty, Type::Bool | Type::Int | Type::Uint),
        Verb::Octal => matches!(ty, Type::Int | Type::Uint),
        Verb::Hexadecimal { .. } => matches!(ty, Type::Int | Type::Uint | Type::String | Type::Bytes),
        Verb::String => !matches!(ty, Type::Opaque(_) | Type::Object(_) | Type::Any),
    };
    if !fits && !matches!(ty, Type::Dyn) {
        let name = if matches!(ty, Type::Any) { "google.protobuf.Any" } else { ty.runtime_name().unwrap_or("dyn") };
        return Some((element, name.to_owned()));
    }
    if verb != Verb::String {
        return None;
    }
    let mut found = None;
    let mut look = |id| found = found.take().or_else(|| misfit(ast, checked, verb, id));
    match ast.kind(element) {
        ExprKind::List { elements, .. } => elements.iter().for_each(|id| look(*id)),
        ExprKind::Map(entries) => entries.iter().for_each(|entry| {
            look(entry.key);
            look(entry.value);
        }),
        _ => {}
    }
    found
}
