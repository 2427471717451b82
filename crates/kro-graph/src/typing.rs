//! Types of expressions: checked against the kinds of resources, the instance, and the fields they fill.

mod arguments;
mod inference;

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use kro_cel::ast::ExprKind;
use kro_cel::{Checked, Environment, Issue, IssueKind, Type, compatible};
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::{cel as codes, graph as graph_codes, typing as typing_codes};
use kro_schema::cel::{SchemaTypes, declaration, escape, readable};
use kro_schema::structural::{Schema, SchemaType};
use kro_value::{FieldPath, Map, Segment, Str, Value};

use crate::definition::Definition;
use crate::draft::{FieldDraft, NodeDraft, Resolved};
use crate::environment::base;
use crate::expression::{self, Draft};
use crate::report::Report;
use crate::resource::Resource;
use crate::schemas;
use crate::status::{self, Item, Status};

const CONDITION: &str = "kro.run.Condition";

/// What the types gave.
pub(crate) struct Typed {
    /// The schema of each status field, in their order.
    pub status_schemas: Vec<Value>,
    /// What expressions without iterators may use.
    pub environment: Environment,
}

/// Checks every expression.
pub(crate) fn check(
    report: &mut Report<'_>,
    definition: &Definition,
    instance: Option<&Schema>,
    resources: &[Option<Resource<'_>>],
    drafts: &[NodeDraft<'_>],
    status: &Status,
) -> Typed {
    let (environment, types) = declare(definition, instance, resources);
    let mut typing = Typing { report, types, environment };
    for (position, draft) in drafts.iter().enumerate() {
        if let Some(resource) = &resources[position] {
            typing.check_node(resource, draft);
        }
    }
    let status_schemas = status.fields.iter().map(|item| typing.infer(item)).collect();
    status.conditions.iter().for_each(|item| typing.check_condition(item));
    Typed { status_schemas, environment: typing.environment }
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

/// The environment with a variable for the instance and for each resource, and the object types of their schemas.
fn declare(
    definition: &Definition,
    instance: Option<&Schema>,
    resources: &[Option<Resource<'_>>],
) -> (Environment, Arc<SchemaTypes>) {
    let mut types = SchemaTypes::new();
    let mut variables: Vec<(Str, Type)> = Vec::new();
    if let Some(instance) = instance {
        let ty = types.declare("schema", instance);
        variables.push((Str::new_static("schema"), ty.unwrap_or(Type::Dyn)));
    }
    for (entry, resource) in definition.resources.iter().zip(resources) {
        let schema = resource.as_ref().and_then(|resource| resource.kind.as_ref()).map(|kind| &kind.schema);
        let is_list = !entry.for_each.is_empty() || resource.as_ref().is_some_and(|resource| resource.has_selector);
        let ty = match schema {
            Some(schema) if is_list => types.declare_list(&entry.id, schema),
            Some(schema) => types.declare(&entry.id, schema),
            None => None,
        };
        let unknown = if is_list { Type::list(Type::Dyn) } else { Type::Dyn };
        variables.push((entry.id.clone(), ty.unwrap_or(unknown)));
    }
    let types = Arc::new(types);
    let builder = base().extend().types(Arc::clone(&types) as _);
    let builder = variables.into_iter().fold(builder, |builder, (name, ty)| builder.variable(name, ty));
    (builder.build(), types)
}

/// True for a scalar type that is that of a field: what most expressions come to.
fn declares(target: &Schema, found: &Type) -> bool {
    let is_scalar = !matches!(target.schema_type(), None | Some(SchemaType::Array | SchemaType::Object));
    is_scalar && declaration(target, "").as_ref() == Some(found)
}

/// How many fields of an object are listed to an author who named none of them.
const FIELDS_SHOWN_MAX: usize = 12;

/// The fields that an object has, where a selected one is not among them.
fn known_fields(environment: &Environment, draft: &Draft<'_>, checked: &Checked, issue: &Issue) -> Option<String> {
    if issue.kind != IssueKind::Field {
        return None;
    }
    let ast = draft.ast();
    let mut operand = None;
    ast.walk(|id| match ast.kind(id) {
        ExprKind::Select { operand: of, .. } if ast.span(id) == issue.span => operand = Some(*of),
        _ => {}
    });
    let ty = checked.type_of(operand?);
    let Type::Object(object) = ty.optional_inner().unwrap_or(ty) else { return None };
    let names = environment.object_provider(object)?.field_names(object)?;
    let is_shown = (1..=FIELDS_SHOWN_MAX).contains(&names.len());
    is_shown.then(|| format!("known fields: {}", names.iter().map(Str::as_str).collect::<Vec<_>>().join(", ")))
}

/// The name of a target's type, which [`readable`] turns into `deployment.spec.template`.
fn target_name(id: &str, path: &FieldPath) -> String {
    let fields = path.segments().iter().filter_map(|segment| match segment {
        Segment::Field(name) => Some(name.as_str()),
        Segment::Index(_) => None,
    });
    let dotted: Vec<&str> = std::iter::once(id).chain(fields).collect();
    escape(&dotted.join(".")).map_or_else(|| id.to_owned(), Cow::into_owned)
}

impl Typing<'_, '_> {
    fn check_node(&mut self, resource: &Resource<'_>, draft: &NodeDraft<'_>) {
        let id = &resource.entry.id;
        let inside = self.inside(resource, draft);
        for field in &draft.fields {
            let own = inside.as_ref().filter(|_| !field.resolved.references.iterators.is_empty());
            if let Some(checked) = self.checked(own, id, &field.resolved.draft) {
                self.check_target(id, field, &checked);
            }
        }
        self.check_conditions(None, id, "includeWhen", &draft.include_when);
        let each = draft.ready_when.iter().any(|resolved| resolved.references.each).then(|| self.each(id));
        self.check_conditions(each.as_ref(), id, "readyWhen", &draft.ready_when);
    }

    /// The environment of a template with iterators; `None` without.
    fn inside(&mut self, resource: &Resource<'_>, draft: &NodeDraft<'_>) -> Option<Environment> {
        let (id, loops) = (&resource.entry.id, &resource.entry.for_each);
        if loops.is_empty() {
            return None;
        }
        let mut builder = self.environment.extend();
        for (name, _) in loops {
            builder = builder.variable(name.clone(), Type::Dyn); // replaced below when its list is typed
        }
        for (name, resolved) in &draft.for_each {
            builder = builder.variable(name.clone(), self.check_dimension(id, name, resolved));
        }
        Some(builder.build())
    }

    /// The environment of conditions on each object of a collection.
    fn each(&self, id: &str) -> Environment {
        let object = match self.environment.variable(id).map(|variable| &variable.ty) {
            Some(Type::List(item)) => (**item).clone(),
            Some(single) => single.clone(),
            None => Type::Dyn,
        };
        self.environment.extend().variable("each", object).build()
    }

    /// The types of an expression, in the shared environment or in one with more variables; `None` when it has errors,
    /// which are reported.
    fn checked(&mut self, own: Option<&Environment>, id: &str, draft: &Draft<'_>) -> Option<Rc<Checked>> {
        let checked = match own {
            Some(environment) => Rc::new(environment.check(draft.ast())),
            None => draft.parse.checked(&self.environment),
        };
        for issue in &checked.errors {
            let known = known_fields(own.unwrap_or(&self.environment), draft, &checked, issue);
            expression::report_issue(self.report, id, draft, issue, known);
        }
        for problem in arguments::problems(draft.ast()) {
            let diagnostic = Diagnostic::error(codes::ARGUMENT, problem.message);
            self.report.push(draft.diagnostic(self.report, id, diagnostic, problem.span));
        }
        checked.errors.is_empty().then_some(checked)
    }

    /// The type of the elements of a loop.
    fn check_dimension(&mut self, id: &str, name: &str, resolved: &Resolved<'_>) -> Type {
        let Some(checked) = self.checked(None, id, &resolved.draft) else { return Type::Dyn };
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

    fn check_conditions(&mut self, own: Option<&Environment>, id: &str, what: &str, conditions: &[Resolved<'_>]) {
        for resolved in conditions {
            let Some(checked) = self.checked(own, id, &resolved.draft) else { continue };
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

    fn check_target(&mut self, id: &str, field: &FieldDraft<'_>, checked: &Checked) {
        let Some(target) = &field.site.target else { return };
        let draft = &field.resolved.draft;
        if declares(target, checked.result_type()) {
            return;
        }
        let mut types = SchemaTypes::new();
        let Some(wanted) = types.declare(&target_name(id, &field.site.path), target) else { return };
        let environment = self.environment.extend().types(Arc::new(types)).build();
        if let Err(mismatch) = compatible::fits(&environment, draft.ast(), checked, &wanted) {
            let message = readable(&format!(
                "type mismatch in resource {id:?} at path {:?}: expression {:?} returns type \"{}\" but expected \"{wanted}\": \
                 {}",
                field.site.path.to_string(),
                draft.text,
                checked.result_type(),
                mismatch.message
            ));
            let blamed = mismatch.blame.map_or(0..draft.ast().text().len(), |id| draft.ast().span(id));
            let diagnostic = Diagnostic::error(typing_codes::EXPRESSION_TYPE, message);
            let diagnostic = draft.diagnostic(self.report, id, diagnostic, blamed);
            self.report.push(diagnostic);
        }
    }

    /// The schema of a status field.
    fn infer(&mut self, item: &Item) -> Value {
        let Some(checked) = self.checked(None, "", &item.draft) else { return Value::Map(Map::new()) };
        let result = checked.result_type();
        let is_state = item.path.to_string() == "state";
        if is_state && !matches!(result, Type::String) {
            let message = format!("status.state is written by kro and must be a string, got \"{result}\"");
            self.report_whole("", &item.draft, Diagnostic::error(graph_codes::STATUS_RESERVED, message));
        }
        inference::schema_of(&self.types, result)
    }

    fn check_condition(&mut self, item: &Item) {
        let Some(checked) = self.checked(None, "", &item.draft) else { return };
        self.check_condition_fields(item, &checked);
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

    /// The fields of a condition are strings.
    fn check_condition_fields(&mut self, item: &Item, checked: &Checked) {
        for (field, value) in status::condition_fields(item.draft.ast()) {
            let found = checked.type_of(value);
            if !matches!(found, Type::String | Type::Dyn | Type::Error) {
                let message = readable(&format!(
                    "runtime.newCondition: expected type of field '{field}' is 'string' but provided type is '{found}' in \
                     expression {:?}",
                    item.draft.text
                ));
                let diagnostic = Diagnostic::error(graph_codes::CONDITION, message);
                let span = item.draft.ast().span(value);
                self.report.push(item.draft.diagnostic(self.report, "", diagnostic, span));
            }
        }
    }

    fn report_whole(&mut self, id: &str, draft: &Draft<'_>, diagnostic: Diagnostic) {
        let whole = 0..draft.ast().text().len();
        let diagnostic = draft.diagnostic(self.report, id, diagnostic, whole);
        self.report.push(diagnostic);
    }
}
