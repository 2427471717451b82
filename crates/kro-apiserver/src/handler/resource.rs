//! Requests about objects.

use std::sync::Arc;

use jiff::SignedDuration;
use kro_apimachinery::{FieldSelector, Status};
use kro_value::Str;

use super::{accounts, method_not_allowed, no_such_resource, pods, review, scale};
use crate::authorization::{Attributes, authorize};
use crate::negotiation::{Form, negotiate};
use crate::read::watch::Watch;
use crate::read::{ListOptions, list, options};
use crate::representation::{self, View};
use crate::route::ResourcePath;
use crate::selection::Selection;
use crate::state::State;
use crate::store::Stored;
use crate::table::{self, TableOptions};
use crate::uri::Query;
use crate::write::{self, Call, DeleteOptions, PatchType, WriteOptions, Written};
use crate::{Method, Request, Resource, Response};

/// Answers a request for a collection, an object or a subresource.
pub(super) fn respond(
    state: &mut State,
    request: &Request,
    path: &ResourcePath,
    query: &Query,
) -> Result<Response, Status> {
    let Some((resource, version)) = find(state, path) else {
        return if state.registry.is_builtin_group(&path.group) {
            Err(no_such_resource())
        } else {
            Ok(Response::text(404, "404 page not found\n"))
        };
    };
    if !path.subresource.is_empty() {
        check_subresource(&resource, version, path)?;
    }
    authorize(state, &request.user, &attributes(request, path, query))?;
    let form = negotiate(request.headers.get("Accept"))?;
    let view = View { resource, version, form };
    let mut handler = Handler { state, request, path, query, view, lost_warnings: Vec::new() };
    let answer = if path.name.is_empty() { handler.collection() } else { handler.object() };
    let response = answer.unwrap_or_else(|status| handler.refusal(&status));
    Ok(handler.with_deprecation(response))
}

/// What a request wants to do.
fn attributes(request: &Request, path: &ResourcePath, query: &Query) -> Attributes {
    let is_collection = path.name.is_empty();
    let is_watch = query.flag("watch") == Some(true);
    let verb = match request.method {
        Method::Get | Method::Head if is_collection && is_watch => "watch",
        Method::Get | Method::Head if is_collection => "list",
        Method::Get | Method::Head => "get",
        Method::Post => "create",
        Method::Put => "update",
        Method::Patch => "patch",
        Method::Delete if is_collection => "deletecollection",
        Method::Delete => "delete",
        Method::Options => "options",
    };
    // A selector for one name asks for that object.
    let selected = FieldSelector::parse(query.text("fieldSelector")).ok();
    let selected = selected.and_then(|selector| selector.exact("metadata.name").cloned()).unwrap_or_default();
    // A Namespace is authorised inside of itself.
    let own_namespace = path.group.is_empty() && path.resource == "namespaces";
    Attributes {
        verb: Str::new_static(verb),
        group: path.group.clone(),
        resource: path.resource.clone(),
        subresource: path.subresource.clone(),
        namespace: path
            .namespace
            .clone()
            .unwrap_or_else(|| if own_namespace { path.name.clone() } else { Str::default() }),
        name: if is_collection { selected } else { path.name.clone() },
        path: Str::default(),
    }
}

/// The served resource of a path, in the right scope.
fn find(state: &State, path: &ResourcePath) -> Option<(Arc<Resource>, usize)> {
    let resource = state.registry.find(&path.group, &path.resource)?;
    let version = resource.version(&path.version)?;
    let in_scope = match &path.namespace {
        Some(_) => resource.namespaced,
        None => !resource.namespaced || path.name.is_empty(),
    };
    in_scope.then(|| (Arc::clone(resource), version))
}

fn check_subresource(resource: &Resource, version: usize, path: &ResourcePath) -> Result<(), Status> {
    if resource.versions[version].has_subresource(&path.subresource) {
        return Ok(());
    }
    Err(if resource.custom {
        Status::not_found(&resource.id.group, &resource.id.resource, &path.name)
    } else {
        no_such_resource()
    })
}

struct Handler<'a> {
    state: &'a mut State,
    request: &'a Request,
    path: &'a ResourcePath,
    query: &'a Query,
    view: View,
    /// What a call that failed wanted to warn of.
    lost_warnings: Vec<String>,
}

impl Handler<'_> {
    /// A failure, with the warnings that came before it.
    fn refusal(&mut self, status: &Status) -> Response {
        let mut response = super::failure(status);
        for text in &self.lost_warnings {
            response.headers.push("Warning", warning(text));
        }
        response
    }

    /// Keeps the warnings of a call that fails.
    fn keep<T>(&mut self, call: &mut Call, result: Result<T, Status>) -> Result<T, Status> {
        if result.is_err() {
            self.lost_warnings = std::mem::take(&mut call.warnings);
        }
        result
    }

    fn collection(&mut self) -> Result<Response, Status> {
        let (method, resource) = (self.request.method, &self.view.resource);
        let reads = matches!(method, Method::Get | Method::Head);
        let across_namespaces = resource.namespaced && self.path.namespace.is_none();
        match method {
            _ if across_namespaces && !reads => Err(method_not_allowed()),
            Method::Get | Method::Head if resource.has_verb("list") => self.list_or_watch(),
            Method::Post if resource.has_verb("create") => self.create(),
            Method::Delete if resource.has_verb("deletecollection") => self.delete_collection(),
            Method::Put | Method::Patch if resource.custom => Err(Status::bad_request("name must be provided")),
            _ => Err(method_not_allowed()),
        }
    }

    fn object(&mut self) -> Result<Response, Status> {
        match self.request.method {
            _ if matches!(self.path.subresource.as_str(), "scale") => self.scale(),
            Method::Post if matches!(self.path.subresource.as_str(), "eviction" | "binding" | "token") => self.act(),
            Method::Get if self.view.resource.id.is("", "pods") && self.path.subresource == "log" => {
                let call = self.call("GetOptions", false)?;
                pods::log(self.state, &call, self.query)
            }
            _ if matches!(self.path.subresource.as_str(), "eviction" | "binding" | "token" | "log") => {
                Err(method_not_allowed())
            }
            _ if !matches!(self.path.subresource.as_str(), "" | "status" | "finalize" | "approval") => {
                Err(not_implemented(&self.view.resource, &self.path.subresource))
            }
            Method::Get | Method::Head => self.get(),
            Method::Put => self.update(),
            Method::Patch => self.patch(),
            Method::Delete if self.path.subresource.is_empty() => self.delete(),
            _ => Err(method_not_allowed()),
        }
    }

    fn get(&mut self) -> Result<Response, Status> {
        let revision = options::check_get_revision(self.query)?;
        list::check_not_in_future(&self.state.store, revision.unwrap_or_default())?;
        let call = self.call("GetOptions", false)?;
        let stored = self.state.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
        self.show(200, &stored, &call)
    }

    fn list_or_watch(&mut self) -> Result<Response, Status> {
        let options = ListOptions::parse(self.query)?;
        let namespace = self.path.namespace.clone();
        let selection =
            Selection::parse(self.query, &self.view.resource, self.view.version, namespace, &self.path.name)?;
        if options.watch {
            return self.watch(selection, &options);
        }
        let table = TableOptions::parse(self.query)?;
        let options = ListOptions { lag: self.state.list_lag, ..options };
        let mut page = list::list(&self.state.store, &self.view.resource, &selection, &options)?;
        Ok(match self.view.form {
            Form::Table { .. } => {
                page.meta.shows_empty_continue = false;
                Response::json(200, &table::list(&self.view, &page, table, self.state.now))
            }
            Form::Metadata { list: false, .. } => return Err(not_a_list_form(&self.view.resource)),
            _ => {
                let parts = representation::list(&self.view, &page.meta, page.items.iter());
                Response::in_parts(parts)
            }
        })
    }

    fn watch(&mut self, selection: Selection, options: &ListOptions) -> Result<Response, Status> {
        let table = TableOptions::parse(self.query)?;
        if options.send_initial_events == Some(true) {
            list::check_not_in_future(&self.state.store, options.revision.unwrap_or_default())?;
        }
        // Spread, so that not all clients come back at once.
        let seconds = 1_800 + self.state.random.below(1_800);
        let lifetime = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(1_800));
        let now = self.state.now;
        let watch = Watch::open(&self.state.store, self.view.clone(), selection, options, table, lifetime, now);
        Ok(Response::watch_opened(self.state.watches.open(watch)))
    }

    fn create(&mut self) -> Result<Response, Status> {
        let mut call = self.call("CreateOptions", false)?;
        let object = write::decode::object(&mut call, &self.request.headers, &self.request.body)?;
        if review::is_review(&call.resource) {
            let answer = review::answer(self.state, &mut call, &self.request.user, object)?;
            return Ok(Response::json(201, &answer));
        }
        let written = self.state.create(&mut call, object);
        let written = self.keep(&mut call, written)?;
        self.answer(&written, &call)
    }

    /// Reads or writes the scale of an object.
    fn scale(&mut self) -> Result<Response, Status> {
        let kind = PatchType::parse(write::decode::content_type(&self.request.headers));
        let options = match self.request.method {
            Method::Get | Method::Head => "GetOptions",
            Method::Put => "UpdateOptions",
            Method::Patch => "PatchOptions",
            _ if self.view.resource.custom => return Err(not_supported(&self.view.resource, self.request.method)),
            _ => return Err(method_not_allowed()),
        };
        let is_apply = kind == Some(PatchType::Apply) && self.request.method == Method::Patch;
        let mut call = self.call(options, is_apply)?;
        let live = self.state.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
        let current = scale::of(&call, &call.view(&live));
        let wanted = match self.request.method {
            Method::Put => write::decode::value(&self.request.headers, &self.request.body)?,
            Method::Patch => {
                let kind = kind.ok_or_else(|| unsupported_patch(call.resource.custom))?;
                let patch = write::decode::patch(&mut call, kind, &self.request.body)?;
                if kind == PatchType::Apply {
                    let written = scale::apply(self.state, &mut call, &patch)?;
                    let shown = scale::of(&call, &call.view(&written.stored))?;
                    return Ok(with_warnings(Response::json(200, &shown), &call));
                }
                scale::patched(&current.unwrap_or_default(), kind, &patch)?
            }
            _ => return Ok(Response::json(200, &current?)),
        };
        let written = scale::write(self.state, &mut call, &wanted)?;
        let shown = scale::of(&call, &call.view(&written.stored))?;
        Ok(with_warnings(Response::json(200, &shown), &call))
    }

    /// Does what the creation of a subresource asks for.
    fn act(&mut self) -> Result<Response, Status> {
        let mut call = self.call("CreateOptions", false)?;
        let body = pods::body(write::decode::value(&self.request.headers, &self.request.body)?);
        let kind = match self.path.subresource.as_str() {
            "eviction" => ("policy", "Eviction"),
            "binding" => ("", "Binding"),
            _ => ("authentication.k8s.io", "TokenRequest"),
        };
        let schema = kro_schema::builtin::resolve(kind.0, "v1", kind.1);
        let normalized = schema.map(|schema| kro_apimachinery::normalize(&schema, &body)).transpose();
        let refused = |error: String| {
            let kind = kind.1;
            Status::bad_request(format!("{kind} in version \"v1\" cannot be handled as a {kind}: {error}"))
        };
        let body = normalized.map_err(refused)?.map_or(body, |normalized| normalized.value);
        match self.path.subresource.as_str() {
            "eviction" => pods::evict(self.state, &mut call, &body),
            "binding" => pods::bind(self.state, &mut call, &body),
            _ => accounts::request(self.state, &call, body).map(|answer| Response::json(201, &answer)),
        }
    }

    fn update(&mut self) -> Result<Response, Status> {
        let mut call = self.call("UpdateOptions", false)?;
        let object = write::decode::object(&mut call, &self.request.headers, &self.request.body)?;
        let written = self.state.update(&mut call, object);
        let written = self.keep(&mut call, written)?;
        self.answer(&written, &call)
    }

    fn patch(&mut self) -> Result<Response, Status> {
        let content_type = write::decode::content_type(&self.request.headers);
        let custom = self.view.resource.custom;
        let kind = PatchType::parse(content_type).filter(|kind| !custom || *kind != PatchType::Strategic);
        let Some(kind) = kind else { return Err(unsupported_patch(custom)) };
        let mut call = self.call("PatchOptions", kind == PatchType::Apply)?;
        let patch = write::decode::patch(&mut call, kind, &self.request.body)?;
        let written = self.state.patch(&mut call, kind, &patch);
        let written = self.keep(&mut call, written)?;
        self.answer(&written, &call)
    }

    fn delete(&mut self) -> Result<Response, Status> {
        let mut call = self.call("DeleteOptions", false)?;
        let options = self.delete_options()?;
        let deleted = self.state.delete(&mut call, &options)?;
        if deleted.gone && !crate::kinds::returns_deleted(&call.resource) {
            let mut status = Status { code: 200, ..Status::default() }.about(
                &call.resource.id.group,
                &call.resource.id.resource,
                &call.name,
            );
            if let Some(details) = &mut status.details {
                details.uid = deleted.stored.uid();
            }
            return Ok(with_warnings(Response::json(200, &status.to_value()), &call));
        }
        let status = if !deleted.gone && options.orphan_dependents == Some(false) { 202 } else { 200 };
        self.show(status, &deleted.stored, &call)
    }

    fn delete_collection(&mut self) -> Result<Response, Status> {
        let mut call = self.call("DeleteOptions", false)?;
        let delete = self.delete_options()?;
        let options = ListOptions::parse(self.query)?;
        let namespace = self.path.namespace.clone();
        let selection = Selection::parse(self.query, &call.resource, call.version, namespace, "")?;
        let page = list::list(&self.state.store, &call.resource, &selection, &options)?;
        self.state.delete_collection(&mut call, &page.items, &delete)?;
        let parts = representation::list(&self.view, &page.meta, page.items.iter());
        Ok(with_warnings(Response::in_parts(parts), &call))
    }

    fn delete_options(&self) -> Result<DeleteOptions, Status> {
        let body = &self.request.body;
        if body.is_empty() {
            return DeleteOptions::parse(None, self.query);
        }
        let value = write::decode::options(&self.request.headers, body)?;
        DeleteOptions::parse(Some(&value), self.query)
    }

    fn call(&self, options_kind: &str, is_apply: bool) -> Result<Call, Status> {
        let agent = self.request.headers.get("User-Agent").unwrap_or_default();
        let options = if matches!(options_kind, "CreateOptions" | "UpdateOptions" | "PatchOptions") {
            WriteOptions::parse(self.query, agent, options_kind, is_apply)?
        } else {
            WriteOptions::parse(&Query::default(), agent, options_kind, false)?
        };
        Ok(Call {
            resource: Arc::clone(&self.view.resource),
            version: self.view.version,
            namespace: self.path.namespace.clone().unwrap_or_default(),
            name: self.path.name.clone(),
            subresource: self.path.subresource.clone(),
            user: self.request.user.clone(),
            now: self.state.now,
            manager: options.manager,
            dry_run: options.dry_run,
            validation: options.validation,
            force: options.force,
            findings: Vec::new(),
            warnings: Vec::new(),
        })
    }

    fn answer(&self, written: &Written, call: &Call) -> Result<Response, Status> {
        let status = if written.created { 201 } else { 200 };
        if !(written.created && call.dry_run) {
            return self.show(status, &written.stored, call);
        }
        // An object that was not stored has no resource version.
        let mut value = written.stored.value.clone();
        value.remove_at(&["metadata", "resourceVersion"]);
        self.show(status, &Stored::new(value, written.stored.revision, written.stored.schema_revision), call)
    }

    fn show(&self, status: u16, stored: &Stored, call: &Call) -> Result<Response, Status> {
        let response = match self.view.form {
            Form::Table { .. } => {
                let options = TableOptions::parse(self.query)?;
                Response::json(status, &table::object(&self.view, stored, options, self.state.now))
            }
            _ if matches!(self.request.method, Method::Get | Method::Head) => {
                Response::new(status, "application/json", self.view.object(stored))
            }
            _ => Response::new(status, "application/json", self.view.object_once(stored)),
        };
        Ok(with_warnings(response, call))
    }

    fn with_deprecation(&self, response: Response) -> Response {
        let deprecation = &self.view.resource.versions[self.view.version].deprecation;
        if deprecation.is_empty() { response } else { response.with_header("Warning", warning(deprecation)) }
    }
}

fn with_warnings(mut response: Response, call: &Call) -> Response {
    for text in &call.warnings {
        response.headers.push("Warning", warning(text));
    }
    response
}

fn warning(text: &str) -> String {
    let text: Str = text.chars().filter(|character| !character.is_control()).collect();
    format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// 405 of a custom resource, which says what it does not support.
fn not_supported(resource: &Resource, method: Method) -> Status {
    let verb = match method {
        Method::Delete => "delete",
        Method::Post => "create",
        other => return Status::failure(405, "MethodNotAllowed", format!("{other} is not supported")),
    };
    let id = &resource.id;
    let message = format!("{verb} is not supported on resources of kind \"{id}\"");
    Status::failure(405, "MethodNotAllowed", message).about(&id.group, &id.resource, "")
}

/// 501: what this server does not do, it says.
fn not_implemented(resource: &Resource, subresource: &str) -> Status {
    let message = format!("{}/{subresource} is not implemented by this server", resource.id);
    Status::failure(501, "NotImplemented", message)
}

fn not_a_list_form(resource: &Resource) -> Status {
    let found = if resource.custom {
        "unstructured.UnstructuredList".to_owned()
    } else {
        format!("{}.{}", write::decode::go_package(&resource.id.group), resource.list_kind)
    };
    let message = format!("you requested PartialObjectMetadata, but the requested object is a list (*{found})");
    Status::failure(406, "NotAcceptable", message)
}

fn unsupported_patch(custom: bool) -> Status {
    if custom {
        let message = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
        return Status::failure(415, "UnsupportedMediaType", message);
    }
    Status::failure(415, "UnsupportedMediaType", "415: Unsupported Media Type").with_empty_details()
}
