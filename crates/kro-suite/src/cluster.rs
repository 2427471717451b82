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

/// An API server with a controller on it.
pub trait Cluster {
    /// A request of the user.
    fn request(&mut self, method: &str, target: &str, content_type: &str, body: Option<&Value>) -> Answer;

    /// Milliseconds on this cluster's clock.
    fn now_ms(&self) -> i64;

    /// Lets something happen, at most until the deadline. False when the deadline is reached.
    ///
    /// # Errors
    /// When manager and server keep each other busy without end.
    fn progress(&mut self, deadline_ms: i64) -> Result<bool, String>;

    /// Starts a controller that knows nothing, in place of the one that runs.
    fn restart_controller(&mut self);

    /// Kills the controller as soon as it has sent this many requests in all, and starts another.
    ///
    /// # Errors
    /// When it never sends so many.
    fn restart_controller_after(&mut self, requests: usize) -> Result<(), String>;

    /// All requests of all controllers so far.
    fn records(&mut self) -> Vec<Record>;

    /// How long the controller must be silent to count as at rest.
    fn rest_ms(&self) -> i64;
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
