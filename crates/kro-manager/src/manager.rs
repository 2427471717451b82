use kro_engine::Timestamp;

use crate::{Config, Effect, Event, View};

/// Both controllers of kro. See [`Manager::handle`].
#[derive(Debug)]
pub struct Manager {
    config: Config,
}

impl Manager {
    /// A manager that knows nothing yet; it starts with [`Event::LeadershipGained`].
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Takes one event and says what to do about it.
    ///
    /// The result depends on nothing but the configuration and the events so far: no clock, no randomness, no I/O.
    /// `now` must never go back.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let _ = (event, now, &self.config);
        Vec::new()
    }

    /// What is known at this moment.
    pub fn view(&self) -> View {
        View::default()
    }
}
