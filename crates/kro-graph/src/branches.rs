//! Reads that only one branch of a conditional needs.
//!
//! A resource waits for all that its expressions name, and is left out together with it, whichever branch is taken: that
//! is the contract with the Go implementation. Where the branch not taken reads a resource that may be left out, this is
//! hardly what the author means.

use foldhash::HashSet;
use kro_cel::facts::{BranchKind, Facts, Read};
use kro_diagnostics::Diagnostic;
use kro_diagnostics::codes::graph as codes;

use crate::definition::{Definition, Entry};
use crate::draft::NodeDraft;
use crate::report::Report;

/// Warns of resources that are left out with something that only one of their branches reads.
pub(crate) fn check(report: &mut Report<'_>, definition: &Definition, drafts: &[NodeDraft<'_>]) {
    let has_condition = |entry: &&Entry| !entry.include_when.is_empty();
    let optional: HashSet<&str> = definition.resources.iter().filter(has_condition).map(|entry| &*entry.id).collect();
    if optional.is_empty() {
        return;
    }
    for (entry, draft) in definition.resources.iter().zip(drafts) {
        if !draft.inputs().any(|resolved| choices(resolved.draft.parse.facts()).next().is_some()) {
            continue;
        }
        let facts = || draft.inputs().map(|resolved| (resolved, resolved.draft.parse.facts()));
        // What is said once, or needed whatever the branch.
        let mut settled: HashSet<&str> = facts().flat_map(|(_, facts)| needed(facts)).map(|read| &*read.root).collect();
        for (resolved, facts) in facts() {
            for read in of_one_branch(facts).filter(|read| optional.contains(&*read.root)) {
                if settled.insert(&read.root) {
                    let diagnostic = warning(entry, &read.root);
                    report.push(resolved.draft.diagnostic(report, &entry.id, diagnostic, read.span.clone()));
                }
            }
        }
    }
}

fn warning(entry: &Entry, other: &str) -> Diagnostic {
    let message = format!("{:?} is left out whenever {other:?} is, although only one branch reads it", entry.id);
    Diagnostic::warning(codes::SKIPPED_WITH_BRANCH, message).help(
        "a resource is left out with all that its expressions name: write two with opposite includeWhen, one for each branch",
    )
}

/// The reads that one branch of a conditional needs and the other does not.
fn of_one_branch(facts: &Facts) -> impl Iterator<Item = &Read> {
    choices(facts).flat_map(|[taken, other]| only_there(taken, other).chain(only_there(other, taken)))
}

fn only_there<'f>(branch: &'f [Read], other: &'f [Read]) -> impl Iterator<Item = &'f Read> {
    branch.iter().filter(|read| !other.iter().any(|there| there.root == read.root))
}

/// The reads that are made whichever branch is taken.
fn needed(facts: &Facts) -> impl Iterator<Item = &Read> {
    facts.reads.iter().filter(|read| !of_one_branch(facts).any(|chosen| std::ptr::eq(chosen, *read)))
}

/// What the two branches of each conditional read.
fn choices(facts: &Facts) -> impl Iterator<Item = [&[Read]; 2]> {
    let conditionals = facts.branches.iter().filter(|branch| branch.kind == BranchKind::Conditional);
    conditionals.filter_map(|branch| match branch.operands.as_slice() {
        [_, taken, other] => Some([facts.reads.get(taken.clone())?, facts.reads.get(other.clone())?]),
        _ => None,
    })
}
