//! All watches and what they show: the manager's only picture of the cluster.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use kro_api::metadata as wire;
use kro_engine::object::{self, ObjectId};
use kro_engine::snapshot::Observed;
use kro_engine::texts::Texts;
use kro_graph::{Gvk, Reads};
use kro_value::{Str, Value};

use crate::outbox::Outbox;
use crate::{ObjectChange, WatchFailure, WatchId, WatchTarget};

/// What a watch is for; decides who is woken by its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// ResourceGraphDefinitions.
    Definitions,
    /// GraphRevisions.
    Revisions,
    /// CustomResourceDefinitions.
    Crds,
    /// APIServices, while a definition uses a kind that nobody knows.
    ApiServices,
    /// Instances of a kind that kro defined.
    Instances,
    /// Objects that kro owns, of one kind.
    Children,
    /// Objects that somebody else owns.
    External,
}

/// Who needs a watch. It ends with its last user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    /// The manager itself.
    Core,
    /// A definition that serves, by name.
    Graph(Str),
    /// A generated CRD, by name.
    Crd(Str),
    /// An instance.
    Instance(ObjectId),
}

/// Namespace (empty when cluster-scoped) and name.
pub(crate) type Key = (Str, Str);

/// What is asked of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub target: WatchTarget,
    pub kind: Str,
    pub role: Role,
}

impl Wanted {
    /// Everything of one kind, in all namespaces.
    pub fn all(role: Role, gvk: &Gvk, plural: &str) -> Self {
        let target = WatchTarget {
            group: gvk.group.clone(),
            version: gvk.version.clone(),
            plural: plural.into(),
            namespace: None,
            label_selector: Str::new_static(""),
            field_selector: Str::new_static(""),
            metadata_only: false,
        };
        Self { target, kind: gvk.kind.clone(), role }
    }

    /// What kro owns of one kind, in all namespaces.
    pub fn children(gvk: &Gvk, plural: &str) -> Self {
        let mut wanted = Self::all(Role::Children, gvk, plural);
        wanted.target.label_selector = Str::new_static("kro.run/owned=true");
        wanted
    }
}

/// How many ends of objects a watch remembers, for answers that come late.
const ENDED_MAX: usize = 1024;

/// One watch.
#[derive(Debug)]
pub(crate) struct Watch {
    pub id: WatchId,
    pub wanted: Wanted,
    users: BTreeSet<User>,
    objects: BTreeMap<Key, Observed>,
    /// Members of ApplySets, by the id of the set; in order.
    members: HashMap<Str, Vec<Key>>,
    /// UIDs that our own deletes removed, until the watch has shown it.
    gone: HashSet<Str>,
    /// UIDs of objects that the watch said have ended, or left its selector, with the version at which they did.
    ended: HashMap<Str, Str>,
    /// What the parts of the list that is coming in named so far.
    listed: HashSet<Key>,
    texts: Texts,
    pub is_synced: bool,
    pub failure: Option<WatchFailure>,
}

/// How an object changed, as far as the manager knows.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub old: Option<Observed>,
    pub new: Option<Observed>,
}

impl Change {
    /// Both states, the new one first.
    pub fn states(&self) -> impl Iterator<Item = &Value> {
        self.new.iter().chain(&self.old).map(|observed| &observed.object)
    }
}

impl Watch {
    /// The kind does not exist: nothing of it can.
    pub fn is_absent(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.status == 404)
    }

    /// True when what it shows can be relied on.
    pub fn is_settled(&self) -> bool {
        self.is_synced || self.is_absent()
    }

    pub fn get(&self, namespace: &str, name: &str) -> Option<&Observed> {
        self.objects.get(&(Str::new(namespace), Str::new(name)))
    }

    pub fn objects(&self) -> impl Iterator<Item = &Observed> {
        self.objects.values()
    }

    /// The members of an ApplySet.
    pub fn members(&self, applyset: &str) -> impl Iterator<Item = &Observed> {
        self.members.get(applyset).into_iter().flatten().filter_map(|key| self.objects.get(key))
    }

    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    /// Takes an object in, unless something newer is known. `None` when that is no news to anybody.
    pub fn put(&mut self, object: Value) -> Option<Change> {
        let (key, observed, old) = self.receive(object, is_newer)?;
        if let Some(old) = &old
            && object::uid(&old.object) == object::uid(&observed.object)
            && let Some(mut trimmed) = old.kept.as_ref().map(|kept| observed.trimmed(kept))
            && old.is_like(&trimmed)
        {
            drop(observed);
            trimmed.shrink();
            self.objects.insert(key, trimmed);
            return None;
        }
        Some(self.store(key, observed, old))
    }

    /// Takes the answer to an own apply in, unless something newer is known. It is kept as a whole, also when it is the
    /// same version of what was trimmed.
    pub fn put_answer(&mut self, object: Value) -> Option<Change> {
        let (key, observed, old) =
            self.receive(object, |version, known| version == known || is_newer(version, known))?;
        Some(self.store(key, observed, old))
    }

    /// An object as it is kept, and what is known of it; `None` for one that our own delete removed, and for a version
    /// that does not count beside the known one.
    fn receive(
        &mut self,
        mut object: Value,
        counts: impl Fn(&str, &str) -> bool,
    ) -> Option<(Key, Observed, Option<Observed>)> {
        if self.gone.contains(object::uid(&object)) {
            return None;
        }
        // The answer to an own request may come after the news that the object ended.
        let end = self.ended.get(object::uid(&object));
        if end.is_some_and(|end| !is_newer(object::resource_version(&object), end)) {
            return None;
        }
        let key = key_of(&object);
        let old = self.objects.get(&key);
        let same = old.filter(|old| object::uid(&old.object) == object::uid(&object));
        if same.is_some_and(|old| !counts(object::resource_version(&object), object::resource_version(&old.object))) {
            return None;
        }
        let old = old.cloned();
        self.complete(&mut object);
        let mut observed = Observed::new(object, old.as_ref());
        self.texts.share(&mut observed.object);
        observed.shrink();
        Some((key, observed, old))
    }

    fn store(&mut self, key: Key, observed: Observed, old: Option<Observed>) -> Change {
        self.index(old.as_ref(), Some(&observed), &key);
        self.objects.insert(key, observed.clone());
        Change { old, new: Some(observed) }
    }

    /// Drops what nobody reads of an object that is as wanted.
    pub fn trim(&mut self, id: &ObjectId, reads: &Arc<Reads>) {
        let key = (id.namespace.clone(), id.name.clone());
        if let Some(observed) = self.objects.get_mut(&key).filter(|observed| observed.kept.is_none()) {
            *observed = observed.trimmed(reads);
            observed.shrink();
        }
    }

    /// Takes an object out, unless something newer of the same name is known.
    fn drop_stale(&mut self, object: &Value) -> Option<Change> {
        self.gone.remove(object::uid(object));
        if self.ended.len() > ENDED_MAX {
            self.ended.clear();
        }
        self.ended.insert(object::uid(object).into(), object::resource_version(object).into());
        let key = key_of(object);
        let known = self.objects.get(&key)?;
        let same = object::uid(&known.object) == object::uid(object);
        let newer = is_newer(object::resource_version(&known.object), object::resource_version(object));
        // A UID never comes back, but an object may leave a selector and match it again.
        let target = &self.wanted.target;
        let is_filtered = !target.label_selector.is_empty() || !target.field_selector.is_empty();
        if newer && (!same || is_filtered) {
            return None;
        }
        self.remove(&key)
    }

    /// An own delete removed the object for good.
    pub fn forget(&mut self, namespace: &str, name: &str, uid: &str) -> Option<Change> {
        let key = (Str::new(namespace), Str::new(name));
        let known = self.objects.get(&key).filter(|known| object::uid(&known.object) == uid)?;
        self.gone.insert(object::uid(&known.object).into());
        self.remove(&key)
    }

    fn remove(&mut self, key: &Key) -> Option<Change> {
        let old = self.objects.remove(key)?;
        self.index(Some(&old), None, key);
        Some(Change { old: Some(old), new: None })
    }

    fn list_part(&mut self, objects: Vec<Value>) -> Vec<Change> {
        self.listed.extend(objects.iter().map(key_of));
        objects.into_iter().filter_map(|object| self.put(object)).collect()
    }

    fn replace(&mut self, objects: Vec<Value>, resource_version: &str) -> Vec<Change> {
        let mut listed = std::mem::take(&mut self.listed);
        listed.extend(objects.iter().map(key_of));
        let vanished = |(key, known): &(&Key, &Observed)| {
            !listed.contains(*key) && !is_newer(object::resource_version(&known.object), resource_version)
        };
        let vanished: Vec<Key> = self.objects.iter().filter(vanished).map(|(key, _)| key.clone()).collect();
        let mut changes: Vec<Change> = vanished.iter().filter_map(|key| self.remove(key)).collect();
        changes.extend(objects.into_iter().filter_map(|object| self.put(object)));
        self.gone.clear();
        self.ended.clear();
        self.is_synced = true;
        self.failure = None;
        changes
    }

    /// Items of a list carry no `apiVersion` and `kind`.
    fn complete(&self, object: &mut Value) {
        let gvk =
            Gvk::new(self.wanted.target.group.clone(), self.wanted.target.version.clone(), self.wanted.kind.clone());
        if object.str_at(&["kind"]).is_none() {
            object.set_at(&["kind"], Value::String(gvk.kind.clone()));
        }
        if object.str_at(&["apiVersion"]).is_none() {
            object.set_at(&["apiVersion"], Value::String(gvk.api_version()));
        }
    }

    fn index(&mut self, old: Option<&Observed>, new: Option<&Observed>, key: &Key) {
        let applyset =
            |observed: &Observed| object::label(&observed.object, wire::LABEL_APPLYSET_PART_OF).map(Str::new);
        let (old, new) = (old.and_then(applyset), new.and_then(applyset));
        if old == new {
            return;
        }
        if let Some(set) = old.as_ref().and_then(|id| self.members.get_mut(id)) {
            set.retain(|one| one != key);
            if set.is_empty() {
                self.members.remove(old.as_deref().unwrap_or_default());
            }
        }
        if let Some(id) = new {
            // Nearly all sets have one member of a kind.
            let set = self.members.entry(id).or_insert_with(|| Vec::with_capacity(1));
            if let Err(position) = set.binary_search(key) {
                set.insert(position, key.clone());
            }
        }
    }
}

fn key_of(object: &Value) -> Key {
    (object::namespace(object).into(), object::name(object).into())
}

/// Whether one resource version is newer than another. They are numbers on every server there is; where one is not, the
/// one that came in last counts as newer.
pub(crate) fn is_newer(left: &str, right: &str) -> bool {
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(left), Ok(right)) => left > right,
        _ => left != right,
    }
}

/// All watches.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    by_id: BTreeMap<WatchId, Watch>,
    by_target: BTreeMap<WatchTarget, WatchId>,
}

impl Watches {
    pub fn find(&self, target: &WatchTarget) -> Option<&Watch> {
        self.by_id.get(self.by_target.get(target)?)
    }

    pub fn find_mut(&mut self, target: &WatchTarget) -> Option<&mut Watch> {
        self.by_id.get_mut(self.by_target.get(target)?)
    }

    pub fn get(&self, id: WatchId) -> Option<&Watch> {
        self.by_id.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Watch> {
        self.by_id.values()
    }

    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &Watch> {
        self.by_id.values().filter(move |watch| watch.wanted.role == role)
    }

    /// Notes that somebody needs a watch, and starts it if nobody did before.
    pub fn retain(&mut self, wanted: Wanted, user: User, out: &mut Outbox) {
        let by_id = &mut self.by_id;
        let id = *self.by_target.entry(wanted.target.clone()).or_insert_with_key(|target| out.watch(target.clone()));
        let new = || Watch {
            id,
            wanted,
            users: BTreeSet::new(),
            objects: BTreeMap::new(),
            members: HashMap::new(),
            gone: HashSet::new(),
            ended: HashMap::new(),
            listed: HashSet::new(),
            texts: Texts::default(),
            is_synced: false,
            failure: None,
        };
        by_id.entry(id).or_insert_with(new).users.insert(user);
    }

    /// Lets a user have exactly these watches and no other.
    pub fn retain_only(&mut self, user: &User, wanted: Vec<Wanted>, out: &mut Outbox) {
        let targets: BTreeSet<WatchTarget> = wanted.iter().map(|wanted| wanted.target.clone()).collect();
        for wanted in wanted {
            self.retain(wanted, user.clone(), out);
        }
        let mut released = Vec::new();
        for watch in self.by_id.values_mut() {
            if !targets.contains(&watch.wanted.target) && watch.users.remove(user) {
                released.push(watch.id);
            }
        }
        for id in released {
            self.end_if_unused(id, out);
        }
    }

    fn end_if_unused(&mut self, id: WatchId, out: &mut Outbox) {
        if let Some(watch) = self.by_id.get(&id).filter(|watch| watch.users.is_empty()) {
            self.by_target.remove(&watch.wanted.target);
            self.by_id.remove(&id);
            out.unwatch(id);
        }
    }

    /// `None` for a watch that ended.
    pub fn listed(&mut self, id: WatchId, objects: Vec<Value>, resource_version: &str) -> Option<Vec<Change>> {
        Some(self.by_id.get_mut(&id)?.replace(objects, resource_version))
    }

    /// `None` for a watch that ended.
    pub fn listed_part(&mut self, id: WatchId, objects: Vec<Value>) -> Option<Vec<Change>> {
        Some(self.by_id.get_mut(&id)?.list_part(objects))
    }

    /// `None` for a watch that ended, and for news that are none.
    pub fn changed(&mut self, id: WatchId, change: ObjectChange) -> Option<Change> {
        let watch = self.by_id.get_mut(&id)?;
        match change {
            ObjectChange::Applied(object) => watch.put(object),
            ObjectChange::Deleted(object) => watch.drop_stale(&object),
        }
    }

    /// False for a watch that ended.
    pub fn failed(&mut self, id: WatchId, failure: WatchFailure) -> bool {
        let Some(watch) = self.by_id.get_mut(&id) else {
            return false;
        };
        watch.listed.clear();
        // What was listed before stays the best guess, unless the kind itself is gone.
        if failure.status == 404 {
            watch.is_synced = false;
        }
        watch.failure = Some(failure);
        true
    }
}
