//! Answers that are given before a request reaches the API: the `Status` objects of this edge.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use kro_value::{Value, to_json};

use crate::body::ResponseBody;
use crate::service::REQUEST_BYTES_MAX;

/// Why a request was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: StatusCode,
    reason: &'static str,
    message: String,
}

pub(crate) fn unauthorized() -> Refusal {
    Refusal { code: StatusCode::UNAUTHORIZED, reason: "Unauthorized", message: "Unauthorized".to_owned() }
}

pub(crate) fn body_too_large() -> Refusal {
    Refusal {
        code: StatusCode::PAYLOAD_TOO_LARGE,
        reason: "RequestEntityTooLarge",
        message: format!("Request entity too large: limit is {REQUEST_BYTES_MAX}"),
    }
}

pub(crate) fn unreadable_body(cause: &str) -> Refusal {
    Refusal { code: StatusCode::BAD_REQUEST, reason: "BadRequest", message: cause.to_owned() }
}

/// What was written may be lost with this process.
pub(crate) fn not_kept(cause: &str) -> Refusal {
    Refusal {
        code: StatusCode::INTERNAL_SERVER_ERROR,
        reason: "InternalError",
        message: format!("Internal error occurred: the write cannot be kept: {cause}"),
    }
}

pub(crate) fn method_not_allowed() -> Refusal {
    Refusal {
        code: StatusCode::METHOD_NOT_ALLOWED,
        reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource".to_owned(),
    }
}

/// The refusal as a JSON `Status`.
pub(crate) fn response(refusal: &Refusal) -> Response<ResponseBody> {
    let status = Value::map([
        ("kind", Value::from("Status")),
        ("apiVersion", Value::from("v1")),
        ("metadata", Value::map::<&str>([])),
        ("status", Value::from("Failure")),
        ("message", Value::from(refusal.message.as_str())),
        ("reason", Value::from(refusal.reason)),
        ("code", Value::from(i64::from(refusal.code.as_u16()))),
    ]);
    let mut response = Response::new(ResponseBody::full(Bytes::from(to_json(&status))));
    *response.status_mut() = refusal.code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
