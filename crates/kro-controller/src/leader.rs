//! Leader election by a Lease, as client-go does it: of several processes one works, the others stand by.

mod election;

use std::time::Duration;

use kro_engine::Timestamp;
use kro_manager::{ApiResponse, Event, TransportError};
use kro_value::Str;
use kube_client::Client;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use self::election::{Election, Step};
use crate::clock::Clock;
use crate::mailbox::Mailbox;
use crate::{event, request};

/// How a process takes part in the election. The defaults are client-go's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderElection {
    /// Name of the Lease.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Who this process is; unique among all that take part.
    pub identity: String,
    /// How long others wait after the last renewal before they take over.
    pub lease_duration: Duration,
    /// A leader that could not renew for so long stops to lead.
    pub renew_deadline: Duration,
    /// Time between two tries.
    pub retry_period: Duration,
}

impl LeaderElection {
    /// The election of kro's controllers, with the usual times.
    pub fn new(namespace: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            name: "controller.kro.run".to_owned(),
            namespace: namespace.into(),
            identity: identity.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

/// What is known of an election.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leadership {
    /// Nothing was heard from the API server (for a while).
    Unknown(String),
    /// This process leads.
    Leader,
    /// Another process leads.
    Standby {
        /// Which.
        holder: String,
    },
}

/// Takes part until it is told to stop; then it gives the Lease back and ends.
pub(crate) struct Candidate {
    pub client: Client,
    pub agent: String,
    pub clock: Clock,
    pub settings: LeaderElection,
    pub events: Mailbox,
    pub standing: watch::Sender<Leadership>,
}

impl Candidate {
    pub(crate) async fn run(self, mut stop: oneshot::Receiver<()>) {
        let mut election = Election::new(self.settings.clone());
        loop {
            let started = Instant::now();
            self.try_once(&mut election).await;
            let pause = self.pause(&election, started);
            tokio::select! {
                () = tokio::time::sleep_until(pause) => {}
                _ = &mut stop => break,
            }
        }
        if let Some(release) = election.release(self.clock.now()) {
            let _ = tokio::time::timeout(self.settings.retry_period, self.send(&release)).await;
        }
    }

    /// Candidates spread their tries, so that they do not meet at the server again and again.
    fn pause(&self, election: &Election, started: Instant) -> Instant {
        let period = self.settings.retry_period;
        if election.is_leader() {
            return started + period;
        }
        use std::hash::{BuildHasher, RandomState};
        let share = RandomState::new().hash_one(&self.settings.identity) % 1200;
        started + period + period * u32::try_from(share).unwrap_or(0) / 1000
    }

    /// One try to get or to keep the Lease.
    async fn try_once(&self, election: &mut Election) {
        let was_leader = election.is_leader();
        let deadline = election.deadline(self.clock.now()).unwrap_or(self.settings.renew_deadline);
        let outcome = tokio::time::timeout(deadline, self.attempt(election)).await;
        let problem = match outcome {
            Ok(problem) => problem,
            Err(_) => Some("no answer in time".to_owned()),
        };
        election.expire(self.clock.now());
        self.tell(election, was_leader, problem);
    }

    async fn attempt(&self, election: &mut Election) -> Option<String> {
        let mut step = election.begin(self.clock.now());
        loop {
            match step {
                Step::Send(request) => {
                    let answer = self.send(&request).await;
                    step = election.answered(&request, answer, self.clock.now());
                }
                Step::Done => return None,
                Step::Failed(why) => return Some(why),
            }
        }
    }

    fn tell(&self, election: &Election, was_leader: bool, problem: Option<String>) {
        let standing = match (election.is_leader(), problem) {
            (true, _) => Leadership::Leader,
            (false, Some(why)) => Leadership::Unknown(why),
            (false, None) => Leadership::Standby { holder: election.holder().to_owned() },
        };
        match (was_leader, election.is_leader()) {
            (false, true) => {
                tracing::info!(identity = self.settings.identity, "this process leads");
                self.record(election);
                self.events.send_to_any(Event::LeadershipGained);
            }
            (true, false) => {
                tracing::error!(identity = self.settings.identity, ?standing, "this process does not lead any more");
                self.events.send_to_any(Event::LeadershipLost);
            }
            _ => {}
        }
        self.standing.send_if_modified(|known| {
            let is_new = *known != standing;
            if is_new && let Leadership::Standby { holder } = &standing {
                tracing::info!(holder, "another process leads; standing by");
            }
            *known = standing;
            is_new
        });
    }

    /// An Event on the Lease, for people.
    fn record(&self, election: &Election) {
        let event = election.event();
        let request = event::creation(&event, self.clock.now(), 0);
        let (client, agent) = (self.client.clone(), self.agent.clone());
        tokio::spawn(async move {
            let _ = request::send(&client, &agent, &request).await;
        });
    }

    async fn send(&self, request: &kro_manager::ApiRequest) -> Result<ApiResponse, TransportError> {
        let answer = request::send(&self.client, &self.agent, request).await;
        answer.map_err(|error| TransportError { message: Str::new(error.to_string()) })
    }
}

/// RFC 3339 with six digits, as Kubernetes writes a `MicroTime`.
fn micro_time(at: Timestamp) -> Str {
    let text = at.to_rfc3339();
    let seconds = text.get(..19).unwrap_or(&text);
    kro_value::format_smolstr!("{seconds}.{:03}000Z", at.as_ms().rem_euclid(1000))
}
