use kro_apimachinery::Status;

use crate::{Method, Request};

/// What a fault does to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// Answers with this failure; the request is not carried out.
    Fail(Status),
    /// Carries the request out, but the client sees a timeout.
    LoseAnswer,
}

/// Requests that fail on demand: which, from the how-many-th on, how often, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Any method when `None`.
    pub method: Option<Method>,
    /// What the path begins with; everything begins with the empty text.
    pub path_prefix: String,
    /// How many requests that fit are let through first.
    pub skip: usize,
    /// How many requests are struck; `usize::MAX` for all.
    pub times: usize,
    /// What happens to them.
    pub action: FaultAction,
}

impl Fault {
    /// What happens to a request, if it is struck.
    pub(crate) fn strike(&mut self, request: &Request) -> Option<FaultAction> {
        let fits = self.method.is_none_or(|method| method == request.method)
            && request.path.starts_with(&self.path_prefix)
            && self.times > 0;
        if !fits {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times = if self.times == usize::MAX { self.times } else { self.times - 1 };
        Some(self.action.clone())
    }
}

/// What a client sees when the answer to its request is lost.
pub(crate) fn lost_answer() -> Status {
    Status::failure(
        504,
        "Timeout",
        "Timeout: request did not complete within requested timeout - context deadline exceeded",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiServer, Config, GroupResource, Timestamp};

    #[test]
    fn strikes_the_second_request_only() {
        let now = Timestamp::UNIX_EPOCH;
        let mut server = ApiServer::new(Config::default(), now);
        let path = "/api/v1/namespaces/default/configmaps";
        server.inject(Fault {
            method: Some(Method::Post),
            path_prefix: path.to_owned(),
            skip: 1,
            times: 1,
            action: FaultAction::LoseAnswer,
        });
        let mut create = |name: &str| {
            let body = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
            server.handle(&Request::new(Method::Post, path).with_body("application/json", body), now).status
        };
        assert_eq!([create("a"), create("b"), create("b"), create("c")], [201, 504, 409, 201]);
        server.inject(Fault {
            method: None,
            path_prefix: String::new(),
            skip: 0,
            times: usize::MAX,
            action: FaultAction::Fail(Status::internal("down")),
        });
        assert_eq!(server.handle(&Request::new(Method::Get, path), now).status, 500);
        server.clear_faults();
        let watch = server.handle(&Request::new(Method::Get, &format!("{path}?watch=1")), now).watch().unwrap();
        server.cut_watches(&GroupResource::new("", "configmaps"));
        assert!(server.next_events(watch, now).ended);
    }
}
