//! A real kube-apiserver with garbage collection and namespaces, without workload controllers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use http::Request;
use http_body_util::BodyExt;
use kro_controller::{Client, ClientConfig, Controller, RequestRecord, Settings};
use kro_suite::{Answer, Cluster, Record};
use kro_value::{Value, from_json_bytes, to_json};
use kube_client::client::Body;
use kube_client::config::{KubeConfigOptions, Kubeconfig};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A control plane of its own, stopped when dropped.
pub struct ControlPlane {
    script: PathBuf,
    folder: PathBuf,
}

impl ControlPlane {
    pub fn start(shared: &Path) -> Self {
        let script = shared.join("realcluster/up");
        let stamp = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        let folder = std::env::temp_dir().join(format!("kro-suite-{}-{stamp}", std::process::id()));
        let controllers = "garbage-collector-controller,namespace-controller,serviceaccount-token-controller";
        let status = Command::new("bash")
            .arg(&script)
            .arg(&folder)
            .arg(format!("--controllers={controllers}"))
            .status()
            .expect("bash runs");
        assert!(status.success(), "the control plane did not start");
        let control_plane = Self { script, folder };
        control_plane.connect().install();
        control_plane
    }

    /// A client with a fresh controller.
    pub fn connect(&self) -> RealCluster {
        let runtime = Runtime::new().unwrap();
        let kubeconfig = Kubeconfig::read_from(self.folder.join("kubeconfig")).unwrap();
        let client = runtime.block_on(async {
            let config = ClientConfig::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            Client::try_from(config).unwrap()
        });
        RealCluster::new(runtime, client)
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

/// The control plane, and the controller on it.
pub struct RealCluster {
    runtime: Runtime,
    client: Client,
    controller: Option<Controller>,
    started: Instant,
    incoming: UnboundedReceiver<RequestRecord>,
    settings: Settings,
    records: Vec<Record>,
}

impl RealCluster {
    fn new(runtime: Runtime, client: Client) -> Self {
        let (requests, incoming) = unbounded_channel();
        let settings = Settings { requests: Some(requests), ..Settings::default() };
        let mut cluster = Self {
            runtime,
            client,
            controller: None,
            started: Instant::now(),
            incoming,
            settings,
            records: Vec::new(),
        };
        cluster.restart_controller();
        cluster
    }

    /// Creates kro's own CRDs, and waits until they are served.
    fn install(&mut self) {
        let base = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        for crd in kro_manager::custom_resource_definitions() {
            let answer = self.request("POST", base, "application/json", Some(&crd));
            assert!(matches!(answer.status, 201 | 409), "{}", answer.body);
        }
        let paths =
            ["/apis/kro.run/v1alpha1/resourcegraphdefinitions", "/apis/internal.kro.run/v1alpha1/graphrevisions"];
        for path in paths {
            let served = kro_suite::wait(self, 30_000, |cluster| cluster.request("GET", path, "", None).status == 200);
            assert_eq!(served, Ok(true), "{path}");
        }
    }

    fn drain(&mut self) {
        while let Ok(request) = self.incoming.try_recv() {
            self.records.push(Record { method: request.method, target: request.target, status: request.status });
        }
    }
}

impl Cluster for RealCluster {
    fn request(&mut self, method: &str, target: &str, content_type: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(target).header("User-Agent", "user");
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(to_json(body).into_bytes()));
        let request = request.body(body).unwrap();
        let client = self.client.clone();
        self.runtime.block_on(async move {
            let response = client.send(request).await.expect("the API server answers");
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.expect("the API server answers").to_bytes();
            Answer { status, body: from_json_bytes(&bytes).unwrap_or_default() }
        })
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap()
    }

    fn progress(&mut self, deadline_ms: i64) -> Result<bool, String> {
        if self.now_ms() >= deadline_ms {
            return Ok(false);
        }
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(10)).await });
        Ok(true)
    }

    fn restart_controller(&mut self) {
        self.controller = None;
        let _inside = self.runtime.enter();
        self.controller = Some(Controller::start(self.client.clone(), self.settings.clone()));
    }

    fn restart_controller_after(&mut self, requests: usize) -> Result<(), String> {
        let deadline = self.now_ms() + 60_000;
        while self.records().len() < requests {
            if !self.progress(deadline)? {
                return Err(format!("the controller never sent {requests} requests"));
            }
        }
        self.restart_controller();
        Ok(())
    }

    fn records(&mut self) -> Vec<Record> {
        self.drain();
        self.records.clone()
    }

    fn rest_ms(&self) -> i64 {
        4_000 // longer than any interval at which the Go implementation polls
    }
}
