use std::collections::{BTreeMap, BTreeSet};

use kro_api::metadata as wire;
use kro_engine::Timestamp;
use kro_engine::object::{self, GroupKind, ObjectId};
use kro_value::{Str, Value};

use crate::crds::{self, CrdIndex};
use crate::graphs::{self, GraphState, is_single, single_id};
use crate::instances::InstanceMemory;
use crate::outbox::{Outbox, Resource};
use crate::retry::{Bounds, Jitter};
use crate::served::Served;
use crate::watches::{Change, Role, User, Wanted, Watch, Watches};
use crate::work::{Priority, Purpose, Queue, WorkItem};
use crate::{Config, Effect, Event, LogLevel, WatchId, revisions};

/// Both controllers of kro. See [`Manager::handle`].
#[derive(Debug)]
pub struct Manager {
    pub(crate) config: Config,
    pub(crate) now: Timestamp,
    pub(crate) out: Outbox,
    pub(crate) jitter: Jitter,
    pub(crate) queue: Queue,
    pub(crate) watches: Watches,
    pub(crate) crds: CrdIndex,
    /// Kinds of aggregated API servers.
    pub(crate) served: Served,
    pub(crate) graphs: BTreeMap<Str, GraphState>,
    /// Boxed: half of the places in the nodes of a large tree are empty.
    pub(crate) instances: BTreeMap<ObjectId, Box<InstanceMemory>>,
    /// Instances by the id of their ApplySet.
    pub(crate) by_applyset: BTreeMap<Str, ObjectId>,
    /// Objects that instances want and cannot have, with those instances.
    pub(crate) contested: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
    /// UIDs of revisions that are being released.
    pub(crate) releasing: BTreeSet<Str>,
    is_running: bool,
}

impl Manager {
    /// A manager that knows nothing yet; it starts with [`Event::LeadershipGained`].
    pub fn new(config: Config) -> Self {
        Self {
            jitter: Jitter::new(config.seed),
            out: Outbox::new(config.requests_in_flight_max),
            config,
            now: Timestamp::default(),
            queue: Queue::default(),
            watches: Watches::default(),
            crds: CrdIndex::default(),
            served: Served::default(),
            graphs: BTreeMap::new(),
            instances: BTreeMap::new(),
            by_applyset: BTreeMap::new(),
            contested: BTreeMap::new(),
            releasing: BTreeSet::new(),
            is_running: false,
        }
    }

    /// Takes one event and says what to do about it.
    ///
    /// The result depends on nothing but the configuration and the events so far: no clock, no randomness, no I/O.
    /// `now` must never go back. A bug in compiling or planning is caught here, at the edge of one definition or
    /// instance; drivers need no `catch_unwind` of their own.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        self.now = self.now.max(now);
        self.out.now = self.now;
        self.accept(event);
        self.run();
        self.out.take()
    }

    fn accept(&mut self, event: Event) {
        match event {
            Event::LeadershipGained => self.start(),
            Event::LeadershipLost | Event::Shutdown => {
                self.is_running = false;
                self.out.hold_back();
            }
            Event::Listed { watch, objects, resource_version } => {
                if let Some(changes) = self.watches.listed(watch, objects, &resource_version) {
                    changes.into_iter().for_each(|change| self.route(watch, &change));
                    self.route_all(watch);
                }
            }
            Event::ListedPart { watch, objects } => {
                let changes = self.watches.listed_part(watch, objects).unwrap_or_default();
                changes.into_iter().for_each(|change| self.route(watch, &change));
            }
            Event::Object { watch, change } => {
                if let Some(change) = self.watches.changed(watch, change) {
                    self.route(watch, &change);
                }
            }
            Event::WatchFailed { watch, reason } => {
                let fields = vec![("error", reason.message.clone())];
                // A kind that is not served (yet) is no trouble by itself.
                let level = if reason.status == 404 { LogLevel::Debug } else { LogLevel::Warning };
                if self.watches.failed(watch, reason) {
                    self.out.log(level, "a watch failed", fields);
                    self.route_all(watch);
                }
            }
            Event::Response { request, result } => {
                let Some(purpose) = self.out.answered(request) else { return };
                self.measure_answer(&purpose, &result);
                match purpose {
                    Purpose::Graph(name, step) => self.answer_graph(&name, &step, result),
                    Purpose::Instance(id, step) => self.answer_instance(&id, &step, result),
                }
            }
            Event::Timer { timer } => {
                if let Some(item) = self.out.fired(timer) {
                    self.enqueue(item, Priority::Fresh);
                }
            }
        }
    }

    fn start(&mut self) {
        self.is_running = true;
        for (role, gvk, plural) in [
            (Role::Crds, crds::gvk(), "customresourcedefinitions"),
            (Role::Revisions, revisions::gvk(), kro_api::GRAPH_REVISION_PLURAL),
            (Role::Definitions, graphs::gvk(), kro_api::RGD_PLURAL),
        ] {
            self.watches.retain(Wanted::all(role, &gvk, plural), User::Core, &mut self.out);
        }
    }

    /// Works through the queue, as far as requests may be in flight.
    fn run(&mut self) {
        while self.is_running && self.out.in_flight() < self.config.requests_in_flight_max {
            let Some(item) = self.queue.pop() else { return };
            self.measure_work(&item);
            match item {
                WorkItem::Graph(name) => self.step_graph(&name),
                WorkItem::Instance(id) => self.step_instance(&id),
            }
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { min_ms: self.config.backoff_min_ms, max_ms: self.config.backoff_max_ms }
    }

    pub(crate) fn enqueue(&mut self, item: WorkItem, priority: Priority) {
        let graph = match &item {
            WorkItem::Graph(name) => name.clone(),
            WorkItem::Instance(id) => self.instances.get(id).map(|memory| memory.graph.clone()).unwrap_or_default(),
        };
        self.queue.push(&graph, item, priority);
    }

    /// The one watch of a role that has one.
    pub(crate) fn watch_of(&self, role: Role) -> Option<&Watch> {
        self.watches.with_role(role).next()
    }

    /// True once the definitions, revisions and CRDs are known.
    pub(crate) fn is_synced(&self) -> bool {
        [Role::Definitions, Role::Revisions, Role::Crds]
            .into_iter()
            .all(|role| self.watch_of(role).is_some_and(|watch| watch.is_synced))
    }

    /// Wakes whoever a change concerns.
    fn route(&mut self, watch: WatchId, change: &Change) {
        let Some((role, kind)) = self.watches.get(watch).map(|watch| (watch.wanted.role, group_kind(watch))) else {
            return;
        };
        if let Some(target) = self.watches.get(watch).map(|watch| watch.wanted.target.clone()) {
            self.measure_change(role, &target, change);
        }
        match role {
            Role::Definitions => change.states().take(1).for_each(|object| self.route_definition(object)),
            Role::Revisions => {
                let lineage = change.states().next().map(|revision| Str::new(revisions::lineage(revision)));
                self.enqueue(WorkItem::Graph(lineage.unwrap_or_default()), Priority::Fresh);
            }
            Role::Crds => self.route_crd(change),
            Role::Instances => {
                let id = change.states().find_map(ObjectId::of);
                id.into_iter().for_each(|id| self.enqueue(WorkItem::Instance(id), Priority::Fresh));
            }
            Role::Children => self.route_child(watch, &kind, change),
            Role::External => self.route_users(watch),
            Role::ApiServices => self.route_service(change),
        }
    }

    fn route_definition(&mut self, object: &Value) {
        let name = Str::new(object::name(object));
        if is_single(object) {
            self.enqueue(WorkItem::Instance(single_id(&name)), Priority::Fresh);
        }
        self.enqueue(WorkItem::Graph(name), Priority::Fresh);
    }

    fn route_child(&mut self, watch: WatchId, kind: &GroupKind, change: &Change) {
        let owners: BTreeSet<Str> = change
            .states()
            .filter_map(|object| object::label(object, wire::LABEL_APPLYSET_PART_OF).map(Str::new))
            .collect();
        let owners: Vec<ObjectId> = owners.iter().filter_map(|owner| self.by_applyset.get(owner).cloned()).collect();
        if let Some(target) = self.watches.get(watch).map(|watch| watch.wanted.target.clone()) {
            self.measure_route(&target, owners.len());
        }
        owners.into_iter().for_each(|id| self.enqueue(WorkItem::Instance(id), Priority::Fresh));
        let Some(object) = change.states().next() else {
            return;
        };
        let child = ObjectId {
            group_kind: kind.clone(),
            namespace: object::namespace(object).into(),
            name: object::name(object).into(),
        };
        let waiting: Vec<ObjectId> = self.contested.get(&child).into_iter().flatten().cloned().collect();
        waiting.into_iter().for_each(|id| self.enqueue(WorkItem::Instance(id), Priority::Fresh));
    }

    /// A CRD changed: it may be one of ours, and it may be what a definition waits for.
    fn route_crd(&mut self, change: &Change) {
        let new = change.new.as_ref().map(|observed| &observed.object);
        let Some(name) = change.states().next().map(|object| Str::new(object::name(object))) else {
            return;
        };
        let is_changed = self.crds.update(&name, new);
        for object in change.states() {
            let definition = crds::definition_of(object);
            if !definition.is_empty() && crds::is_owned(object) {
                self.enqueue(WorkItem::Graph(definition), Priority::Fresh);
            }
        }
        self.watch_instances(&name);
        if is_changed {
            let kinds: Vec<GroupKind> =
                change.states().filter_map(|object| crds::Crd::read(object).map(|crd| crd.group_kind)).collect();
            self.recompile_users(&kinds);
        }
    }

    /// Instances of every established CRD of kro are watched, also when their definition is gone: they can still be
    /// deleted.
    fn watch_instances(&mut self, crd: &Str) {
        let served = self.crds.get(crd).filter(|crd| crd.definition.is_some() && crd.is_established);
        let wanted = served.map(|crd| Wanted::all(Role::Instances, &crd.gvk(), &crd.plural));
        let user = User::Crd(crd.clone());
        let before = self.watches.with_role(Role::Instances).count();
        self.watches.retain_only(&user, wanted.into_iter().collect(), &mut self.out);
        let after = self.watches.with_role(Role::Instances).count();
        let name = match before.cmp(&after) {
            std::cmp::Ordering::Less => "dynamic_controller_handler_attach_total",
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => "dynamic_controller_handler_detach_total",
        };
        self.out.count(name, vec![("type", Str::new_static("parent"))]);
    }

    /// Definitions that use one of these kinds, or would if they knew it, compile again.
    fn recompile_users(&mut self, kinds: &[GroupKind]) {
        let Some(watch) = self.watch_of(Role::Definitions) else {
            return;
        };
        let uses = |definition: &Value| graphs::kinds_of(definition).iter().any(|kind| kinds.contains(kind));
        let users: Vec<Str> = watch
            .objects()
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

    /// The whole of a watch became known, or cannot be known.
    fn route_all(&mut self, watch: WatchId) {
        let Some((role, kind)) = self.watches.get(watch).map(|watch| (watch.wanted.role, group_kind(watch))) else {
            return;
        };
        match role {
            Role::Definitions | Role::Revisions | Role::Crds => self.enqueue_everything(),
            Role::Instances => {
                let definition = self.crds.of_kind(&kind).and_then(|crd| crd.definition.clone());
                definition.into_iter().for_each(|name| self.enqueue(WorkItem::Graph(name), Priority::Fresh));
            }
            Role::Children => {
                self.route_users(watch);
                let graphs: Vec<Str> = self
                    .users_of(watch)
                    .into_iter()
                    .filter_map(|user| match user {
                        User::Graph(name) => Some(name),
                        _ => None,
                    })
                    .collect();
                graphs.iter().for_each(|name| self.enqueue_instances(name, Priority::Resync));
            }
            Role::ApiServices => self.route_services(),
            Role::External => self.route_users(watch),
        }
    }

    fn users_of(&self, watch: WatchId) -> Vec<User> {
        self.watches.get(watch).map(|watch| watch.users().cloned().collect()).unwrap_or_default()
    }

    /// Wakes the instances that use a watch.
    fn route_users(&mut self, watch: WatchId) {
        for user in self.users_of(watch) {
            if let User::Instance(id) = user {
                self.enqueue(WorkItem::Instance(id), Priority::Fresh);
            }
        }
    }

    fn enqueue_everything(&mut self) {
        if !self.is_synced() {
            return;
        }
        let mut names: BTreeSet<Str> = self.graphs.keys().cloned().collect();
        let definitions = self.watch_of(Role::Definitions).into_iter().flat_map(Watch::objects);
        names.extend(definitions.map(|observed| Str::new(object::name(&observed.object))));
        let revisions = self.watch_of(Role::Revisions).into_iter().flat_map(Watch::objects);
        names.extend(revisions.map(|observed| Str::new(revisions::lineage(&observed.object))));
        for name in names {
            self.enqueue_instances(&name, Priority::Resync);
            self.enqueue(WorkItem::Graph(name), Priority::Resync);
        }
    }

    /// All instances of a definition.
    pub(crate) fn enqueue_instances(&mut self, name: &Str, priority: Priority) {
        if self.definition(name).is_some_and(|definition| is_single(&definition)) {
            return self.queue.push(name, WorkItem::Instance(single_id(name)), priority);
        }
        let crds = self.crds.iter().filter(|(_, crd)| crd.definition.as_deref() == Some(name));
        let targets: Vec<Wanted> = crds.map(|(_, crd)| Wanted::all(Role::Instances, &crd.gvk(), &crd.plural)).collect();
        for wanted in targets {
            let watch = self.watches.find(&wanted.target);
            let ids: Vec<ObjectId> = watch
                .into_iter()
                .flat_map(Watch::objects)
                .filter_map(|observed| ObjectId::of(&observed.object))
                .collect();
            ids.into_iter().for_each(|id| self.queue.push(name, WorkItem::Instance(id), priority));
        }
    }

    /// Puts what the server returned into the watch of a role.
    pub(crate) fn show(&mut self, role: Role, object: Value) {
        let target = self.watch_of(role).map(|watch| watch.wanted.target.clone());
        if let Some(target) = target {
            self.put(&target, object);
        }
    }

    /// The same for a role with one watch per kind.
    pub(crate) fn show_of_kind(&mut self, role: Role, kind: &GroupKind, object: Value) {
        if let Some(target) = self.target_of(role, kind) {
            self.put(&target, object);
        }
    }

    /// Takes an object out that an own request removed for good.
    pub(crate) fn hide(&mut self, role: Role, kind: &GroupKind, object: &Value) {
        if let Some(target) = self.target_of(role, kind) {
            self.forget(&target, object::namespace(object), object::name(object), object::uid(object));
        }
    }

    fn target_of(&self, role: Role, kind: &GroupKind) -> Option<crate::WatchTarget> {
        let is_it = |watch: &&Watch| group_kind(watch) == *kind;
        self.watches.with_role(role).find(is_it).map(|watch| watch.wanted.target.clone())
    }

    fn put(&mut self, target: &crate::WatchTarget, object: Value) {
        let Some(watch) = self.watches.find_mut(target) else {
            return;
        };
        let id = watch.id;
        if let Some(change) = watch.put(object) {
            self.route(id, &change);
        }
    }

    fn forget(&mut self, target: &crate::WatchTarget, namespace: &str, name: &str, uid: &str) {
        let Some(watch) = self.watches.find_mut(target) else {
            return;
        };
        let id = watch.id;
        if let Some(change) = watch.forget(namespace, name, uid) {
            self.route(id, &change);
        }
    }

    /// Puts a child that the server returned into the watch of its kind.
    pub(crate) fn show_child(&mut self, resource: &Resource, object: Value) {
        if object::name(&object).is_empty() || object.str_at(&["kind"]) == Some("Status") {
            return;
        }
        let Some(watch) = self.watches.find_mut(&children_target(resource)) else {
            return;
        };
        let id = watch.id;
        if let Some(change) = watch.put_answer(object) {
            self.route(id, &change);
        }
    }

    /// True for a child that the watch of its kind shows.
    pub(crate) fn knows_child(&self, resource: &Resource, child: &ObjectId) -> bool {
        let watch = self.watches.find(&children_target(resource));
        watch.is_some_and(|watch| watch.get(&child.namespace, &child.name).is_some())
    }

    /// Takes a child out that an own delete removed for good.
    pub(crate) fn hide_child(&mut self, resource: &Resource, child: &ObjectId, uid: &str) {
        self.forget(&children_target(resource), &child.namespace, &child.name, uid);
    }
}

fn children_target(resource: &Resource) -> crate::WatchTarget {
    let gvk = kro_graph::Gvk::new(resource.group.clone(), resource.version.clone(), "");
    Wanted::children(&gvk, &resource.plural).target
}

fn group_kind(watch: &Watch) -> GroupKind {
    GroupKind { kind: watch.wanted.kind.clone(), group: watch.wanted.target.group.clone() }
}
