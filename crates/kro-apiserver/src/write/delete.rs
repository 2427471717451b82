use std::sync::Arc;

use jiff::SignedDuration;
use kro_apimachinery::{FieldError, Status};
use kro_value::{Str, Value};

use super::metadata::{self, is_terminating, strings, time_text};
use super::{Call, options};
use crate::state::State;
use crate::store::Stored;
use crate::uri::Query;
use crate::{admission, conversion, kinds};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// What happens to the objects that a deleted object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted after it.
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay, without owner.
    Orphan,
}

impl Propagation {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "Background" => Some(Self::Background),
            "Foreground" => Some(Self::Foreground),
            "Orphan" => Some(Self::Orphan),
            _ => None,
        }
    }
}

/// How to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// `None` leaves it to the kind.
    pub propagation: Option<Propagation>,
    /// Seconds until it is gone, for kinds that take their time (Pods).
    pub grace_seconds: Option<i64>,
    /// Only if the object has this uid.
    pub uid: Option<Str>,
    /// Only if the object has this resource version.
    pub resource_version: Option<Str>,
    /// Only check.
    pub dry_run: bool,
    /// `orphanDependents: false` was given: the answer is 202 while the object is there.
    pub(crate) orphan_dependents: Option<bool>,
}

impl DeleteOptions {
    /// Reads options from a body, or from the query when there is no body.
    pub(crate) fn parse(body: Option<&Value>, query: &Query) -> Result<Self, Status> {
        let mut errors = Vec::new();
        let text = |key: &str| match body {
            Some(body) => body.str_at(&[key]).unwrap_or_default().to_owned(),
            None => query.text(key).to_owned(),
        };
        let policy = text("propagationPolicy");
        let orphan_dependents = match body {
            Some(body) => body.get("orphanDependents").and_then(Value::as_bool),
            None => query.flag("orphanDependents"),
        };
        let propagation = match orphan_dependents {
            Some(true) => Some(Propagation::Orphan),
            Some(false) => Some(Propagation::Background),
            None => Propagation::parse(&policy),
        };
        if !policy.is_empty() && orphan_dependents.is_some() {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            errors.push(FieldError::invalid("propagationPolicy", &policy.as_str().into(), detail));
        } else if !policy.is_empty() && propagation.is_none() {
            let supported = ["Foreground", "Background", "Orphan", "nil"];
            errors.push(FieldError::not_supported("propagationPolicy", &policy.as_str().into(), &supported));
        }
        let dry_run = read_dry_run(body, query, &mut errors);
        if !errors.is_empty() {
            return Err(Status::invalid("meta.k8s.io", "DeleteOptions", "", &errors));
        }
        let precondition = |key: &str| body?.str_at(&["preconditions", key]).map(Str::new);
        Ok(Self {
            propagation,
            grace_seconds: match body {
                Some(body) => body.get("gracePeriodSeconds").and_then(Value::as_i64),
                None => grace_of(query.text("gracePeriodSeconds"))?,
            },
            uid: precondition("uid"),
            resource_version: precondition("resourceVersion"),
            dry_run,
            orphan_dependents,
        })
    }
}

fn grace_of(text: &str) -> Result<Option<i64>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let malformed = |_| Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
    text.parse().map(Some).map_err(malformed)
}

fn read_dry_run(body: Option<&Value>, query: &Query, errors: &mut Vec<FieldError>) -> bool {
    let Some(body) = body else { return options::dry_run(query, errors) };
    let values = body.get("dryRun").and_then(Value::as_list).unwrap_or_default();
    let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    options::check_dry_run(&values, errors);
    !values.is_empty()
}

/// The outcome of a DELETE.
pub(crate) struct Deleted {
    /// The last (or present) state.
    pub(crate) stored: Arc<Stored>,
    /// False while finalizers or a grace period keep it.
    pub(crate) gone: bool,
}

impl State {
    /// Deletes an object, or marks it when something keeps it.
    pub(crate) fn delete(&mut self, call: &mut Call, options: &DeleteOptions) -> Result<Deleted, Status> {
        let live = self.store.get(&call.resource.id, &call.key()).cloned().ok_or_else(|| call.not_found())?;
        check_preconditions(call, options, &live)?;
        admission::admit_delete(self, call, &live.value)?;
        if kinds::orphans_by_default(&call.resource)
            && call.resource.id.resource == "jobs"
            && options.propagation.is_none()
        {
            call.warn("child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning");
        }
        // What an apply left behind goes with the next write.
        let is_odd = call.resource.custom && conversion::has_remains(&live.value);
        let mut object =
            if is_odd { conversion::read(&call.resource, call.resource.storage, &live) } else { live.value.clone() };
        set_finalizers(call, &mut object, options);
        kinds::prepare::hold(call, &mut object);
        let grace = kinds::grace_seconds(&call.resource, &live.value, options.grace_seconds);
        let is_kept =
            grace > 0 || !strings(&object, "finalizers").is_empty() || kinds::is_held(&call.resource, &object);
        if !is_kept {
            let removed =
                if options.dry_run || call.dry_run { None } else { self.remove(&call.resource.id, &call.key()) };
            let stored = removed.map_or(live, |event| Arc::clone(&event.object));
            return Ok(Deleted { stored: ended(call, stored), gone: true });
        }
        mark(call, &mut object, grace);
        kinds::prepare::deletion(call, &mut object);
        if object == live.value {
            return Ok(Deleted { stored: live, gone: false });
        }
        call.dry_run |= options.dry_run;
        Ok(Deleted { stored: self.commit(call, object), gone: false })
    }
}

/// A Pod that is gone had no more time.
fn ended(call: &Call, stored: Arc<Stored>) -> Arc<Stored> {
    if !call.resource.id.is("", "pods") {
        return stored;
    }
    let mut pod = stored.value.clone();
    if !is_terminating(&pod) {
        pod.set_at(&["metadata", "deletionTimestamp"], time_text(call.now).into());
    }
    pod.set_at(&["metadata", "deletionGracePeriodSeconds"], Value::Int(0));
    Arc::new(Stored::new(pod, stored.revision, stored.schema_revision))
}

fn check_preconditions(call: &Call, options: &DeleteOptions, live: &Stored) -> Result<(), Status> {
    let conflict = |why: String| {
        let id = &call.resource.id;
        let mut status = call.conflict(&why);
        status.message = status.message.replacen(&id.to_string(), &qualified_kind(call), 1);
        status.about(&id.group, &call.resource.kind, &call.name)
    };
    if let Some(uid) = options.uid.as_ref().filter(|uid| **uid != live.uid()) {
        return Err(conflict(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            live.uid()
        )));
    }
    let current = metadata::text(&live.value, "resourceVersion");
    if let Some(revision) = options.resource_version.as_ref().filter(|revision| revision.as_str() != current) {
        return Err(conflict(format!(
            "the ResourceVersion in the precondition ({revision}) does not match the ResourceVersion in record ({current}). The object might have been modified"
        )));
    }
    Ok(())
}

fn qualified_kind(call: &Call) -> String {
    let group = &call.resource.id.group;
    if group.is_empty() { call.resource.kind.to_string() } else { format!("{}.{group}", call.resource.kind) }
}

/// The garbage collector's finalizers follow the propagation policy.
fn set_finalizers(call: &Call, object: &mut Value, options: &DeleteOptions) {
    if call.resource.id.resource == "events" {
        return;
    }
    let present = strings(object, "finalizers");
    let has = |name: &str| present.iter().any(|finalizer| finalizer == name);
    let wanted = match options.propagation {
        Some(Propagation::Orphan) => Some(ORPHAN),
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Background) => None,
        None if has(ORPHAN) => Some(ORPHAN),
        None if has(FOREGROUND) => Some(FOREGROUND),
        None if kinds::orphans_by_default(&call.resource) => Some(ORPHAN),
        None => None,
    };
    let mut finalizers: Vec<Str> =
        present.iter().filter(|name| *name != ORPHAN && *name != FOREGROUND).cloned().collect();
    finalizers.extend(wanted.map(Str::new));
    if finalizers == present {
        return;
    }
    if finalizers.is_empty() {
        object.remove_at(&["metadata", "finalizers"]);
    } else {
        object.set_at(&["metadata", "finalizers"], finalizers.into_iter().map(Value::from).collect());
    }
}

/// Sets the deletion mark; a second deletion can only shorten the grace period.
fn mark(call: &Call, object: &mut Value, grace: i64) {
    let earlier = object.at(&["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64);
    let is_first = !is_terminating(object);
    if !is_first && earlier.is_none_or(|earlier| earlier <= grace) {
        return;
    }
    let at = call.now.checked_add(SignedDuration::from_secs(grace)).unwrap_or(call.now);
    object.set_at(&["metadata", "deletionTimestamp"], time_text(at).into());
    if !call.resource.id.is("", "namespaces") {
        object.set_at(&["metadata", "deletionGracePeriodSeconds"], Value::Int(grace));
    }
    let generation = object.at(&["metadata", "generation"]).and_then(Value::as_i64).unwrap_or_default();
    let counts =
        is_first && generation > 0 && !call.resource.id.is("apiextensions.k8s.io", "customresourcedefinitions");
    if counts {
        object.set_at(&["metadata", "generation"], Value::Int(generation + 1));
    }
}
