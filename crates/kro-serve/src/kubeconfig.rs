//! The kubeconfig of a listener.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a kubeconfig says.
pub(crate) struct Kubeconfig<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) authority_pem: &'a str,
    pub(crate) token: &'a str,
    pub(crate) certificate_pem: &'a str,
    pub(crate) key_pem: &'a str,
}

impl Kubeconfig<'_> {
    /// The YAML. The current context uses the token, so that `kubectl --token` can take another user's place; the
    /// context `kro-certificate` proves the same user by the client certificate.
    pub(crate) fn text(&self) -> String {
        let address = self.address;
        let authority = STANDARD.encode(self.authority_pem);
        let token = self.token;
        let certificate = STANDARD.encode(self.certificate_pem);
        let key = STANDARD.encode(self.key_pem);
        format!(
            "apiVersion: v1
kind: Config
clusters:
- name: kro
  cluster:
    server: https://{address}
    certificate-authority-data: {authority}
users:
- name: kro-admin
  user:
    token: {token}
- name: kro-admin-certificate
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: kro
  context:
    cluster: kro
    user: kro-admin
    namespace: default
- name: kro-certificate
  context:
    cluster: kro
    user: kro-admin-certificate
    namespace: default
current-context: kro
"
        )
    }
}
