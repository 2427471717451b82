use kro_manager::ApiRequest;

/// What happens to a request of the manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answer,
    /// The server refuses it with this HTTP status and reason, and does nothing.
    Refuse(u16, &'static str),
    /// The server acts on it, but the answer is lost.
    LoseAnswer,
    /// It never reaches the server.
    Lose,
}

/// Decides about requests as they are sent; the first request of a simulation has number 1.
pub trait FaultPlan {
    /// What happens to request `number`.
    fn decide(&mut self, number: u64, request: &ApiRequest) -> Fate;
}

impl<F: FnMut(u64, &ApiRequest) -> Fate> FaultPlan for F {
    fn decide(&mut self, number: u64, request: &ApiRequest) -> Fate {
        self(number, request)
    }
}
