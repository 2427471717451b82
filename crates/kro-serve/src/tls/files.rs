use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use super::CertificateError;

/// Certificates that others made, as PEM.
pub struct Certificates {
    /// The serving certificate, and those that vouch for it.
    pub serving: String,
    /// Its private key.
    pub key: String,
    /// The authorities of client certificates; empty when nobody proves himself by one.
    pub clients: String,
}

impl Certificates {
    pub(crate) fn server_config(&self) -> Result<ServerConfig, CertificateError> {
        let provider = Arc::new(crypto::ring::default_provider());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.serving.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        let (chain, key) = (chain.map_err(CertificateError::Read)?, key.map_err(CertificateError::Read)?);
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(self.clients.as_bytes()) {
            roots.add(authority.map_err(CertificateError::Read)?)?;
        }
        let builder = if roots.is_empty() {
            builder.with_no_client_auth()
        } else {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.allow_unauthenticated().build()?)
        };
        let mut config = builder.with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}
