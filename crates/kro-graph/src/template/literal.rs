use kro_diagnostics::codes::typing as codes;
use kro_diagnostics::{Code, did_you_mean};
use kro_schema::structural::Schema;
use kro_value::Value;

/// What is wrong with a literal; the path is added by the caller.
pub(super) struct Problem {
    pub code: Code,
    pub message: String,
    pub help: Option<String>,
}

fn problem(code: Code, message: String) -> Option<Problem> {
    Some(Problem { code, message, help: None })
}

/// Checks a scalar of the right type against enumeration, pattern and bounds.
pub(super) fn check(value: &Value, schema: &Schema) -> Option<Problem> {
    check_enum(value, schema).or_else(|| match value {
        Value::String(text) => check_text(text, schema),
        _ => check_number(value.as_f64()?, value, schema),
    })
}

fn check_enum(value: &Value, schema: &Schema) -> Option<Problem> {
    let allowed = schema.enum_values();
    // Values that the bundled schema does not list but a newer server might: only closed lists of strings are judged.
    if allowed.is_empty() || allowed.contains(value) {
        return None;
    }
    let names: Vec<String> = allowed.iter().map(Value::to_string).collect();
    let message = format!("unsupported value {value}, expected one of {}", names.join(", "));
    let near = value.as_str().and_then(|text| did_you_mean(text, allowed.iter().filter_map(Value::as_str)));
    Some(Problem { code: codes::ENUM, message, help: near })
}

/// A text that is none of the values that a field may have.
pub(super) fn not_listed(text: &str, values: &[&str]) -> Problem {
    let names: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    let message = format!("unsupported value {text:?}, expected one of {}", names.join(", "));
    Problem { code: codes::ENUM, message, help: did_you_mean(text, values.iter().copied()) }
}

fn check_text(text: &str, schema: &Schema) -> Option<Problem> {
    if let Some(pattern) = schema.pattern_regex().filter(|pattern| !pattern.is_match(text)) {
        return problem(codes::PATTERN, format!("{text:?} does not match the pattern {}", pattern.as_str()));
    }
    check_size(text.chars().count(), schema, "minLength", "maxLength", "characters")
}

/// Checks a count against two bounds of the schema.
pub(super) fn check_size(count: usize, schema: &Schema, min: &str, max: &str, unit: &str) -> Option<Problem> {
    let bound = |keyword| schema.keyword(keyword).and_then(Value::as_i64).and_then(|bound| usize::try_from(bound).ok());
    if let Some(min) = bound(min).filter(|min| count < *min) {
        return problem(codes::BOUND, format!("{count} {unit}, at least {min} are required"));
    }
    if let Some(max) = bound(max).filter(|max| count > *max) {
        return problem(codes::BOUND, format!("{count} {unit}, at most {max} are allowed"));
    }
    None
}

fn check_number(number: f64, value: &Value, schema: &Schema) -> Option<Problem> {
    if schema.format() == Some("int32") && !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number) {
        return problem(codes::BOUND, format!("{value} does not fit into 32 bits"));
    }
    let bound = |keyword: Option<&Value>| keyword.and_then(Value::as_f64);
    if let Some(min) = bound(schema.minimum())
        && (number < min || (schema.exclusive_minimum() && number <= min))
    {
        return problem(codes::BOUND, format!("{value} is below the minimum {min}"));
    }
    if let Some(max) = bound(schema.maximum())
        && (number > max || (schema.exclusive_maximum() && number >= max))
    {
        return problem(codes::BOUND, format!("{value} is above the maximum {max}"));
    }
    if let Some(unit) = bound(schema.multiple_of()).filter(|unit| *unit != 0.0 && (number / unit).fract() != 0.0) {
        return problem(codes::BOUND, format!("{value} is not a multiple of {unit}"));
    }
    None
}
