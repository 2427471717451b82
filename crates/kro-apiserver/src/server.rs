use jiff::Timestamp;
use kro_value::Value;

use crate::fault::lost_answer;
use crate::read::watch::Watch;
use crate::state::State;
use crate::{
    Access, Config, Fault, FaultAction, GroupResource, Reactor, Record, Request, Response, User, WatchId, WatchPoll,
    bootstrap, controllers, handler,
};

/// Rounds of controllers within one tick; controllers that never come to rest cannot hang the host.
const ROUNDS_MAX: usize = 1_000;

/// A Kubernetes API server with its storage.
///
/// Every method takes the time; it must never go backwards between calls.
pub struct ApiServer {
    state: State,
    reactors: Vec<Box<dyn Reactor>>,
    faults: Vec<Fault>,
}

impl ApiServer {
    /// A server with the objects that every cluster has and the controllers of its profile.
    pub fn new(config: Config, now: Timestamp) -> Self {
        let options = controllers::Options::of(config.profile);
        Self::with_controllers(config, &options, now)
    }

    /// A server with these controllers, whatever its profile says.
    pub fn with_controllers(config: Config, options: &controllers::Options, now: Timestamp) -> Self {
        let mut state = State::new(config, now);
        bootstrap::populate(&mut state);
        let mut server = Self { state, reactors: Vec::new(), faults: Vec::new() };
        controllers::install(&mut server, options);
        server
    }

    /// A server that goes on where the records of another one ended: what they leave is there, with its uids and
    /// resource versions. Give it another seed than the earlier one had.
    pub fn restore(config: Config, records: &[Record], now: Timestamp) -> Self {
        let options = controllers::Options::of(config.profile);
        Self::restore_with_controllers(config, &options, records, now)
    }

    /// As [`restore`](Self::restore), with these controllers.
    pub fn restore_with_controllers(
        config: Config,
        options: &controllers::Options,
        records: &[Record],
        now: Timestamp,
    ) -> Self {
        let mut state = State::new(config, now);
        state.records = Some(Vec::new());
        state.restore(records);
        bootstrap::populate(&mut state);
        let mut server = Self { state, reactors: Vec::new(), faults: Vec::new() };
        controllers::install(&mut server, options);
        server
    }

    /// Collects every write from now on for [`take_records`](Self::take_records), what is there already included.
    pub fn keep_records(&mut self) {
        let objects = self.state.store.iter().map(|(resource, key, stored)| Record {
            revision: stored.revision,
            resource: resource.clone(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            object: Some(kro_value::to_json(&stored.value).into()),
        });
        let mut records: Vec<Record> = objects.collect();
        records.sort_by_key(|record| record.revision);
        self.state.records = Some(records);
    }

    /// The writes since the last call, in order; nothing when none are kept.
    pub fn take_records(&mut self) -> Vec<Record> {
        self.state.records.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds a controller. It hears of every object that is there, as added, and of every change from now on.
    pub fn add_reactor(&mut self, mut reactor: Box<dyn Reactor>) {
        self.tell_reactors();
        for change in self.state.everything_as_added() {
            reactor.observe(&change, self.state.now);
        }
        self.reactors.push(reactor);
    }

    /// Answers one request. Never blocks; a watch is answered by its handle.
    ///
    /// Controllers do not run here: call [`tick`](Self::tick) when [`next_due`](Self::next_due) says so.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.handle_in_parts(request, now).joined()
    }

    /// As [`handle`](Self::handle); long lists come in the pieces that are kept of their objects, uncopied.
    pub fn handle_in_parts(&mut self, request: &Request, now: Timestamp) -> Response {
        self.state.now = now;
        let action = self.faults.iter_mut().find_map(|fault| fault.strike(request));
        if let Some(FaultAction::Fail(status)) = &action {
            return handler::failure(status);
        }
        self.state.list_lag = if let Some(FaultAction::StaleList(lag)) = &action { *lag } else { 0 };
        let mut response = handler::respond(&mut self.state, request);
        match action {
            Some(FaultAction::LoseAnswer) => {
                response.watch().into_iter().for_each(|watch| self.close_watch(watch));
                response = handler::failure(&lost_answer());
            }
            Some(FaultAction::Delay(delay)) => response.delay = delay,
            _ => {}
        }
        self.state.settle_definitions();
        self.tell_reactors();
        response
    }

    /// What a watch has to send now. Call it after anything that may have committed a write, and when
    /// [`next_due`](Self::next_due) passed (bookmarks and timeouts).
    pub fn next_events(&mut self, watch: WatchId, now: Timestamp) -> WatchPoll {
        self.state.now = now;
        let State { watches, store, registry, .. } = &mut self.state;
        watches.poll(watch, |open| {
            let resource = &open.view.resource;
            let is_served = registry.get(&resource.id).is_some_and(|live| std::sync::Arc::ptr_eq(live, resource));
            open.poll(store, is_served, now)
        })
    }

    /// True when a watch has something to send, or ends. A host asks this before it wakes anybody up.
    pub fn has_events(&mut self, watch: WatchId, now: Timestamp) -> bool {
        let State { watches, store, registry, .. } = &mut self.state;
        let Some(open) = watches.get_mut(watch) else { return true };
        let resource = &open.view.resource;
        let is_served = registry.get(&resource.id).is_some_and(|live| std::sync::Arc::ptr_eq(live, resource));
        !is_served || open.next_due() <= now || open.has_events(store)
    }

    /// Forgets a watch whose client went away.
    pub fn close_watch(&mut self, watch: WatchId) {
        self.state.watches.remove(watch);
    }

    /// Runs every controller that has work due at `now`, until none has. True when something was done.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        self.state.now = now;
        let mut worked = false;
        for _ in 0..ROUNDS_MAX {
            if !self.run_due(now) {
                break;
            }
            worked = true;
        }
        worked
    }

    /// When [`tick`](Self::tick) or an open watch has something to do next; `None` when only a request can change
    /// anything. In the past or now: call `tick` at once.
    pub fn next_due(&self) -> Option<Timestamp> {
        let reactors = self.reactors.iter().filter_map(|reactor| reactor.next_due());
        reactors.chain(self.state.watches.next_due()).min()
    }

    /// Makes requests fail from now on; of several faults that fit a request the first one strikes. For tests: nothing
    /// on the network reaches this.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Ends the open watches of a resource at their next poll, as a restart of a real server does.
    pub fn cut_watches(&mut self, resource: &GroupResource) {
        self.state.watches.of_resource(resource, Watch::cut);
    }

    /// Keeps back everything that the open watches of a resource have to say, until this time.
    pub fn delay_watches(&mut self, resource: &GroupResource, until: Timestamp) {
        self.state.watches.of_resource(resource, |watch| watch.hold(until));
    }

    /// The user of a token that `serviceaccounts/token` gave out; `None` when it is not one, or not valid any more.
    pub fn authenticate(&self, token: &str, now: Timestamp) -> Option<User> {
        handler::authenticate(&self.state, token, now)
    }

    /// Signs tokens with another key from now on; those that were given out are worth nothing.
    pub fn set_token_key(&mut self, key: Vec<u8>) {
        self.state.config.token_key = key;
    }

    /// The resource version of the newest write.
    pub fn resource_version(&self) -> u64 {
        self.state.store.revision()
    }

    /// Every stored object, by resource, namespace and name. For tests, which compare whole clusters.
    pub fn objects(&self) -> impl Iterator<Item = Value> {
        self.state.store.iter().map(|(_, _, stored)| stored.value.clone())
    }

    /// Forgets the history of all resources, as if it were too old: watches and lists that start in the past expire.
    pub fn expire_history(&mut self) {
        self.state.store.expire_history();
    }

    /// Makes every open watch that takes bookmarks send one at its next poll.
    pub fn request_bookmarks(&mut self) {
        let now = self.state.now;
        self.state.watches.each(|watch| watch.request_bookmark(now));
    }

    fn run_due(&mut self, now: Timestamp) -> bool {
        let mut worked = false;
        for index in 0..self.reactors.len() {
            let reactor = &mut self.reactors[index];
            if reactor.next_due().is_some_and(|due| due <= now) {
                let name = reactor.name();
                reactor.run(&mut Access::new(&mut self.state, name), now);
                self.state.settle_definitions();
                self.tell_reactors();
                worked = true;
            }
        }
        worked
    }

    fn tell_reactors(&mut self) {
        for change in std::mem::take(&mut self.state.changes) {
            for reactor in &mut self.reactors {
                reactor.observe(&change, self.state.now);
            }
        }
    }
}
