//! Called as `kube-apiserver` or `etcd`, this program stands in for them: enough for envtest, whose suites then run on the
//! embedded API unchanged. The etcd only says that it is well: the API server keeps everything itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kro_apiserver::{ApiServer, Authorization, Config, Profile};
use kro_serve::tls::{Authority, Certificates};
use kro_serve::{Clock, Server, Tokens};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::error::CliError;
use crate::signal;

/// Runs as another program, if that is the name it was called by.
pub fn stand_in(arguments: &[OsString]) -> Option<Result<ExitCode, CliError>> {
    let name = Path::new(arguments.first()?).file_stem()?.to_str()?;
    let flags = Flags::parse(arguments.get(1..)?);
    match name {
        "kube-apiserver" => Some(flags.greet(API_SERVER_FLAGS).unwrap_or_else(|| crate::start(serve(flags)))),
        "etcd" => Some(flags.greet(ETCD_FLAGS).unwrap_or_else(|| crate::start(hold(flags)))),
        _ => None,
    }
}

/// What is understood; all other flags are taken and mean nothing.
const API_SERVER_FLAGS: &[&str] = &[
    "authorization-mode",
    "bind-address",
    "cert-dir",
    "client-ca-file",
    "secure-port",
    "tls-cert-file",
    "tls-private-key-file",
];
const ETCD_FLAGS: &[&str] = &["listen-client-urls"];

struct Flags {
    values: BTreeMap<String, String>,
}

impl Flags {
    /// `--name=value`, `--name value` and `--name`.
    fn parse(arguments: &[OsString]) -> Self {
        let mut values = BTreeMap::new();
        let mut texts = arguments.iter().filter_map(|argument| argument.to_str()).peekable();
        while let Some(text) = texts.next() {
            let Some(name) = text.strip_prefix('-').map(|rest| rest.trim_start_matches('-')) else { continue };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, value),
                None => (name, texts.next_if(|next| !next.starts_with('-')).unwrap_or("true")),
            };
            values.insert(name.to_owned(), value.to_owned());
        }
        Self { values }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Answers `--help` and `--version`.
    fn greet(&self, known: &[&str]) -> Option<Result<ExitCode, CliError>> {
        if self.values.contains_key("version") {
            anstream::println!("Kubernetes v1.36.3+kro");
            return Some(Ok(ExitCode::SUCCESS));
        }
        if self.values.contains_key("help") || self.values.contains_key("h") {
            anstream::println!("kro stands in for this program. It knows:\n");
            known.iter().for_each(|name| anstream::println!("      --{name} string"));
            return Some(Ok(ExitCode::SUCCESS));
        }
        None
    }
}

async fn serve(flags: Flags) -> Result<ExitCode, CliError> {
    let now = Clock::System.now();
    let uses_rbac = flags.get("authorization-mode").is_none_or(|modes| modes.contains("RBAC"));
    let config = Config {
        profile: Profile::Bare,
        authorization: if uses_rbac { Authorization::Rbac } else { Authorization::AllowAll },
        seed: crate::seed(),
        ..Config::default()
    };
    let server = Server::new(ApiServer::new(config, now), Clock::System);
    let port = flags.get("secure-port").and_then(|port| port.parse().ok()).unwrap_or(6443);
    let host = flags.get("bind-address").filter(|host| *host != "0.0.0.0").unwrap_or("127.0.0.1");
    let address = SocketAddr::new(host.parse().map_err(|_| CliError::NothingNamed)?, port);
    let listener = server.listen_as(address, &certificates(&flags)?, Tokens::new()).await?;
    signal::wait().await;
    listener.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// Those that the flags name; else those in the folder of certificates, which are made when they are missing.
fn certificates(flags: &Flags) -> Result<Certificates, CliError> {
    let folder = PathBuf::from(flags.get("cert-dir").unwrap_or("."));
    let named = |flag: &str, name: &str| flags.get(flag).map_or_else(|| folder.join(name), PathBuf::from);
    let (certificate, key) = (named("tls-cert-file", "apiserver.crt"), named("tls-private-key-file", "apiserver.key"));
    if !certificate.exists() {
        let authority = Authority::generate().map_err(kro_serve::ListenError::from)?;
        let loopback = [[127, 0, 0, 1].into()];
        let pair = authority.serving(&["localhost"], &loopback).map_err(kro_serve::ListenError::from)?;
        write(&certificate, &(pair.certificate_pem() + &authority.certificate_pem()))?;
        write(&key, &pair.key_pem())?;
    }
    let clients = flags.get("client-ca-file").map(|path| read(Path::new(path))).transpose()?;
    Ok(Certificates { serving: read(&certificate)?, key: read(&key)?, clients: clients.unwrap_or_default() })
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|cause| CliError::Read { path: path.to_owned(), cause })
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    crate::replace::write_private(path, text).map_err(|cause| CliError::Write { path: path.to_owned(), cause })
}

/// An etcd that is well, and nothing else.
async fn hold(flags: Flags) -> Result<ExitCode, CliError> {
    let urls = flags.get("listen-client-urls").unwrap_or("http://127.0.0.1:2379");
    let host = urls.split(',').next().unwrap_or_default().trim_start_matches("http://").trim_end_matches('/');
    let socket = TcpListener::bind(host).await.map_err(CliError::Runtime)?;
    let interrupted = signal::wait();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            () = &mut interrupted => return Ok(ExitCode::SUCCESS),
            accepted = socket.accept() => if let Ok((stream, _)) = accepted {
                drop(tokio::spawn(answer(stream)));
            }
        }
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; 1024];
    let _ = stream.read(&mut request).await?;
    let body = "{\"health\":\"true\",\"reason\":\"\"}";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let arguments: Vec<OsString> =
            ["--cert-dir=/c", "-secure-port", "1", "--allow-privileged", "--x=", "rest"].map(OsString::from).into();
        let flags = Flags::parse(&arguments);
        assert_eq!((flags.get("cert-dir"), flags.get("secure-port")), (Some("/c"), Some("1")));
        assert_eq!((flags.get("allow-privileged"), flags.get("x"), flags.get("none")), (Some("true"), None, None));
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in ["kro", "/usr/bin/kro", "kubectl"] {
            assert!(stand_in(&[OsString::from(name)]).is_none(), "{name}");
        }
        let help = [OsString::from("/x/kube-apiserver"), OsString::from("--help")];
        assert!(matches!(stand_in(&help), Some(Ok(_))));
    }
}
