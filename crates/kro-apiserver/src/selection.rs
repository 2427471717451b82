//! Which objects of a collection a request is about.

use std::borrow::Cow;

use kro_apimachinery::{FieldSelector, LabelSelector, Status};
use kro_value::{Str, Value};

use crate::Resource;
use crate::fields;
use crate::store::Stored;
use crate::uri::Query;

/// A namespace, a name and selectors; everything must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// `None` for all namespaces (and for cluster-scoped objects).
    pub(crate) namespace: Option<Str>,
    /// `None` for all names.
    pub(crate) name: Option<Str>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
}

impl Selection {
    /// Reads `labelSelector` and `fieldSelector`.
    ///
    /// # Errors
    /// 400 when one is malformed or names a field that the kind does not have.
    pub(crate) fn parse(
        query: &Query,
        resource: &Resource,
        version: usize,
        namespace: Option<Str>,
        name: &str,
    ) -> Result<Self, Status> {
        let labels = LabelSelector::parse(query.text("labelSelector")).map_err(Status::bad_request)?;
        let fields = FieldSelector::parse(query.text("fieldSelector")).map_err(Status::bad_request)?;
        for term in &fields.requirements {
            fields::check_label(resource, version, &term.field).map_err(Status::bad_request)?;
        }
        let named = (!name.is_empty()).then(|| Str::new(name)).or_else(|| fields.exact("metadata.name").cloned());
        Ok(Self { namespace, name: named, labels, fields })
    }

    /// True when it is not restricted by selectors.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    pub(crate) fn matches(&self, resource: &Resource, stored: &Stored) -> bool {
        let text = |keys| stored.value.str_at(keys).unwrap_or_default();
        self.namespace.as_ref().is_none_or(|namespace| text(&["metadata", "namespace"]) == namespace)
            && self.name.as_ref().is_none_or(|name| text(&["metadata", "name"]) == name)
            && self.labels.matches(stored.labels())
            && self.fields.matches(|field| field_text(resource, &stored.value, field))
    }
}

fn field_text<'a>(resource: &Resource, object: &'a Value, field: &str) -> Cow<'a, str> {
    fields::text(resource, object, field)
}
