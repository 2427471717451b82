//! Candidates on the embedded API, with virtual time.

use kro_apiserver::{ApiServer, Bytes, Config, Method, Request};
use kro_value::{from_json_bytes, to_json};

use super::*;

/// 2026-01-01T00:00:00Z
const START: Timestamp = Timestamp::from_ms(1_767_225_600_000);

struct World {
    server: ApiServer,
    now: Timestamp,
    /// No request reaches the server.
    is_cut_off: bool,
}

impl World {
    fn new() -> Self {
        let server = ApiServer::new(Config::default(), time(START));
        Self { server, now: START, is_cut_off: false }
    }

    fn send(&mut self, request: &ApiRequest) -> Result<ApiResponse, TransportError> {
        if self.is_cut_off {
            return Err(TransportError { message: "cut off".into() });
        }
        let method = Method::parse(request.verb.method()).unwrap();
        let mut http = Request::new(method, &request.path_and_query());
        if let Some(body) = &request.body {
            http = http.with_body(request.verb.content_type(), Bytes::from(to_json(body)));
        }
        let response = self.server.handle(&http, time(self.now));
        let body = from_json_bytes(response.bytes()).unwrap_or_default();
        Ok(ApiResponse { status: response.status, body, retry_after_s: None })
    }

    /// One try of a candidate; true when it leads afterwards.
    fn try_once(&mut self, election: &mut Election) -> bool {
        let mut step = election.begin(self.now);
        while let Step::Send(request) = step {
            let answer = self.send(&request);
            step = election.answered(&request, answer, self.now);
        }
        election.expire(self.now);
        election.is_leader()
    }

    fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_ms(seconds * 1000);
    }

    fn lease(&mut self) -> Value {
        let request = candidate("").read();
        self.send(&request).unwrap().body
    }

    fn spec(&mut self, key: &str) -> Value {
        self.lease().at(&["spec", key]).cloned().unwrap_or_default()
    }
}

fn time(at: Timestamp) -> kro_apiserver::Timestamp {
    kro_apiserver::Timestamp::from_millisecond(at.as_ms()).unwrap()
}

fn candidate(identity: &str) -> Election {
    Election::new(LeaderElection::new("default", identity))
}

#[test]
fn one_leads_and_the_other_takes_over_when_the_lease_expires() {
    let mut world = World::new();
    let (mut a, mut b) = (candidate("a"), candidate("b"));
    assert!(world.try_once(&mut a));
    assert_eq!(world.spec("holderIdentity"), "a".into());
    assert_eq!(world.spec("leaseDurationSeconds"), 15.into());
    assert_eq!(world.spec("leaseTransitions"), 0.into());
    assert_eq!(world.spec("renewTime"), "2026-01-01T00:00:00.000000Z".into());
    // While the leader renews, nobody else leads, however long that goes on.
    for _ in 0..20 {
        world.pass(2);
        assert!(world.try_once(&mut a) && !world.try_once(&mut b));
    }
    assert_eq!(b.holder(), "a");
    assert_eq!(world.spec("acquireTime"), "2026-01-01T00:00:00.000000Z".into());
    // It stops: the other waits for the whole lease, counted from the last renewal it saw.
    world.pass(14);
    assert!(!world.try_once(&mut b));
    world.pass(1);
    assert!(world.try_once(&mut b));
    assert_eq!(world.spec("leaseTransitions"), 1.into());
    assert_eq!(world.spec("acquireTime"), "2026-01-01T00:00:55.000000Z".into());
    // The old leader learns it at its next renewal, and never writes over the new one.
    assert!(!world.try_once(&mut a));
    assert_eq!(world.spec("holderIdentity"), "b".into());
}

#[test]
fn a_leader_without_a_server_gives_up_before_others_may_take_over() {
    let mut world = World::new();
    let mut a = candidate("a");
    assert!(world.try_once(&mut a));
    world.is_cut_off = true;
    for _ in 0..4 {
        world.pass(2);
        assert!(world.try_once(&mut a));
    }
    assert_eq!(a.deadline(world.now), Some(Duration::from_secs(2)));
    world.pass(2);
    assert!(!world.try_once(&mut a));
    assert_eq!(a.deadline(world.now), None);
    // Its own lease still stands, so it may have it back.
    world.is_cut_off = false;
    assert!(world.try_once(&mut a));
}

#[test]
fn a_released_lease_is_taken_at_once() {
    let mut world = World::new();
    let (mut a, mut b) = (candidate("a"), candidate("b"));
    assert!(world.try_once(&mut a) && !world.try_once(&mut b));
    let release = a.release(world.now).unwrap();
    assert_eq!(world.send(&release).unwrap().status, 200);
    assert_eq!(world.spec("holderIdentity"), "".into());
    assert!(!a.is_leader() && a.release(world.now).is_none());
    assert!(world.try_once(&mut b));
}

#[test]
fn two_that_begin_together_do_not_both_lead() {
    let mut world = World::new();
    let (mut a, mut b) = (candidate("a"), candidate("b"));
    // Both see that there is no Lease, and both create it.
    let reads = [a.begin(world.now), b.begin(world.now)];
    let mut steps = reads.map(|step| match step {
        Step::Send(request) => (world.send(&request), request),
        other => panic!("{other:?}"),
    });
    let [(a_answer, a_request), (b_answer, b_request)] = &mut steps;
    let a_step = a.answered(a_request, a_answer.clone(), world.now);
    let b_step = b.answered(b_request, b_answer.clone(), world.now);
    for (election, mut step) in [(&mut a, a_step), (&mut b, b_step)] {
        while let Step::Send(request) = step {
            let answer = world.send(&request);
            step = election.answered(&request, answer, world.now);
        }
        assert_eq!(step, Step::Done);
    }
    assert!(a.is_leader() && !b.is_leader());
}

#[test]
fn a_deleted_lease_is_made_again() {
    let mut world = World::new();
    let mut a = candidate("a");
    assert!(world.try_once(&mut a));
    let delete = ApiRequest { verb: Verb::Delete, path: a.path(), query: Vec::new(), body: None };
    assert_eq!(world.send(&delete).unwrap().status, 200);
    assert!(world.try_once(&mut a));
    assert_eq!(world.spec("holderIdentity"), "a".into());
}

#[test]
fn a_refusal_is_told() {
    let mut a = candidate("a");
    let answer = ApiResponse { status: 403, body: Value::map([("message", "no".into())]), retry_after_s: None };
    let read = a.read();
    assert_eq!(a.answered(&read, Ok(answer), START), Step::Failed("status 403: no".to_owned()));
}
