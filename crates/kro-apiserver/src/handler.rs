//! From requests to the operations of the state, and back to responses.

mod accounts;
mod pods;
mod resource;
mod review;
mod scale;

pub(crate) use accounts::authenticate;
use kro_apimachinery::Status;
use kro_value::{Str, Value};

use crate::authorization::{Attributes, authorize, impersonate};
use crate::route::Route;
use crate::state::State;
use crate::uri::Query;
use crate::write::decode::BODY_BYTES_MAX;
use crate::{Body, Method, Request, Response};
use crate::{discovery, openapi};

/// Answers a request.
pub(crate) fn respond(state: &mut State, request: &Request) -> Response {
    let mut response = dispatch(state, request).unwrap_or_else(|status| failure(&status));
    if request.method == Method::Head {
        response.body = Body::Full(bytes::Bytes::new());
    }
    response
}

fn dispatch(state: &mut State, request: &Request) -> Result<Response, Status> {
    if request.body.len() > BODY_BYTES_MAX {
        let message = format!("Request entity too large: limit is {BODY_BYTES_MAX}");
        return Err(Status::failure(413, "RequestEntityTooLarge", message));
    }
    let impersonated = impersonate(state, request)?.map(|user| request.clone().by(user));
    let request = impersonated.as_ref().unwrap_or(request);
    let query = Query::parse(&request.query);
    let route = Route::of(&request.path);
    if let Route::Resource(path) = &route {
        return resource::respond(state, request, path, &query);
    }
    if !matches!(route, Route::Health(_)) {
        let verb = Str::new(request.method.name().to_ascii_lowercase());
        let attributes = Attributes { verb, path: Str::new(&request.path), ..Attributes::default() };
        authorize(state, &request.user, &attributes)?;
    }
    if route == Route::Unknown {
        return Ok(Response::text(404, "404 page not found\n"));
    }
    if !matches!(request.method, Method::Get | Method::Head) {
        return Err(method_not_allowed());
    }
    Ok(match &route {
        Route::Version => Response::json(200, &version(state)),
        Route::Health(name) => health(name, &query),
        Route::OpenApiV2 => openapi::version_2(&state.registry, &request.headers),
        Route::OpenApiIndex => openapi::index(&state.registry, &request.headers),
        Route::OpenApiDocument(key) => {
            openapi::document(&state.registry, &mut state.openapi, key, &query, &request.headers)
        }
        _ => discovery::respond(&state.registry, &route, &request.headers)
            .unwrap_or_else(|| Response::text(404, "404 page not found\n")),
    })
}

/// A failure as a response.
pub(crate) fn failure(status: &Status) -> Response {
    let response = Response::json(status.code, &status.to_value());
    match status.details.as_ref().map_or(0, |details| details.retry_after_seconds) {
        0 => response,
        seconds => response.with_header("Retry-After", seconds.to_string()),
    }
}

pub(crate) fn method_not_allowed() -> Status {
    Status::failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        .with_empty_details()
}

/// 404 of a built-in group: there is no such resource, version or subresource.
pub(crate) fn no_such_resource() -> Status {
    Status::failure(404, "NotFound", "the server could not find the requested resource").with_empty_details()
}

fn version(state: &State) -> Value {
    let git_version = state.config.git_version.as_str();
    let mut numbers = git_version.trim_start_matches('v').split(['.', '-', '+']);
    let major = numbers.next().unwrap_or("1").to_owned();
    let minor = numbers.next().unwrap_or("0").to_owned();
    let previous = minor.parse::<u32>().map_or(0, |minor| minor.saturating_sub(1)).to_string();
    Value::map([
        ("major", Value::from(major.clone())),
        ("minor", minor.clone().into()),
        ("emulationMajor", major.clone().into()),
        ("emulationMinor", minor.into()),
        ("minCompatibilityMajor", major.into()),
        ("minCompatibilityMinor", previous.into()),
        ("gitVersion", git_version.into()),
        ("gitCommit", "".into()),
        ("gitTreeState", "clean".into()),
        ("buildDate", "1970-01-01T00:00:00Z".into()),
        ("goVersion", "none".into()),
        ("compiler", "rustc".into()),
        ("platform", "kro".into()),
    ])
}

fn health(name: &str, query: &Query) -> Response {
    if query.get("verbose").is_none() {
        return Response::text(200, "ok");
    }
    Response::text(200, format!("[+]ping ok\n[+]etcd ok\n{name} check passed\n"))
}
