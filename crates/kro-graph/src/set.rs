//! Several definitions together: each may use the kinds that the others define.

use std::collections::{BTreeMap, BTreeSet};

use kro_diagnostics::codes::{shape, typing};
use kro_diagnostics::{Diagnostic, Diagnostics};
use kro_value::{FieldPath, Str};

use crate::{CompileOptions, Compiled, CrdSchemas, Gvk, ResolvedKind, SchemaSource, SchemaSources, Source, compile};

/// Compiles definitions that belong together, in any order. The result of each is in the order of the sources.
///
/// A kind that a definition of the set defines is used as that definition makes it, whatever `schemas` say of it. Where that
/// one does not compile itself, the kind counts as missing, and the help says whose fault that is.
pub fn compile_set(sources: &[Source], schemas: &dyn SchemaSource, options: &CompileOptions) -> Vec<Compiled> {
    let mut known = CrdSchemas::default();
    let own = sources.iter().filter_map(defined_kind).collect();
    let schemas = &Outside { schemas, own };
    let mut results: Vec<Compiled> = Vec::with_capacity(sources.len());
    for source in sources {
        let compiled = compile(source, &SchemaSources::new([schemas as _, &known as _]), options);
        learn(&mut known, &compiled);
        results.push(compiled);
    }
    let mut waiting: BTreeSet<usize> = (0..results.len()).filter(|at| !results[*at].missing_kinds.is_empty()).collect();
    // Each round resolves a kind for at least one definition or is the last.
    while let Some(at) = waiting.iter().copied().find(|at| is_resolvable(&results[*at], &known)) {
        waiting.remove(&at);
        results[at] = compile(&sources[at], &SchemaSources::new([schemas as _, &known as _]), options);
        learn(&mut known, &results[at]);
        if !results[at].missing_kinds.is_empty() {
            waiting.insert(at);
        }
    }
    waiting.into_iter().for_each(|at| blame(&mut results[at], &sources[at], sources));
    results
}

/// Warns of definitions that cannot all be applied: of one name, or of one kind.
pub fn conflicts(sources: &[Source]) -> Diagnostics {
    let name = |source: &Source| source.value.str_at(&["metadata", "name"]).map(Str::new);
    let kind = |source: &Source| defined_kind(source).map(|gvk| Str::from(format!("{}.{}", gvk.kind, gvk.group)));
    let mut found = Diagnostics::new();
    let mut seen: BTreeMap<Str, &Source> = BTreeMap::new();
    for source in sources {
        let of_name = name(source).map(|name| (name, &["metadata", "name"][..], "have the name"));
        let of_kind = kind(source).map(|kind| (kind, &["spec", "schema", "kind"][..], "define the kind"));
        // A kind has a capital letter, and a name has none.
        let Some((earlier, (shown, path, what))) =
            of_name.into_iter().chain(of_kind).find_map(|key| Some((seen.insert(key.0.clone(), source)?, key)))
        else {
            continue;
        };
        let path = FieldPath::fields(path.iter().copied());
        let message = format!("two definitions {what} {shown:?}");
        let mut warning = Diagnostic::warning(shape::DEFINED_TWICE, message);
        warning = warning.spanned(source.value_span(&path)).at(path.clone());
        found.push(match earlier.value_span(&path) {
            Some(span) => warning.also(span, "first here"),
            None => warning,
        });
    }
    found
}

/// Schemas without the kinds of the set.
struct Outside<'s> {
    schemas: &'s dyn SchemaSource,
    own: BTreeSet<Gvk>,
}

impl SchemaSource for Outside<'_> {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        if self.own.contains(gvk) { None } else { self.schemas.resolve(gvk) }
    }

    fn kinds(&self) -> Vec<Gvk> {
        self.schemas.kinds()
    }
}

fn learn(known: &mut CrdSchemas, compiled: &Compiled) {
    if let Some(api) = compiled.graph.as_ref().and_then(|graph| graph.instance.as_ref()) {
        known.add(&api.crd);
    }
}

fn is_resolvable(compiled: &Compiled, known: &CrdSchemas) -> bool {
    compiled.missing_kinds.iter().any(|gvk| known.resolve(gvk).is_some())
}

/// Says of a missing kind which definition of the set should have defined it.
fn blame(compiled: &mut Compiled, source: &Source, sources: &[Source]) {
    let culprits = |gvk: &Gvk| sources.iter().find(|source| defined_kind(source).as_ref() == Some(gvk));
    let helps: Vec<(String, String)> = compiled
        .missing_kinds
        .iter()
        .filter_map(|gvk| {
            let culprit = culprits(gvk)?;
            let help = if std::ptr::eq(culprit, source) {
                "an instance that holds an instance of its own kind would never end".to_owned()
            } else {
                let name = culprit.value.str_at(&["metadata", "name"]).unwrap_or_default();
                format!("definition {name:?} defines this kind, but does not compile")
            };
            Some((format!("{:?}", gvk.to_string()), help))
        })
        .collect();
    for diagnostic in compiled.diagnostics.iter_mut().filter(|diagnostic| diagnostic.code == typing::UNKNOWN_KIND) {
        if let Some((_, help)) = helps.iter().find(|(kind, _)| diagnostic.message.contains(kind.as_str())) {
            diagnostic.help = Some(help.clone().into());
        }
    }
}

/// The kind of a definition's instances.
fn defined_kind(source: &Source) -> Option<Gvk> {
    let text = |key| source.value.str_at(&["spec", "schema", key]).filter(|text| !text.is_empty());
    Some(Gvk::new(text("group").unwrap_or(kro_api::GROUP), text("apiVersion")?, text("kind")?))
}
