//! From HTTP messages to the API's requests and back.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kro_apiserver::{ApiServer, Body, Headers, Method, Request as ApiRequest, Response as ApiResponse, User};

use crate::body::ResponseBody;
use crate::server::Place;
use crate::{Server, status};

/// Largest body of a request, like the real server's.
pub const REQUEST_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The API for one user as a tower service over any HTTP body; see [`Server::in_process`].
#[derive(Clone)]
pub struct ApiService {
    server: Server,
    user: User,
}

impl ApiService {
    pub(crate) fn new(server: Server, user: User) -> Self {
        Self { server, user }
    }
}

impl<B> tower_service::Service<Request<B>> for ApiService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (server, user) = (self.server.clone(), self.user.clone());
        Box::pin(async move { Ok(answer(&server, user, request, Place::InProcess).await) })
    }
}

/// Answers one HTTP request of a user.
pub(crate) async fn answer<B>(server: &Server, user: User, request: Request<B>, place: Place) -> Response<ResponseBody>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let Some(method) = Method::parse(head.method.as_str()) else {
        return status::response(&status::method_not_allowed());
    };
    let body = match read(&head.headers, body).await {
        Ok(body) => body,
        Err(refusal) => return status::response(&refusal),
    };
    let request = ApiRequest {
        method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers(&head.headers),
        body,
        user,
    };
    let (response, ticket) = server.handle_kept(&request, ApiServer::handle_in_parts);
    if let Some(ticket) = ticket
        && let Err(cause) = ticket.settled().await
    {
        return status::response(&status::not_kept(&cause));
    }
    if let Ok(delay) = std::time::Duration::try_from(response.delay)
        && !delay.is_zero()
    {
        tokio::time::sleep(delay).await;
    }
    respond(server, response, place)
}

/// Reads a body up to the limit. A length that is announced as too large is refused before reading.
async fn read<B>(headers: &HeaderMap, body: B) -> Result<Bytes, status::Refusal>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > REQUEST_BYTES_MAX as u64) {
        return Err(status::body_too_large());
    }
    match Limited::new(body, REQUEST_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(status::body_too_large()),
        Err(error) => Err(status::unreadable_body(&error.to_string())),
    }
}

fn headers(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    headers
}

fn respond(server: &Server, answer: ApiResponse, place: Place) -> Response<ResponseBody> {
    let body = match answer.body {
        Body::Full(bytes) => ResponseBody::full(bytes),
        Body::Parts(parts) => ResponseBody::parts(parts),
        Body::Watch(watch) => ResponseBody::watch(server.clone(), watch, place),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers.iter() {
        let name = header::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
