use std::collections::BTreeMap;

use kro_diagnostics::{Diagnostic, Diagnostics, Span, codes};
use kro_value::Str;

use crate::{Entry, Node, NodeKind};

/// A mapping while it is read: finds duplicate keys and applies merges in the order of the text.
#[derive(Default)]
pub(crate) struct MappingBuilder {
    entries: Vec<Entry>,
    places: BTreeMap<Str, Place>,
}

struct Place {
    index: usize,
    merged: bool,
}

impl MappingBuilder {
    /// Adds a written entry. Of duplicates the first one stays.
    pub(crate) fn insert(&mut self, entry: Entry, diagnostics: &mut Diagnostics) {
        match self.places.get_mut(&entry.key) {
            None => self.append(entry, false),
            Some(place) if place.merged => {
                place.merged = false;
                self.entries[place.index] = entry;
            }
            Some(place) => diagnostics.push(duplicate(&entry, self.entries[place.index].key_span)),
        }
    }

    /// Applies `<<: value` that is written at `span`.
    pub(crate) fn merge(&mut self, value: &Node, span: Span, diagnostics: &mut Diagnostics) {
        match &value.kind {
            NodeKind::Mapping(_) => self.merge_mapping(value, span, diagnostics),
            // Earlier mappings win over later ones, so they come last.
            NodeKind::Sequence(items) if items.iter().all(|item| matches!(item.kind, NodeKind::Mapping(_))) => {
                for item in items.iter().rev() {
                    self.merge_mapping(item, span, diagnostics);
                }
            }
            _ => diagnostics.push(
                Diagnostic::error(codes::yaml::MERGE, "map merge requires map or sequence of maps as the value")
                    .spanned(value.span)
                    .help("quote the key (\"<<\") when no merge is meant"),
            ),
        }
    }

    fn merge_mapping(&mut self, mapping: &Node, span: Span, diagnostics: &mut Diagnostics) {
        for entry in mapping.entries() {
            let Some(place) = self.places.get_mut(&entry.key) else {
                self.append(entry.clone(), true);
                continue;
            };
            let old = &self.entries[place.index];
            if !place.merged {
                diagnostics.push(replaced(old, span));
                place.merged = true;
            }
            self.entries[place.index] = entry.clone();
        }
    }

    fn append(&mut self, entry: Entry, merged: bool) {
        self.places.insert(entry.key.clone(), Place { index: self.entries.len(), merged });
        self.entries.push(entry);
    }

    pub(crate) fn finish(self) -> Vec<Entry> {
        self.entries
    }
}

fn duplicate(entry: &Entry, first: Span) -> Diagnostic {
    Diagnostic::error(codes::yaml::DUPLICATE_KEY, format!("duplicate key {:?}", entry.key.as_str()))
        .spanned(entry.key_span)
        .labelled("the key again")
        .also(first, "first written here")
        .help("remove one of the two, or rename it")
}

fn replaced(old: &Entry, merge: Span) -> Diagnostic {
    let message = format!("the merge replaces the key {:?} that is written before it", old.key.as_str());
    Diagnostic::warning(codes::yaml::MERGE_ORDER, message)
        .spanned(merge)
        .also(old.key_span, "this value is lost")
        .help("write the merge before the keys that shall win over it")
}
