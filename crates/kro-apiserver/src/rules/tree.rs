use std::fmt;

use kro_cel::Program;
use kro_cel::view::Shape;
use kro_schema::structural::{AdditionalProperties, ListType, Rule, Schema};
use kro_value::Str;

use super::{program, with_object_members};

/// The rules of a schema, compiled once: one node for each part of the schema that has rules in or below it.
pub(crate) struct Tree {
    pub(super) rules: Vec<Compiled>,
    pub(super) shape: Shape,
    pub(super) properties: Vec<(Str, Tree)>,
    /// Of the values of a map.
    pub(super) values: Option<Box<Tree>>,
    pub(super) items: Option<Box<Tree>>,
    /// What tells the items of a list apart; empty when nothing does.
    pub(super) keys: Vec<Str>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tree").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// A rule with its programs.
pub(super) struct Compiled {
    pub(super) rule: Rule,
    /// Why it cannot run, when it cannot.
    pub(super) program: Result<Program, String>,
    pub(super) message: Option<Program>,
}

impl Compiled {
    fn new(rule: Rule) -> Self {
        let program_of_rule = program(&rule.rule);
        let message = Some(&rule.message_expression).filter(|text| !text.is_empty());
        let message = message.and_then(|text| program(text).ok());
        Self { rule, program: program_of_rule, message }
    }

    /// True for rules that compare with the object before an update.
    pub(super) fn is_transition(&self) -> bool {
        self.program.as_ref().is_ok_and(|program| program.variables().iter().any(|name| name == "oldSelf"))
    }
}

impl Tree {
    /// The rules of an object's schema; `None` when it has none.
    pub(crate) fn of(schema: &Schema) -> Option<Self> {
        Self::node(schema, true)
    }

    fn node(schema: &Schema, is_root: bool) -> Option<Self> {
        let rules: Vec<Compiled> = schema.validations().into_iter().map(Compiled::new).collect();
        let properties: Vec<(Str, Self)> = schema
            .properties()
            .filter_map(|(name, property)| Some((name.clone(), Self::node(&property, false)?)))
            .collect();
        let values = match schema.additional_properties() {
            AdditionalProperties::Schema(values) => Self::node(&values, false),
            _ => None,
        };
        let items = schema.items().and_then(|items| Self::node(&items, false));
        if rules.is_empty() && properties.is_empty() && values.is_none() && items.is_none() {
            return None;
        }
        let json = if is_root { with_object_members(schema) } else { schema.to_json() };
        let keys = if schema.list_type() == Some(ListType::Map) { schema.list_map_keys().to_vec() } else { Vec::new() };
        let shape = Shape::from_openapi(&json);
        Some(Self { rules, shape, properties, values: values.map(Box::new), items: items.map(Box::new), keys })
    }
}
