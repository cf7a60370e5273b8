//! What happens to every request before and after its handler, in one place.
//!
//! ```text
//! request ─► headers small enough ─► token known ─► rate kept ─► handler ─► answer
//!                                    or page open                            │
//!            a bare error becomes a problem, and every answer says Carillon-Index
//! ```
//!
//! Always holds: nothing is answered without `Carillon-Index`, and no error without a problem
//! document, also those axum makes by itself.
//!
//! Not here: what a role may do (`auth`), routes ([`super`]).

use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::api::Api;
use crate::api::auth::Asker;
use crate::api::problem::Kind;
use crate::api::problem::PROBLEM_JSON;
use crate::api::problem::Problem;
use crate::base::id::LogIndex;

/// The log index up to which the answering node has seen everything.
pub(super) const CARILLON_INDEX: HeaderName = HeaderName::from_static("carillon-index");

/// Larger bodies are refused: the largest resource is a queue with all its addresses, 20 KiB.
pub(super) const BODY_MAX: usize = 256 * 1024;

/// All header names and values together.
const HEADERS_MAX: usize = 16 * 1024;

/// Lets a request in, and sees to its answer.
pub(super) async fn pass(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let seen = api.handle.applied();
    let answer = match admit(&api, &request) {
        Ok(asker) => {
            if let Some(asker) = asker {
                request.extensions_mut().insert(asker);
            }
            next.run(request).await
        }
        Err(problem) => problem.at(seen).into_response(),
    };
    let mut answer = as_problem(answer, seen);
    let headers = answer.headers_mut();
    headers.entry(CARILLON_INDEX).or_insert_with(|| HeaderValue::from(seen.0));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    answer
}

/// What describes the interface, not this deployment of it: the program itself is as open.
fn is_open(path: &str) -> bool {
    path == "/api/v1/openapi.json" || path.starts_with("/problems/")
}

/// Who asks; nobody in particular where the page is open.
fn admit(api: &Api, request: &Request) -> Result<Option<Asker>, Problem> {
    let headers = request.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEADERS_MAX {
        let detail = format!("The headers are {size} bytes; at most {HEADERS_MAX} are read");
        return Err(Problem::new(Kind::HeadersTooLarge, &detail));
    }
    let now = (api.clock)();
    let limited = |seconds| {
        let detail = format!("Come again in {seconds} s");
        Problem::new(Kind::RateLimited, &detail).retry_after(seconds)
    };
    let known = api.tokens.borrow().asker(headers).cloned();
    match known {
        Ok(asker) => {
            api.limiter.admit(&asker.name, now).map_err(limited)?;
            Ok(Some(asker))
        }
        Err(problem) => {
            api.limiter.admit_guess(now).map_err(limited)?;
            if is_open(request.uri().path()) { Ok(None) } else { Err(problem) }
        }
    }
}

/// Gives an error without a document one.
fn as_problem(answer: Response, seen: LogIndex) -> Response {
    let status = answer.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_told = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    if !is_error || is_told {
        return answer;
    }
    let (kind, detail) = match status {
        StatusCode::NOT_FOUND => (Kind::UnknownRoute, "Nothing is served at this path"),
        StatusCode::METHOD_NOT_ALLOWED => {
            (Kind::MethodNotAllowed, "This path is not served with this method")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (Kind::BodyTooLarge, "Bodies are limited to 256 KiB"),
        status if status.is_client_error() => {
            (Kind::MalformedRequest, "The request cannot be read")
        }
        _ => (Kind::Internal, "Something went wrong inside"),
    };
    let mut told = Problem::new(kind, detail).at(seen).into_response();
    // RFC 9110 section 15.5.6: a 405 says what is allowed.
    if let Some(allow) = answer.headers().get("allow") {
        told.headers_mut().insert("allow", allow.clone());
    }
    told
}
