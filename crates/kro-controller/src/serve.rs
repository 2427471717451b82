//! HTTP for metrics and probes: plain, small, and only GET.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

use crate::{ControllerError, Monitor};

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 64;
/// A client that has not sent its request by then is dropped.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// A connection is closed after so long, whoever uses it.
const CONNECTION_MAX: Duration = Duration::from_secs(120);

const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// An address as Go writes it: `host:port`, `:port` for all interfaces, `0` for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindAddress {
    /// Empty for all interfaces.
    host: String,
    /// `None` for no server at all.
    port: Option<u16>,
}

impl FromStr for BindAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "0" || text.is_empty() {
            return Ok(Self { host: String::new(), port: None });
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| format!("{text:?} is no host:port, :port or 0"))?;
        let port = port.parse().map_err(|_| format!("{port:?} is no port"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self { host: host.to_owned(), port: Some(port) })
    }
}

impl std::fmt::Display for BindAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            None => formatter.write_str("0"),
            Some(port) if self.host.contains(':') => write!(formatter, "[{}]:{port}", self.host),
            Some(port) => write!(formatter, "{}:{port}", self.host),
        }
    }
}

impl BindAddress {
    async fn bind(&self, port: u16) -> std::io::Result<TcpListener> {
        if !self.host.is_empty() {
            return TcpListener::bind((self.host.as_str(), port)).await;
        }
        // All interfaces of both families; where there is no IPv6, of the other.
        match TcpListener::bind(("::", port)).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind(("0.0.0.0", port)).await,
        }
    }
}

/// What an endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `/metrics`
    Metrics,
    /// `/healthz` and `/readyz`
    Probes,
}

/// A running HTTP server; it ends with this value.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    task: AbortHandle,
}

impl Endpoint {
    /// Serves `/metrics`; `None` for the address `0`.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn metrics(address: &BindAddress, monitor: Monitor) -> Result<Option<Self>, ControllerError> {
        Self::start(address, Role::Metrics, monitor).await
    }

    /// Serves `/healthz` and `/readyz`; `None` for the address `0`.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn probes(address: &BindAddress, monitor: Monitor) -> Result<Option<Self>, ControllerError> {
        Self::start(address, Role::Probes, monitor).await
    }

    async fn start(address: &BindAddress, role: Role, monitor: Monitor) -> Result<Option<Self>, ControllerError> {
        let Some(port) = address.port else { return Ok(None) };
        let failed = |cause| ControllerError::Bind { address: address.to_string(), cause };
        let listener = address.bind(port).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let task = tokio::spawn(accept(listener, role, monitor)).abort_handle();
        Ok(Some(Self { address, task }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, role: Role, monitor: Monitor) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, for example: others may be given back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let monitor = monitor.clone();
        connections.spawn(async move {
            let _place = place;
            let _ = tokio::time::timeout(CONNECTION_MAX, serve(stream, role, monitor)).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, role: Role, monitor: Monitor) {
    let service = service_fn(move |request: Request<Incoming>| {
        let monitor = monitor.clone();
        async move { Ok::<_, Infallible>(answer(role, &monitor, request.method(), request.uri().path()).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST_MAX);
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(role: Role, monitor: &Monitor, method: &Method, path: &str) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        return reply(StatusCode::METHOD_NOT_ALLOWED, TEXT_TYPE, "only GET is allowed\n".to_owned());
    }
    match (role, path) {
        (Role::Metrics, "/metrics") => reply(StatusCode::OK, METRICS_TYPE, monitor.metrics().await),
        (Role::Probes, "/healthz" | "/healthz/" | "/healthz/ping") => probe(monitor.liveness().await),
        (Role::Probes, "/readyz" | "/readyz/" | "/readyz/ping") => probe(monitor.readiness().await),
        _ => reply(StatusCode::NOT_FOUND, TEXT_TYPE, "404 page not found\n".to_owned()),
    }
}

fn probe(verdict: Result<(), String>) -> Response<Full<Bytes>> {
    match verdict {
        Ok(()) => reply(StatusCode::OK, TEXT_TYPE, "ok".to_owned()),
        Err(why) => reply(StatusCode::INTERNAL_SERVER_ERROR, TEXT_TYPE, format!("{why}\n")),
    }
}

fn reply(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_in_go() {
        for (text, shown) in
            [(":8078", ":8078"), ("127.0.0.1:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80"), ("0", "0"), ("", "0")]
        {
            assert_eq!(text.parse::<BindAddress>().map(|address| address.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for text in ["8078", ":port", ":70000"] {
            assert!(text.parse::<BindAddress>().is_err(), "{text}");
        }
    }
}
