//! Transport security: the certificates of one server, the names in a client's certificate, PEM.

mod authority;
mod files;
mod names;
mod pem;

pub use authority::{Authority, CertificateError, KeyedCertificate};
pub use files::Certificates;
pub(crate) use names::SubjectNames;
