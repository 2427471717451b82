//! The end of a definition.

use kro_api::metadata as wire;
use kro_engine::object;
use kro_value::{Str, Value};

use super::{finalizer_patch, is_single, resource, single_id};
use crate::crds;
use crate::manager::Manager;
use crate::watches::User;
use crate::work::{GraphStep, Priority, WorkItem};

impl Manager {
    /// The definition is gone.
    pub(super) fn drop_graph(&mut self, name: &Str) {
        if self.graphs.remove(name).is_some() {
            self.watches.retain_only(&User::Graph(name.clone()), Vec::new(), &mut self.out);
            self.enqueue(WorkItem::Instance(single_id(name)), Priority::Fresh);
        }
        self.out.wake(&WorkItem::Graph(name.clone()), None);
    }

    /// Deletion was asked for. Instances outlive their definition, and can still be deleted without it.
    pub(super) fn delete_graph(&mut self, name: &Str, object: &Value) {
        if is_single(object) {
            return self.enqueue(WorkItem::Instance(single_id(name)), Priority::Fresh);
        }
        if !object::has_finalizer(object, wire::FINALIZER) {
            return;
        }
        let next = match self.crd_to_delete(name) {
            Some(crd) if object::is_terminating(&crd) => return self.wake_graph(name),
            Some(crd) => (GraphStep::Crd, crds::resource().delete("", object::name(&crd), object::uid(&crd))),
            None => (GraphStep::RemoveFinalizer, finalizer_patch(&resource(), object, false)),
        };
        if self.is_blocked(name, &next.0) {
            return self.wake_graph(name);
        }
        self.send_graph(name, next.0, next.1);
    }

    /// The generated CRD, if it goes with its definition. While it terminates, its instances are still taken care of.
    pub(super) fn crd_to_delete(&self, name: &str) -> Option<Value> {
        let is_its = |(_, crd): &(&Str, &crds::Crd)| crd.definition.as_deref() == Some(name);
        let crd = self.crds.iter().find(is_its).filter(|_| self.config.allow_crd_deletion)?;
        Some(crd.1.object.clone())
    }
}
