//! Named types: built in the order of their dependencies.

use std::collections::{BTreeMap, BTreeSet};

use kro_diagnostics::{Diagnostic, codes};
use kro_value::Str;

use super::Tree;
use super::build::{Builder, Built};
use super::expression::is_built_in;
use super::field::{Declaration, Use};
use super::report::Scope;

struct Named<'a> {
    declaration: Declaration<'a>,
    uses: Vec<Use>,
}

/// Builds all types of `schema.types`, used or not.
pub(super) fn build_types(tree: &Tree<'_>, builder: &mut Builder) {
    let mut waiting: BTreeMap<Str, Named<'_>> = BTreeMap::new();
    for member in tree.members() {
        if is_built_in(&member.key) {
            builder.diagnostics.push(shadowed(&member));
        }
        let mut scope = Scope::of_type(member.key.clone());
        let declaration = Declaration::parse(member.tree, &mut scope, &mut builder.diagnostics);
        let mut uses = Vec::new();
        declaration.uses(&mut uses);
        waiting.insert(member.key, Named { declaration, uses });
    }
    while !waiting.is_empty() {
        match next(&waiting) {
            Some(name) => {
                if let Some(named) = waiting.remove(&name) {
                    let built = builder.build(&named.declaration, &mut Scope::of_type(name.clone()));
                    builder.types.insert(name, built);
                }
            }
            None => break_cycle(&mut waiting, builder),
        }
    }
}

/// The first type that waits for no other one.
fn next(waiting: &BTreeMap<Str, Named<'_>>) -> Option<Str> {
    let ready = |named: &Named<'_>| named.uses.iter().all(|used| !waiting.contains_key(&used.name));
    waiting.iter().find(|(_, named)| ready(named)).map(|(name, _)| name.clone())
}

fn shadowed(member: &super::tree::Member<'_>) -> Diagnostic {
    let message = format!("type {}: the built-in type of this name is meant wherever it is used", member.key);
    Diagnostic::warning(codes::simple::SHADOWED, message)
        .at(member.tree.path().clone())
        .spanned(member.key_span.or_else(|| member.tree.span()))
        .help("give the type another name")
}

/// Reports one cycle, when every type waits for another one, and takes its types for known.
fn break_cycle(waiting: &mut BTreeMap<Str, Named<'_>>, builder: &mut Builder) {
    let cycle = find_cycle(waiting);
    let Some((name, last)) = cycle.first().cloned().zip(cycle.last().cloned()) else {
        waiting.clear();
        return;
    };
    let message = if cycle.len() == 1 {
        format!("type {name}: self references are not allowed")
    } else {
        let path = cycle.iter().chain([&name]).map(Str::as_str).collect::<Vec<_>>().join(" -> ");
        format!("cyclic dependency in type {name}: graph contains a cycle: {path}")
    };
    if let Some(named) = waiting.get(&last) {
        let span = named.uses.iter().find(|used| used.name == name).and_then(|used| used.span);
        let diagnostic = Diagnostic::error(codes::simple::CYCLE, message)
            .at(named.declaration.tree.path().clone())
            .spanned(span.or_else(|| named.declaration.tree.span()))
            .help("a schema is finite; use `object` for what may hold itself");
        builder.diagnostics.push(diagnostic);
    }
    for name in cycle {
        waiting.remove(&name);
        builder.types.insert(name, Built::unknown());
    }
}

/// A cycle, begun with its smallest name; each name uses the next one, and the last uses the first.
fn find_cycle(waiting: &BTreeMap<Str, Named<'_>>) -> Vec<Str> {
    let mut path: Vec<Str> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut here = waiting.keys().next();
    while let Some(name) = here.filter(|name| seen.insert((*name).clone())) {
        path.push(name.clone());
        let uses = waiting.get(name).map(|named| named.uses.as_slice()).unwrap_or_default();
        here = uses.iter().map(|used| &used.name).find(|used| waiting.contains_key(*used));
    }
    let start = here.and_then(|again| path.iter().position(|name| name == again)).unwrap_or(0);
    let mut cycle = path.split_off(start);
    let least = (0..cycle.len()).min_by_key(|index| &cycle[*index]).unwrap_or(0);
    cycle.rotate_left(least);
    cycle
}
