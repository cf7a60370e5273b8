//! Reading a request and answering it: who asks, at which point of the log, with what body.
//!
//! | extractor | gives |
//! |---|---|
//! | [`Look`] | the asker and a point of the log to read at (`?consistency=strong`) |
//! | [`Order`] | the asker, a request id (`Idempotency-Key`) and the body as JSON |
//!
//! `Idempotency-Key` is as in draft-ietf-httpapi-idempotency-key: a repeat under the same key is
//! given the first outcome and changes nothing, and another request under it is 422. The cluster
//! remembers keys (`acd`, two minutes), so a repeat may go to another node.
//!
//! Always holds: the index an answer carries is not ahead of the state it was read from.
//!
//! Not here: what bodies may hold (`resource`), what everybody's request goes through (`edge`).

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::FromRequestParts;
use axum::extract::Query;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::acd::command::Command;
use crate::acd::command::Outcome;
use crate::acd::view::View;
use crate::api::Api;
use crate::api::auth::Asker;
use crate::api::edge::CARILLON_INDEX;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::refusal;
use crate::base::id::LogIndex;
use crate::base::id::RequestId;
use crate::base::time::ClusterTime;
use crate::cluster::handle::Unavailable;
use crate::resource::Mistake;

/// The header by which a repeat is recognised.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A body is whole by then, even over a bad line.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A list and the point of the log it was read at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// In order of name, or of place.
    pub(super) items: Vec<T>,
    /// The log index the list was read at.
    pub(super) index: u64,
}

/// An answer and the point of the log it was read at.
pub(super) struct Answer<T> {
    pub(super) index: LogIndex,
    pub(super) body: T,
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.body).into_response();
        response.headers_mut().insert(CARILLON_INDEX, HeaderValue::from(self.index.0));
        response
    }
}

/// A request to look at something.
pub(super) struct Look {
    pub(super) asker: Asker,
    pub(super) index: LogIndex,
    /// The time by which ages are told; not behind the state's.
    pub(super) now: ClusterTime,
}

impl Look {
    /// An answer of this moment.
    pub(super) fn answer<T>(&self, body: T) -> Answer<T> {
        Answer { index: self.index, body }
    }

    /// A list of this moment.
    pub(super) fn list<T>(&self, items: Vec<T>) -> Answer<List<T>> {
        self.answer(List { items, index: self.index.0 })
    }

    /// What is looked at after an order was carried out.
    fn after(asker: Asker, api: &Api, index: LogIndex) -> Self {
        Self { asker, index: index.max(api.handle.applied()), now: api.handle.stamp() }
    }
}

impl FromRequestParts<Api> for Look {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let asker = asker(parts)?;
        match parameter(parts, "consistency").as_deref() {
            None => {}
            Some("strong") => {
                api.handle.barrier().await.map_err(|why| unavailable(why, api))?;
            }
            Some(other) => {
                let detail = format!("consistency={other} is not known. Write strong, or leave it");
                return Err(Problem::new(Kind::MalformedRequest, &detail));
            }
        }
        Ok(Self { asker, index: api.handle.applied(), now: api.handle.stamp() })
    }
}

/// A request to do something.
pub(super) struct Order {
    pub(super) asker: Asker,
    /// The same for a repeat with the same `Idempotency-Key`.
    pub(super) request: RequestId,
    /// `{}` when there was none.
    pub(super) body: Value,
}

impl FromRequest<Api> for Order {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let asker = asker(&parts)?;
        let request = Request::from_parts(parts.clone(), body);
        let read = timeout(BODY_WITHIN, Bytes::from_request(request, api)).await;
        let read = read.map_err(|_| {
            let detail = format!("The body was not whole within {} s", BODY_WITHIN.as_secs());
            Problem::new(Kind::MalformedBody, &detail)
        })?;
        let bytes = read.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                return Problem::new(Kind::BodyTooLarge, "Bodies are limited to 256 KiB");
            }
            Problem::new(Kind::MalformedBody, "The body broke off")
        })?;
        let body = json(&parts.headers, &bytes)?;
        Ok(Self { request: request_id(&parts, &asker, &body, api)?, asker, body })
    }
}

impl Order {
    /// Looks without anything being put into the log.
    pub(super) fn look(&self, api: &Api) -> Look {
        Look::after(self.asker.clone(), api, api.handle.applied())
    }

    /// Changes the configuration, if the asker may and the body can be read.
    pub(super) async fn configure(
        &self,
        api: &Api,
        read: impl FnOnce() -> Result<Command, Vec<Mistake>>,
        asked: &str,
    ) -> Result<Look, Problem> {
        self.asker.may_configure()?;
        let command = read().map_err(|mistakes| Problem::invalid(&mistakes))?;
        self.carry_out(api, command, asked).await
    }

    /// Proposes a command and waits until this node has applied it; then looks.
    ///
    /// `asked` says what was asked for in a refusal, as "logging out".
    pub(super) async fn carry_out(
        &self,
        api: &Api,
        command: Command,
        asked: &str,
    ) -> Result<Look, Problem> {
        let proposed = api.handle.propose(self.request, command).await;
        let applied = proposed.map_err(|why| unavailable(why, api))?;
        if let Outcome::Refused(refusal) = &applied.outcome {
            return Err(refusal::problem(refusal, asked).at(applied.index));
        }
        let waited = api.handle.wait_applied(applied.index).await;
        waited.map_err(|why| unavailable(why, api))?;
        Ok(Look::after(self.asker.clone(), api, applied.index))
    }
}

/// A proposal or read point without an answer.
fn unavailable(why: Unavailable, api: &Api) -> Problem {
    let (kind, detail) = match why {
        Unavailable::NoQuorum => {
            (Kind::NoQuorum, "No majority of the cluster can be reached; nothing was done")
        }
        Unavailable::TimedOut => {
            (Kind::TimedOut, "It may or may not be done; repeat it with the same Idempotency-Key")
        }
        Unavailable::Stopped => (Kind::Stopping, "This node is stopping; ask another"),
    };
    Problem::new(kind, detail).retry_after(1).at(api.handle.applied())
}

/// Looks for an object, or says which names are near.
pub(super) fn found<T>(
    thing: Option<T>,
    kind: Kind,
    name: &str,
    known: impl FnOnce() -> Vec<String>,
) -> Result<T, Problem> {
    thing.ok_or_else(|| {
        let known = known();
        let near = crate::resource::near(name, known.iter().map(String::as_str));
        let did_you_mean = match near.first() {
            Some(first) => format!(" Did you mean {first}?"),
            None => String::new(),
        };
        let detail = format!("{} is called {name}.{did_you_mean}", kind.title());
        Problem::new(kind, &detail).with("near", near.into())
    })
}

/// Looks at the state and adds the index to a problem.
pub(super) fn look<T>(
    api: &Api,
    look: impl FnOnce(View<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let seen = api.handle.applied();
    api.handle.view(look).map_err(|problem| problem.at(seen))
}

/// One parameter of the query, decoded; the first of that name.
pub(super) fn parameter(parts: &Parts, name: &str) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).ok()?;
    pairs.into_iter().find_map(|(key, value)| (key == name).then_some(value))
}

fn asker(parts: &Parts) -> Result<Asker, Problem> {
    let asker = parts.extensions.get::<Asker>().cloned();
    asker.ok_or_else(|| Problem::new(Kind::Unauthenticated, "Send a token"))
}

/// A repeat is known by who asks and the key they chose; it must ask the same as before.
fn request_id(parts: &Parts, asker: &Asker, body: &Value, api: &Api) -> Result<RequestId, Problem> {
    let Some(key) = parts.headers.get(IDEMPOTENCY_KEY) else {
        return Ok(RequestId((api.entropy)()));
    };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        let detail = "Idempotency-Key is 1 to 255 visible ASCII characters";
        return Err(Problem::new(Kind::MalformedRequest, detail));
    }
    // As it was understood, so that another order of fields or other white space is the same.
    let body = body.to_string();
    let name = first_bytes(&[&asker.name, key]);
    let asked = first_bytes(&[parts.method.as_str(), parts.uri.path(), &body]);
    Ok(RequestId::of(name, asked))
}

/// The beginning of a hash of all parts.
fn first_bytes<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep one part from running into the next.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut first = [0; N];
    first.copy_from_slice(&hash.finalize()[..N]);
    first
}

fn json(headers: &HeaderMap, bytes: &Bytes) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = "Send Content-Type: application/json";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(Kind::MalformedBody, &format!("The body is no JSON: {error}"))
    })
}
