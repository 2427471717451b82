//! All scenarios on real API servers, side by side.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use kro_controller::{Client, ClientConfig};
use kro_suite::{Scenario, load_one};
use kube_client::config::{KubeConfigOptions, Kubeconfig};
use tokio::runtime::Runtime;

use crate::real_cluster::{Process, RealCluster};
use crate::{folder, judge, names_of};

/// How many scenarios are played side by side under one controller.
const SIDE_BY_SIDE: usize = 16;

/// Plays all: those that need a controller of their own one after another on one control plane, and the others side by
/// side on another, each in a namespace of its own. Returns the failures.
pub fn play(shared: &Path, scenarios: &[Scenario]) -> Vec<String> {
    let (exclusive, common): (Vec<&Scenario>, Vec<&Scenario>) =
        scenarios.iter().partition(|scenario| scenario.is_exclusive());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| play_exclusive(shared, &exclusive, &failures));
        play_common(shared, &common, &failures);
    });
    failures.into_inner().unwrap()
}

fn play_exclusive(shared: &Path, scenarios: &[&Scenario], failures: &Mutex<Vec<String>>) {
    if scenarios.is_empty() {
        return;
    }
    let control_plane = ControlPlane::start(shared);
    for scenario in scenarios {
        let process = Arc::new(Process::new(control_plane.runtime.clone(), control_plane.client.clone()));
        // The garbage collector may still be busy with the one before.
        let mut cluster = RealCluster::new(process, "default", names_of(scenario)).exclusive();
        let failure = judge("real", scenario, &mut cluster).err();
        failures.lock().unwrap().extend(failure);
    }
}

fn play_common(shared: &Path, scenarios: &[&Scenario], failures: &Mutex<Vec<String>>) {
    if scenarios.is_empty() {
        return;
    }
    let control_plane = ControlPlane::start(shared);
    let process = Arc::new(Process::new(control_plane.runtime.clone(), control_plane.client.clone()));
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(at) else { return };
                    let namespace = format!("scenario-{at}");
                    let scenario = load_one(&folder(), &scenario.name, &namespace);
                    let names = names_of(&scenario);
                    let mut cluster = RealCluster::new(process.clone(), &namespace, names);
                    cluster.create_namespace();
                    let failure = judge("real", &scenario, &mut cluster).err();
                    failures.lock().unwrap().extend(failure);
                }
            });
        }
    });
}

/// A control plane of its own, stopped when dropped.
struct ControlPlane {
    script: PathBuf,
    folder: PathBuf,
    runtime: Arc<Runtime>,
    client: Client,
}

impl ControlPlane {
    fn start(shared: &Path) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let script = shared.join("realcluster/up");
        let stamp = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("kro-suite-{}-{stamp}-{number}", std::process::id()));
        let controllers = "garbage-collector-controller,namespace-controller,serviceaccount-token-controller";
        let status = Command::new("bash")
            .arg(&script)
            .arg(&folder)
            .arg(format!("--controllers={controllers}"))
            .status()
            .expect("bash runs");
        assert!(status.success(), "the control plane did not start");
        let runtime = Arc::new(Runtime::new().unwrap());
        let kubeconfig = Kubeconfig::read_from(folder.join("kubeconfig")).unwrap();
        let client = runtime.block_on(async {
            let config = ClientConfig::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            Client::try_from(config).unwrap()
        });
        let control_plane = Self { script, folder, runtime, client };
        RealCluster::install(control_plane.runtime.clone(), control_plane.client.clone());
        control_plane
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // The script does what its name says, and `down` is a link to it.
        let down = self.folder.join("down");
        let _ = std::os::unix::fs::symlink(&self.script, &down);
        let _ = Command::new("bash").arg(&down).arg(&self.folder).status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
