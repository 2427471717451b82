use jiff::SignedDuration;
use kro_apimachinery::Status;

use crate::{Method, Request};

/// What a fault does to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// Answers with this failure; the request is not carried out.
    Fail(Status),
    /// Carries the request out, but the client sees a timeout.
    LoseAnswer,
    /// Carries the request out; the answer comes so much later, see [`Response::delay`](crate::Response).
    Delay(SignedDuration),
    /// Shows a list as it was so many resource versions ago, as a server whose cache lags behind, though not older than
    /// the resource version of the request or than the history that is kept. What is no list is answered as usual.
    StaleList(u64),
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

    fn fault(path: &str, action: FaultAction) -> Fault {
        Fault { method: Some(Method::Get), path_prefix: path.to_owned(), skip: 0, times: 1, action }
    }

    #[test]
    fn answers_come_late_and_lists_lag() {
        let now = Timestamp::UNIX_EPOCH;
        let mut server = ApiServer::new(Config::default(), now);
        let path = "/api/v1/namespaces/default/configmaps";
        for name in ["a", "b", "c"] {
            let body = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
            server.handle(&Request::new(Method::Post, path).with_body("application/json", body), now);
        }
        let newest = server.resource_version();
        let list = |server: &mut ApiServer, query: &str| {
            let response = server.handle(&Request::new(Method::Get, &format!("{path}?{query}")), now);
            let text = String::from_utf8(response.bytes().to_vec()).unwrap();
            (response.status, text.matches("\"uid\"").count(), response.delay)
        };
        let zero = SignedDuration::ZERO;
        server.inject(fault(path, FaultAction::StaleList(2)));
        assert_eq!(list(&mut server, ""), (200, 1, zero));
        assert_eq!(list(&mut server, ""), (200, 3, zero), "the fault struck once");
        server.inject(fault(path, FaultAction::StaleList(2)));
        assert_eq!(list(&mut server, &format!("resourceVersion={newest}")), (200, 3, zero), "not older than that");
        server.inject(fault(path, FaultAction::StaleList(u64::MAX)));
        assert_eq!(list(&mut server, "").1, 0, "as far back as is known");
        let second = SignedDuration::from_secs(1);
        server.inject(fault(path, FaultAction::Delay(second)));
        assert_eq!(list(&mut server, ""), (200, 3, second));
    }

    #[test]
    fn watches_are_held_back() {
        let now = Timestamp::UNIX_EPOCH;
        let mut server = ApiServer::new(Config::default(), now);
        let path = "/api/v1/namespaces/default/configmaps";
        let target = format!("{path}?watch=1&resourceVersion={}", server.resource_version());
        let watch = server.handle(&Request::new(Method::Get, &target), now).watch().unwrap();
        let until = now.checked_add(SignedDuration::from_secs(5)).unwrap();
        server.delay_watches(&GroupResource::new("", "configmaps"), until);
        let create = Request::new(Method::Post, path).with_body("application/json", r#"{"metadata":{"name":"a"}}"#);
        server.handle(&create, now);
        assert!(server.next_events(watch, now).chunks.is_empty());
        assert!(server.next_due().is_some_and(|due| due <= until));
        assert_eq!(server.next_events(watch, until).chunks.len(), 1);
    }

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
