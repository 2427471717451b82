//! The cluster of `kro dev`: the embedded API, its listener and the controller, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kro_apiserver::{Bytes, Method, Request, Response, User};
use kro_controller::{Client, Controller, Settings};
use kro_serve::{Listener, Server, Tokens};
use kro_value::{Value, from_json_bytes, to_json};

use crate::apiserver::Setup;
use crate::error::CliError;

/// How long answers are waited for at the end.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// A running cluster; it ends with this value.
pub struct Cluster {
    server: Server,
    listener: Listener,
    controller: Controller,
    kubeconfig: KubeconfigFile,
}

/// The answer to a request.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the server says about a failure.
    pub fn message(&self) -> String {
        self.body.str_at(&["message"]).map_or_else(|| format!("HTTP status {}", self.status), str::to_owned)
    }
}

impl Cluster {
    /// Starts everything; kro's own kinds are served when this returns.
    pub async fn start(setup: &Setup<'_>, port: u16, kubeconfig: Option<&Path>) -> Result<Self, CliError> {
        let (server, identity) = setup.server()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = server.listen_by(address, Tokens::new(), identity).await?;
        let kubeconfig = KubeconfigFile::write(kubeconfig, setup.data, &listener.kubeconfig())?;
        let client = Client::new(server.in_process(User::admin()), "default");
        kro_controller::install(&client, &kro_manager::custom_resource_definitions()).await?;
        let manager =
            kro_manager::Config { version: crate::version(), seed: crate::seed(), ..kro_manager::Config::default() };
        let controller = Controller::start(client, Settings { manager, ..Settings::default() });
        Ok(Self { server, listener, controller, kubeconfig })
    }

    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig.path
    }

    /// Sends a request as the administrator.
    pub fn request(&self, method: Method, target: &str, body: Option<(&str, &Value)>) -> Answer {
        let mut request = Request::new(method, target).with_header("User-Agent", "kro-dev");
        if let Some((content_type, body)) = body {
            request = request.with_body(content_type, Bytes::from(to_json(body)));
        }
        let response: Response = self.server.handle(&request);
        Answer { status: response.status, body: from_json_bytes(response.bytes()).unwrap_or_default() }
    }

    /// Ends in order: the controller first, then its API.
    pub async fn shut_down(self) {
        let Self { controller, listener, .. } = self;
        controller.shut_down(SHUTDOWN_MAX).await;
        listener.shutdown().await;
    }
}

/// A file with secrets that only its owner may read. One that was not asked for goes when this value does.
struct KubeconfigFile {
    path: PathBuf,
    temporary: Option<PathBuf>,
}

impl KubeconfigFile {
    /// Where it is wanted; else with what is kept of the cluster; else in a folder of its own.
    fn write(wanted: Option<&Path>, data: Option<&Path>, text: &str) -> Result<Self, CliError> {
        let (path, temporary) = match (wanted, data) {
            (Some(path), _) => (path.to_owned(), None),
            (None, Some(folder)) => (folder.join("kubeconfig"), None),
            (None, None) => {
                let folder = std::env::temp_dir().join(format!("kro-dev-{}", std::process::id()));
                let made = std::fs::create_dir_all(&folder);
                made.map_err(|cause| CliError::Write { path: folder.clone(), cause })?;
                (folder.join("kubeconfig"), Some(folder))
            }
        };
        let written = crate::replace::write_private(&path, text);
        written.map_err(|cause| CliError::Write { path: path.clone(), cause })?;
        Ok(Self { path, temporary })
    }
}

impl Drop for KubeconfigFile {
    fn drop(&mut self) {
        if let Some(folder) = &self.temporary {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
