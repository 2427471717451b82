//! What a condition of the definition says when it is refused.
//!
//! The Go implementation stops at the first error and puts before it what it was doing. Scripts look for these words, so
//! each error has them here too.

use kro_diagnostics::codes::{cel, graph, shape, typing};
use kro_diagnostics::{Code, Diagnostic, Diagnostics};
use kro_value::{FieldPath, Segment, Value};

/// All errors for a condition's message, one a line, in the order of the diagnostics; empty without errors.
pub fn condition_message(diagnostics: &Diagnostics, definition: &Value) -> String {
    let line = |diagnostic: &Diagnostic| format!("{}{}", prefix(diagnostic, definition), diagnostic.message);
    let lines: Vec<String> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).map(line).collect();
    lines.join("\n")
}

/// Where in a definition an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place<'p> {
    Template,
    ForEach(&'p str),
    IncludeWhen,
    ReadyWhen,
    /// A status field, at its path below `status`.
    Status,
    Condition,
    Elsewhere,
}

impl<'p> Place<'p> {
    fn of(path: Option<&'p FieldPath>) -> Self {
        let name = |segment: &'p Segment| match segment {
            Segment::Field(name) => Some(name.as_str()),
            Segment::Index(_) => None,
        };
        let segments = path.map(FieldPath::segments).unwrap_or_default();
        let names: Vec<Option<&str>> = segments.iter().map(name).collect();
        match names.as_slice() {
            [Some("spec"), Some("resources"), None, Some("forEach"), None, Some(iterator), ..] => {
                Self::ForEach(iterator)
            }
            [Some("spec"), Some("resources"), None, Some("includeWhen"), ..] => Self::IncludeWhen,
            [Some("spec"), Some("resources"), None, Some("readyWhen"), ..] => Self::ReadyWhen,
            [Some("spec"), Some("resources"), None, ..] => Self::Template,
            [Some("spec"), Some("schema"), Some("status"), Some("conditions"), ..] => Self::Condition,
            [Some("spec"), Some("schema"), Some("status"), ..] => Self::Status,
            _ => Self::Elsewhere,
        }
    }
}

/// What the Go implementation was doing when it came across an error.
fn prefix(diagnostic: &Diagnostic, definition: &Value) -> String {
    let id = &diagnostic.subject;
    let name = definition.str_at(&["metadata", "name"]).unwrap_or_default();
    let place = Place::of(diagnostic.path.as_ref());
    match diagnostic.code {
        shape::KIND | shape::ID | shape::DUPLICATE_ID | shape::FOR_EACH => {
            "failed to validate resourcegraphdefinition: ".to_owned()
        }
        shape::COMBINATION => format!("failed to build resource {id:?}: invalid combination of resource fields: "),
        shape::NOT_AN_OBJECT
        | shape::RESERVED_KEY
        | typing::UNKNOWN_KIND
        | typing::CLUSTER_SCOPED
        | typing::NAMESPACE_REQUIRED
        | typing::CRD_EXPRESSION => format!("failed to build resource {id:?}: "),
        Code(2000..=2999) => {
            format!("failed to build resourcegraphdefinition {name:?}: failed to build OpenAPI schema for instance: ")
        }
        graph::CYCLE | graph::SELF_REFERENCE | graph::COLLECTION_IDENTITY => {
            "failed to build dependency graph: ".to_owned()
        }
        graph::ITERATOR_REFERENCE => format!("failed to build dependency graph: node {id:?}: "),
        graph::NOT_A_LIST | cel::NOT_BOOLEAN | typing::EXPRESSION_TYPE => {
            format!("failed to validate resource {id:?}: ")
        }
        graph::STATUS_CONSTANT | graph::STATUS_REFERENCE | graph::STATUS_RESERVED => {
            "failed to build instance status schema: ".to_owned()
        }
        graph::CONDITION => "failed to build instance conditions: ".to_owned(),
        cel::NOT_STANDALONE => parsing_prefix(id, place),
        Code(3000..=3999) => expression_prefix(diagnostic, place, definition),
        typing::LITERAL_TYPE
        | typing::UNKNOWN_FIELD
        | typing::REQUIRED_FIELD
        | typing::ENUM
        | typing::PATTERN
        | typing::BOUND
        | typing::DUPLICATE_ITEM => extraction_prefix(id),
        _ => String::new(),
    }
}

fn extraction_prefix(id: &str) -> String {
    format!("failed to build resource {id:?}: failed to extract CEL expressions from schema for resource {id}: ")
}

/// A condition or loop that does not stand alone.
fn parsing_prefix(id: &str, place: Place<'_>) -> String {
    match place {
        Place::ForEach(iterator) => format!(
            "failed to build resource {id:?}: failed to parse forEach dimensions: invalid forEach expression for dimension \
             {iterator:?}: "
        ),
        Place::IncludeWhen => format!("failed to build resource {id:?}: failed to parse includeWhen expressions: "),
        Place::ReadyWhen => format!("failed to build resource {id:?}: failed to parse readyWhen expressions: "),
        _ => "failed to build instance conditions: invalid conditions block: ".to_owned(),
    }
}

fn expression_prefix(diagnostic: &Diagnostic, place: Place<'_>, definition: &Value) -> String {
    let id = &diagnostic.subject;
    let is_name = matches!(diagnostic.code, cel::UNKNOWN_IDENTIFIER | cel::UNKNOWN_FUNCTION | cel::OMIT | cel::RUNTIME);
    let dependencies = "failed to build dependency graph: failed to extract dependencies";
    let expression = diagnostic.path.as_ref().and_then(|path| expression_at(definition, path)).unwrap_or_default();
    let type_check = |what| {
        format!(
            "failed to validate resource {id:?}: failed to type-check {what} expression {expression:?} in resource {id:?}: "
        )
    };
    match (place, diagnostic.code) {
        (Place::Status, _) if is_name => format!(
            "failed to build instance status schema: status field {:?} expression {expression:?}: ",
            path_below(diagnostic, 3)
        ),
        (Place::Status, _) => format!(
            "failed to build instance status schema: failed to type-check status expression {expression:?} at path {:?}: ",
            path_below(diagnostic, 3)
        ),
        (Place::Condition, _) => "failed to build instance conditions: ".to_owned(),
        (_, cel::DELIMITER) => extraction_prefix(id),
        (_, cel::SYNTAX | cel::LIMIT) => format!("{dependencies}: failed to inspect expression: parse error: "),
        // The identity of an object has no step of its own, and its message names the resource.
        (Place::Template, cel::OMIT) if diagnostic.message.starts_with("resource ") => String::new(),
        (Place::ForEach(_), cel::OMIT) => format!("failed to build dependency graph: node {id:?}: "),
        (Place::ReadyWhen, cel::OMIT) => format!("failed to validate resource {id:?}: resource {id:?} readyWhen: "),
        (Place::IncludeWhen, cel::OMIT) => format!("{dependencies} from includeWhen: "),
        (Place::ReadyWhen, _) if is_name => format!("failed to validate resource {id:?}: resource {id:?} "),
        // The messages of these begin with the name of the place.
        (Place::ForEach(_) | Place::IncludeWhen, _) if is_name => format!("{dependencies} from "),
        _ if is_name => format!("{dependencies}: "),
        (Place::ForEach(_), _) => type_check("forEach"),
        (Place::IncludeWhen, _) => type_check("includeWhen"),
        (Place::ReadyWhen, _) => type_check("readyWhen"),
        _ => format!(
            "failed to validate resource {id:?}: failed to compile template expression {expression:?} at path {:?}: ",
            path_below(diagnostic, if is_manifest(diagnostic) { 3 } else { 4 })
        ),
    }
}

/// What the author wrote: a string without the `${` and `}` around the whole of it.
fn expression_at<'d>(definition: &'d Value, path: &FieldPath) -> Option<&'d str> {
    let text = definition.at_path(path)?.as_str()?;
    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|inner| !inner.contains("${"));
    Some(inner.unwrap_or(text))
}

/// True in an entry that is an object itself, without `template` around it.
fn is_manifest(diagnostic: &Diagnostic) -> bool {
    let step = diagnostic.path.as_ref().and_then(|path| path.segments().get(3));
    !matches!(step, Some(Segment::Field(key)) if key == "template" || key == "externalRef")
}

/// A path without its first steps: that of a template, or below the status.
fn path_below(diagnostic: &Diagnostic, steps: usize) -> String {
    let segments = diagnostic.path.as_ref().map(FieldPath::segments).unwrap_or_default();
    segments.iter().skip(steps).cloned().collect::<FieldPath>().to_string()
}
