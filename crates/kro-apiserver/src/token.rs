//! Tokens of ServiceAccounts: JSON web tokens, signed with a key that the host gives.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use kro_value::{Str, Value, format_smolstr, from_json_bytes, to_json};
use sha2::{Digest, Sha256};

use crate::User;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// The block of SHA-256, for HMAC (RFC 2104).
const BLOCK: usize = 64;

/// Whom a token names, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) namespace: Str,
    pub(crate) name: Str,
    pub(crate) uid: Str,
    pub(crate) expires: Timestamp,
}

impl Claims {
    /// The user of a ServiceAccount.
    pub(crate) fn user(&self) -> User {
        let group = format_smolstr!("system:serviceaccounts:{}", self.namespace);
        User {
            name: format_smolstr!("system:serviceaccount:{}:{}", self.namespace, self.name),
            uid: self.uid.clone(),
            groups: vec!["system:serviceaccounts".into(), group, "system:authenticated".into()],
            extra: Vec::new(),
        }
    }

    pub(crate) fn sign(&self, key: &[u8]) -> String {
        let account = Value::map([("name", Value::from(self.name.clone())), ("uid", self.uid.clone().into())]);
        let own = Value::map([("namespace", Value::from(self.namespace.clone())), ("serviceaccount", account)]);
        let subject = self.user().name;
        let claims = Value::map([
            ("iss", Value::from("https://kubernetes.default.svc.cluster.local")),
            ("sub", subject.into()),
            ("exp", Value::Int(self.expires.as_second())),
            ("kubernetes.io", own),
        ]);
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode(HEADER), encode(&to_json(&claims)));
        let signature = URL_SAFE_NO_PAD.encode(hmac(key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The claims of a token that was signed with this key and has not expired.
    pub(crate) fn verify(token: &str, key: &[u8], now: Timestamp) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !same(&given, &hmac(key, signed.as_bytes())) {
            return None;
        }
        let claims = from_json_bytes(&URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?).ok()?;
        let text = |path: &[&str]| claims.str_at(path).map(Str::new);
        let expires = Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()?;
        let own = "kubernetes.io";
        let claims = Self {
            namespace: text(&[own, "namespace"])?,
            name: text(&[own, "serviceaccount", "name"])?,
            uid: text(&[own, "serviceaccount", "uid"])?,
            expires,
        };
        (now < expires).then_some(claims)
    }
}

/// Compares without an early exit.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |all, (left, right)| all | (left ^ right)) == 0
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        let short = Sha256::digest(key);
        block[..short.len()].copy_from_slice(&short);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_is_believed() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let claims = Claims { namespace: "n".into(), name: "a".into(), uid: "u".into(), expires: at(100) };
        let token = claims.sign(b"key");
        assert_eq!(Claims::verify(&token, b"key", at(99)), Some(claims.clone()));
        assert_eq!(Claims::verify(&token, b"key", at(100)), None, "expired");
        assert_eq!(Claims::verify(&token, b"other", at(1)), None);
        for index in 0..token.len() {
            let mut bad = token.clone().into_bytes();
            bad[index] ^= 1;
            assert_eq!(
                String::from_utf8(bad).ok().and_then(|bad| Claims::verify(&bad, b"key", at(1))),
                None,
                "{index}"
            );
        }
        assert_eq!(claims.user().groups[1], "system:serviceaccounts:n");
    }

    #[test]
    fn hmac_of_the_rfc() {
        let hex: String =
            hmac(b"Jefe", b"what do ya want for nothing?").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"); // RFC 4231, case 2
    }
}
