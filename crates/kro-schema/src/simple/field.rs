//! The tree of fields as it is written.

use kro_diagnostics::{Diagnostic, Diagnostics, Span, codes};
use kro_value::{Str, Value};

use super::Tree;
use super::expression::{Base, TypeExpression};
use super::go;
use super::marker::{self, Marker, MarkerErrorKind};
use super::openapi;
use super::report::{Problem, Scope};

/// A field of a structure.
pub(super) struct Field<'a> {
    pub name: Str,
    pub declaration: Declaration<'a>,
}

/// What a field or a named type is declared as.
pub(super) struct Declaration<'a> {
    pub tree: Tree<'a>,
    pub shape: Shape<'a>,
}

pub(super) enum Shape<'a> {
    /// `TYPE | MARKERS`
    Text { expression: TypeExpression, markers: Vec<Marker> },
    /// A map of fields.
    Structure(Vec<Field<'a>>),
    /// Plain OpenAPI.
    OpenApi,
    /// Reported already.
    Broken,
}

/// A use of a named type.
pub(super) struct Use {
    pub name: Str,
    pub span: Option<Span>,
}

impl<'a> Declaration<'a> {
    pub(super) fn parse(tree: Tree<'a>, scope: &mut Scope, diagnostics: &mut Diagnostics) -> Self {
        let shape = match tree.value() {
            Value::String(text) => parse_text(text, &tree, scope, diagnostics),
            Value::Map(_) if openapi::is_marked(&tree) => Shape::OpenApi,
            Value::Map(_) => Shape::Structure(parse_fields(&tree, scope, diagnostics)),
            other => {
                diagnostics.push(unexpected(&tree, other, scope));
                Shape::Broken
            }
        };
        Self { tree, shape }
    }

    /// The named types it uses.
    pub(super) fn uses(&self, uses: &mut Vec<Use>) {
        match &self.shape {
            Shape::Text { expression, .. } => {
                if let Base::Named(name) = &expression.base {
                    let span = self.tree.text_span(expression.base_range.clone());
                    uses.push(Use { name: name.clone(), span });
                }
            }
            Shape::Structure(fields) => fields.iter().for_each(|field| field.declaration.uses(uses)),
            Shape::OpenApi => openapi::uses(&self.tree, uses),
            Shape::Broken => {}
        }
    }
}

fn unexpected(tree: &Tree<'_>, value: &Value, scope: &Scope) -> Diagnostic {
    let message = format!("{}unexpected type: {}", scope.parsing(), go::type_name(value));
    let diagnostic = Diagnostic::error(codes::simple::FIELD, message).at(tree.path().clone()).spanned(tree.span());
    match value {
        Value::List(_) => diagnostic.help("write \"[]T\" for a list of T"),
        Value::Null => diagnostic.help("write the type of the field, or {} for an object without fields"),
        _ => diagnostic.help("write the type of the field; its value, if one is meant, is a marker: default=..."),
    }
}

pub(super) fn parse_fields<'a>(tree: &Tree<'a>, scope: &mut Scope, diagnostics: &mut Diagnostics) -> Vec<Field<'a>> {
    let field = |member: super::tree::Member<'a>| {
        scope.enter(member.key.clone());
        let declaration = Declaration::parse(member.tree, scope, diagnostics);
        scope.leave();
        Field { name: member.key, declaration }
    };
    tree.members().into_iter().map(field).collect()
}

/// The type and the markers of a text. A wrong type makes the field broken; wrong markers are left out.
fn parse_text<'a>(text: &str, tree: &Tree<'a>, scope: &Scope, diagnostics: &mut Diagnostics) -> Shape<'a> {
    let bar = text.find('|');
    let mut markers = marker::Markers::default();
    if let Some(bar) = bar {
        markers = marker::parse(text, bar + 1);
    }
    let expression = TypeExpression::parse(&text[..bar.unwrap_or(text.len())]);
    if let Err(error) = &expression {
        let problem = Problem::error(codes::simple::TYPE, error.message.clone(), error.range.clone());
        let problem = Problem { help: error.help.map(str::to_owned), ..problem };
        diagnostics.push(problem.report(tree, &scope.parsing()));
    }
    let broken = !markers.errors.is_empty();
    for error in markers.errors {
        let code = match error.kind {
            MarkerErrorKind::Syntax => codes::simple::MARKER_SYNTAX,
            MarkerErrorKind::Unknown => codes::simple::UNKNOWN_MARKER,
        };
        let problem = Problem::error(code, error.message, error.range);
        diagnostics
            .push(Problem { help: error.help, fix: error.fix.map(Box::new), ..problem }.report(tree, &scope.parsing()));
    }
    for marker in markers.markers.iter().filter(|marker| text[marker.key_range.clone()] != marker.key && !broken) {
        diagnostics.push(split_key(marker).report(tree, &scope.parsing()));
    }
    match expression {
        Ok(expression) => Shape::Text { expression, markers: if broken { Vec::new() } else { markers.markers } },
        Err(_) => Shape::Broken,
    }
}

fn split_key(marker: &Marker) -> Problem {
    let message = format!("the marker key is read as {:?}; the spaces in it are ignored", marker.key);
    Problem::warning(codes::simple::SPLIT_KEY, message, marker.key_range.clone()).help(format!("write {}=", marker.key))
}
