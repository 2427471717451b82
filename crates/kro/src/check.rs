//! Compiling what a command was given, before anything is done with it.

use std::sync::Arc;

use kro_diagnostics::{Counts, Diagnostic, Diagnostics, Style, render_text};
use kro_graph::{
    BuiltinSchemas, CompileOptions, CrdSchemas, Graph, Gvk, SchemaSources, Source, compile_set, conflicts,
};
use kro_value::Value;

use crate::input::Input;
use crate::terminal;

/// What compiling found.
pub struct Checked {
    /// All that is wrong, YAML included, in the order of the texts.
    pub diagnostics: Diagnostics,
    /// Every definition that compiles, with its text.
    pub graphs: Vec<(Source, Arc<Graph>)>,
    /// Kinds that nobody knows.
    pub missing_kinds: Vec<Gvk>,
}

/// Compiles every definition of the input. Kinds are known when a CustomResourceDefinition or another definition of the
/// input defines them, when the cluster that was asked serves them, or when they are built in.
pub fn check(input: &Input, options: &CompileOptions) -> Checked {
    let objects = input.schemas.iter().chain(input.documents.iter().map(|document| document.root.value()));
    let crds = CrdSchemas::new(objects.filter(|object| is_kind(object, "CustomResourceDefinition")));
    // Of the same kind in several places, that of the input counts, and what a cluster says of its own before what is known.
    let sources = SchemaSources::new([&crds as _, &input.served as _, &BuiltinSchemas as _]);
    let definitions: Vec<Source> = input
        .documents
        .iter()
        .filter(|document| is_definition(document.root.value()))
        .map(|document| Source::from_document(document.clone()))
        .collect();
    let mut checked = Checked { diagnostics: input.diagnostics.clone(), graphs: Vec::new(), missing_kinds: Vec::new() };
    let mut found = conflicts(&definitions);
    for (source, compiled) in definitions.iter().zip(compile_set(&definitions, &sources, options)) {
        checked.graphs.extend(compiled.graph.map(|graph| (source.clone(), graph)));
        checked.missing_kinds.extend(compiled.missing_kinds);
        found.extend(compiled.diagnostics);
    }
    checked.add(found);
    checked
}

/// For folding.
pub fn collect(mut all: Diagnostics, diagnostic: Diagnostic) -> Diagnostics {
    all.push(diagnostic);
    all
}

/// Where a diagnostic has no advice of its own, its page has.
pub fn with_help(diagnostic: Diagnostic) -> Diagnostic {
    if diagnostic.help.is_some() || kro_diagnostics::codes::explain(&diagnostic.code.to_string()).is_none() {
        return diagnostic;
    }
    let help = format!("`kro explain {}` shows how to mend it", diagnostic.code);
    diagnostic.help(help)
}

impl Checked {
    /// Adds what else was found, in the order of the texts, each with advice.
    pub fn add(&mut self, more: Diagnostics) {
        let mut all = std::mem::take(&mut self.diagnostics);
        all.extend(more);
        all.sort();
        self.diagnostics = all.into_iter().map(with_help).fold(Diagnostics::new(), collect);
    }

    /// Prints what is wrong with a picture of each place, and a count; true when the input is refused.
    pub fn report(&self, input: &Input) -> bool {
        let (width, _) = terminal::size();
        let style = Style { color: true, width };
        anstream::eprint!("{}", render_text(&input.sources, &self.diagnostics, style));
        if !self.diagnostics.is_empty() {
            anstream::eprintln!("{}", Counts::of(&self.diagnostics));
        }
        self.diagnostics.has_errors()
    }
}

/// True for a ResourceGraphDefinition of any version.
pub fn is_definition(object: &Value) -> bool {
    is_kind(object, "ResourceGraphDefinition")
        && object.str_at(&["apiVersion"]).is_some_and(|version| version.starts_with("kro.run/"))
}

fn is_kind(object: &Value, kind: &str) -> bool {
    object.str_at(&["kind"]) == Some(kind)
}
