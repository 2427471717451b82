//! What comes back of requests for definitions.

use kro_engine::marks::Definition;
use kro_engine::object;
use kro_value::{Str, Value, format_smolstr};

use super::{is_settled_elsewhere, resource, single_id};
use crate::manager::Manager;
use crate::retry::{Failure, Refusal};
use crate::watches::Role;
use crate::work::{GraphStep, Priority, Purpose, WorkItem};
use crate::{ApiResponse, LogLevel, TransportError, digest_of_crd, ensure_crd};

impl Manager {
    /// Takes in the answer to a request of the definition side.
    pub(crate) fn answer_graph(&mut self, name: &Str, step: &GraphStep, result: Result<ApiResponse, TransportError>) {
        let refusal = Refusal::of(&result);
        let body = result.map(|response| response.body).unwrap_or_default();
        match &refusal {
            None => self.take_graph_answer(name, step, body),
            // Somebody else did it, or it is not needed any more.
            Some(refusal) if is_settled_elsewhere(step, refusal.is_gone) => self.forget_definition(name, step),
            Some(refusal) => self.note_graph_failure(name, step, refusal.clone()),
        }
        if let GraphStep::ReleaseRevision(uid) = step {
            // Once it is released it stays in the set, so that an old picture of it does not send another patch.
            if refusal.as_ref().is_some_and(|refusal| !refusal.is_gone) {
                self.releasing.remove(uid);
            }
        } else if let Some(state) = self.graphs.get_mut(name) {
            if state.in_flight.as_ref() == Some(step) {
                state.in_flight = None;
            }
            if refusal.is_none() {
                state.failures.remove(step);
            }
        }
        self.enqueue(WorkItem::Graph(name.clone()), Priority::Fresh);
    }

    /// What the server returned is newer than what the watches show.
    pub(super) fn take_graph_answer(&mut self, name: &Str, step: &GraphStep, body: Value) {
        if self.take_served(step, &body) {
            return;
        }
        let role = match step {
            GraphStep::AddFinalizer | GraphStep::RemoveFinalizer | GraphStep::Status | GraphStep::Refresh => {
                Role::Definitions
            }
            GraphStep::Crd => Role::Crds,
            _ => Role::Revisions,
        };
        if body.str_at(&["kind"]) == Some("Status") || object::name(&body).is_empty() {
            return;
        }
        if *step == GraphStep::Crd && !object::is_terminating(&body) {
            self.note_crd_written(name, &body);
        }
        let is_last = object::is_terminating(&body) && object::finalizers(&body).next().is_none();
        if is_last && matches!(step, GraphStep::ReleaseRevision(_)) {
            // It is gone: the watch says so, if it has not already.
            return;
        }
        match is_last && matches!(step, GraphStep::RemoveFinalizer) {
            true => self.hide(role, &single_id("").group_kind, &body),
            false => self.show(role, body),
        }
    }

    /// The server does not know the definition any more: the watch will say so, but until then nothing is sent for it.
    pub(super) fn forget_definition(&mut self, name: &Str, step: &GraphStep) {
        let is_about_it = matches!(
            step,
            GraphStep::AddFinalizer | GraphStep::RemoveFinalizer | GraphStep::Status | GraphStep::Refresh
        );
        if let Some(object) = self.definition(name).filter(|_| is_about_it) {
            self.hide(Role::Definitions, &single_id("").group_kind, &object);
        }
    }

    pub(super) fn note_crd_written(&mut self, name: &Str, live: &Value) {
        let definition = self.definition(name);
        let Some(state) = self.graphs.get_mut(name) else {
            return;
        };
        let graph = state.compiled.as_ref().and_then(|(_, compilation)| compilation.graph.clone());
        if let (Some(graph), Some(definition)) = (graph, definition) {
            let definition = Definition { name: name.clone(), uid: object::uid(&definition).into() };
            let desired =
                graph.instance.as_ref().map(|api| ensure_crd::desired(api, &definition, &self.config.version));
            state.crd_written = desired.map(|desired| (kro_engine::digest::Digest::of(&desired), digest_of_crd(live)));
        }
    }

    pub(super) fn note_graph_failure(&mut self, name: &Str, step: &GraphStep, refusal: Refusal) {
        let fields = vec![
            ("definition", name.clone()),
            ("step", format_smolstr!("{step:?}")),
            ("error", refusal.message.clone()),
        ];
        self.out.log(LogLevel::Warning, "a request for a definition failed", fields);
        let is_conflict = refusal.status == 409;
        let bounds = self.bounds();
        let Some(state) = self.graphs.get_mut(name) else {
            return;
        };
        if *step == GraphStep::Refresh {
            state.confirmed_for = None;
        }
        let failure = Failure::again(state.failures.get(step), refusal, bounds, &mut self.jitter, self.now);
        state.failures.insert(step.clone(), failure);
        if is_conflict && !matches!(step, GraphStep::ReleaseRevision(_)) {
            let request = resource().get("", name);
            self.out.send(request, Purpose::Graph(name.clone(), GraphStep::Refresh));
        }
    }
}
