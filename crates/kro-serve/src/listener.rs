//! The listener: TLS with HTTP/1.1 and HTTP/2 for kubectl and every other client outside of this process.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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
use crate::kubeconfig::Kubeconfig;
use crate::service::answer;
use crate::tls::{Authority, CertificateError, Certificates, KeyedCertificate};
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
    /// The system gave no randomness for the token.
    #[error("the system gives no randomness")]
    Randomness,
}

/// A running listener. Dropping it stops accepting at once and leaves open connections to end by themselves.
pub struct Listener {
    address: SocketAddr,
    authority: Arc<Authority>,
    admin: KeyedCertificate,
    token: String,
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
        self.listen_by(address, tokens, Authority::generate()?).await
    }

    /// As [`listen_with`](Self::listen_with), with an authority that was made before.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub async fn listen_by(
        &self,
        address: SocketAddr,
        tokens: Tokens,
        authority: Authority,
    ) -> Result<Listener, ListenError> {
        let authority = Arc::new(authority);
        let serving =
            authority.serving(&["localhost", "kubernetes.default.svc", "kubernetes"], &loopback(address.ip()))?;
        let tls = TlsAcceptor::from(Arc::new(authority.server_config(&serving)?));
        let admin = authority.client(ADMIN.0, ADMIN.1)?;
        let token = random_token()?;
        let tokens = tokens.with(token.as_str(), User::in_groups(ADMIN.0, &[ADMIN.1]));
        let socket = TcpListener::bind(address).await.map_err(|cause| ListenError::Bind { address, cause })?;
        let address = socket.local_addr().map_err(|cause| ListenError::Bind { address, cause })?;
        let key = random_token()?;
        self.with_api(|api, _| api.set_token_key(key.into_bytes()));
        let (stop, stopped) = oneshot::channel();
        let connections = Connections { server: self.clone(), tokens: Arc::new(tokens), tls };
        let task = tokio::spawn(connections.accept(socket, stopped));
        Ok(Listener { address, authority, admin, token, server: self.clone(), stop, task })
    }
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
        self.authority.certificate_pem()
    }

    /// The administrator's bearer token.
    pub fn token(&self) -> &str {
        &self.token
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
        self.authority.client(user, group)
    }

    /// A kubeconfig for the administrator. It holds secrets: whoever writes it makes the file private (mode 0600).
    pub fn kubeconfig(&self) -> String {
        Kubeconfig {
            address: self.address,
            authority_pem: &self.authority.certificate_pem(),
            token: &self.token,
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
fn random_token() -> Result<String, ListenError> {
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
                        Ok(user) => answer(&connections.server, user, request).await,
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
