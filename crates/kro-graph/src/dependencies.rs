//! Edges between resources, their order, and the cycles among them.

use foldhash::HashMap;
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::graph as codes;

use crate::NodeIndex;
use crate::expression::Draft;
use crate::native::{self, Object};
use crate::order::{self, Edges};
use crate::report::Report;
use crate::resource::Resource;

/// The order of a graph.
pub(crate) struct Dependencies {
    pub hard: Edges,
    pub soft: Edges,
    /// By hard and soft edges.
    pub order: Vec<NodeIndex>,
    /// By hard edges alone.
    pub topological_order: Vec<NodeIndex>,
    pub waves: Vec<u32>,
}

/// The expression behind each edge, the first one where there are several.
#[derive(Default)]
pub(crate) struct Causes<'d> {
    causes: HashMap<(NodeIndex, NodeIndex), &'d Draft<'d>>,
    edges: Edges,
}

impl<'d> Causes<'d> {
    pub fn new(nodes: usize) -> Self {
        Self { causes: HashMap::default(), edges: vec![Vec::new(); nodes] }
    }

    /// Adds what an expression of a node reads.
    pub fn add(&mut self, from: NodeIndex, targets: &[NodeIndex], draft: &'d Draft<'d>) {
        for target in targets {
            self.causes.entry((from, *target)).or_insert_with(|| {
                self.edges[from.get()].push(*target);
                draft
            });
        }
    }
}

/// Orders the nodes; reports cycles.
pub(crate) fn order(
    report: &mut Report<'_>,
    causes: Causes<'_>,
    resources: &[Option<Resource<'_>>],
    ids: &[&str],
    default_namespace: Option<&str>,
    has_schema: bool,
) -> Dependencies {
    let mut hard = causes.edges;
    hard.iter_mut().for_each(|targets| targets.sort_unstable());
    let topological_order = order::sort(&hard);
    if topological_order.len() < hard.len() {
        for cycle in order::cycles(&hard) {
            report_cycle(report, &causes.causes, &cycle, ids);
        }
    }
    let soft = order::keep_acyclic(&hard, &native_edges(resources, &hard, default_namespace));
    if soft.iter().all(Vec::is_empty) {
        let waves = order::waves(&hard, &topological_order);
        return Dependencies { order: topological_order.clone(), topological_order, waves, hard, soft };
    }
    let both: Edges = hard.iter().zip(&soft).map(|(hard, soft)| [hard.as_slice(), soft].concat()).collect();
    let order = order::sort(&both);
    // With a schema the numbers are those of the contract; a graph without one has no other deletion order than this.
    let waves = if has_schema { order::waves(&hard, &topological_order) } else { order::waves(&both, &order) };
    Dependencies { order, topological_order, waves, hard, soft }
}

fn native_edges(resources: &[Option<Resource<'_>>], hard: &Edges, default_namespace: Option<&str>) -> Edges {
    let known: Vec<(usize, &Resource<'_>)> =
        resources.iter().enumerate().filter_map(|(position, resource)| Some((position, resource.as_ref()?))).collect();
    let object = |(_, resource): &(usize, &'_ Resource<'_>)| (resource.namespaced(), resource.gvk.clone());
    let facts: Vec<_> = known.iter().map(object).collect();
    let objects: Vec<Object<'_>> = known
        .iter()
        .zip(&facts)
        .map(|((_, resource), (namespaced, gvk))| Object {
            gvk,
            template: &resource.entry.object,
            namespaced: *namespaced,
            default_namespace,
        })
        .collect();
    let mut edges: Edges = vec![Vec::new(); resources.len()];
    for (position, targets) in native::references(&objects).into_iter().enumerate() {
        let from = known[position].0;
        let targets = targets.into_iter().filter_map(|target| u32::try_from(known[target].0).ok()).map(NodeIndex);
        edges[from].extend(targets.filter(|target| !hard[from].contains(target)));
    }
    edges
}

/// Shows a whole cycle: the edges in the message, the expression behind each as a label or note.
fn report_cycle(
    report: &mut Report<'_>,
    causes: &HashMap<(NodeIndex, NodeIndex), &Draft<'_>>,
    cycle: &[NodeIndex],
    ids: &[&str],
) {
    let name = |node: &NodeIndex| ids[node.get()];
    let mut names: Vec<&str> = cycle.iter().map(name).collect();
    names.extend(cycle.first().map(name));
    let mut diagnostic = Diagnostic::error(codes::CYCLE, format!("graph contains a cycle: {}", names.join(" -> ")));
    for (position, from) in cycle.iter().enumerate() {
        let to = &cycle[(position + 1) % cycle.len()];
        let Some(draft) = causes.get(&(*from, *to)) else { continue };
        let span = draft.whole_span(report);
        let shown = if draft.is_template { draft.text.to_string() } else { format!("${{{}}}", draft.text) };
        let text = format!("{} reads {}", name(from), name(to));
        if position == 0 {
            diagnostic = diagnostic.about(name(from)).at(draft.anchor.path()).spanned(span).labelled(text.clone());
        } else if let Some(span) = span {
            diagnostic = diagnostic.also(span, text.clone());
        }
        diagnostic = diagnostic.note(format!("{text} at {}: {shown}", draft.anchor.path()));
    }
    report.push(diagnostic.help("take one of these values from schema, or write it by hand"));
}
