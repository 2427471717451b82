use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{Request, Response};
use http_body_util::BodyExt;
use kro_manager::{ApiRequest, ApiResponse};
use kro_value::{Value, from_json_bytes, to_json};
use kube_client::Client;
use kube_client::client::Body;

use crate::ControllerError;

/// How many bytes went out and came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub sent: usize,
    pub received: usize,
}

/// Sends a request and reads the whole answer, whatever its status.
pub(crate) async fn send(client: &Client, agent: &str, request: &ApiRequest) -> Result<ApiResponse, ControllerError> {
    exchange(client, agent, request).await.map(|(answer, _)| answer)
}

/// The same, counting.
pub(crate) async fn exchange(
    client: &Client,
    agent: &str,
    request: &ApiRequest,
) -> Result<(ApiResponse, Traffic), ControllerError> {
    let mut traffic = Traffic::default();
    let mut http = Request::builder()
        .method(request.verb.method())
        .uri(request.path_and_query())
        .header(USER_AGENT, agent)
        .header(ACCEPT, "application/json");
    let body = match &request.body {
        Some(body) => {
            http = http.header(CONTENT_TYPE, request.verb.content_type());
            let bytes = to_json(body).into_bytes();
            traffic.sent = bytes.len();
            Body::from(bytes)
        }
        None => Body::empty(),
    };
    let response = client.send(http.body(body)?).await.map_err(transport)?;
    let (answer, received) = read(response).await?;
    Ok((answer, Traffic { received, ..traffic }))
}

/// Reads an answer to its end, and counts its bytes.
pub(crate) async fn read(response: Response<Body>) -> Result<(ApiResponse, usize), ControllerError> {
    let status = response.status().as_u16();
    let retry_after_s =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let bytes = collect(response.into_body()).await?;
    Ok((ApiResponse { status, body: decode(status, &bytes)?, retry_after_s }, bytes.len()))
}

/// Reads a body to its end.
async fn collect(body: Body) -> Result<Bytes, ControllerError> {
    Ok(body.collect().await.map_err(transport)?.to_bytes())
}

/// A failure may carry plain text; a success must be JSON.
fn decode(status: u16, bytes: &[u8]) -> Result<Value, ControllerError> {
    match from_json_bytes(bytes) {
        Ok(value) => Ok(value),
        Err(_) if bytes.is_empty() || status >= 300 => Ok(Value::Null),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn transport(error: impl std::error::Error) -> ControllerError {
    ControllerError::Transport(describe(&error))
}

/// An error with its causes: the outer text of HTTP errors is often bare ("client error"), the causes say what happened.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
