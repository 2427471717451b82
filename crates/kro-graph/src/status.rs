//! The status block: fields with expressions, and the author's conditions.

use kro_cel::ast::{Ast, ExprId, ExprKind, Literal, MapEntry};
use kro_cel::macros;
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::graph as codes;
use kro_value::{FieldPath, Segment, Str, Value};

use crate::expression::{self, Draft, Reading};
use crate::report::Report;
use crate::scope::{Place, Read, References, Scope};

/// The condition types that kro writes itself, which expressions may read from `schema`.
const OWN_CONDITIONS: &[&str] = &["Ready", "InstanceManaged", "GraphResolved", "ResourcesReady"];

/// A field or condition of the status.
pub(crate) struct Item {
    /// Below `status`; for conditions `conditions[i]`.
    pub path: FieldPath,
    pub draft: Draft<'static>,
    pub references: References,
}

impl Item {
    /// What it reads of each variable.
    pub fn reads(&self) -> &[Read] {
        &self.draft.parse.facts().reads
    }
}

/// The parts of a status block.
#[derive(Default)]
pub(crate) struct Status {
    pub fields: Vec<Item>,
    pub conditions: Vec<Item>,
}

/// Reads `schema.status`.
pub(crate) fn read(report: &mut Report<'_>, scope: &Scope<'_>, block: &Value) -> Status {
    let base = FieldPath::fields(["spec", "schema", "status"]);
    let mut status = Status::default();
    let mut block = block.clone();
    if let Some(conditions) = block.as_map_mut().and_then(|map| map.remove("conditions")) {
        status.conditions = read_conditions(report, scope, &base.field("conditions"), &conditions);
        check_conditions(report, &status.conditions);
    }
    let mut leaves = Vec::new();
    if block.is_null() {
        return status;
    }
    collect(&block, &mut FieldPath::root(), &mut leaves);
    status.fields.reserve_exact(leaves.len());
    for (path, value) in leaves {
        status.fields.extend(read_field(report, scope, &base, path, &value));
    }
    status
}

/// Every value that is no map or list, with its path; map keys in order.
fn collect(value: &Value, path: &mut FieldPath, leaves: &mut Vec<(FieldPath, Value)>) {
    match value {
        Value::Map(map) => {
            for (key, value) in map {
                path.push(Segment::Field(key.clone()));
                collect(value, path, leaves);
                path.pop();
            }
        }
        Value::List(items) => {
            for (index, value) in items.iter().enumerate() {
                path.push(Segment::Index(index));
                collect(value, path, leaves);
                path.pop();
            }
        }
        scalar => leaves.push((path.clone(), scalar.clone())),
    }
}

fn read_field(
    report: &mut Report<'_>,
    scope: &Scope<'_>,
    base_path: &FieldPath,
    path: FieldPath,
    value: &Value,
) -> Option<Item> {
    let at = base_path.join(&path);
    let draft = match value {
        Value::String(text) => match expression::read(report, scope.parser, "", at.clone().into(), text) {
            Reading::Expression(draft) => Some(draft),
            Reading::Broken => return None,
            Reading::Literal => None,
        },
        _ => None,
    };
    let Some(draft) = draft else {
        let message = format!("status fields without expressions are not supported: [{path}]");
        let diagnostic = Diagnostic::error(codes::STATUS_CONSTANT, message).at(at);
        report.push(diagnostic.help("a constant is the same for every instance: leave it out"));
        return None;
    };
    let references = scope.resolve(report, "", &draft, Place::Status)?;
    if references.is_constant() {
        let message = format!("instance status field must refer to a resource or schema: status.{path}");
        report.error(codes::STATUS_REFERENCE, &at, message);
        return None;
    }
    Some(Item { path, draft, references })
}

fn read_conditions(report: &mut Report<'_>, scope: &Scope<'_>, path: &FieldPath, value: &Value) -> Vec<Item> {
    let Some(entries) = value.as_list() else {
        let message = format!("status.conditions must be a list, got {}", value.type_name());
        report.error(codes::CONDITION, path, message);
        return Vec::new();
    };
    let mut items = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let mut at = path.clone();
        at.push(Segment::Index(index));
        let Value::String(text) = entry else {
            let message =
                format!("status.conditions[{index}] must be a CEL expression string, got {}", entry.type_name());
            report.error(codes::CONDITION, &at, message);
            continue;
        };
        let Some(draft) = expression::read_standalone(report, scope.parser, "", at.into(), text) else { continue };
        let Some(references) = scope.resolve(report, "", &draft, Place::Condition) else { continue };
        let mut path = FieldPath::fields(["conditions"]);
        path.push(Segment::Index(index));
        items.push(Item { path, draft, references });
    }
    items
}

/// What the literals in conditions say.
fn check_conditions(report: &mut Report<'_>, items: &[Item]) {
    let mut declared: Vec<(Str, usize)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        for found in literal_conditions(&item.draft) {
            check_literal(report, &item.draft, &found);
            let Some(kind) = found.kind else { continue };
            if declared.iter().any(|(other, entry)| *other == kind && *entry != index) {
                let message = format!("condition type {kind:?} is declared by more than one conditions entry");
                let diagnostic = Diagnostic::error(codes::CONDITION, message);
                report.push(item.draft.diagnostic(report, "", diagnostic, found.span));
            } else {
                declared.push((kind, index));
            }
        }
    }
    for item in items {
        check_lookups(report, &item.draft, &declared);
    }
}

/// The literals of one `runtime.newCondition`.
struct Found {
    kind: Option<Str>,
    status: Option<Str>,
    span: std::ops::Range<usize>,
}

/// The map literals of all `runtime.newCondition`, each with the call.
fn new_conditions(ast: &Ast) -> Vec<(ExprId, &[MapEntry])> {
    let mut found = Vec::new();
    ast.walk(|id| {
        if let ExprKind::Call { function, args, .. } = ast.kind(id)
            && function == macros::NEW_CONDITION
            && let Some(ExprKind::Map(entries)) = args.first().map(|arg| ast.kind(*arg))
        {
            found.push((id, entries.as_ref()));
        }
    });
    found
}

/// The fields that conditions are made of, with their values.
pub(crate) fn condition_fields(ast: &Ast) -> impl Iterator<Item = (&Str, ExprId)> {
    new_conditions(ast).into_iter().flat_map(|(_, entries)| entries).filter_map(|entry| match ast.kind(entry.key) {
        ExprKind::Literal(Literal::String(name)) => Some((name, entry.value)),
        _ => None,
    })
}

fn literal_conditions(draft: &Draft<'_>) -> Vec<Found> {
    let ast = draft.ast();
    let mut found = Vec::new();
    for (id, entries) in new_conditions(ast) {
        let text = |wanted: &str| {
            let is_wanted = |key| matches!(ast.kind(key), ExprKind::Literal(Literal::String(name)) if name == wanted);
            let entry = entries.iter().find(|entry| is_wanted(entry.key))?;
            literal(draft, entry.value)
        };
        found.push(Found { kind: text("type"), status: text("status"), span: ast.span(id) });
    }
    found
}

fn literal(draft: &Draft<'_>, id: ExprId) -> Option<Str> {
    match draft.ast().kind(id) {
        ExprKind::Literal(Literal::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn check_literal(report: &mut Report<'_>, draft: &Draft<'_>, found: &Found) {
    let mut push = |message: String| {
        let diagnostic = Diagnostic::error(codes::CONDITION, message);
        report.push(draft.diagnostic(report, "", diagnostic, found.span.clone()));
    };
    if let Some(status) =
        found.status.as_ref().filter(|status| !["True", "False", "Unknown"].contains(&status.as_str()))
    {
        let expression = &draft.text;
        push(format!(
            "runtime.newCondition: status must be one of True, False, Unknown (got {status:?}) in expression {expression:?}"
        ));
    }
    if found.kind.as_ref().is_some_and(|kind| kind.is_empty()) {
        push(format!("runtime.newCondition: type must not be empty in expression {:?}", draft.text));
    }
}

/// `runtime.condition(schema, 'X')` may read kro's own conditions only.
fn check_lookups(report: &mut Report<'_>, draft: &Draft<'_>, declared: &[(Str, usize)]) {
    let ast = draft.ast();
    let mut lookups = Vec::new();
    ast.walk(|id| {
        let ExprKind::Call { target: Some(target), function, args } = ast.kind(id) else { return };
        let is_ident = |id, name: &str| matches!(ast.kind(id), ExprKind::Ident(ident) if ident == name);
        if function == "condition" && is_ident(*target, "runtime") && args.len() == 2 && is_ident(args[0], "schema") {
            lookups.extend(literal(draft, args[1]).map(|kind| (kind, ast.span(id))));
        }
    });
    for (kind, span) in lookups.into_iter().filter(|(kind, _)| !OWN_CONDITIONS.contains(&kind.as_str())) {
        let why = if declared.iter().any(|(other, _)| *other == kind) {
            "custom conditions cannot reference each other"
        } else {
            "unknown condition type; only kro's built-in types (InstanceManaged, GraphResolved, ResourcesReady, Ready) \
             can be read from schema"
        };
        let message = format!("runtime.condition(schema, {kind:?}): {why} in expression {:?}", draft.text);
        let diagnostic = Diagnostic::error(codes::CONDITION, message);
        report.push(draft.diagnostic(report, "", diagnostic, span));
    }
}
