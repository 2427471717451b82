//! A small HTTPS client.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kro_serve::tls::KeyedCertificate;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// One connection, HTTP/1.1 or HTTP/2.
pub enum Client {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// How to connect.
pub struct Options<'a> {
    pub address: SocketAddr,
    pub authority_pem: String,
    pub protocol: &'static [u8],
    pub certificate: Option<&'a KeyedCertificate>,
}

pub async fn connect(options: &Options<'_>) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(options.authority_pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match options.certificate {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let certificate = CertificateDer::from_pem_slice(pair.certificate_pem().as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(pair.key_pem().as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = vec![options.protocol.to_vec()];
    let stream = TcpStream::connect(options.address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::from(options.address.ip()), stream).await
}

impl Client {
    pub async fn connect(options: Options<'_>) -> Self {
        let stream = connect(&options).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(options.protocol), "the protocol that was asked for");
        let io = TokioIo::new(stream);
        if options.protocol == b"h2" {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            return Self::Two(sender);
        }
        let (sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        Self::One(sender)
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        match self {
            Self::One(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
            Self::Two(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
        }
    }

    /// Sends and reads the whole answer.
    pub async fn text(&mut self, request: Request<Full<Bytes>>) -> (u16, String) {
        let response = self.send(request).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }
}

/// A request with a bearer token; none when empty.
pub fn request(method: &str, target: &str, token: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let uri = format!("https://localhost{target}");
    let mut builder = Request::builder().method(method).uri(uri).header("host", "localhost");
    if !token.is_empty() {
        builder = builder.header("authorization", format!("Bearer {token}"));
    }
    builder.header("content-type", "application/json").body(Full::new(body.into())).unwrap()
}
