use std::sync::Arc;

use super::{Outcome, function, method};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{ErrorKind, EvalContext, EvalError};
use crate::value::{CelMap, CelValue, MapKey, Opaque, Url};

/// The URLs of Kubernetes.
pub fn urls() -> Library {
    Library::new(
        "kubernetes.urls",
        [
            function("url", [("string_to_url(string) -> kubernetes.URL ~ copy | one", parse as Implementation)]),
            function("isURL", [("is_url_string(string) -> bool", is_url as Implementation)]),
            method(
                "getScheme",
                [(
                    "url_get_scheme(kubernetes.URL) -> string",
                    (|_, args| part(args, |url| url.scheme.clone())) as Implementation,
                )],
            ),
            method(
                "getHost",
                [(
                    "url_get_host(kubernetes.URL) -> string",
                    (|_, args| part(args, |url| url.host.clone())) as Implementation,
                )],
            ),
            method(
                "getHostname",
                [(
                    "url_get_hostname(kubernetes.URL) -> string",
                    (|_, args| part(args, |url| url.hostname().into())) as Implementation,
                )],
            ),
            method(
                "getPort",
                [(
                    "url_get_port(kubernetes.URL) -> string",
                    (|_, args| part(args, |url| url.port().into())) as Implementation,
                )],
            ),
            method(
                "getEscapedPath",
                [(
                    "url_get_escaped_path(kubernetes.URL) -> string",
                    (|_, args| part(args, |url| url.escaped_path.clone())) as Implementation,
                )],
            ),
            method(
                "getQuery",
                [("url_get_query(kubernetes.URL) -> map(string, list(string))", query as Implementation)],
            ),
        ],
    )
}

fn parse(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64 / 8)?;
    context.allocate(128 + 8 * text.len())?;
    Url::parse(text).map(|url| CelValue::Opaque(Opaque::Url(Arc::new(url)))).map_err(|problem| {
        EvalError::new(ErrorKind::TypeConversion, format!("URL parse error during conversion from string: {problem}"))
    })
}

fn is_url(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(1 + text.len() as u64 / 8)?;
    Ok(CelValue::Bool(Url::check(text).is_ok()))
}

fn part(args: &[CelValue], part: fn(&Url) -> kro_value::Str) -> Outcome {
    let [CelValue::Opaque(Opaque::Url(url))] = args else { return Err(EvalError::no_overload()) };
    Ok(CelValue::String(part(url)))
}

fn query(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Opaque(Opaque::Url(url))] = args else { return Err(EvalError::no_overload()) };
    context.allocate_items(2 * url.query.len())?;
    let entries = url.query.iter().map(|(name, values)| {
        let values = CelValue::list(values.iter().cloned().map(CelValue::String));
        (MapKey::String(name.clone()), values)
    });
    Ok(CelValue::Map(entries.collect::<CelMap>()))
}
