use std::time::Duration;

use kro_manager::Metric;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{oneshot, watch};

use crate::leader::Leadership;
use crate::metrics::Metrics;

/// A loop that does not answer for so long hangs.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What the loop of the driver is asked between two events.
#[derive(Debug)]
pub(crate) enum Question {
    Ping(oneshot::Sender<()>),
    Readiness(oneshot::Sender<Result<(), String>>),
    Gauges(oneshot::Sender<Vec<Metric>>),
}

/// Looks at a running controller from outside: probes and metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Monitor {
    questions: UnboundedSender<Question>,
    /// `None` without an election.
    standing: Option<watch::Receiver<Leadership>>,
    metrics: Metrics,
}

impl Monitor {
    pub(crate) fn new(
        questions: UnboundedSender<Question>,
        standing: Option<watch::Receiver<Leadership>>,
        metrics: Metrics,
    ) -> Self {
        Self { questions, standing, metrics }
    }

    /// How this process stands in the election; `None` when there is none.
    pub fn leadership(&self) -> Option<Leadership> {
        self.standing.as_ref().map(|standing| standing.borrow().clone())
    }

    /// Whether the loop answers. When it does not, only a restart helps.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub async fn liveness(&self) -> Result<(), String> {
        self.ask(Question::Ping).await
    }

    /// Whether this process does its work: everything is listed that its decisions rest on. One that stands by while
    /// another leads is ready too.
    ///
    /// # Errors
    /// What is missing, for people.
    pub async fn readiness(&self) -> Result<(), String> {
        match self.leadership() {
            Some(Leadership::Standby { .. }) => self.liveness().await,
            Some(Leadership::Unknown(why)) => Err(format!("leader election: {why}")),
            Some(Leadership::Leader) | None => self.ask(Question::Readiness).await?,
        }
    }

    /// All metrics in the text format of Prometheus.
    pub async fn metrics(&self) -> String {
        // A loop that hangs must not take the numbers with it that may tell why.
        let mut gauges = self.ask(Question::Gauges).await.unwrap_or_default();
        if let Some(standing) = self.leadership() {
            let value = f64::from(u8::from(standing == Leadership::Leader));
            gauges.push(Metric {
                name: "leader_election_master_status",
                labels: vec![("name", "controller.kro.run".into())],
                change: kro_manager::MetricChange::Set(value),
            });
        }
        self.metrics.render(&gauges)
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Result<T, String> {
        let (answer, answered) = oneshot::channel();
        if self.questions.send(question(answer)).is_err() {
            return Err("the controller has ended".to_owned());
        }
        match tokio::time::timeout(ANSWER_MAX, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err("the controller has ended".to_owned()),
            Err(_) => Err(format!("the controller did not answer within {} s", ANSWER_MAX.as_secs())),
        }
    }
}
