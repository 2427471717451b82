//! A node while its expressions are compiled.

use kro_cel::facts::Step;
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::graph as codes;
use kro_value::{FieldPath, Segment, Str};

use crate::NodeIndex;
use crate::definition::{Definition, Entry, Text};
use crate::dependencies::Causes;
use crate::expression::{self, Anchor, Draft, Reading};
use crate::report::Report;
use crate::resource::{self, Resource};
use crate::scope::{Place, Read, References, Scope};
use crate::template::Site;

/// An expression with what it refers to.
pub(crate) struct Resolved<'d> {
    pub draft: Draft<'d>,
    pub references: References,
}

impl Resolved<'_> {
    /// What it reads of each variable.
    pub fn reads(&self) -> &[Read] {
        &self.draft.parse.facts().reads
    }
}

/// A field of a template.
pub(crate) struct FieldDraft<'d> {
    pub site: &'d Site,
    pub resolved: Resolved<'d>,
}

/// The expressions of a node.
#[derive(Default)]
pub(crate) struct NodeDraft<'d> {
    pub fields: Vec<FieldDraft<'d>>,
    pub for_each: Vec<(Str, Resolved<'d>)>,
    pub include_when: Vec<Resolved<'d>>,
    pub ready_when: Vec<Resolved<'d>>,
}

impl<'d> NodeDraft<'d> {
    /// The expressions that make edges.
    pub fn inputs(&self) -> impl Iterator<Item = &Resolved<'d>> {
        let fields = self.fields.iter().map(|field| &field.resolved);
        fields.chain(self.for_each.iter().map(|(_, resolved)| resolved)).chain(&self.include_when)
    }

    /// All reads of variables.
    pub fn reads(&self) -> impl Iterator<Item = &Read> {
        self.inputs().chain(&self.ready_when).flat_map(Resolved::reads)
    }

    /// Adds its edges.
    pub fn add_causes<'c>(&'c self, causes: &mut Causes<'c>, node: NodeIndex) {
        for resolved in self.inputs() {
            causes.add(node, &resolved.references.nodes, &resolved.draft);
        }
    }
}

/// Compiles the expressions of an entry. `resource` is absent when its object could not be read.
pub(crate) fn read<'d>(
    report: &mut Report<'_>,
    scope: &Scope<'_>,
    definition: &Definition,
    node: NodeIndex,
    entry: &'d Entry,
    resource: Option<&'d Resource<'_>>,
) -> NodeDraft<'d> {
    let mut result = NodeDraft::default();
    for (name, text) in &entry.for_each {
        let place = Place::ForEach(node, name);
        result.for_each.extend(condition(report, scope, entry, text, place).map(|resolved| (name.clone(), resolved)));
    }
    let ready_place = match resource {
        Some(resource) if resource.has_selector => Place::ReadyWhenEach(node),
        _ if !entry.for_each.is_empty() => Place::ReadyWhenEach(node),
        _ => Place::ReadyWhen(node),
    };
    let mut conditions = |texts: &'d [Text], place| {
        texts.iter().filter_map(|text| condition(report, scope, entry, text, place)).collect()
    };
    result.include_when = conditions(&entry.include_when, Place::IncludeWhen(node));
    result.ready_when = conditions(&entry.ready_when, ready_place);
    if let Some(resource) = resource {
        let count_before = resource.sites.len();
        result.fields = fields(report, scope, definition, node, resource);
        warn_of_unstable_identity(report, entry, &result.fields);
        let is_whole = result.fields.len() == count_before || !report.has_errors();
        if is_whole && !entry.is_external {
            check_identity(report, entry, resource, &result.fields);
        }
    }
    result
}

fn condition<'d>(
    report: &mut Report<'_>,
    scope: &Scope<'_>,
    entry: &Entry,
    text: &'d Text,
    place: Place<'_>,
) -> Option<Resolved<'d>> {
    let draft = expression::read_standalone(report, scope.parser, &entry.id, (&text.path).into(), &text.text)?;
    let references = scope.resolve(report, &entry.id, &draft, place)?;
    Some(Resolved { draft, references })
}

fn fields<'d>(
    report: &mut Report<'_>,
    scope: &Scope<'_>,
    definition: &Definition,
    node: NodeIndex,
    resource: &'d Resource<'_>,
) -> Vec<FieldDraft<'d>> {
    let entry = resource.entry;
    let mut fields = Vec::with_capacity(resource.sites.len());
    for site in &resource.sites {
        let anchor = Anchor::below(&entry.object_path, &site.path);
        let Reading::Expression(draft) = expression::read(report, scope.parser, &entry.id, anchor, &site.text) else {
            continue;
        };
        let Some(references) = scope.resolve(report, &entry.id, &draft, Place::Template(node)) else { continue };
        if references.calls_omit
            && let Some(problem) = resource::omit_problem(definition, resource, &site.path)
        {
            let whole = 0..draft.ast().text().len();
            report.push(draft.diagnostic(report, &entry.id, problem, whole));
        }
        let resolved = Resolved { draft, references };
        fields.push(FieldDraft { site, resolved });
    }
    fields
}

/// Every iterator must make a difference to the identity of the objects.
fn check_identity(report: &mut Report<'_>, entry: &Entry, resource: &Resource<'_>, fields: &[FieldDraft<'_>]) {
    let used = |iterator: &Str| {
        let identities = fields.iter().filter(|field| is_identity(&field.site.path, resource.namespaced()));
        identities.into_iter().any(|field| field.resolved.references.iterators.contains(iterator))
    };
    let missing: Vec<&str> =
        entry.for_each.iter().map(|(name, _)| name).filter(|name| !used(name)).map(Str::as_str).collect();
    if missing.is_empty() {
        return;
    }
    let message = format!(
        "node {:?}: all forEach dimensions must be used to produce a unique resource identity, missing: [{}]",
        entry.id,
        missing.join(" ")
    );
    let path = entry.object_path.join(&FieldPath::fields(["metadata", "name"]));
    let diagnostic = Diagnostic::error(codes::COLLECTION_IDENTITY, message).about(entry.id.as_str()).at(path);
    report.push(diagnostic.help(format!("put ${{{}}} into metadata.name", missing[0])));
}

/// True for `metadata.name` and, where there are namespaces, for `metadata.namespace`.
fn is_identity(path: &FieldPath, namespaced: bool) -> bool {
    let [Segment::Field(metadata), Segment::Field(key)] = path.segments() else { return false };
    metadata == "metadata" && (key == "name" || (namespaced && key == "namespace"))
}

/// Fields that change without anybody changing what they stand for.
const UNSTABLE: &[&str] = &[
    "resourceVersion",
    "generation",
    "observedGeneration",
    "managedFields",
    "lastTransitionTime",
    "lastUpdateTime",
    "lastProbeTime",
    "lastHeartbeatTime",
    "renewTime",
];

fn warn_of_unstable_identity(report: &mut Report<'_>, entry: &Entry, fields: &[FieldDraft<'_>]) {
    for field in fields.iter().filter(|field| is_identity(&field.site.path, true)) {
        let draft = &field.resolved.draft;
        for read in field.resolved.reads() {
            let is_unstable = |step: &&Step| matches!(step, Step::Field(name) if UNSTABLE.contains(&name.as_str()));
            let Some(Step::Field(name)) = read.path.iter().find(is_unstable) else { continue };
            let message = format!(
                "{} is made of {name}, which changes by itself: each change makes another object",
                field.site.path
            );
            let diagnostic = Diagnostic::warning(codes::UNSTABLE_IDENTITY, message);
            report.push(draft.diagnostic(report, &entry.id, diagnostic, read.span.clone()));
        }
    }
}
