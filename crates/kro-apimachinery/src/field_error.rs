use std::fmt;

use kro_value::{Str, Value, to_json};

use crate::Cause;

/// What kind of validation failed: the reason of the [`Cause`] and the prefix of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// A value is missing.
    Required,
    /// The value is not acceptable.
    Invalid,
    /// The value has the wrong type.
    TypeInvalid,
    /// The value is none of a fixed set.
    NotSupported,
    /// The value may not be set, or not be changed.
    Forbidden,
    /// The value occurs twice.
    Duplicate,
    /// The value names something that does not exist.
    NotFound,
    /// A text has too many bytes.
    TooLong,
    /// A list or map has too many items.
    TooMany,
    /// The server could not decide.
    Internal,
}

impl FieldErrorKind {
    fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::Duplicate => "FieldValueDuplicate",
            Self::NotFound => "FieldValueNotFound",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }
}

/// One finding of a validation, worded as Kubernetes words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// What is wrong.
    pub kind: FieldErrorKind,
    /// Where: `spec.ports[0].port`; `<nil>` for the object as a whole.
    pub field: String,
    /// The value as it is printed (strings in quotes); `None` where the text shows no value.
    pub value: Option<String>,
    /// More words; empty when the kind says it all.
    pub detail: String,
}

impl FieldError {
    /// A finding without a value.
    pub fn new(kind: FieldErrorKind, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, field: field.into(), value: None, detail: detail.into() }
    }

    /// A value is missing.
    pub fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Required, field, detail)
    }

    /// The value may not be set or changed.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(FieldErrorKind::Forbidden, field, detail)
    }

    /// The value is not acceptable.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: impl Into<String>) -> Self {
        Self { value: Some(print_value(value)), ..Self::new(FieldErrorKind::Invalid, field, detail) }
    }

    /// The value has the wrong type.
    pub fn type_invalid(field: impl Into<String>, value: &Value, detail: impl Into<String>) -> Self {
        Self { value: Some(print_value(value)), ..Self::new(FieldErrorKind::TypeInvalid, field, detail) }
    }

    /// The value is none of `supported` (printed in the order given).
    pub fn not_supported<S: AsRef<str>>(field: impl Into<String>, value: &Value, supported: &[S]) -> Self {
        let quoted: Vec<String> = supported.iter().map(|text| go_quote(text.as_ref())).collect();
        let detail = if quoted.is_empty() { String::new() } else { format!("supported values: {}", quoted.join(", ")) };
        Self { value: Some(print_value(value)), ..Self::new(FieldErrorKind::NotSupported, field, detail) }
    }

    /// The value occurs twice.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self { value: Some(print_value(value)), ..Self::new(FieldErrorKind::Duplicate, field, "") }
    }

    /// The value names something that does not exist.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self { value: Some(print_value(value)), ..Self::new(FieldErrorKind::NotFound, field, "") }
    }

    /// A text has more than `limit` bytes.
    pub fn too_long(field: impl Into<String>, limit: usize) -> Self {
        let unit = if limit == 1 { "byte" } else { "bytes" };
        Self::new(FieldErrorKind::TooLong, field, format!("may not be more than {limit} {unit}"))
    }

    /// A list or map has `count` items and may have `limit`.
    pub fn too_many(field: impl Into<String>, count: usize, limit: usize) -> Self {
        let unit = if limit == 1 { "item" } else { "items" };
        let detail = format!("must have at most {limit} {unit}");
        Self { value: Some(count.to_string()), ..Self::new(FieldErrorKind::TooMany, field, detail) }
    }

    /// The text without the field: the message of the cause.
    pub fn text(&self) -> String {
        let mut text = self.kind.prefix().to_owned();
        for part in self.value.iter().chain(Some(&self.detail).filter(|detail| !detail.is_empty())) {
            text.push_str(": ");
            text.push_str(part);
        }
        text
    }

    /// The cause for `details` of a Status.
    pub fn cause(&self) -> Cause {
        Cause { reason: Str::new(self.kind.reason()), message: self.text(), field: self.field.clone() }
    }

    /// The texts of several findings: alone, or as `[a, b]` without duplicates.
    pub fn aggregate(errors: &[Self]) -> String {
        let mut texts: Vec<String> = Vec::with_capacity(errors.len());
        for text in errors.iter().map(Self::to_string) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        match texts.as_slice() {
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        }
    }
}

/// `<field>: <text>`
impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.text())
    }
}

/// Strings in Go's quotes, everything else as compact JSON.
pub fn print_value(value: &Value) -> String {
    match value {
        Value::String(text) => go_quote(text),
        Value::List(_) | Value::Map(_) => {
            to_json(value).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
        }
        scalar => to_json(scalar),
    }
}

/// A string as Go's `%q` prints it.
pub fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            control if (control as u32) < 0x20 || control == '\u{7f}' => {
                quoted.push_str(&format!("\\x{:02x}", control as u32));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_errors_like_the_reference() {
        let value = Value::from("c");
        for (error, text) in [
            (FieldError::required("a", ""), "a: Required value"),
            (FieldError::invalid("a", &Value::Int(-1), "too small"), "a: Invalid value: -1: too small"),
            (
                FieldError::not_supported("a", &value, &["x", "y"]),
                r#"a: Unsupported value: "c": supported values: "x", "y""#,
            ),
            (FieldError::duplicate("a[1]", &value), r#"a[1]: Duplicate value: "c""#),
            (FieldError::too_long("a", 63), "a: Too long: may not be more than 63 bytes"),
            (FieldError::too_many("a", 3, 2), "a: Too many: 3: must have at most 2 items"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn quotes_like_go() {
        assert_eq!(go_quote("a\"\\\n\u{1}é"), r#""a\"\\\n\x01é""#);
    }
}
