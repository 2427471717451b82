use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kro_apimachinery::Status;
use kro_value::{Str, Value, from_json_bytes, to_json};

use crate::store::Key;

const VERSION: &str = "meta.k8s.io/v1";

/// Where the next page of a list starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContinueToken {
    /// All pages show the state at this resource version; `None` goes on at the newest state.
    pub(super) revision: Option<u64>,
    /// The page starts at the first object after this one.
    pub(super) after: Key,
}

impl ContinueToken {
    pub(super) fn encode(&self) -> Str {
        let revision = self.revision.map_or(-1, |revision| i64::try_from(revision).unwrap_or(i64::MAX));
        let start = match self.after.namespace.as_str() {
            "" => format!("{}\u{0}", self.after.name),
            namespace => format!("{namespace}/{}\u{0}", self.after.name),
        };
        let token =
            Value::map([("v", Value::from(VERSION)), ("rv", Value::Int(revision)), ("start", Value::from(start))]);
        URL_SAFE_NO_PAD.encode(to_json(&token)).into()
    }

    pub(super) fn decode(text: &str) -> Result<Self, Status> {
        let invalid =
            |why: &str| Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| invalid(&go_base64_error(&error, text)))?;
        let token = from_json_bytes(&bytes).map_err(|error| invalid(&error.message))?;
        if token.str_at(&["v"]) != Some(VERSION) {
            return Err(invalid("server does not recognize this encoded version"));
        }
        let start = token.str_at(&["start"]).unwrap_or_default().trim_end_matches('\u{0}');
        let revision = token.get("rv").and_then(Value::as_i64).filter(|revision| *revision != 0);
        let (Some(revision), false) = (revision, start.is_empty()) else {
            return Err(invalid("incorrect encoded start resourceVersion or key"));
        };
        let (namespace, name) = start.split_once('/').unwrap_or(("", start));
        Ok(Self { revision: u64::try_from(revision).ok(), after: Key::new(namespace, name) })
    }
}

/// What Go says of text that is no base64.
fn go_base64_error(error: &base64::DecodeError, text: &str) -> String {
    let at = match error {
        base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => *at,
        _ => text.len() / 4 * 4,
    };
    format!("illegal base64 data at input byte {at}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for (revision, namespace) in [(Some(7), "ns"), (None, "ns"), (Some(1), "")] {
            let token = ContinueToken { revision, after: Key::new(namespace, "n") };
            assert_eq!(ContinueToken::decode(&token.encode()).unwrap(), token);
        }
        assert_eq!(ContinueToken::decode("!").unwrap_err().code, 400);
        assert_eq!(ContinueToken::decode("e30").unwrap_err().code, 400);
    }
}
