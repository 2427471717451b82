//! From values of expressions to JSON: what a template field or a status field receives.

use std::fmt;

use kro_value::{Map, Str, Value};

use crate::eval::{EvalContext, EvalError};
use crate::value::{CelList, CelMap, CelValue, MapKey, Opaque};
use crate::view::{SchemaForm, ValueSchema};

/// How values of types that JSON does not have are written.
#[derive(Clone, Copy, Debug)]
pub enum Encoding<'a> {
    /// Timestamps and durations as strings; bytes are refused, because a field's format is not known.
    Json,
    /// Into a field with a schema: bytes as base64 where its format is `byte`, whole doubles as integers where it is one.
    Target(&'a dyn ValueSchema),
}

/// Why a value has no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConversionError {
    /// The value, or something in it, is of a type that JSON does not have.
    Unsupported(Str),
    /// A value does not fit its schema, or there is too much of it.
    Evaluation(EvalError),
}

impl fmt::Display for ConversionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(text) => formatter.write_str(text),
            Self::Evaluation(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for ConversionError {}

impl From<EvalError> for ConversionError {
    fn from(error: EvalError) -> Self {
        Self::Evaluation(error)
    }
}

/// A value as JSON, and whether the sentinel of `omit()` was in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Converted {
    /// The value. Entries and elements that were the sentinel are gone.
    Value(Value),
    /// The value is the sentinel itself: the field it was meant for has to go.
    Omit,
}

impl CelValue {
    /// The JSON of this value; what is `omit()` inside of it is left out. JSON parts are shared.
    ///
    /// # Errors
    /// When something in the value has no form in JSON, or the value itself is `omit()`.
    pub fn to_json(&self) -> Result<Value, ConversionError> {
        convert(&mut EvalContext::new(crate::Budget::default()), self, Encoding::Json)
    }

    /// The JSON of this value for a field, or that the field is to be left out.
    ///
    /// # Errors
    /// When something in the value has no form in JSON, or there is more of it than the budget allows.
    pub fn to_field(&self, context: &mut EvalContext, encoding: Encoding<'_>) -> Result<Converted, ConversionError> {
        if matches!(self, Self::Opaque(Opaque::Omit)) {
            return Ok(Converted::Omit);
        }
        convert(context, self, encoding).map(Converted::Value)
    }
}

pub(crate) fn convert(
    context: &mut EvalContext,
    value: &CelValue,
    encoding: Encoding<'_>,
) -> Result<Value, ConversionError> {
    context.charge(1)?;
    Ok(match value {
        CelValue::Null | CelValue::Optional(None) => Value::Null,
        CelValue::Bool(value) => Value::Bool(*value),
        CelValue::Int(value) => Value::Int(*value),
        CelValue::Double(value) => double(*value, encoding),
        CelValue::String(text) => Value::String(text.clone()),
        CelValue::Uint(value) => Value::Int(i64::try_from(*value).map_err(|_| too_large(*value))?),
        CelValue::Bytes(bytes) => encoded_bytes(bytes, encoding)?,
        CelValue::Timestamp(moment) => Value::string(moment.to_seconds_text()),
        CelValue::Duration(duration) => Value::string(duration.to_go_text()),
        CelValue::List(list) => convert_list(context, list, encoding)?,
        CelValue::Map(map) => convert_map(context, map, encoding)?,
        CelValue::Optional(Some(inner)) => return convert(context, inner, encoding),
        CelValue::Type(_) | CelValue::Opaque(_) => return Err(unsupported(value.type_name())),
    })
}

#[cold]
fn unsupported(given: &str) -> ConversionError {
    ConversionError::Unsupported(kro_value::format_smolstr!("unsupported type: {given}"))
}

#[cold]
fn too_large(value: u64) -> ConversionError {
    unsupported(&format!("uint value {value} overflows int64; use a smaller value or convert it to a string"))
}

fn form(encoding: Encoding<'_>) -> Option<SchemaForm> {
    if let Encoding::Target(schema) = encoding { Some(schema.form()) } else { None }
}

/// Whole doubles are integers where the field is one.
fn double(value: f64, encoding: Encoding<'_>) -> Value {
    match crate::value::exact_i64(value) {
        Some(whole) if form(encoding) == Some(SchemaForm::Integer) => Value::Int(whole),
        _ => Value::Float(value),
    }
}

fn encoded_bytes(bytes: &[u8], encoding: Encoding<'_>) -> Result<Value, ConversionError> {
    use base64::Engine;
    if form(encoding) == Some(SchemaForm::Bytes) {
        return Ok(Value::string(base64::engine::general_purpose::STANDARD.encode(bytes)));
    }
    Err(unsupported(
        "bytes value cannot be used directly in a resource template or status field; encode it explicitly, e.g. \
         base64.encode(...)",
    ))
}

fn convert_list(context: &mut EvalContext, list: &CelList, encoding: Encoding<'_>) -> Result<Value, ConversionError> {
    // live data goes out as it came in
    if let CelList::Json(items) = list {
        return Ok(Value::List(items.clone()));
    }
    if let CelList::View(view) = list
        && !view.schema.items().is_some_and(|items| is_converted(items.form()))
    {
        return Ok(Value::List(view.items.clone()));
    }
    let inner = match encoding {
        Encoding::Target(schema) => schema.items().map_or(Encoding::Json, Encoding::Target),
        Encoding::Json => Encoding::Json,
    };
    let mut items = Vec::with_capacity(list.len());
    for item in list.iter() {
        let item = item?;
        if !matches!(item, CelValue::Opaque(Opaque::Omit)) {
            items.push(convert(context, &item, inner)?);
        }
    }
    Ok(items.into())
}

/// Forms whose values are written in another way than they may have been read.
fn is_converted(form: SchemaForm) -> bool {
    matches!(form, SchemaForm::Duration | SchemaForm::Date | SchemaForm::DateTime | SchemaForm::Bytes)
}

fn convert_map(context: &mut EvalContext, map: &CelMap, encoding: Encoding<'_>) -> Result<Value, ConversionError> {
    if let Some(raw) = map.raw() {
        return Ok(Value::Map(raw.clone()));
    }
    let mut entries: Vec<(Str, Value)> = Vec::with_capacity(map.len());
    for (key, value) in map.entries()? {
        let MapKey::String(name) = key else { return Err(ConversionError::Unsupported(key_problem(&key))) };
        let inner = match encoding {
            Encoding::Target(schema) => {
                schema.property(&name).or_else(|| schema.values()).map_or(Encoding::Json, Encoding::Target)
            }
            Encoding::Json => Encoding::Json,
        };
        if !matches!(value, CelValue::Opaque(Opaque::Omit)) {
            entries.push((name, convert(context, &value, inner)?));
        }
    }
    Ok(Value::Map(entries.into_iter().collect::<Map>()))
}

/// What is said of a key that is no string.
#[cold]
pub(crate) fn key_problem(key: &MapKey) -> Str {
    let given = match key {
        MapKey::Bool(_) => "bool",
        MapKey::Int(_) => "int64",
        MapKey::Uint(_) => "uint64",
        MapKey::String(_) => "string",
        MapKey::Double(_) => "float64",
        MapKey::Other(other) => match &other.0 {
            CelValue::Null => "structpb.NullValue",
            CelValue::List(_) => "[]ref.Val",
            CelValue::Map(_) => "map[ref.Val]ref.Val",
            CelValue::Timestamp(_) => "time.Time",
            CelValue::Duration(_) => "time.Duration",
            other => crate::eval::go_type(other),
        },
    };
    kro_value::format_smolstr!("map key must be string, got {given}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Shape, typed};

    fn shape(schema: &str) -> Shape {
        Shape::from_openapi(&kro_value::from_json(schema).unwrap())
    }

    fn run(text: &str, object: &CelValue, encoding: Encoding<'_>) -> String {
        let environment = crate::library::kro_environment();
        let program = environment.plan(&environment.parse(text).ast, None).unwrap();
        let variables = [("o", object.clone())];
        let value = program.evaluate(&variables, &crate::Budget::default()).unwrap();
        match value.to_field(&mut EvalContext::unlimited(), encoding) {
            Ok(Converted::Value(value)) => value.to_string(),
            Ok(Converted::Omit) => "omitted".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn results_become_json() {
        let schema = shape(
            r#"{"type":"object","properties":{"t":{"type":"string","format":"date-time"},
            "d":{"type":"string","format":"duration"},"ts":{"type":"array","items":{"type":"string","format":"date-time"}}}}"#,
        );
        let text = r#"{"t":"2026-01-01T01:00:00.5+01:00","d":"90s","ts":["2026-01-01T00:00:00.7Z"]}"#;
        let object = typed(&kro_value::from_json(text).unwrap(), &schema).unwrap();
        for (expression, json) in [
            ("o.t", r#""2026-01-01T00:00:00Z""#),
            ("o.d", r#""1m30s""#),
            ("o.ts", r#"["2026-01-01T00:00:00Z"]"#),
            ("o", r#"{"d":"90s","t":"2026-01-01T01:00:00.5+01:00","ts":["2026-01-01T00:00:00.7Z"]}"#),
            ("json.marshal(o).contains('90s')", "true"),
            ("[1, omit(), {'a': omit(), 'b': [omit()]}]", r#"[1,{"b":[]}]"#),
            ("omit()", "omitted"),
            ("optional.none()", "null"),
            ("[optional.of(1), 2u]", "[1,2]"),
            ("{1: 2}", "map key must be string, got int64"),
            (
                "18446744073709551615u",
                "unsupported type: uint value 18446744073709551615 overflows int64; use a \
              smaller value or convert it to a string",
            ),
            ("quantity('1Gi')", "unsupported type: kubernetes.Quantity"),
        ] {
            assert_eq!(run(expression, &object, Encoding::Json), json, "{expression}");
        }
    }

    #[test]
    fn targets_decide_how_bytes_and_numbers_are_written() {
        let target =
            shape(r#"{"type":"object","properties":{"b":{"type":"string","format":"byte"},"i":{"type":"integer"}}}"#);
        let json = run("{'b': b'hi', 'i': 3.0}", &CelValue::Null, Encoding::Target(&target));
        assert_eq!(json, r#"{"b":"aGk=","i":3}"#);
        let refused = run("b'hi'", &CelValue::Null, Encoding::Json);
        assert!(refused.starts_with("unsupported type: bytes value cannot be used directly"), "{refused}");
    }
}
