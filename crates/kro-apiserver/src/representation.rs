//! Objects as the client asked to see them.

use std::sync::Arc;

use bytes::Bytes;
use kro_value::{Str, Value, to_json};

use crate::Resource;
use crate::negotiation::Form;
use crate::store::{Stored, body_of};

/// A resource in one of its versions, and the form in which its objects go out.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) resource: Arc<Resource>,
    pub(crate) version: usize,
    pub(crate) form: Form,
}

impl View {
    /// The object in this version, with the fields and defaults of the current schema.
    pub(crate) fn value(&self, stored: &Stored) -> Value {
        if self.is_stored_as_shown(stored) {
            return stored.value.clone();
        }
        crate::conversion::read(&self.resource, self.version, stored)
    }

    /// The JSON text of an object with `kind` and `apiVersion`.
    pub(crate) fn object(&self, stored: &Stored) -> Bytes {
        match self.form {
            Form::Metadata { .. } => self.metadata(stored),
            _ => self.with_head(&self.body(stored)),
        }
    }

    /// As [`object`](Self::object), of an object that was just written: its text is not kept.
    pub(crate) fn object_once(&self, stored: &Stored) -> Bytes {
        match self.form {
            Form::Metadata { .. } => self.metadata(stored),
            _ if self.is_stored_as_shown(stored) => self.with_head(&stored.body_once()),
            _ => self.object(stored),
        }
    }

    /// The JSON text of an object in a list, without `kind` and `apiVersion`.
    fn item(&self, stored: &Stored) -> Bytes {
        match self.form {
            Form::Metadata { .. } => self.metadata(stored),
            _ => self.body(stored),
        }
    }

    fn body(&self, stored: &Stored) -> Bytes {
        if self.is_stored_as_shown(stored) { stored.body().clone() } else { body_of(&self.value(stored)) }
    }

    fn metadata(&self, stored: &Stored) -> Bytes {
        let head = head("PartialObjectMetadata", self.form.api_version());
        let mut text = Vec::with_capacity(stored.metadata().len() + 96);
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(b"\"metadata\":");
        text.extend_from_slice(stored.metadata());
        text.push(b'}');
        text.into()
    }

    fn with_head(&self, body: &[u8]) -> Bytes {
        let head = head(&self.resource.kind, &self.resource.api_version(self.version));
        let mut text = Vec::with_capacity(head.len() + body.len());
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(&body[1..]);
        text.into()
    }

    fn is_stored_as_shown(&self, stored: &Stored) -> bool {
        crate::conversion::is_stored_as_shown(&self.resource, self.version)
            && stored.schema_revision == self.resource.revision
    }
}

/// `{"kind":...,"apiVersion":...,`, to be followed by more members.
pub(crate) fn head(kind: &str, api_version: &str) -> String {
    format!("{{\"kind\":{},\"apiVersion\":{},", quote(kind), quote(api_version))
}

fn quote(text: &str) -> String {
    to_json(&Value::from(text))
}

/// `metadata` of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListMeta {
    pub(crate) revision: u64,
    /// Where the next page starts; empty on the last page.
    pub(crate) continue_token: Str,
    /// `None` when it is not counted.
    pub(crate) remaining: Option<usize>,
    /// Lists of custom resources say so when there is no next page.
    pub(crate) shows_empty_continue: bool,
}

impl ListMeta {
    pub(crate) fn to_value(&self) -> Value {
        let mut entries = vec![("resourceVersion", Value::from(self.revision.to_string()))];
        if self.shows_empty_continue || !self.continue_token.is_empty() {
            entries.push(("continue", self.continue_token.clone().into()));
        }
        if let Some(remaining) = self.remaining.filter(|remaining| *remaining > 0) {
            entries.push(("remainingItemCount", i64::try_from(remaining).unwrap_or(i64::MAX).into()));
        }
        Value::map(entries)
    }
}

/// A list of objects (not a table) as JSON text, in pieces.
pub(crate) fn list<'a>(view: &View, meta: &ListMeta, items: impl Iterator<Item = &'a Arc<Stored>>) -> Vec<Bytes> {
    let is_metadata = matches!(view.form, Form::Metadata { .. });
    let (kind, api_version) = if is_metadata {
        ("PartialObjectMetadataList".into(), view.form.api_version().into())
    } else {
        (view.resource.list_kind.clone(), view.resource.api_version(view.version))
    };
    let mut text = head(&kind, &api_version).into_bytes();
    text.extend_from_slice(b"\"metadata\":");
    text.extend_from_slice(to_json(&meta.to_value()).as_bytes());
    text.extend_from_slice(b",\"items\":");
    let mut parts = vec![Bytes::from(text)];
    let item_head = Bytes::from(head(&view.resource.kind, &view.resource.api_version(view.version)));
    for stored in items {
        parts.push(Bytes::from_static(if parts.len() == 1 { b"[" } else { b"," }));
        if view.resource.custom && !is_metadata {
            // The text of the object without its first brace, after the members that lists of these have.
            parts.push(item_head.clone());
            parts.push(view.body(stored).slice(1..));
        } else {
            parts.push(view.item(stored));
        }
    }
    parts.push(Bytes::from_static(match (parts.len(), is_metadata) {
        (1, true) => b"null}",
        (1, false) => b"[]}",
        _ => b"]}",
    }));
    parts
}
