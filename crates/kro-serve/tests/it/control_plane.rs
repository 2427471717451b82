//! A real kube-apiserver with its etcd, as processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use kro_value::Value;

use crate::client::{Client, Options};

/// A control plane without controllers, stopped when dropped.
pub struct ControlPlane {
    script: PathBuf,
    folder: PathBuf,
    endpoint: Endpoint,
}

/// Where an API server is, and how to be its administrator.
#[derive(Clone)]
pub struct Endpoint {
    pub address: SocketAddr,
    pub authority_pem: String,
    pub token: String,
}

impl Endpoint {
    pub fn of_kubeconfig(text: &str) -> Self {
        let config = kro_yaml::parse(text, kro_diagnostics::FileId(0)).values().remove(0);
        let first = |list: &str| config.get(list).and_then(Value::as_list).unwrap()[0].clone();
        let (cluster, user) = (first("clusters"), first("users"));
        let server = cluster.str_at(&["cluster", "server"]).unwrap();
        let authority = cluster.str_at(&["cluster", "certificate-authority-data"]).unwrap();
        let authority = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, authority).unwrap();
        Self {
            address: server.trim_start_matches("https://").parse().unwrap(),
            authority_pem: String::from_utf8(authority).unwrap(),
            token: user.str_at(&["user", "token"]).unwrap().to_owned(),
        }
    }

    pub async fn connect(&self) -> Client {
        self.connect_by(b"http/1.1").await
    }

    pub async fn connect_by(&self, protocol: &'static [u8]) -> Client {
        Client::connect(self.options(protocol)).await
    }

    pub fn options(&self, protocol: &'static [u8]) -> Options<'static> {
        Options { address: self.address, authority_pem: self.authority_pem.clone(), protocol, certificate: None }
    }
}

impl ControlPlane {
    pub fn start(shared: &Path) -> Self {
        let script = shared.join("realcluster/up");
        let folder = std::env::temp_dir().join(format!("kro-real-{}", std::process::id()));
        let status = Command::new("bash")
            .arg(&script)
            .arg(&folder)
            .args(["--controllers=", "--", "--disable-admission-plugins=ServiceAccount"])
            .status()
            .expect("bash runs");
        assert!(status.success(), "the control plane did not start");
        let text = std::fs::read_to_string(folder.join("kubeconfig")).unwrap();
        Self { script, folder, endpoint: Endpoint::of_kubeconfig(&text) }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The processes of the control plane.
    #[allow(dead_code)] // the benchmark asks
    pub fn pids(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(self.folder.join("pids")).unwrap();
        text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
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

#[test]
fn kubeconfigs_name_their_endpoint() {
    let text = "clusters: [{cluster: {server: 'https://127.0.0.1:7', certificate-authority-data: eA==}}]\nusers: [{user: {token: t}}]\n";
    let endpoint = Endpoint::of_kubeconfig(text);
    assert_eq!((endpoint.address.port(), endpoint.token.as_str(), endpoint.authority_pem.as_str()), (7, "t", "x"));
}
