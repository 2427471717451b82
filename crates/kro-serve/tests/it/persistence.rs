//! A server that is killed at any moment loses nothing that it answered.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use kro_apiserver::{ApiServer, Config, Method, Request, User};
use kro_serve::{Clock, Database, Server};
use tower_service::Service as _;

const FOLDER: &str = "KRO_TEST_DATA";
const ROUNDS: u64 = 8;
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn open(folder: &Path) -> (ApiServer, Database) {
    let (database, records) = Database::open(folder).unwrap();
    let now = Clock::System.now();
    let config = Config { seed: u64::try_from(now.as_nanosecond() & 0xffff_ffff).unwrap(), ..Config::default() };
    (ApiServer::restore(config, &records, now), database)
}

/// Not a test by itself: the process that is killed. It writes as fast as it can and prints what was answered.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (api, database) = open(Path::new(&folder));
        let server = Server::with_journal(api, Clock::System, database);
        let mut client = server.in_process(User::admin());
        for _ in 0.. {
            let body = http_body_util::Full::new(bytes::Bytes::from(r#"{"metadata":{"generateName":"m-"}}"#));
            let request = http::Request::builder().method("POST").uri(MAPS).header("Content-Type", "application/json");
            let response = client.call(request.body(body).unwrap()).await.unwrap();
            assert_eq!(response.status(), 201);
            let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
            let object = kro_value::from_json_bytes(&body).unwrap();
            println!("made {}", object.str_at(&["metadata", "name"]).unwrap());
        }
    });
}

#[test]
fn a_kill_loses_nothing_that_was_answered() {
    let folder = std::env::temp_dir().join(format!("kro-kill-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let mut answered = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "persistence::child", "--nocapture"])
            .env(FOLDER, &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after some answers: at a moment that has nothing to do with what is being written.
        let wanted = answered.len() + usize::try_from(3 + round * 5).unwrap();
        while answered.len() < wanted {
            let line = lines.next().expect("the child writes").unwrap();
            answered.extend(line.split("made ").nth(1).map(str::to_owned));
        }
        std::thread::sleep(Duration::from_micros(700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        // What was printed before the end counts too.
        answered.extend(lines.map_while(Result::ok).filter_map(|line| line.split("made ").nth(1).map(str::to_owned)));
    }
    let (mut api, _database) = open(&folder);
    let answer = api.handle(&Request::new(Method::Get, MAPS), Clock::System.now());
    let list = kro_value::from_json_bytes(answer.bytes()).unwrap();
    let items = list.get("items").and_then(kro_value::Value::as_list).unwrap();
    let names: std::collections::BTreeSet<&str> =
        items.iter().filter_map(|item| item.str_at(&["metadata", "name"])).collect();
    let lost: Vec<&String> = answered.iter().filter(|name| !names.contains(name.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), answered.len());
    assert!(names.len() < answered.len() + 2 * usize::try_from(ROUNDS).unwrap(), "more than what was under way");
    std::fs::remove_dir_all(&folder).unwrap();
}
