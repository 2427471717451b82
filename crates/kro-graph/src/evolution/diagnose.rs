//! Changes of an API as diagnostics about the definition that makes them.

use kro_diagnostics::codes::evolution as codes;
use kro_diagnostics::{Diagnostic, Diagnostics, Severity};
use kro_value::FieldPath;

use super::Evolution;
use super::change::{Change, Class};
use crate::Source;

impl Evolution {
    /// The changes as diagnostics: breaking ones are errors, compatible ones notes; what nothing looks at is left out.
    /// Each stands where the new definition makes the change, or at the nearest part around it.
    pub fn diagnostics(&self, source: &Source) -> Diagnostics {
        let mut all = Diagnostics::new();
        all.extend(self.changes.iter().filter_map(|change| diagnostic(change, source)));
        all.sort();
        all
    }
}

fn diagnostic(change: &Change, source: &Source) -> Option<Diagnostic> {
    let path = author_path(&change.path);
    let diagnostic = match change.class {
        Class::Breaking => Diagnostic::error(codes::BREAKING, change.to_string())
            .help("keep what was there, or allow it by the annotation kro.run/allow-breaking-changes: \"true\""),
        Class::Compatible => Diagnostic::new(codes::COMPATIBLE, Severity::Note, change.to_string()),
        Class::Ignored => return None,
    };
    let is_there = source.value.at_path(&path).is_some();
    let span = if is_there { source.key_span(&path) } else { source.value_span(&path) };
    Some(diagnostic.at(path).spanned(span))
}

/// Where the author of a definition writes what stands at a path of the CustomResourceDefinition. Keywords of the schema
/// and items of lists are part of the field they belong to.
fn author_path(path: &str) -> FieldPath {
    let schema = FieldPath::fields(["spec", "schema"]);
    let Some(inside) = path.strip_prefix(".properties.") else {
        return match path.split('.').collect::<Vec<_>>().as_slice() {
            ["version", "additionalPrinterColumns", ..] => schema.field("additionalPrinterColumns"),
            ["version", ..] => schema.field("apiVersion"),
            ["names", key] => schema.field(*key),
            ["scope"] => schema.field("scope"),
            ["metadata", key, ..] => schema.field("metadata").field(*key),
            _ => schema,
        };
    };
    let mut steps = inside.split('.');
    let mut author = schema.field(steps.next().unwrap_or_default());
    let mut is_name = false;
    for step in steps {
        if is_name {
            author = author.field(step);
        }
        is_name = !is_name && step == "properties";
    }
    author
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_author_wrote() {
        for (crd, author) in [
            (".properties.spec.properties.replicas.minimum", "spec.schema.spec.replicas"),
            (".properties.spec.properties.net.properties.ports.items.type", "spec.schema.spec.net.ports"),
            (".properties.spec.properties.properties.properties.items.type", "spec.schema.spec.properties.items"),
            (".properties.status.properties.url", "spec.schema.status.url"),
            (".properties.spec.required", "spec.schema.spec"),
            ("version.served", "spec.schema.apiVersion"),
            ("names.shortNames", "spec.schema.shortNames"),
            ("scope", "spec.schema.scope"),
        ] {
            assert_eq!(author_path(crd).to_string(), author, "{crd}");
        }
    }
}
