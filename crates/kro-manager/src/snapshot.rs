//! What a plan sees of the manager's watches.

use kro_engine::object::ObjectId;
use kro_engine::snapshot::{External, ExternalTarget, Lookup, Record, Snapshot};
use kro_graph::{Graph, NodeIndex};
use kro_value::{Str, format_smolstr};

use crate::instances::Children;
use crate::watches::{Role, Wanted, Watches};

/// The watches, for the nodes of one graph and the children of one instance.
pub(crate) struct World<'a> {
    pub graph: &'a Graph,
    pub watches: &'a Watches,
    pub children: &'a Children,
}

/// As narrow as name, namespace and selector allow.
pub(crate) fn external_watch(graph: &Graph, target: &ExternalTarget) -> Wanted {
    let node = graph.node(target.node);
    let mut wanted = Wanted::all(Role::External, &node.gvk, &node.plural);
    wanted.target.namespace = target.namespace.clone();
    wanted.target.label_selector = target.selector.clone();
    if let Some(name) = &target.name {
        wanted.target.field_selector = format_smolstr!("metadata.name={name}");
    }
    wanted
}

impl Snapshot for World<'_> {
    fn object(&self, node: NodeIndex, id: &ObjectId) -> Lookup<'_> {
        let node = self.graph.node(node);
        let wanted = Wanted::children(&node.gvk, &node.plural);
        let Some(watch) = self.watches.find(&wanted.target) else {
            return Lookup::Unknown;
        };
        match &watch.failure {
            Some(failure) if !watch.is_synced => Lookup::Failed(&failure.message),
            _ if !watch.is_synced => Lookup::Unknown,
            _ => watch.get(&id.namespace, &id.name).map_or(Lookup::Missing, Lookup::Found),
        }
    }

    fn external(&self, target: &ExternalTarget) -> External {
        let wanted = external_watch(self.graph, target);
        let Some(watch) = self.watches.find(&wanted.target) else {
            return External::Unknown;
        };
        match &watch.failure {
            Some(failure) if !watch.is_synced => External::Failed(failure.message.to_string()),
            _ if !watch.is_synced => External::Unknown,
            _ => {
                let is_it = |name: &Str| target.name.as_ref().is_none_or(|wanted| wanted == name);
                let named = watch.objects().map(|observed| &observed.object);
                External::Found(
                    named.filter(|object| is_it(&Str::new(kro_engine::object::name(object)))).cloned().collect(),
                )
            }
        }
    }

    fn record(&self, id: &ObjectId) -> Option<&Record> {
        self.children.get(id)
    }
}
