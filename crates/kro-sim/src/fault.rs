use kro_manager::ApiRequest;

/// What happens to a request of the manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answer,
    /// The server refuses it with this HTTP status, reason and message, and does nothing.
    Refuse(u16, String, String),
    /// The server acts on it, but the answer is lost.
    LoseAnswer,
    /// It never reaches the server.
    Lose,
    /// The server acts on it, then the manager dies, and a new one that knows nothing takes its place.
    Crash,
    /// It is answered, and all watches end at that moment; each lists again.
    CutWatches,
    /// It is answered, and for so many milliseconds no watch shows anything.
    StallWatches(i64),
}

impl Fate {
    /// A refusal with a message that says that it was made up.
    pub fn refuse(status: u16, reason: &str) -> Self {
        Self::Refuse(status, reason.to_owned(), format!("injected: {reason}"))
    }
}

/// Decides about requests as they are sent; the first request of a simulation has number 1.
pub trait FaultPlan {
    /// What happens to request `number`.
    fn decide(&mut self, number: u64, request: &ApiRequest) -> Fate;

    /// With which HTTP status, reason and message a watch of this path is refused when it lists.
    fn refuse_watch(&mut self, path: &str) -> Option<(u16, String, String)> {
        let _ = path;
        None
    }

    /// By how many milliseconds the watch that is opened as the `number`-th lags behind.
    fn lag_ms(&mut self, number: u64) -> i64 {
        let _ = number;
        0
    }
}

impl<F: FnMut(u64, &ApiRequest) -> Fate> FaultPlan for F {
    fn decide(&mut self, number: u64, request: &ApiRequest) -> Fate {
        self(number, request)
    }
}
