//! By what clients know a server, and by what it knows its administrator: kept with the cluster, so that a kubeconfig
//! stays good over restarts.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kro_value::{Value, from_json, to_json_pretty};

use crate::ListenError;
use crate::listener::random_token;
use crate::tls::Authority;

/// In the folder of the cluster; only its owner may read it.
const FILE: &str = "identity.json";

/// A certificate authority, the administrator's token, the key that signs tokens of ServiceAccounts, and the port.
pub struct Identity {
    pub(crate) authority: Authority,
    pub(crate) token: String,
    pub(crate) token_key: String,
    /// Where the server listened last; taken again when no other port is asked for.
    pub(crate) port: Option<u16>,
    folder: Option<PathBuf>,
}

impl Identity {
    /// A fresh one that is not kept.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, ListenError> {
        let (authority, token, token_key) = (Authority::generate()?, random_token()?, random_token()?);
        Ok(Self { authority, token, token_key, port: None, folder: None })
    }

    /// The one that is kept in a folder; a fresh one, kept from now on, when there is none.
    ///
    /// # Errors
    /// When the folder cannot be used, or the file in it makes no sense.
    pub fn open(folder: &Path) -> Result<Self, ListenError> {
        let kept = |cause: io::Error| ListenError::Identity { path: folder.join(FILE), cause };
        match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => {
                let identity = Self::parse(&text)?;
                let identity = identity.ok_or_else(|| kept(io::Error::other("the file is damaged")))?;
                Ok(Self { folder: Some(folder.to_owned()), ..identity })
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let identity = Self { folder: Some(folder.to_owned()), ..Self::generate()? };
                identity.keep().map_err(kept)?;
                Ok(identity)
            }
            Err(cause) => Err(kept(cause)),
        }
    }

    /// The authority's certificate as PEM: what clients trust.
    pub fn authority_pem(&self) -> String {
        self.authority.certificate_pem()
    }

    /// Remembers where the server listens.
    pub(crate) fn remember_port(&mut self, port: u16) -> Result<(), ListenError> {
        if self.port.replace(port) == Some(port) {
            return Ok(());
        }
        let path = || self.folder.clone().unwrap_or_default().join(FILE);
        self.keep().map_err(|cause| ListenError::Identity { path: path(), cause })
    }

    fn parse(text: &str) -> Result<Option<Self>, ListenError> {
        let Ok(kept) = from_json(text) else { return Ok(None) };
        let field = |name: &str| kept.str_at(&[name]);
        let (Some(certificate), Some(key)) = (field("certificate"), field("key")) else { return Ok(None) };
        let (Some(token), Some(token_key)) = (field("token"), field("tokenKey")) else { return Ok(None) };
        let (Ok(certificate), Ok(key)) = (STANDARD.decode(certificate), STANDARD.decode(key)) else { return Ok(None) };
        let port = kept.get("port").and_then(Value::as_i64).and_then(|port| u16::try_from(port).ok());
        let authority = Authority::restore(certificate, &key)?;
        Ok(Some(Self { authority, token: token.to_owned(), token_key: token_key.to_owned(), port, folder: None }))
    }

    fn text(&self) -> String {
        let (certificate, key) = self.authority.to_der();
        let mut kept = Value::map([
            ("certificate", Value::from(STANDARD.encode(certificate))),
            ("key", STANDARD.encode(key).into()),
            ("token", self.token.as_str().into()),
            ("tokenKey", self.token_key.as_str().into()),
        ]);
        if let Some(port) = self.port {
            kept.set_at(&["port"], Value::Int(port.into()));
        }
        to_json_pretty(&kept)
    }

    /// Writes the file in one step: it is there completely or as it was.
    fn keep(&self) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        std::fs::create_dir_all(folder)?;
        let temporary = folder.join(format!("{FILE}.new"));
        let _ = std::fs::remove_file(&temporary);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(self.text().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, folder.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_kept_for_its_owner_and_read_again() {
        let folder = std::env::temp_dir().join(format!("kro-identity-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let mut first = Identity::open(&folder).unwrap();
        first.remember_port(4711).unwrap();
        let second = Identity::open(&folder).unwrap();
        assert_eq!((second.authority_pem(), &second.token), (first.authority_pem(), &first.token));
        assert_eq!((&second.token_key, second.port), (&first.token_key, Some(4711)));
        assert_ne!(Identity::generate().unwrap().token, first.token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(folder.join(FILE), "{}").unwrap();
        assert!(matches!(Identity::open(&folder), Err(ListenError::Identity { .. })));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
