//! Kinds that neither the bundle knows nor a CustomResourceDefinition tells of, so that the API server is asked: those of
//! aggregated API servers, and of versions of Kubernetes' own groups that are newer than the bundle.
//!
//! Only a definition that uses a kind nobody knows starts this: the APIServices are watched then, and where one of them
//! serves the group version, discovery and OpenAPI are read, once. A change of that APIService asks again where the
//! schemas are; the address has their hash, and while that stays the same nothing more is read.

use std::collections::{BTreeMap, BTreeSet};

use kro_engine::Timestamp;
use kro_engine::object::{self, GroupKind};
use kro_graph::{Gvk, ResolvedKind, SchemaSource, ServedSchemas};
use kro_schema::builtin;
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

#[derive(Debug, Default)]
struct Asked {
    /// Where the schemas are, with their hash.
    address: Str,
    /// When the last question was sent.
    since: Timestamp,
    /// The `APIResourceList`, until its schemas are known too.
    resources: Option<Value>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It may have changed, or nothing is known yet.
    #[default]
    Stale,
    /// The address is new.
    Located,
    /// The resources are known, the schemas not yet.
    Discovered,
    Known,
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
    /// How many group versions are known.
    pub fn known(&self) -> usize {
        self.asked.values().filter(|asked| asked.state == State::Known).count()
    }

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
        let stale = self.served.asked.iter().filter(|(_, asked)| asked.state != State::Known).map(|(key, _)| key);
        let used: BTreeSet<Str> = graphs::kinds_of(definition).into_iter().map(|kind| kind.group).collect();
        let mut wanted: BTreeSet<GroupVersion> = stale.filter(|(group, _)| used.contains(group)).cloned().collect();
        if !missing.is_empty() {
            self.watches.retain(services(), User::Core, &mut self.out);
            let Some(watch) = self.watch_of(Role::ApiServices) else { return Discovery::Done };
            if !watch.is_synced && watch.failure.is_none() {
                return Discovery::Waiting;
            }
            let told: BTreeSet<GroupVersion> =
                watch.objects().filter_map(|observed| told_by_the_server(&observed.object)).collect();
            let missing = missing.iter().map(|gvk| (gvk.group.clone(), gvk.version.clone()));
            wanted.extend(missing.filter(|key| told.contains(key)));
        }
        let step = wanted.into_iter().find_map(|key| self.next_question(key));
        step.map_or(Discovery::Done, |step| {
            let request = self.question(&step);
            if let GraphStep::Locate(group, version)
            | GraphStep::Discover(group, version)
            | GraphStep::Describe(group, version) = &step
            {
                let now = self.now;
                self.asked(group, version).since = now;
            }
            Discovery::Request(step, request)
        })
    }

    fn next_question(&self, (group, version): GroupVersion) -> Option<GraphStep> {
        let asked = self.served.asked.get(&(group.clone(), version.clone()));
        match asked.map(|asked| asked.state).unwrap_or_default() {
            State::Stale => Some(GraphStep::Locate(group, version)),
            State::Located => Some(GraphStep::Discover(group, version)),
            State::Discovered => Some(GraphStep::Describe(group, version)),
            State::Known => None,
        }
    }

    fn question(&self, step: &GraphStep) -> ApiRequest {
        let path = match step {
            GraphStep::Discover(group, version) => format!("/{}", path_of(group, version)),
            GraphStep::Describe(group, version) => {
                let asked = self.served.asked.get(&(group.clone(), version.clone()));
                asked.map(|asked| asked.address.to_string()).unwrap_or_default()
            }
            _ => "/openapi/v3".to_owned(),
        };
        ApiRequest { verb: Verb::Get, path, query: Vec::new(), body: None }
    }

    /// Takes in the answer to a question. True when it was one.
    pub(crate) fn take_served(&mut self, step: &GraphStep, body: &Value) -> bool {
        if let GraphStep::Locate(group, version)
        | GraphStep::Discover(group, version)
        | GraphStep::Describe(group, version) = step
        {
            let now = self.now;
            #[allow(clippy::cast_precision_loss)] // far below 2^52
            let took = now.since_ms(self.asked(group, version).since) as f64 / 1000.0;
            self.out.observe("schema_resolver_api_call_duration_seconds", Vec::new(), took);
        }
        match step {
            GraphStep::Locate(group, version) => {
                let path = path_of(group, version);
                let told = body.str_at(&["paths", &path, "serverRelativeURL"]).map(Str::new);
                let address = told.unwrap_or_else(|| format_smolstr!("/openapi/v3/{path}"));
                let asked = self.asked(group, version);
                let is_same = asked.address == address && address.contains("?hash=");
                asked.state = if is_same { State::Known } else { State::Located };
                asked.address = address;
                let metric =
                    if is_same { "schema_resolver_cache_hits_total" } else { "schema_resolver_cache_misses_total" };
                self.out.count(metric, Vec::new());
                true
            }
            GraphStep::Discover(group, version) => {
                let asked = self.asked(group, version);
                (asked.state, asked.resources) = (State::Discovered, Some(body.clone()));
                true
            }
            GraphStep::Describe(group, version) => {
                let asked = self.asked(group, version);
                asked.state = State::Known;
                if let Some(resources) = asked.resources.take() {
                    self.served.schemas.add(group, version, body, &resources);
                    self.recompile_group(group);
                }
                true
            }
            _ => false,
        }
    }

    fn asked(&mut self, group: &Str, version: &Str) -> &mut Asked {
        self.served.asked.entry((group.clone(), version.clone())).or_default()
    }

    /// An APIService changed, or all became known.
    pub(crate) fn route_service(&mut self, change: &Change) {
        let changed: BTreeSet<GroupVersion> = change.states().filter_map(told_by_the_server).collect();
        for key in changed {
            let asked = self.served.asked.get_mut(&key).map(|asked| std::mem::take(&mut asked.state));
            if asked == Some(State::Known) {
                self.out.count("schema_resolver_cache_evictions_total", Vec::new());
            }
            if asked.is_some() || self.graphs.values().any(|graph| graph.misses_kinds()) {
                self.recompile_group(&key.0);
            }
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

/// The group version of an APIService, where only the API server can tell of its kinds: another server has them, or they
/// belong to Kubernetes itself.
fn told_by_the_server(service: &Value) -> Option<GroupVersion> {
    let text = |key| service.str_at(&["spec", key]).map(Str::new);
    let (group, version) = (text("group")?, text("version")?);
    let is_aggregated = service.at(&["spec", "service"]).is_some_and(|service| !service.is_null());
    let is_kubernetes = || builtin::resources().iter().any(|resource| resource.group == group);
    (is_aggregated || is_kubernetes()).then_some((group, version))
}

fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}
