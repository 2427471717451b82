use kro_manager::Config;
use kro_value::Value;

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Decoded body; null when it is no JSON.
    pub body: Value,
}

/// A request of the controller and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// HTTP method; `APPLY` for server-side apply.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// HTTP status; 0 without an answer.
    pub status: u16,
}

/// Requests of the controller that fail until further notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A part of `METHOD path`; `LIST path` for the lists of watches.
    pub matching: String,
    /// HTTP status of the answer; 0 for none.
    pub status: u16,
    /// Reason of the answer.
    pub reason: String,
    /// Message of the answer.
    pub message: String,
    /// How many requests fail.
    pub times: usize,
}

/// An API server with a controller on it.
pub trait Cluster {
    /// A request of the user.
    fn request(&mut self, method: &str, target: &str, content_type: &str, body: Option<&Value>) -> Answer;

    /// Where `default` of a scenario is.
    fn namespace(&self) -> &str {
        "default"
    }

    /// Milliseconds on this cluster's clock.
    fn now_ms(&self) -> i64;

    /// Lets something happen, at most until the deadline. False when the deadline is reached.
    ///
    /// # Errors
    /// When manager and server keep each other busy without end.
    fn progress(&mut self, deadline_ms: i64) -> Result<bool, String>;

    /// Ends the controller, as a crash does.
    fn stop_controller(&mut self);

    /// Starts a controller that knows nothing, in place of the one that may run.
    fn restart_controller(&mut self);

    /// What controllers that are started from now on are told.
    fn configure(&mut self, config: Config);

    /// Kills the controller as soon as it has sent this many requests in all, and starts another.
    ///
    /// # Errors
    /// When it never sends so many.
    fn restart_controller_after(&mut self, requests: usize) -> Result<(), String>;

    /// All requests of all controllers so far.
    fn records(&mut self) -> Vec<Record>;

    /// All Events of all controllers so far: `kind`, `name`, `type`, `reason`, `message`.
    fn events(&mut self) -> Vec<Value>;

    /// How long the controller must be silent to count as at rest.
    fn rest_ms(&self) -> i64;

    /// What only a simulated cluster can do.
    fn simulated(&mut self) -> Option<&mut dyn Simulated>;
}

/// What a scenario can ask of a simulated cluster.
pub trait Simulated {
    /// Requests of the controller fail from now on.
    fn refuse(&mut self, refusal: Refusal);

    /// No request is refused any more.
    fn heal(&mut self);

    /// All watches end; each lists again.
    fn cut_watches(&mut self);

    /// What the controller logged so far, one text for each line.
    fn logs(&self) -> Vec<String>;

    /// Everything that metrics of the controller say but numbers.
    fn labels(&self) -> Vec<String>;

    /// Every stored object.
    fn objects(&mut self) -> Vec<Value>;
}

/// Waits until `done`, at most `timeout_ms`; true when it was.
///
/// # Errors
/// As [`Cluster::progress`].
pub fn wait(
    cluster: &mut dyn Cluster,
    timeout_ms: i64,
    mut done: impl FnMut(&mut dyn Cluster) -> bool,
) -> Result<bool, String> {
    let deadline = cluster.now_ms() + timeout_ms;
    loop {
        if done(cluster) {
            return Ok(true);
        }
        if !cluster.progress(deadline)? {
            return Ok(done(cluster));
        }
    }
}
