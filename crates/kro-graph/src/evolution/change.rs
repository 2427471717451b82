use std::fmt;

use kro_value::Value;

/// What a change does to stored instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Stored instances, or clients that write valid ones, may be refused or lose data.
    Breaking,
    /// Whatever was valid stays valid.
    Compatible,
    /// Nothing that validates or stores looks at it.
    Ignored,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names say it
pub enum ChangeType {
    PropertyRemoved,
    PropertyAdded,
    TypeChanged,
    RequiredAdded,
    RequiredRemoved,
    RequiredDefaultRemoved,
    EnumRestricted,
    EnumExpanded,
    EnumAdded,
    EnumRemoved,
    PatternAdded,
    PatternChanged,
    PatternRemoved,
    DescriptionChanged,
    DefaultChanged,
    ConstraintAdded(Constraint),
    ConstraintRemoved(Constraint),
    ConstraintIncreased(Constraint),
    ConstraintDecreased(Constraint),
    FormatChanged,
    NullableChanged,
    PreserveUnknownFieldsChanged,
    EmbeddedResourceChanged,
    AdditionalPropertiesAdded,
    AdditionalPropertiesRemoved,
    ValidationAdded,
    ValidationRemoved,
    ValidationMessageChanged,
    ListTypeChanged,
    ListMapKeysChanged,
    MapTypeChanged,
    CombinatorChanged,
    ScopeChanged,
    NamesChanged,
    MetadataChanged,
    PrinterColumnsChanged,
    KeywordChanged,
}

/// A bound of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names of the keywords
pub enum Constraint {
    Minimum,
    Maximum,
    MinLength,
    MaxLength,
    MinItems,
    MaxItems,
    MinProperties,
    MaxProperties,
    ExclusiveMinimum,
    ExclusiveMaximum,
    MultipleOf,
    UniqueItems,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it does.
    pub class: Class,
    /// Where: `.properties.spec.properties.replicas.minimum` in the schema, `version.served` and the like around it.
    pub path: String,
    /// What it is.
    pub change_type: ChangeType,
    /// The value before; `null` when there was none.
    pub old: Value,
    /// The value after; `null` when there is none.
    pub new: Value,
}

impl Change {
    pub(super) fn new(class: Class, path: impl Into<String>, change_type: ChangeType) -> Self {
        Self { class, path: path.into(), change_type, old: Value::Null, new: Value::Null }
    }

    pub(super) fn breaking(path: impl Into<String>, change_type: ChangeType) -> Self {
        Self::new(Class::Breaking, path, change_type)
    }

    pub(super) fn compatible(path: impl Into<String>, change_type: ChangeType) -> Self {
        Self::new(Class::Compatible, path, change_type)
    }

    pub(super) fn values(self, old: Value, new: Value) -> Self {
        Self { old, new, ..self }
    }

    /// The last step of the path.
    fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    /// What changed, without the place.
    pub fn description(&self) -> String {
        use ChangeType as T;
        let (name, old, new) = (self.name(), plain(&self.old), plain(&self.new));
        match self.change_type {
            T::PropertyRemoved => format!("Property {name} was removed"),
            T::PropertyAdded if self.class == Class::Breaking => format!("Required property {name} was added"),
            T::PropertyAdded => format!("Optional property {name} was added"),
            T::TypeChanged => format!("Type changed from {old} to {new}"),
            T::RequiredAdded => format!("Field {name} is newly required"),
            T::RequiredRemoved => format!("Field {name} is no longer required"),
            T::RequiredDefaultRemoved => format!("Default value removed from required field {name}"),
            T::EnumRestricted => format!("Enum value {} was removed", self.old),
            T::EnumExpanded => format!("Enum value {} was added", self.new),
            T::EnumAdded => format!("Enum {} was added", self.new),
            T::EnumRemoved => format!("Enum {} was removed", self.old),
            T::PatternAdded => format!("Validation pattern {new} was added"),
            T::PatternChanged => format!("Validation pattern changed from {old} to {new}"),
            T::PatternRemoved => format!("Validation pattern {old} was removed"),
            T::DescriptionChanged => format!("Description field was changed from {old} to {new}"),
            T::DefaultChanged => format!("Default value was changed from {} to {}", raw(&self.old), raw(&self.new)),
            T::ConstraintAdded(constraint) => format!("{constraint:?} constraint {new} was added"),
            T::ConstraintRemoved(constraint) => format!("{constraint:?} constraint {old} was removed"),
            T::ConstraintIncreased(constraint) => format!("{constraint:?} was increased from {old} to {new}"),
            T::ConstraintDecreased(constraint) => format!("{constraint:?} was decreased from {old} to {new}"),
            T::AdditionalPropertiesAdded => "Map values were added".to_owned(),
            T::AdditionalPropertiesRemoved => "Map values were removed".to_owned(),
            T::ValidationAdded => format!("Validation rule {new} was added"),
            T::ValidationRemoved => format!("Validation rule {old} was removed"),
            T::ValidationMessageChanged => format!("Validation message was changed from {old} to {new}"),
            _ => format!("{} was changed from {} to {}", sentence_case(name), raw(&self.old), raw(&self.new)),
        }
    }
}

/// The description and the whole path.
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (at {})", self.description(), self.path)
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn raw(value: &Value) -> String {
    if value.is_null() { "nothing".to_owned() } else { value.to_string() }
}

fn sentence_case(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
