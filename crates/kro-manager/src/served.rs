//! Kinds of aggregated API servers: no CustomResourceDefinition tells of them, so the API server is asked.
//!
//! Only a definition that uses a kind nobody knows starts this: the APIServices are watched then, and where one of them
//! hands the group version to another server, discovery and OpenAPI are read, once. A change of that APIService reads
//! them again.

use std::collections::{BTreeMap, BTreeSet};

use kro_engine::object::{self, GroupKind};
use kro_graph::{Gvk, ResolvedKind, SchemaSource, ServedSchemas};
use kro_value::{Str, Value, format_smolstr};

use crate::manager::Manager;
use crate::outbox::Resource;
use crate::watches::{Change, Role, User, Wanted, Watch};
use crate::work::{GraphStep, Priority, WorkItem};
use crate::{ApiRequest, Verb, graphs};

/// A group and a version.
pub(crate) type GroupVersion = (Str, Str);

/// What aggregated API servers serve, as far as it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Served {
    schemas: ServedSchemas,
    asked: BTreeMap<GroupVersion, Asked>,
}

#[derive(Debug)]
enum Asked {
    /// The resources are known, the schemas not yet.
    Resources(Value),
    Known,
    /// Known, but it may have changed.
    Stale,
}

impl SchemaSource for Served {
    fn resolve(&self, gvk: &Gvk) -> Option<ResolvedKind> {
        self.schemas.resolve(gvk)
    }

    fn kinds(&self) -> Vec<Gvk> {
        self.schemas.kinds()
    }
}

impl Served {
    /// Where a kind is served, and whether it is namespaced.
    pub fn locate(&self, kind: &GroupKind) -> Option<(Resource, bool)> {
        let gvk = self.kinds().into_iter().find(|gvk| gvk.group == kind.group && gvk.kind == kind.kind)?;
        let found = self.resolve(&gvk)?;
        Some((Resource { group: gvk.group, version: gvk.version, plural: found.plural }, found.namespaced))
    }
}

/// What has to be found out before a definition can be judged.
pub(crate) enum Discovery {
    /// All there is to know is known.
    Done,
    /// Which API servers there are is not known yet.
    Waiting,
    /// This has to be read.
    Request(GraphStep, ApiRequest),
}

impl Manager {
    /// What to find out for a definition that misses these kinds.
    pub(crate) fn discover(&mut self, definition: &Value, missing: &[Gvk]) -> Discovery {
        let stale = self.served.asked.iter().filter(|(_, asked)| !matches!(asked, Asked::Known)).map(|(key, _)| key);
        let used: BTreeSet<Str> = graphs::kinds_of(definition).into_iter().map(|kind| kind.group).collect();
        let mut wanted: BTreeSet<GroupVersion> = stale.filter(|(group, _)| used.contains(group)).cloned().collect();
        if !missing.is_empty() {
            self.watches.retain(services(), User::Core, &mut self.out);
            let Some(watch) = self.watch_of(Role::ApiServices) else { return Discovery::Done };
            if !watch.is_synced && watch.failure.is_none() {
                return Discovery::Waiting;
            }
            let aggregated: BTreeSet<GroupVersion> =
                watch.objects().filter_map(|observed| aggregated(&observed.object)).collect();
            let missing = missing.iter().map(|gvk| (gvk.group.clone(), gvk.version.clone()));
            wanted.extend(missing.filter(|key| aggregated.contains(key)));
        }
        let step = wanted.into_iter().find_map(|key| self.next_question(key));
        step.map_or(Discovery::Done, |step| {
            let request = question(&step);
            Discovery::Request(step, request)
        })
    }

    fn next_question(&self, (group, version): GroupVersion) -> Option<GraphStep> {
        match self.served.asked.get(&(group.clone(), version.clone())) {
            None | Some(Asked::Stale) => Some(GraphStep::Discover(group, version)),
            Some(Asked::Resources(_)) => Some(GraphStep::Describe(group, version)),
            Some(Asked::Known) => None,
        }
    }

    /// Takes in the answer to a question. True when it was one.
    pub(crate) fn take_served(&mut self, step: &GraphStep, body: &Value) -> bool {
        match step {
            GraphStep::Discover(group, version) => {
                self.out.count("schema_resolver_cache_misses_total", Vec::new());
                let key = (group.clone(), version.clone());
                self.served.asked.insert(key, Asked::Resources(body.clone()));
                true
            }
            GraphStep::Describe(group, version) => {
                let key = (group.clone(), version.clone());
                if let Some(Asked::Resources(resources)) = self.served.asked.insert(key, Asked::Known) {
                    self.served.schemas.add(group, version, body, &resources);
                    self.recompile_group(group);
                }
                true
            }
            _ => false,
        }
    }

    /// An APIService changed, or all became known.
    pub(crate) fn route_service(&mut self, change: &Change) {
        let changed: BTreeSet<GroupVersion> = change.states().filter_map(aggregated).collect();
        for key in changed {
            if let Some(asked) = self.served.asked.get_mut(&key) {
                *asked = Asked::Stale;
            }
            self.recompile_group(&key.0);
        }
    }

    /// Definitions with resources of this group are looked at again.
    fn recompile_group(&mut self, group: &Str) {
        let definitions = self.watch_of(Role::Definitions).into_iter().flat_map(Watch::objects);
        let uses = |definition: &Value| graphs::kinds_of(definition).iter().any(|kind| kind.group == *group);
        let users: Vec<Str> = definitions
            .filter(|observed| uses(&observed.object))
            .map(|observed| object::name(&observed.object).into())
            .collect();
        for name in users {
            if let Some(state) = self.graphs.get_mut(&name) {
                state.forget_compilation();
            }
            self.enqueue(WorkItem::Graph(name), Priority::Fresh);
        }
    }

    /// The watch of APIServices became known, or cannot be: definitions wait for it.
    pub(crate) fn route_services(&mut self) {
        let waiting: Vec<Str> =
            self.graphs.iter().filter(|(_, state)| state.misses_kinds()).map(|(name, _)| name.clone()).collect();
        waiting.into_iter().for_each(|name| self.enqueue(WorkItem::Graph(name), Priority::Fresh));
    }
}

fn services() -> Wanted {
    Wanted::all(Role::ApiServices, &Gvk::new("apiregistration.k8s.io", "v1", "APIService"), "apiservices")
}

/// The group version that an APIService hands to another server; `None` for one that the API server serves itself.
fn aggregated(service: &Value) -> Option<GroupVersion> {
    service.at(&["spec", "service"]).filter(|service| !service.is_null())?;
    let text = |key| service.str_at(&["spec", key]).map(Str::new);
    Some((text("group")?, text("version")?))
}

fn question(step: &GraphStep) -> ApiRequest {
    let path = match step {
        GraphStep::Describe(group, version) => format_smolstr!("/openapi/v3/apis/{group}/{version}"),
        GraphStep::Discover(group, version) => format_smolstr!("/apis/{group}/{version}"),
        _ => Str::default(),
    };
    ApiRequest { verb: Verb::Get, path: path.to_string(), query: Vec::new(), body: None }
}
