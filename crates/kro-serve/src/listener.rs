//! The listener: TLS with HTTP/1.1 and HTTP/2 for kubectl and every other client outside of this process.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use kro_apiserver::User;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::server::TlsStream;

use crate::authentication::{self, Tokens};
use crate::identity::Identity;
use crate::kubeconfig::Kubeconfig;
use crate::server::Place;
use crate::service::answer;
use crate::tls::{CertificateError, Certificates, KeyedCertificate};
use crate::{Server, status};

/// The name and the group of the administrator whom a listener makes.
const ADMIN: (&str, &str) = ("kro-admin", "system:masters");
/// Streams of one HTTP/2 connection: client-go puts all its watches on one.
const STREAMS_MAX: u32 = 1000;
/// A client that has not finished its handshake by then is dropped.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections that are still busy this long after the shutdown began are cut.
const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

/// A listener could not start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// Keys or certificates could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// What is kept of the server's identity cannot be read or written.
    #[error("cannot use {path}: {cause}")]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// The system gave no randomness for the token.
    #[error("the system gives no randomness")]
    Randomness,
}

/// A running listener. Dropping it stops accepting at once and leaves open connections to end by themselves.
pub struct Listener {
    address: SocketAddr,
    identity: Identity,
    admin: KeyedCertificate,
    server: Server,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens with TLS: a fresh authority, a serving certificate for the loopback names, an administrator with a client
    /// certificate and a random bearer token. Use a loopback address; port 0 picks a free one.
    ///
    /// # Errors
    /// When the address is taken or not allowed, or no keys can be made.
    pub async fn listen(&self, address: SocketAddr) -> Result<Listener, ListenError> {
        self.listen_with(address, Tokens::new()).await
    }

    /// As [`listen`](Self::listen), for these users too.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub async fn listen_with(&self, address: SocketAddr, tokens: Tokens) -> Result<Listener, ListenError> {
        self.listen_by(address, tokens, Identity::generate()?).await
    }

    /// As [`listen_with`](Self::listen_with), with an identity that was made before. Port 0 picks the one that it had
    /// last, if that is free.
    ///
    /// # Errors
    /// As [`listen`](Self::listen), and when the identity cannot be kept.
    pub async fn listen_by(
        &self,
        address: SocketAddr,
        tokens: Tokens,
        mut identity: Identity,
    ) -> Result<Listener, ListenError> {
        let authority = &identity.authority;
        let serving =
            authority.serving(&["localhost", "kubernetes.default.svc", "kubernetes"], &loopback(address.ip()))?;
        let tls = TlsAcceptor::from(Arc::new(authority.server_config(&serving)?));
        let admin = authority.client(ADMIN.0, ADMIN.1)?;
        let tokens = tokens.with(identity.token.as_str(), User::in_groups(ADMIN.0, &[ADMIN.1]));
        let socket = bind(address, identity.port).await.map_err(|cause| ListenError::Bind { address, cause })?;
        let address = socket.local_addr().map_err(|cause| ListenError::Bind { address, cause })?;
        identity.remember_port(address.port())?;
        let key = identity.token_key.clone();
        self.with_api(|api, _| api.set_token_key(key.into_bytes()));
        let (stop, stopped) = oneshot::channel();
        let connections = Connections { server: self.clone(), tokens: Arc::new(tokens), tls };
        let task = tokio::spawn(connections.accept(socket, stopped));
        Ok(Listener { address, identity, admin, server: self.clone(), stop, task })
    }
}

/// Binds the port that is asked for; when any will do, the earlier one if it is free.
async fn bind(address: SocketAddr, earlier: Option<u16>) -> io::Result<TcpListener> {
    if let Some(port) = earlier.filter(|_| address.port() == 0)
        && let Ok(socket) = TcpListener::bind(SocketAddr::new(address.ip(), port)).await
    {
        return Ok(socket);
    }
    TcpListener::bind(address).await
}

/// A listener whose certificates come from elsewhere.
pub struct PlainListener {
    address: SocketAddr,
    server: Server,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl PlainListener {
    /// Where it listens, with the port that was picked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops as [`Listener::shutdown`] does.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        self.server.end_watches();
        let _ = self.task.await;
    }
}

impl Server {
    /// Listens with certificates that somebody else made; clients prove who they are by certificates of the authority
    /// that `tls` names, or by these tokens.
    ///
    /// # Errors
    /// When the address is taken, or the certificates are of no use.
    pub async fn listen_as(
        &self,
        address: SocketAddr,
        tls: &Certificates,
        tokens: Tokens,
    ) -> Result<PlainListener, ListenError> {
        let tls = TlsAcceptor::from(Arc::new(tls.server_config()?));
        let key = random_token()?;
        self.with_api(|api, _| api.set_token_key(key.into_bytes()));
        let socket = TcpListener::bind(address).await.map_err(|cause| ListenError::Bind { address, cause })?;
        let address = socket.local_addr().map_err(|cause| ListenError::Bind { address, cause })?;
        let (stop, stopped) = oneshot::channel();
        let connections = Connections { server: self.clone(), tokens: Arc::new(tokens), tls };
        let task = tokio::spawn(connections.accept(socket, stopped));
        Ok(PlainListener { address, server: self.clone(), stop, task })
    }
}

impl Listener {
    /// Where it listens, with the port that was picked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The authority's certificate as PEM.
    pub fn authority_pem(&self) -> String {
        self.identity.authority_pem()
    }

    /// The administrator's bearer token.
    pub fn token(&self) -> &str {
        &self.identity.token
    }

    /// The administrator's client certificate.
    pub fn admin_certificate(&self) -> &KeyedCertificate {
        &self.admin
    }

    /// A client certificate for another user, in one group.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn client_certificate(&self, user: &str, group: &str) -> Result<KeyedCertificate, CertificateError> {
        self.identity.authority.client(user, group)
    }

    /// A kubeconfig for the administrator. It holds secrets: whoever writes it makes the file private (mode 0600).
    pub fn kubeconfig(&self) -> String {
        Kubeconfig {
            address: self.address,
            authority_pem: &self.identity.authority_pem(),
            token: &self.identity.token,
            certificate_pem: &self.admin.certificate_pem(),
            key_pem: &self.admin.key_pem(),
        }
        .text()
    }

    /// Stops: no new connections, watches end, requests under way are answered. Connections that stay busy are cut
    /// after two seconds.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        self.server.end_watches();
        let _ = self.task.await;
    }
}

/// The addresses that the serving certificate is good for.
fn loopback(own: IpAddr) -> Vec<IpAddr> {
    let mut addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    if !own.is_unspecified() && !addresses.contains(&own) {
        addresses.push(own);
    }
    addresses
}

/// 32 random bytes as hexadecimal digits.
pub(crate) fn random_token() -> Result<String, ListenError> {
    let mut bytes = [0; 32];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| ListenError::Randomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What every connection of a listener shares.
#[derive(Clone)]
struct Connections {
    server: Server,
    tokens: Arc<Tokens>,
    tls: TlsAcceptor,
}

impl Connections {
    async fn accept(self, socket: TcpListener, mut stopped: oneshot::Receiver<()>) {
        let graceful = GracefulShutdown::new();
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                accepted = socket.accept() => match accepted {
                    Ok((stream, _)) => drop(tokio::spawn(self.clone().serve(stream, graceful.watcher()))),
                    // Out of file handles, most likely: let some close first.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        }
        drop(socket);
        let _ = tokio::time::timeout(SHUTDOWN_MAX, graceful.shutdown()).await;
    }

    /// Serves one connection to its end. What goes wrong here is the client's business: it sees the connection close.
    async fn serve(self, stream: TcpStream, watcher: Watcher) {
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_MAX, self.tls.accept(stream)).await else { return };
        let certificate = Arc::new(peer(&stream));
        let service = service_fn(move |request: Request<Incoming>| {
            let (connections, certificate) = (self.clone(), certificate.clone());
            async move {
                Ok::<_, hyper::Error>(
                    match authentication::of_request(
                        certificate.as_ref().as_ref(),
                        request.headers(),
                        &connections.tokens,
                        |token| connections.server.with_api(|api, now| api.authenticate(token, now)),
                    ) {
                        Ok(user) => answer(&connections.server, user, request, Place::Network).await,
                        Err(refusal) => status::response(&refusal),
                    },
                )
            }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http2().max_concurrent_streams(STREAMS_MAX);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let _ = watcher.watch(connection).await;
    }
}

/// The user of the connection's client certificate, if it has one.
fn peer(stream: &TlsStream<TcpStream>) -> Option<User> {
    let (_, session) = stream.get_ref();
    authentication::of_certificate(session.peer_certificates()?.first()?)
}
