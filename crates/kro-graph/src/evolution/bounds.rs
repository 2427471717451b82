use kro_value::Value;

use super::change::{Change, ChangeType, Class, Constraint};

/// Keywords that bound a value, and whether a larger number allows less.
const BOUNDS: &[(&str, Constraint, bool)] = &[
    ("minimum", Constraint::Minimum, true),
    ("minLength", Constraint::MinLength, true),
    ("minItems", Constraint::MinItems, true),
    ("minProperties", Constraint::MinProperties, true),
    ("maximum", Constraint::Maximum, false),
    ("maxLength", Constraint::MaxLength, false),
    ("maxItems", Constraint::MaxItems, false),
    ("maxProperties", Constraint::MaxProperties, false),
];

/// Keywords that restrict when true.
const FLAGS: &[(&str, Constraint)] = &[
    ("exclusiveMinimum", Constraint::ExclusiveMinimum),
    ("exclusiveMaximum", Constraint::ExclusiveMaximum),
    ("uniqueItems", Constraint::UniqueItems),
];

pub(super) fn compare(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    for (keyword, constraint, larger_is_stricter) in BOUNDS {
        changes.extend(
            bound(old.get(keyword), new.get(keyword), *constraint, *larger_is_stricter)
                .map(|(class, change_type)| change(old, new, path, keyword, class, change_type)),
        );
    }
    for (keyword, constraint) in FLAGS {
        let is_set = |schema: &Value| schema.get(keyword).and_then(Value::as_bool).unwrap_or_default();
        let (class, change_type) = match (is_set(old), is_set(new)) {
            (false, true) => (Class::Breaking, ChangeType::ConstraintAdded(*constraint)),
            (true, false) => (Class::Compatible, ChangeType::ConstraintRemoved(*constraint)),
            _ => continue,
        };
        changes.push(change(old, new, path, keyword, class, change_type));
    }
    compare_multiple(changes, old, new, path);
}

/// A new divisor is harmless only when the old one is a multiple of it; that is not judged.
fn compare_multiple(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    let keyword = "multipleOf";
    let (class, change_type) = match (number(old.get(keyword)), number(new.get(keyword))) {
        (None, Some(_)) => (Class::Breaking, ChangeType::ConstraintAdded(Constraint::MultipleOf)),
        (Some(_), None) => (Class::Compatible, ChangeType::ConstraintRemoved(Constraint::MultipleOf)),
        (Some(old), Some(new)) if old < new => {
            (Class::Breaking, ChangeType::ConstraintIncreased(Constraint::MultipleOf))
        }
        (Some(old), Some(new)) if old > new => {
            (Class::Breaking, ChangeType::ConstraintDecreased(Constraint::MultipleOf))
        }
        _ => return,
    };
    changes.push(change(old, new, path, keyword, class, change_type));
}

fn bound(
    old: Option<&Value>,
    new: Option<&Value>,
    constraint: Constraint,
    larger_is_stricter: bool,
) -> Option<(Class, ChangeType)> {
    let judge = |is_stricter| if is_stricter { Class::Breaking } else { Class::Compatible };
    Some(match (number(old), number(new)) {
        (None, Some(_)) => (Class::Breaking, ChangeType::ConstraintAdded(constraint)),
        (Some(_), None) => (Class::Compatible, ChangeType::ConstraintRemoved(constraint)),
        (Some(old), Some(new)) if new > old => (judge(larger_is_stricter), ChangeType::ConstraintIncreased(constraint)),
        (Some(old), Some(new)) if new < old => {
            (judge(!larger_is_stricter), ChangeType::ConstraintDecreased(constraint))
        }
        _ => return None,
    })
}

fn number(value: Option<&Value>) -> Option<f64> {
    value?.as_f64()
}

fn change(old: &Value, new: &Value, path: &str, keyword: &str, class: Class, change_type: ChangeType) -> Change {
    let at = |schema: &Value| schema.get(keyword).cloned().unwrap_or_default();
    Change::new(class, format!("{path}.{keyword}"), change_type).values(at(old), at(new))
}
