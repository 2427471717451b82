//! Compiling what a command was given, before anything is done with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use kro_diagnostics::{Counts, Diagnostic, Diagnostics, Style, render_text};
use kro_graph::{BuiltinSchemas, CompileOptions, Compiled, CrdSchemas, Graph, SchemaSources, Source, compile};
use kro_value::{Str, Value};

use crate::input::Input;
use crate::terminal;

/// What compiling found.
pub struct Checked {
    /// All that is wrong, YAML included, in the order of the texts.
    pub diagnostics: Diagnostics,
    /// Every definition that compiles, with its text.
    pub graphs: Vec<(Source, Arc<Graph>)>,
}

/// Compiles every definition of the input. Kinds are known when they are built in, defined by a
/// CustomResourceDefinition of the input, or by another definition of it.
pub fn check(input: &Input, options: &CompileOptions) -> Checked {
    let objects = || input.schemas.iter().chain(input.documents.iter().map(|document| document.root.value()));
    let mut schemas = CrdSchemas::new(objects().filter(|object| is_kind(object, "CustomResourceDefinition")));
    let definitions: Vec<Source> = input
        .documents
        .iter()
        .filter(|document| is_definition(document.root.value()))
        .map(|document| Source::from_document(document.clone()))
        .collect();
    // A definition may use the kind of another one: the kinds that come out of one round are known in the next.
    let mut known = BTreeSet::new();
    let compiled = loop {
        let compiled = compile_all(&definitions, &schemas, options);
        if !learn_kinds(&compiled, &mut known, &mut schemas) {
            break compiled;
        }
    };
    let mut diagnostics = input.diagnostics.clone();
    let graphs = compiled
        .iter()
        .zip(&definitions)
        .filter_map(|(compiled, source)| Some((source.clone(), Arc::clone(compiled.graph.as_ref()?))));
    let graphs = graphs.collect();
    diagnostics.extend(compiled.into_iter().flat_map(|compiled| compiled.diagnostics));
    let mut checked = Checked { diagnostics: Diagnostics::new(), graphs };
    checked.add(diagnostics);
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

fn compile_all(definitions: &[Source], schemas: &CrdSchemas, options: &CompileOptions) -> Vec<Compiled> {
    let sources = SchemaSources::new([&BuiltinSchemas as _, schemas as _]);
    definitions.iter().map(|source| compile(source, &sources, options)).collect()
}

/// Adds the kinds that the graphs define; true when there was a new one and somebody misses a kind.
fn learn_kinds(compiled: &[Compiled], known: &mut BTreeSet<Str>, schemas: &mut CrdSchemas) -> bool {
    let mut learned = false;
    for api in compiled.iter().filter_map(|compiled| compiled.graph.as_ref()?.instance.as_ref()) {
        if known.insert(Str::new(api.crd.str_at(&["metadata", "name"]).unwrap_or_default())) {
            schemas.add(&api.crd);
            learned = true;
        }
    }
    learned && compiled.iter().any(|compiled| !compiled.missing_kinds.is_empty())
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
