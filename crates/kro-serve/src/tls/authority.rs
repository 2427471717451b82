//! A certificate authority for one server.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::pem;

/// A certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Making or signing it failed.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The TLS stack refused it.
    #[error("cannot use a certificate: {0}")]
    Use(#[from] rustls::Error),
    /// It is no PEM.
    #[error("cannot read a certificate: {0}")]
    Read(rustls::pki_types::pem::Error),
    /// Client certificates could not be set up.
    #[error("cannot check client certificates: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// A certificate with its private key.
pub struct KeyedCertificate {
    certificate: CertificateDer<'static>,
    /// PKCS #8.
    key: Vec<u8>,
}

impl KeyedCertificate {
    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate as PEM.
    pub fn certificate_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.certificate)
    }

    /// The private key as PEM. Whoever writes it to a file makes that file private.
    pub fn key_pem(&self) -> String {
        pem::encode("PRIVATE KEY", &self.key)
    }
}

/// A certificate authority with keys on the curve P-256, which take well under a millisecond to make.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// A fresh authority.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, CertificateError> {
        let (params, key) = (Self::params(), KeyPair::generate()?);
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// The authority that [`to_der`](Self::to_der) gave out.
    ///
    /// # Errors
    /// When the key is none.
    pub(crate) fn restore(certificate: Vec<u8>, key: &[u8]) -> Result<Self, CertificateError> {
        let key = KeyPair::try_from(key)?;
        Ok(Self { issuer: Issuer::new(Self::params(), key), certificate: certificate.into() })
    }

    /// The certificate and the private key (PKCS #8), which is a secret.
    pub(crate) fn to_der(&self) -> (&[u8], Vec<u8>) {
        (&self.certificate, self.issuer.key().serialize_der())
    }

    fn params() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "kro-dev-ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    /// The authority's certificate as PEM: what clients trust.
    pub fn certificate_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.certificate)
    }

    /// A certificate for a server that is reached by these names and addresses.
    ///
    /// # Errors
    /// When a name is no DNS name, or signing fails.
    pub fn serving(&self, names: &[&str], addresses: &[IpAddr]) -> Result<KeyedCertificate, CertificateError> {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        params.subject_alt_names.extend(addresses.iter().map(|address| SanType::IpAddress(*address)));
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a user in one group.
    ///
    /// # Errors
    /// When signing fails.
    pub fn client(&self, user: &str, group: &str) -> Result<KeyedCertificate, CertificateError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::OrganizationName, group);
        params.distinguished_name.push(DnType::CommonName, user);
        self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<KeyedCertificate, CertificateError> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(KeyedCertificate { certificate: certificate.der().clone(), key: key.serialize_der() })
    }

    /// TLS for a listener: this serving certificate, client certificates of this authority welcome but not required,
    /// HTTP/2 preferred.
    ///
    /// # Errors
    /// When the TLS stack refuses the certificate.
    pub fn server_config(&self, serving: &KeyedCertificate) -> Result<ServerConfig, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(serving.key.clone()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![serving.certificate.clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}
