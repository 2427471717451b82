//! The embedded API in a process of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use kro_apiserver::{ApiServer, Authorization, Config, Profile};
use kro_serve::{Clock, Server};

use crate::control_plane::Endpoint;

/// This program once more, as a server; stopped when dropped.
pub struct Embedded {
    child: Child,
    pub endpoint: Endpoint,
}

impl Embedded {
    pub fn start() -> Self {
        let path = std::env::temp_dir().join(format!("kro-bench-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let child = Command::new(std::env::current_exe().unwrap()).arg("--serve").arg(&path).spawn().unwrap();
        while !path.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let endpoint = Endpoint::of_kubeconfig(&std::fs::read_to_string(&path).unwrap());
        let _ = std::fs::remove_file(&path);
        Self { child, endpoint }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until it is killed, as `kro apiserver --profile bare` does.
pub fn serve(kubeconfig: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let now = Clock::System.now();
        let config = Config { profile: Profile::Bare, authorization: Authorization::Rbac, ..Config::default() };
        let server = Server::new(ApiServer::new(config, now), Clock::System);
        let listener = server.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let temporary = kubeconfig.with_extension("new");
        std::fs::write(&temporary, listener.kubeconfig()).unwrap();
        std::fs::rename(temporary, kubeconfig).unwrap();
        std::future::pending::<()>().await;
    });
}
