//! The embedded API and a real kube-apiserver, one after the other on this machine, driven by the same client over TLS.
//!
//! `KRO_API_BENCH=PATH-OF-KRO KRO_SHARED_DIR=... cargo test --release -p kro-serve benchmark -- --nocapture`, with a kro
//! built for release.

use std::process::{Child, Command};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use kro_value::Value;
use tokio::task::{JoinSet, LocalSet};

use super::real::{ControlPlane, Endpoint};
use crate::client::Client;

const OBJECTS: usize = 10_000;
const APPLIES: usize = 2_000;
const CONNECTIONS: usize = 8;
const WATCHERS: usize = 100;
const UPDATES: usize = 100;
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn benchmark() {
    let Ok(program) = std::env::var("KRO_API_BENCH") else {
        eprintln!("SKIPPED: benchmark against a real API server: KRO_API_BENCH is not set");
        return;
    };
    let shared = std::env::var("KRO_SHARED_DIR").expect("KRO_SHARED_DIR");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ours = {
        let embedded = Embedded::start(&program);
        LocalSet::new().block_on(&runtime, measure(&embedded.endpoint, &[embedded.child.id()]))
    };
    let theirs = {
        let real = ControlPlane::start(shared.as_ref());
        LocalSet::new().block_on(&runtime, measure(&real.endpoint(), &real.pids()))
    };
    println!("| | kro | kube-apiserver with etcd | ratio |\n|---|---|---|---|");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let ratio = if ours.more_is_better { ours.figure / theirs.figure } else { theirs.figure / ours.figure };
        println!(
            "| {} | {:.1} {} | {:.1} {} | {ratio:.1} |",
            ours.name, ours.figure, ours.unit, theirs.figure, ours.unit
        );
    }
}

struct Figure {
    name: &'static str,
    figure: f64,
    unit: &'static str,
    more_is_better: bool,
}

/// `kro apiserver`, stopped when dropped.
struct Embedded {
    child: Child,
    endpoint: Endpoint,
}

impl Embedded {
    fn start(program: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kro-bench-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let mut command = Command::new(program);
        command.args(["apiserver", "--profile", "bare", "--write-kubeconfig"]).arg(&path);
        let child = command.spawn().expect("kro starts");
        while !path.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let endpoint = Endpoint::of_kubeconfig(&std::fs::read_to_string(&path).unwrap());
        let _ = std::fs::remove_file(&path);
        Self { child, endpoint }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn measure(endpoint: &Endpoint, pids: &[u32]) -> Vec<Figure> {
    let endpoint = Rc::new(endpoint.clone());
    let before = resident_mib(pids);
    let rate = |name, count: usize, time: Duration| Figure {
        name,
        figure: count as f64 / time.as_secs_f64(),
        unit: "/s",
        more_is_better: true,
    };
    let created = spread(&endpoint, OBJECTS, |index| {
        let data = "x".repeat(200);
        let body = format!(r#"{{"metadata":{{"name":"m{index}","labels":{{"l":"v"}}}},"data":{{"k":"{data}"}}}}"#);
        ("POST", MAPS.to_owned(), "application/json", body)
    })
    .await;
    let memory = resident_mib(pids) - before;
    let applied = spread(&endpoint, APPLIES, |index| {
        let body = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"m{}"}},"data":{{"a":"{index}"}}}}"#,
            index % 100
        );
        ("PATCH", format!("{MAPS}/m{}?fieldManager=f", index % 100), "application/apply-patch+yaml", body)
    })
    .await;
    let listed = list(&endpoint).await;
    let watched = fan_out(&endpoint).await;
    let ms =
        |name, time: Duration| Figure { name, figure: time.as_secs_f64() * 1e3, unit: "ms", more_is_better: false };
    vec![
        rate("creates", OBJECTS, created),
        rate("applies that change", APPLIES, applied),
        ms("list of 10,000 objects", listed),
        rate("events to 100 watchers", UPDATES * WATCHERS, watched),
        Figure { name: "memory of 10,000 objects", figure: memory, unit: "MiB", more_is_better: false },
    ]
}

/// Sends requests over some connections at once.
async fn spread(
    endpoint: &Rc<Endpoint>,
    count: usize,
    make: impl Fn(usize) -> (&'static str, String, &'static str, String) + Copy + 'static,
) -> Duration {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(endpoint.connect().await);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (lane, mut client) in clients.into_iter().enumerate() {
        let endpoint = Rc::clone(endpoint);
        tasks.spawn_local(async move {
            for index in (lane..count).step_by(CONNECTIONS) {
                let (method, target, content_type, body) = make(index);
                let (status, text) = send(&endpoint, &mut client, method, &target, content_type, body).await;
                assert!(status < 300, "{status} {text}");
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    start.elapsed()
}

async fn send(
    endpoint: &Endpoint,
    client: &mut Client,
    method: &str,
    target: &str,
    content_type: &str,
    body: String,
) -> (u16, String) {
    client.text(request(endpoint, method, target, content_type, body)).await
}

fn request(endpoint: &Endpoint, method: &str, target: &str, content_type: &str, body: String) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(target).header("Host", "localhost");
    let builder = builder.header("Authorization", format!("Bearer {}", endpoint.token));
    builder.header("Content-Type", content_type).body(Full::new(Bytes::from(body))).unwrap()
}

/// The median of some whole lists.
async fn list(endpoint: &Endpoint) -> Duration {
    let mut client = endpoint.connect().await;
    let mut times = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        let (status, text) = send(endpoint, &mut client, "GET", MAPS, "application/json", String::new()).await;
        times.push(start.elapsed());
        assert!(status == 200 && text.len() > OBJECTS * 200);
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// From the first of some updates until every watcher has seen the last one.
async fn fan_out(endpoint: &Rc<Endpoint>) -> Duration {
    let target = format!("{MAPS}?watch=1&fieldSelector=metadata.name%3Dm1&resourceVersion=0");
    let mut tasks = JoinSet::new();
    let ready = Rc::new(tokio::sync::Barrier::new(WATCHERS + 1));
    for _ in 0..WATCHERS {
        let mut client = endpoint.connect().await;
        let response = client.send(request(endpoint, "GET", &target, "application/json", String::new())).await;
        let ready = Rc::clone(&ready);
        tasks.spawn_local(async move {
            let _client = client; // keeps the connection
            let mut body = response.into_body();
            let mut seen = 0;
            // The first event is the object as it is.
            while seen < UPDATES + 1 {
                let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
                let was = seen;
                seen += frame.iter().filter(|byte| **byte == b'\n').count();
                if was == 0 {
                    ready.wait().await;
                }
            }
        });
    }
    ready.wait().await;
    let mut client = endpoint.connect().await;
    let start = Instant::now();
    for index in 0..UPDATES {
        let body = format!(r#"{{"data":{{"w":"{index}"}}}}"#);
        let target = format!("{MAPS}/m1");
        let (status, text) = send(endpoint, &mut client, "PATCH", &target, "application/merge-patch+json", body).await;
        assert_eq!(status, 200, "{text}");
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    start.elapsed()
}

/// The memory of processes together.
fn resident_mib(pids: &[u32]) -> f64 {
    let of = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default().to_owned();
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
    };
    pids.iter().map(of).sum()
}

#[test]
fn kubeconfigs_name_their_endpoint() {
    let text = "clusters: [{cluster: {server: 'https://127.0.0.1:7', certificate-authority-data: eA==}}]\nusers: [{user: {token: t}}]\n";
    let endpoint = Endpoint::of_kubeconfig(text);
    assert_eq!((endpoint.address.port(), endpoint.token.as_str(), endpoint.authority_pem.as_str()), (7, "t", "x"));
    let _ = Value::Null;
}
