use std::collections::BTreeMap;
use std::sync::Arc;

use kro_apimachinery::{Cause, Status};
use kro_value::Str;

use super::options::{ListOptions, Match};
use super::token::ContinueToken;
use crate::representation::ListMeta;
use crate::selection::Selection;
use crate::store::{Key, Store, Stored};
use crate::{GroupResource, Resource};

/// A page of a list.
pub(crate) struct Page {
    pub(crate) items: Vec<Arc<Stored>>,
    pub(crate) meta: ListMeta,
}

/// What part of history a list shows.
enum Snapshot {
    Newest,
    Exactly(u64),
}

impl Snapshot {
    /// The snapshot that a fault asks for.
    fn lagging(self, store: &Store, options: &ListOptions, id: &GroupResource) -> Self {
        match self {
            Self::Newest if options.lag > 0 => {
                let wanted = store.revision().saturating_sub(options.lag);
                Self::Exactly(wanted.max(options.revision.unwrap_or_default()).max(store.compacted(id)))
            }
            asked => asked,
        }
    }
}

/// Lists a page.
///
/// # Errors
/// 400 for a bad token, 410 when the wanted state is too old, 504 when it is in the future.
pub(crate) fn list(
    store: &Store,
    resource: &Resource,
    selection: &Selection,
    options: &ListOptions,
) -> Result<Page, Status> {
    let token = continuation(options)?;
    let snapshot = snapshot(options, token.as_ref()).lagging(store, options, &resource.id);
    check_not_in_future(store, options.revision.unwrap_or_default())?;
    let after = token.map(|token| token.after);
    // A list at any version ignores the limit.
    let limit = if options.revision == Some(0) && after.is_none() { 0 } else { options.limit };
    let mut page = match snapshot {
        Snapshot::Newest => newest(store, resource, selection, after.as_ref(), limit),
        Snapshot::Exactly(revision) => {
            let past = past(store, &resource.id, revision, after.as_ref())?;
            let matching = past.iter().filter(|(_, stored)| selection.matches(resource, stored));
            paginate(matching, revision, after.as_ref(), limit)
        }
    };
    if !selection.is_everything() {
        page.meta.remaining = None;
    }
    page.meta.shows_empty_continue = resource.custom;
    Ok(page)
}

fn continuation(options: &ListOptions) -> Result<Option<ContinueToken>, Status> {
    if options.continue_token.is_empty() {
        return Ok(None);
    }
    let token = ContinueToken::decode(&options.continue_token)?;
    if options.revision.is_some_and(|revision| revision > 0) {
        return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
    }
    Ok(Some(token))
}

fn snapshot(options: &ListOptions, token: Option<&ContinueToken>) -> Snapshot {
    if let Some(token) = token {
        return token.revision.map_or(Snapshot::Newest, Snapshot::Exactly);
    }
    match (options.revision, options.revision_match) {
        (Some(revision), Some(Match::Exact)) => Snapshot::Exactly(revision),
        (Some(revision), None) if revision > 0 && options.limit > 0 => Snapshot::Exactly(revision),
        _ => Snapshot::Newest,
    }
}

/// 504 when a resource version is newer than the newest.
pub(crate) fn check_not_in_future(store: &Store, revision: u64) -> Result<(), Status> {
    let current = store.revision();
    if revision <= current {
        return Ok(());
    }
    let message = format!("Timeout: Too large resource version: {revision}, current: {current}");
    let cause = Cause {
        reason: Str::new("ResourceVersionTooLarge"),
        message: "Too large resource version".to_owned(),
        field: String::new(),
    };
    let mut status = Status::failure(504, "Timeout", message).with_causes(vec![cause]);
    if let Some(details) = &mut status.details {
        details.retry_after_seconds = 1;
    }
    Err(status)
}

fn newest(store: &Store, resource: &Resource, selection: &Selection, after: Option<&Key>, limit: usize) -> Page {
    let revision = store.revision();
    let Some(table) = store.table(&resource.id) else {
        return Page { items: Vec::new(), meta: ListMeta { revision, ..ListMeta::default() } };
    };
    let matches = |(_, stored): &(&Key, &Arc<Stored>)| selection.matches(resource, stored);
    match (selection.labels.exact(), &selection.namespace) {
        (Some((key, value)), _) => paginate(table.labelled(key, value).filter(matches), revision, after, limit),
        (None, namespace) => paginate(table.in_namespace(namespace.as_deref()).filter(matches), revision, after, limit),
    }
}

fn past(
    store: &Store,
    id: &GroupResource,
    revision: u64,
    after: Option<&Key>,
) -> Result<BTreeMap<Key, Arc<Stored>>, Status> {
    let Some(table) = store.table(id) else { return Ok(BTreeMap::new()) };
    table.at(revision).ok_or_else(|| expired(after))
}

fn expired(after: Option<&Key>) -> Status {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
    match after {
        Some(after) => {
            let token = ContinueToken { revision: None, after: after.clone() };
            let mut status = Status::failure(410, "Expired", message);
            status.continue_token = token.encode().to_string();
            status
        }
        None => Status::failure(410, "Expired", "The resourceVersion for the provided list is too old."),
    }
}

fn paginate<'a>(
    matching: impl Iterator<Item = (&'a Key, &'a Arc<Stored>)>,
    revision: u64,
    after: Option<&Key>,
    limit: usize,
) -> Page {
    let mut items = Vec::new();
    let mut last = None;
    let mut remaining = 0;
    for (key, stored) in matching.filter(|(key, _)| after.is_none_or(|after| *key > after)) {
        if limit > 0 && items.len() == limit {
            remaining += 1;
            continue;
        }
        last = Some(key);
        items.push(Arc::clone(stored));
    }
    let next =
        last.filter(|_| remaining > 0).map(|after| ContinueToken { revision: Some(revision), after: after.clone() });
    let meta = ListMeta {
        revision,
        continue_token: next.map(|token| token.encode()).unwrap_or_default(),
        remaining: Some(remaining),
        shows_empty_continue: false,
    };
    Page { items, meta }
}
