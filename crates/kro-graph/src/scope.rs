//! What expressions may refer to, place by place.

use foldhash::HashMap;
pub(crate) use kro_cel::facts::Read;
use kro_cel::facts::{FunctionUse, Identifier, Step};
use kro_diagnostics::codes::{cel as codes, graph as graph_codes};
use kro_diagnostics::{Code, Diagnostic, did_you_mean};
use kro_value::{FieldPath, Segment, Str};

use crate::environment::base;
use crate::expression::Draft;
use crate::parse::Parser;
use crate::report::Report;
use crate::{NodeIndex, Reads, names};

/// The place of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// A field of the template of a node.
    Template(NodeIndex),
    /// A dimension of a node.
    ForEach(NodeIndex, &'a str),
    IncludeWhen(NodeIndex),
    /// Readiness of a single object, which knows the node's own id.
    ReadyWhen(NodeIndex),
    /// Readiness of the objects of a collection, which knows `each` only (and of an external one, also the id).
    ReadyWhenEach(NodeIndex),
    Status,
    Condition,
}

/// The names of a definition.
pub(crate) struct Scope<'a> {
    pub parser: &'a Parser,
    /// Ids of all resources.
    pub ids: HashMap<Str, NodeIndex>,
    /// Iterators of each node.
    pub iterators: Vec<Vec<Str>>,
    /// Nodes whose expressions see the list of their objects, but whose readiness also knows the id.
    pub external_collections: Vec<NodeIndex>,
    pub has_schema: bool,
    pub omit_function: bool,
}

/// What an expression refers to.
#[derive(Debug, Clone, Default)]
pub(crate) struct References {
    /// Sorted.
    pub nodes: Vec<NodeIndex>,
    pub instance: bool,
    pub each: bool,
    pub runtime: bool,
    pub iterators: Vec<Str>,
    pub calls_omit: bool,
}

impl References {
    /// True if nothing of an instance can change the result.
    pub fn is_constant(&self) -> bool {
        self.nodes.is_empty() && !self.instance && !self.each && !self.runtime && self.iterators.is_empty()
    }
}

impl Scope<'_> {
    /// Resolves the names of an expression; `None` when some are wrong, which is reported.
    pub fn resolve(
        &self,
        report: &mut Report<'_>,
        subject: &str,
        draft: &Draft<'_>,
        place: Place<'_>,
    ) -> Option<References> {
        let facts = draft.parse.facts();
        let mut references = References::default();
        let mut problems = Vec::new();
        for call in &facts.functions {
            problems.extend(self.add_call(&mut references, call, place).map(|problem| (problem, call.span.clone())));
        }
        if draft.ast().macro_calls().iter().any(|call| call.function == "newCondition") {
            references.runtime = true;
            let whole = 0..draft.ast().text().len();
            problems.extend((place != Place::Condition).then(|| (runtime_problem(), whole)));
        }
        for identifier in &facts.identifiers {
            let problem = self.add(&mut references, identifier, place);
            problems.extend(problem.map(|problem| (problem, identifier.span.clone())));
        }
        references.nodes.sort_unstable();
        references.nodes.dedup();
        let is_right = problems.is_empty();
        for (problem, span) in problems {
            let help = problem.help.map(Into::into);
            let diagnostic = Diagnostic { help, ..Diagnostic::error(problem.code, problem.message) };
            report.push(draft.diagnostic(report, subject, diagnostic, span));
        }
        is_right.then_some(references)
    }

    fn add_call(&self, references: &mut References, call: &FunctionUse, place: Place<'_>) -> Option<Problem> {
        if call.name == "omit" && !call.member {
            references.calls_omit = true;
            return self.omit_problem(place);
        }
        // Methods depend on the type of their receiver: the checker knows.
        if call.member || call.declared { None } else { Some(self.unknown_function(&call.name)) }
    }

    fn unknown_function(&self, function: &str) -> Problem {
        let known = base().function_names();
        let help = did_you_mean(function, known.iter().map(Str::as_str));
        Problem { code: codes::UNKNOWN_FUNCTION, message: format!("uses unknown functions: [{{{function}}}]"), help }
    }

    fn omit_problem(&self, place: Place<'_>) -> Option<Problem> {
        let message = match place {
            Place::Template(_) if self.omit_function => return None,
            Place::Template(_) => "omit() requires the CELOmitFunction feature gate to be enabled".to_owned(),
            Place::ForEach(_, iterator) => {
                format!("forEach iterator {iterator:?}: omit() can only be used in resource template expressions")
            }
            _ => "omit() can only be used in resource template expressions".to_owned(),
        };
        Some(Problem { code: codes::OMIT, message, help: None })
    }

    /// Takes a use in, or says what is wrong with it.
    fn add(&self, references: &mut References, used: &Identifier, place: Place<'_>) -> Option<Problem> {
        let name = &used.name;
        let own = match place {
            Place::Template(node) | Place::ForEach(node, _) | Place::IncludeWhen(node) => Some(node),
            Place::ReadyWhen(node) | Place::ReadyWhenEach(node) => {
                return self.add_ready(references, name, place, node);
            }
            Place::Status | Place::Condition => None,
        };
        if let Some(problem) = own.and_then(|node| self.add_iterator(references, name, place, node)) {
            return problem;
        }
        match name.as_str() {
            "schema" if self.has_schema => references.instance = true,
            "schema" => return Some(no_schema_problem()),
            "runtime" if place == Place::Condition => references.runtime = true,
            "runtime" => return Some(runtime_problem()),
            _ => match self.ids.get(name) {
                Some(node) if Some(*node) == own => return Some(self_reference_problem(name)),
                Some(node) => references.nodes.push(*node),
                None if self.is_type(name) => {}
                None if names::is_cel_name(name) => return Some(self.unknown_function(name)),
                None => return Some(self.unknown(name, place, own)),
            },
        }
        None
    }

    /// `Some` when the name is an iterator of the node: with a problem, or taken in.
    fn add_iterator(
        &self,
        references: &mut References,
        name: &Str,
        place: Place<'_>,
        node: NodeIndex,
    ) -> Option<Option<Problem>> {
        if !self.iterators[node.get()].contains(name) {
            return None;
        }
        Some(match place {
            Place::Template(_) => {
                if !references.iterators.contains(name) {
                    references.iterators.push(name.clone());
                }
                None
            }
            Place::ForEach(_, iterator) => Some(Problem {
                code: graph_codes::ITERATOR_REFERENCE,
                message: format!(
                    "forEach iterator {iterator:?} cannot reference other iterators [{name}] - forEach iterators are \
                     independent (cartesian product)"
                ),
                help: None,
            }),
            _ => Some(self.unknown(name, place, Some(node))),
        })
    }

    fn add_ready(&self, references: &mut References, name: &Str, place: Place<'_>, node: NodeIndex) -> Option<Problem> {
        let is_each = matches!(place, Place::ReadyWhenEach(_));
        let is_own = self.ids.get(name) == Some(&node);
        let knows_own = !is_each || self.external_collections.contains(&node);
        if is_each && name == "each" {
            references.each = true;
        } else if is_own && knows_own {
            references.nodes.push(node);
        } else if !self.is_type(name) {
            return Some(self.unknown(name, place, Some(node)));
        }
        None
    }

    fn is_type(&self, name: &Str) -> bool {
        base().type_named(name).is_some() || base().variable(name).is_some()
    }

    fn unknown(&self, name: &Str, place: Place<'_>, own: Option<NodeIndex>) -> Problem {
        let what = format!("references unknown identifiers: [{name}]");
        let message = match place {
            Place::IncludeWhen(_) => format!("includeWhen: {what}"),
            Place::ReadyWhen(_) | Place::ReadyWhenEach(_) => format!("readyWhen: {what}"),
            Place::ForEach(_, iterator) => format!("forEach iterator {iterator:?}: {what}"),
            _ => what,
        };
        Problem { code: codes::UNKNOWN_IDENTIFIER, message, help: self.help_for_unknown(name, place, own) }
    }

    fn help_for_unknown(&self, name: &Str, place: Place<'_>, own: Option<NodeIndex>) -> Option<String> {
        let id_of =
            |node: NodeIndex| self.ids.iter().find(|(_, index)| **index == node).map_or("", |(id, _)| id.as_str());
        match place {
            Place::ReadyWhenEach(_) => return Some("readyWhen of a collection knows each object as `each`".to_owned()),
            Place::ReadyWhen(node) => {
                return Some(format!("readyWhen knows its own resource only: `{}`", id_of(node)));
            }
            _ => {}
        }
        let holder = self.iterators.iter().position(|iterators| iterators.contains(name));
        if let Some(holder) = holder.and_then(|position| u32::try_from(position).ok()).map(NodeIndex) {
            let id = id_of(holder);
            return Some(format!("`{name}` is an iterator of {id:?} and known in its template only"));
        }
        let mut known: Vec<&str> = self.ids.keys().map(Str::as_str).collect();
        known.sort_unstable();
        known.extend(self.has_schema.then_some("schema"));
        known.extend(own.into_iter().flat_map(|node| &self.iterators[node.get()]).map(Str::as_str));
        did_you_mean(name, known.iter().copied()).or_else(|| match known.is_empty() {
            true => None,
            false if known.len() <= 10 => Some(format!("known here: {}", known.join(", "))),
            false => None,
        })
    }
}

struct Problem {
    code: Code,
    message: String,
    help: Option<String>,
}

fn runtime_problem() -> Problem {
    let message = "runtime is only available in status.conditions expressions".to_owned();
    Problem { code: codes::RUNTIME, message, help: None }
}

fn self_reference_problem(id: &str) -> Problem {
    let message = format!("self references are not allowed: {id:?} reads itself");
    let help = Some("readiness is where a resource looks at itself: readyWhen".to_owned());
    Problem { code: graph_codes::SELF_REFERENCE, message, help }
}

fn no_schema_problem() -> Problem {
    let message = "references unknown identifiers: [schema]".to_owned();
    let help = Some("this definition has no spec.schema: it is its own single instance".to_owned());
    Problem { code: graph_codes::NO_SCHEMA, message, help }
}

/// What of a node is read. `is_list` when its name stands for a list of objects.
pub(crate) fn reads<'a>(reads: impl Iterator<Item = &'a Read>, is_list: bool) -> Reads {
    let mut paths = Vec::new();
    for read in reads {
        let steps = match read.path.as_slice() {
            [Step::Index(_) | Step::Any, rest @ ..] if is_list => rest,
            _ if is_list => return Reads::Everything,
            steps => steps,
        };
        let fields = steps.iter().map_while(|step| match step {
            Step::Field(name) => Some(Segment::Field(name.clone())),
            Step::Index(_) | Step::Any => None,
        });
        let path: FieldPath = fields.collect();
        if path.is_root() {
            return Reads::Everything;
        }
        paths.push(path);
    }
    paths.sort();
    paths.dedup_by(|later, first| later.starts_with(first));
    Reads::Paths(paths)
}
