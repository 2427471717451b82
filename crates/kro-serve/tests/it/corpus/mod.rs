//! The corpus: scripts of requests that a real kube-apiserver answered, replayed against the embedded API.
//!
//! `KRO_API_LIVE=check` asks a real server too and compares with what it says now; `KRO_API_LIVE=record` writes what it
//! says into `tests/api/recorded`. Both need `KRO_SHARED_DIR`. `KRO_API_ONLY=text` runs the scripts whose id has it.

mod answer;
mod embedded;
mod fuzz;
mod kinds;
mod real;
mod recording;
mod scoreboard;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use kro_value::Value;
use recording::Recording;
use script::Script;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

use crate::control_plane::ControlPlane;

/// Scripts that a real server answers at the same time: most of their time they wait.
const AT_ONCE: usize = 12;

type Answers = BTreeMap<String, Vec<Value>>;

#[test]
fn corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let only = std::env::var("KRO_API_ONLY").unwrap_or_default();
    let mut scripts = script::all(&root);
    assert!(scripts.len() >= 250, "only {} scripts", scripts.len());
    scripts.retain(|script| script.id.contains(&only));
    let ours: Answers = scripts.iter().map(|script| (script.id.clone(), embedded::run(script))).collect();
    let folder = root.join("tests/api");
    let recorded = match std::env::var("KRO_API_LIVE").as_deref() {
        Ok(mode) => live(mode, scripts, &ours, &folder),
        Err(_) => Recording::read(&folder).answers,
    };
    scoreboard::judge(&folder, &ours, &recorded, only.is_empty());
}

/// The answers of a real server.
fn live(mode: &str, scripts: Vec<Script>, ours: &Answers, folder: &Path) -> Answers {
    let shared = PathBuf::from(std::env::var("KRO_SHARED_DIR").expect("KRO_SHARED_DIR"));
    let control_plane = Rc::new(ControlPlane::start(&shared));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let files: BTreeMap<String, String> =
        scripts.iter().map(|script| (script.id.clone(), script.file.clone())).collect();
    let answers = LocalSet::new().block_on(&runtime, ask(control_plane, scripts, ours.clone()));
    let mut recording = Recording::read(folder);
    if mode == "record" {
        recording.replace(&files, &answers);
        recording.write(folder);
    } else {
        let changed: Vec<_> = answers.iter().filter(|(id, found)| recording.answers.get(*id) != Some(*found)).collect();
        eprintln!("{} of {} scripts are answered otherwise than recorded", changed.len(), answers.len());
        for (id, found) in changed {
            scoreboard::tell(id, found, recording.answers.get(id).map_or(&[], Vec::as_slice));
        }
    }
    answers
}

async fn ask(control_plane: Rc<ControlPlane>, scripts: Vec<Script>, ours: Answers) -> Answers {
    let permits = Rc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for script in scripts {
        let (control_plane, permits) = (Rc::clone(&control_plane), Rc::clone(&permits));
        let expected = ours[&script.id].clone();
        tasks.spawn_local(async move {
            let _permit = permits.acquire().await.unwrap();
            let answers = real::run(&control_plane, &script, &expected).await;
            (script.id.clone(), answers)
        });
    }
    let mut answers = Answers::new();
    while let Some(result) = tasks.join_next().await {
        let (id, found) = result.unwrap();
        answers.insert(id, found);
    }
    answers
}
