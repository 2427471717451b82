use kro_cel::ast::{Ast, ExprId, ExprKind, Literal};
use kro_cel::{Checked, Type, TypeProvider};

use super::declarations::SchemaTypes;

/// How deep types are compared; schemas may be recursive.
const DEPTH_MAX: usize = 32;

/// Compares an expression with the type of the field that it fills.
pub(super) struct Comparison<'c> {
    pub types: &'c SchemaTypes,
    pub ast: &'c Ast,
    pub checked: &'c Checked,
}

type Verdict = Result<(), String>;

impl Comparison<'_> {
    /// A literal is compared part by part, since the type of a map with mixed values says nothing about them.
    pub fn expression(&self, id: ExprId, want: &Type) -> Verdict {
        match (self.ast.kind(id), want) {
            (ExprKind::Map(entries), Type::Object(name)) => {
                entries.iter().try_for_each(|entry| match self.ast.kind(entry.key) {
                    ExprKind::Literal(Literal::String(field)) => self.literal_field(name, field, entry.value),
                    _ => Ok(()),
                })
            }
            (ExprKind::Map(entries), Type::Map(pair)) => entries.iter().try_for_each(|entry| {
                self.expression(entry.value, &pair.1).map_err(|why| format!("map value type incompatible: {why}"))
            }),
            (ExprKind::List { elements, .. }, Type::List(element)) => elements.iter().try_for_each(|item| {
                self.expression(*item, element).map_err(|why| format!("list element type incompatible: {why}"))
            }),
            _ => compare(self.types, self.checked.type_of(id), want, DEPTH_MAX),
        }
    }

    fn literal_field(&self, object: &str, field: &str, value: ExprId) -> Verdict {
        match self.types.field_type(object, field) {
            Some(want) => {
                self.expression(value, &want).map_err(|why| format!("field {field:?} has incompatible type: {why}"))
            }
            None => Err(format!("field {field:?} exists in output but not in expected type")),
        }
    }
}

fn compare(types: &SchemaTypes, out: &Type, want: &Type, depth: usize) -> Verdict {
    if depth == 0 || out == want || out.is_dyn() || want.is_dyn() || out.is_error() {
        return Ok(());
    }
    if let Some(inner) = out.optional_inner() {
        return compare(types, inner, want, depth - 1);
    }
    match (out, want) {
        (Type::List(out), Type::List(want)) => {
            compare(types, out, want, depth - 1).map_err(|why| format!("list element type incompatible: {why}"))
        }
        (Type::Map(out), Type::Map(want)) => {
            compare(types, &out.0, &want.0, depth - 1).map_err(|why| format!("map key type incompatible: {why}"))?;
            compare(types, &out.1, &want.1, depth - 1).map_err(|why| format!("map value type incompatible: {why}"))
        }
        (Type::Map(pair), Type::Object(name)) => map_to_object(types, pair, name, depth),
        (Type::Object(name), Type::Map(pair)) => object_to_map(types, name, pair, depth),
        (Type::Object(out), Type::Object(want)) => object_to_object(types, out, want, depth),
        _ => Err(format!("type kind mismatch: got \"{out}\", expected \"{want}\"")),
    }
}

fn map_to_object(types: &SchemaTypes, pair: &(Type, Type), name: &str, depth: usize) -> Verdict {
    if !matches!(pair.0, Type::String | Type::Dyn) {
        return Err("map keys must be strings to assign to struct".to_owned());
    }
    for field in types.field_names(name).unwrap_or_default() {
        let Some(want) = types.field_type(name, &field) else { continue };
        compare(types, &pair.1, &want, depth - 1)
            .map_err(|why| format!("map value incompatible with struct field \"{field}\": {why}"))?;
    }
    Ok(())
}

fn object_to_map(types: &SchemaTypes, name: &str, pair: &(Type, Type), depth: usize) -> Verdict {
    if !matches!(pair.0, Type::String | Type::Dyn) {
        return Err("map key type must be string when assigning struct → map".to_owned());
    }
    for field in types.field_names(name).unwrap_or_default() {
        let Some(out) = types.field_type(name, &field) else { continue };
        compare(types, &out, &pair.1, depth - 1)
            .map_err(|why| format!("struct field \"{field}\" incompatible with map value type: {why}"))?;
    }
    Ok(())
}

fn object_to_object(types: &SchemaTypes, out: &str, want: &str, depth: usize) -> Verdict {
    let (Some(out_fields), Some(want_fields)) = (types.field_names(out), types.field_names(want)) else {
        return Ok(()); // a type of a library: nothing is known of its fields
    };
    if out == want || types.is_open(want) || out_fields.is_empty() {
        return Ok(());
    }
    if want_fields.is_empty() {
        return Err("output has fields but expected type has none".to_owned());
    }
    for field in out_fields {
        let Some(want) = types.field_type(want, &field) else {
            return Err(format!("field {field:?} exists in output but not in expected type"));
        };
        let Some(out) = types.field_type(out, &field) else { continue };
        compare(types, &out, &want, depth - 1)
            .map_err(|why| format!("field {field:?} has incompatible type: {why}"))?;
    }
    Ok(())
}
