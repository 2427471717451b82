//! What is asked of both servers.

use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::task::{JoinSet, LocalSet};

use crate::client::{connect, request};
use crate::control_plane::Endpoint;
use crate::process::{cpu_seconds, resident_mib};
use crate::raw::RawClient;

const CONNECTIONS: usize = 8;
const WATCHERS: usize = 100;
/// Objects that applies go round.
const APPLIED: usize = 100;
const LISTS: usize = 9;
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// How much is asked.
pub struct Size {
    objects: usize,
    applies: usize,
    updates: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self::of(10_000)
    }
}

impl Size {
    pub fn of(objects: usize) -> Self {
        Self { objects, applies: (objects / 2).max(APPLIED), updates: (objects / 20).max(20) }
    }
}

/// One row of the table.
pub struct Figure {
    pub name: String,
    figure: f64,
    unit: &'static str,
    more_is_better: bool,
    /// Microseconds of CPU time of the server for one; 0 when it was not measured.
    pub cpu: f64,
}

impl Figure {
    pub fn text(&self) -> String {
        format!("{:.*} {}", usize::from(self.figure < 100.0), self.figure, self.unit)
    }

    pub fn cpu_text(&self) -> String {
        if self.cpu > 0.0 { format!("{:.0} µs", self.cpu) } else { String::new() }
    }

    pub fn times_better_than(&self, other: &Self) -> f64 {
        if self.more_is_better { self.figure / other.figure } else { other.figure / self.figure }
    }
}

/// A server under load.
struct Subject<'a> {
    endpoint: Rc<Endpoint>,
    pids: &'a [u32],
}

pub fn measure(endpoint: &Endpoint, pids: &[u32], size: &Size) -> Vec<Figure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let subject = Subject { endpoint: Rc::new(endpoint.clone()), pids };
    LocalSet::new().block_on(&runtime, subject.measure(size))
}

impl Subject<'_> {
    async fn measure(&self, size: &Size) -> Vec<Figure> {
        let before = resident_mib(self.pids);
        let created = self.spread("creates", size.objects, create).await;
        let memory = Figure {
            name: format!("memory of {} objects", size.objects),
            figure: resident_mib(self.pids) - before,
            unit: "MiB",
            more_is_better: false,
            cpu: 0.0,
        };
        let applied = self.spread("applies that change", size.applies, apply).await;
        let same = self.spread("applies that change nothing", size.applies, apply_again).await;
        let listed = self.list(size.objects).await;
        let apart = self.fan_out(size.updates, b"http/1.1").await;
        let together = self.fan_out(size.updates, b"h2").await;
        vec![created, applied, same, listed, apart, together, memory]
    }

    /// Sends requests over some connections at once.
    async fn spread(&self, name: &str, count: usize, make: fn(usize) -> Sent) -> Figure {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(RawClient::new(connect(&self.endpoint.options(b"http/1.1")).await.unwrap()));
        }
        let (cpu, start) = (cpu_seconds(self.pids), Instant::now());
        let mut tasks = JoinSet::new();
        for (lane, mut client) in clients.into_iter().enumerate() {
            let endpoint = Rc::clone(&self.endpoint);
            tasks.spawn_local(async move {
                for index in (lane..count).step_by(CONNECTIONS) {
                    let (status, text) = client.ask(make(index).bytes(&endpoint).as_bytes()).await;
                    assert!(status < 300, "{}", String::from_utf8_lossy(text));
                }
            });
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap();
        }
        let time = start.elapsed().as_secs_f64();
        let cpu = (cpu_seconds(self.pids) - cpu) / count as f64 * 1e6;
        Figure { name: name.to_owned(), figure: count as f64 / time, unit: "/s", more_is_better: true, cpu }
    }

    /// The median of some whole lists.
    async fn list(&self, objects: usize) -> Figure {
        let mut client = self.endpoint.connect().await;
        let mut times = Vec::new();
        let cpu = cpu_seconds(self.pids);
        for _ in 0..LISTS {
            let start = Instant::now();
            let response = client.send(request("GET", MAPS, &self.endpoint.token, "")).await;
            assert_eq!(response.status(), 200);
            let mut body = response.into_body();
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                length += frame.unwrap().into_data().unwrap().len();
            }
            times.push(start.elapsed().as_secs_f64());
            assert!(length > objects * 200);
        }
        times.sort_unstable_by(f64::total_cmp);
        let cpu = (cpu_seconds(self.pids) - cpu) / LISTS as f64 * 1e6;
        let name = format!("list of {objects} objects");
        Figure { name, figure: times[LISTS / 2] * 1e3, unit: "ms", more_is_better: false, cpu }
    }

    /// From the first of some updates until every watcher has seen the last one. Over HTTP/2 all watches are on one
    /// connection, as client-go has them.
    async fn fan_out(&self, updates: usize, protocol: &'static [u8]) -> Figure {
        let is_shared = protocol == b"h2";
        let mut tasks = JoinSet::new();
        let ready = Rc::new(tokio::sync::Barrier::new(WATCHERS + 1));
        let mut shared = self.endpoint.connect_by(protocol).await;
        let target = format!("{MAPS}?watch=1&fieldSelector=metadata.name%3Dm1&resourceVersion=0");
        for _ in 0..WATCHERS {
            let ready = Rc::clone(&ready);
            // The first event is the object as it is.
            if is_shared {
                let response = shared.send(request("GET", &target, &self.endpoint.token, "")).await;
                tasks.spawn_local(async move { see(response.into_body(), updates + 1, &ready).await });
            } else {
                let mut stream = connect(&self.endpoint.options(protocol)).await.unwrap();
                let head = format!(
                    "GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
                    self.endpoint.token
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                tasks.spawn_local(async move { see_raw(stream, updates + 1, &ready).await });
            }
        }
        ready.wait().await;
        let mut client = self.endpoint.connect().await;
        let (cpu, start) = (cpu_seconds(self.pids), Instant::now());
        for index in 0..updates {
            let body = format!(r#"{{"data":{{"w":"{index}"}}}}"#);
            let sent = Sent { method: "PATCH", target: format!("{MAPS}/m1"), content_type: MERGE, body };
            let (status, text) = client.text(sent.request(&self.endpoint)).await;
            assert_eq!(status, 200, "{text}");
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap();
        }
        let (time, events) = (start.elapsed().as_secs_f64(), (updates * WATCHERS) as f64);
        let cpu = (cpu_seconds(self.pids) - cpu) / events * 1e6;
        let how = if is_shared { "on one HTTP/2 connection" } else { "each on its own connection" };
        let name = format!("events to {WATCHERS} watchers, {how}");
        Figure { name, figure: events / time, unit: "/s", more_is_better: true, cpu }
    }
}

/// Reads so many lines.
async fn see(mut body: hyper::body::Incoming, wanted: usize, ready: &tokio::sync::Barrier) {
    let mut seen = 0;
    while seen < wanted {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let is_first = seen == 0;
        seen += frame.iter().filter(|byte| **byte == b'\n').count();
        if is_first {
            ready.wait().await;
        }
    }
}

/// As [`see`], of a connection of its own, at the least cost: an event ends with a brace and a new line.
async fn see_raw(mut stream: impl AsyncRead + Unpin, wanted: usize, ready: &tokio::sync::Barrier) {
    let mut buffer = vec![0; 64 * 1024];
    let (mut seen, mut last) = (0, 0);
    while seen < wanted {
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the watch ended after {seen} of {wanted} events");
        let was = seen;
        for byte in &buffer[..length] {
            seen += usize::from(*byte == b'\n' && last == b'}');
            last = *byte;
        }
        if was == 0 && seen > 0 {
            ready.wait().await;
        }
    }
}

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

struct Sent {
    method: &'static str,
    target: String,
    content_type: &'static str,
    body: String,
}

impl Sent {
    fn bytes(&self, endpoint: &Endpoint) -> String {
        let Self { method, target, content_type, body } = self;
        format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nAccept: application/json\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            endpoint.token,
            body.len()
        )
    }

    fn request(self, endpoint: &Endpoint) -> Request<Full<Bytes>> {
        let mut request = request(self.method, &self.target, &endpoint.token, self.body);
        request.headers_mut().insert("content-type", http::HeaderValue::from_static(self.content_type));
        request
    }
}

fn create(index: usize) -> Sent {
    let data = "x".repeat(200);
    let body = format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"m{index}","labels":{{"l":"v"}}}},"data":{{"k":"{data}"}}}}"#
    );
    Sent { method: "POST", target: MAPS.to_owned(), content_type: JSON, body }
}

/// Every object is applied in turn, with another value each time.
fn apply(index: usize) -> Sent {
    applied(index % APPLIED, index)
}

fn apply_again(index: usize) -> Sent {
    applied(index % APPLIED + APPLIED, 0)
}

fn applied(object: usize, value: usize) -> Sent {
    let name = format!("m{object}");
    let body =
        format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}},"data":{{"a":"{value}"}}}}"#);
    Sent { method: "PATCH", target: format!("{MAPS}/{name}?fieldManager=f"), content_type: APPLY, body }
}
