use kro_schema::structural::Schema;
use kro_value::Value;

/// How sure it is that a missing field makes the API server refuse the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// It is filled in, or its zero is as good as any value.
    None,
    /// The schema has a zero for it that the server then refuses, as far as we know.
    Likely,
    Certain,
}

/// Fields that the API server fills in although the bundled schema requires them.
const FILLED_IN: &[(&str, &str)] = &[("roleRef", "apiGroup")];

/// Fields of built-in kinds whose zero is legal although they are required.
const ZERO_IS_LEGAL: &[&str] = &["value", "revision", "lun", "limits", "drivers", "spec", "metadata", "preference"];

/// Judges a required field that an object lacks. `parent` is the field that holds the object.
pub(super) fn judge(object: &Schema, parent: &str, name: &str) -> Demand {
    if FILLED_IN.contains(&(parent, name)) {
        return Demand::None;
    }
    let is_builtin = object.reference().is_some();
    if is_builtin && ZERO_IS_LEGAL.contains(&name) {
        return Demand::None;
    }
    if object.reference().is_some_and(|reference| reference.ends_with(".LabelSelectorRequirement")) {
        return Demand::Certain; // nothing could be selected
    }
    match object.property(name).as_ref().and_then(Schema::default_value) {
        None => Demand::Certain,
        // Kinds of Go's structs have their zeros as defaults, and Kubernetes then refuses most of them.
        Some(default) if is_builtin && is_zero(default) => Demand::Likely,
        Some(_) => Demand::None,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Int(number) => *number == 0,
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}
