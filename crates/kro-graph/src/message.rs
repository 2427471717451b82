//! What a condition of the definition says when it is refused.
//!
//! The Go implementation stops at the first error and puts before it what it was doing. Scripts look for these words, so
//! each error has them here too.

use kro_diagnostics::codes::{cel, graph, shape, typing};
use kro_diagnostics::{Code, Diagnostic, Diagnostics};
use kro_value::{FieldPath, Segment};

/// All errors for a condition's message, one a line, in the order of the diagnostics; empty without errors. `name` is that
/// of the definition.
pub fn condition_message(diagnostics: &Diagnostics, name: &str) -> String {
    let line = |diagnostic: &Diagnostic| format!("{}{}", prefix(diagnostic, name), diagnostic.message);
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
fn prefix(diagnostic: &Diagnostic, name: &str) -> String {
    let id = &diagnostic.subject;
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
        Code(3000..=3999) => expression_prefix(diagnostic, place),
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

fn expression_prefix(diagnostic: &Diagnostic, place: Place<'_>) -> String {
    let id = &diagnostic.subject;
    let is_name = matches!(diagnostic.code, cel::UNKNOWN_IDENTIFIER | cel::UNKNOWN_FUNCTION | cel::OMIT | cel::RUNTIME);
    let dependencies = "failed to build dependency graph: failed to extract dependencies";
    let path = diagnostic.path.as_ref().map(ToString::to_string).unwrap_or_default();
    match (place, diagnostic.code) {
        (Place::Status, _) if is_name => {
            format!("failed to build instance status schema: status field {:?}: ", status_path(&path))
        }
        (Place::Status, _) => format!(
            "failed to build instance status schema: failed to type-check status expression at path {:?}: ",
            status_path(&path)
        ),
        (Place::Condition, _) => "failed to build instance conditions: ".to_owned(),
        (_, cel::DELIMITER) => extraction_prefix(id),
        (_, cel::SYNTAX | cel::LIMIT) => format!("{dependencies}: failed to inspect expression: parse error: "),
        (Place::ReadyWhen, _) if is_name => format!("failed to validate resource {id:?}: resource {id:?} "),
        // The messages of these begin with the name of the place.
        (Place::ForEach(_) | Place::IncludeWhen, _) if is_name => format!("{dependencies} from "),
        _ if is_name => format!("{dependencies}: "),
        (Place::ForEach(_), _) => {
            format!("failed to validate resource {id:?}: failed to type-check forEach expression: ")
        }
        (Place::IncludeWhen, _) => {
            format!("failed to validate resource {id:?}: failed to type-check includeWhen expression: ")
        }
        (Place::ReadyWhen, _) => {
            format!("failed to validate resource {id:?}: failed to type-check readyWhen expression: ")
        }
        _ => format!("failed to validate resource {id:?}: failed to compile template expression at path {path:?}: "),
    }
}

fn status_path(path: &str) -> &str {
    path.strip_prefix("spec.schema.status.").unwrap_or(path)
}
