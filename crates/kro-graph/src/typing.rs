//! Types of expressions: checked against the kinds of resources, the instance, and the fields they fill.

mod compatibility;
mod declarations;
mod inference;

use std::sync::Arc;

use kro_cel::{Checked, Environment, Type};
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::{cel as codes, graph as graph_codes, typing as typing_codes};
use kro_schema::structural::Schema;
use kro_value::{Map, Value};

use crate::definition::Definition;
use crate::draft::{FieldDraft, NodeDraft, Resolved};
use crate::environment::base;
use crate::expression::{self, Draft};
use crate::report::Report;
use crate::resource::Resource;
use crate::schemas;
use crate::status::{Item, Status};
use declarations::SchemaTypes;

const CONDITION: &str = "kro.run.Condition";

/// Checks every expression and returns the schema of each status field, in their order.
pub(crate) fn check(
    report: &mut Report<'_>,
    definition: &Definition,
    spec_schema: Option<&Value>,
    resources: &[Option<Resource<'_>>],
    drafts: &[NodeDraft],
    status: &Status,
) -> Vec<Value> {
    let types = Arc::new(SchemaTypes::default());
    let mut typing = Typing { report, types: Arc::clone(&types), environment: base().clone() };
    typing.environment = typing.declare(definition, spec_schema, resources);
    for (position, draft) in drafts.iter().enumerate() {
        if let Some(resource) = &resources[position] {
            typing.check_node(resource, draft);
        }
    }
    let schemas = status.fields.iter().map(|item| typing.infer(item)).collect();
    status.conditions.iter().for_each(|item| typing.check_condition(item));
    schemas
}

struct Typing<'t, 'a> {
    report: &'t mut Report<'a>,
    types: Arc<SchemaTypes>,
    environment: Environment,
}

/// The schema that `schema` has in expressions: the instance without its status.
pub(crate) fn instance_schema(definition: &Definition, spec_schema: &Value) -> Schema {
    let properties = Value::map([("spec", spec_schema.clone())]);
    let root = Value::map([("type", Value::from("object")), ("properties", properties)]);
    schemas::instance_schema(&root, definition.is_namespaced())
}

impl Typing<'_, '_> {
    /// The environment with a variable for the instance and for each resource.
    fn declare(
        &self,
        definition: &Definition,
        spec_schema: Option<&Value>,
        resources: &[Option<Resource<'_>>],
    ) -> Environment {
        let mut builder = base().extend().types(Arc::clone(&self.types) as _);
        if let (Some(spec), Some(block)) = (spec_schema, &definition.schema) {
            builder = builder.variable("schema", self.types.declare(&block.kind, &instance_schema(definition, spec)));
        }
        for (entry, resource) in definition.resources.iter().zip(resources) {
            let object = resource.as_ref().map_or(Type::Dyn, |resource| self.object_type(resource));
            let is_list = !entry.for_each.is_empty() || resource.as_ref().is_some_and(|resource| resource.has_selector);
            let variable = if is_list { Type::list(object) } else { object };
            builder = builder.variable(entry.id.clone(), variable);
        }
        builder.build()
    }

    fn object_type(&self, resource: &Resource<'_>) -> Type {
        match &resource.kind {
            Some(kind) => self.types.declare(&resource.gvk.kind, &kind.schema),
            None => Type::Dyn,
        }
    }

    fn check_node(&mut self, resource: &Resource<'_>, draft: &NodeDraft) {
        let id = &resource.entry.id;
        let mut builder = self.environment.extend();
        for (name, _) in &resource.entry.for_each {
            builder = builder.variable(name.clone(), Type::Dyn); // replaced below when its list is typed
        }
        for (name, resolved) in &draft.for_each {
            builder = builder.variable(name.clone(), self.check_dimension(id, name, resolved));
        }
        let inside = builder.build();
        for field in &draft.fields {
            if let Some(checked) = self.checked(&inside, id, &field.resolved.draft) {
                self.check_target(id, field, &checked);
            }
        }
        let environment = self.environment.clone();
        self.check_conditions(&environment, id, "includeWhen", &draft.include_when);
        let each = self.environment.extend().variable("each", self.object_type(resource)).build();
        self.check_conditions(&each, id, "readyWhen", &draft.ready_when);
    }

    /// The types of an expression; `None` when it has errors, which are reported.
    fn checked(&mut self, environment: &Environment, id: &str, draft: &Draft) -> Option<Checked> {
        let checked = environment.check(&draft.ast);
        checked.errors.iter().for_each(|issue| expression::report_issue(self.report, id, draft, issue));
        checked.errors.is_empty().then_some(checked)
    }

    /// The type of the elements of a loop.
    fn check_dimension(&mut self, id: &str, name: &str, resolved: &Resolved) -> Type {
        let environment = self.environment.clone();
        let Some(checked) = self.checked(&environment, id, &resolved.draft) else { return Type::Dyn };
        let result = checked.result_type();
        if let Some(element) = result.list_element() {
            return element.clone();
        }
        let message = format!(
            "node {id:?}: forEach iterator {name:?} must return a list, got \"{result}\": type \"{result}\" is not a list type"
        );
        self.report_whole(id, &resolved.draft, Diagnostic::error(graph_codes::NOT_A_LIST, message));
        Type::Dyn
    }

    fn check_conditions(&mut self, environment: &Environment, id: &str, what: &str, conditions: &[Resolved]) {
        for resolved in conditions {
            let Some(checked) = self.checked(environment, id, &resolved.draft) else { continue };
            let result = checked.result_type();
            let inner = result.optional_inner().unwrap_or(result);
            if !matches!(inner, Type::Bool | Type::Error) {
                let message = format!(
                    "{what} expression {:?} in resource {id:?} must return bool or optional_type(bool), but returns \
                     \"{result}\"",
                    resolved.draft.text
                );
                let mut diagnostic = Diagnostic::error(codes::NOT_BOOLEAN, message);
                if inner.is_dyn() {
                    diagnostic = diagnostic.help("its type is not known: write bool(...) or compare it with == true");
                }
                self.report_whole(id, &resolved.draft, diagnostic);
            }
        }
    }

    fn check_target(&mut self, id: &str, field: &FieldDraft, checked: &Checked) {
        let Some(target) = &field.target else { return };
        let draft = &field.resolved.draft;
        let wanted = self.types.declare(&format!("{id}.{}", field.path), target);
        let comparison = compatibility::Comparison { types: &self.types, ast: &draft.ast, checked };
        if let Err(detail) = comparison.expression(draft.ast.root(), &wanted) {
            let message = format!(
                "type mismatch in resource {id:?} at path {:?}: expression {:?} returns type \"{}\" but expected \"{wanted}\": \
                 {detail}",
                field.path.to_string(),
                draft.text,
                checked.result_type()
            );
            self.report_whole(id, draft, Diagnostic::error(typing_codes::EXPRESSION_TYPE, message));
        }
    }

    /// The schema of a status field.
    fn infer(&mut self, item: &Item) -> Value {
        let environment = self.environment.clone();
        let Some(checked) = self.checked(&environment, "", &item.draft) else { return Value::Map(Map::new()) };
        let result = checked.result_type();
        let is_state = item.path.to_string() == "state";
        if is_state && !matches!(result, Type::String) {
            let message = format!("status.state is written by kro and must be a string, got \"{result}\"");
            self.report_whole("", &item.draft, Diagnostic::error(graph_codes::STATUS_RESERVED, message));
        }
        inference::schema_of(&self.types, result)
    }

    fn check_condition(&mut self, item: &Item) {
        let environment = self.environment.clone();
        let Some(checked) = self.checked(&environment, "", &item.draft) else { return };
        let result = checked.result_type();
        let single = result.list_element().unwrap_or(result);
        let is_condition = matches!(single, Type::Object(name) if &**name == CONDITION)
            || matches!(single, Type::Opaque(opaque) if &*opaque.name == CONDITION);
        if !is_condition && !single.is_dyn() && !single.is_error() {
            let message = format!(
                "condition {:?}: condition expressions must return runtime.newCondition(...) or a list of them, got \
                 \"{result}\"",
                item.draft.text
            );
            self.report_whole("", &item.draft, Diagnostic::error(graph_codes::CONDITION, message));
        }
    }

    fn report_whole(&mut self, id: &str, draft: &Draft, diagnostic: Diagnostic) {
        let whole = 0..draft.ast.text().len();
        let diagnostic = draft.diagnostic(self.report, id, diagnostic, whole);
        self.report.push(diagnostic);
    }
}
