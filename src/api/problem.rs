//! Every error of REST in one form: a problem document of RFC 9457.
//!
//! `type` is `/problems/<name>`, which is served as a page with cause and remedy
//! ([`super::catalogue`]). `detail` says what happened this time and what to do about it. Beside
//! the standard members stand `refusal` (the core's word), `state`, `index` (the log index up to
//! which this node has seen everything), `errors` (JSON pointers into the body) and `near`.
//!
//! Always holds: every kind has a page (`tests/api`).
//!
//! Not here: what a refusal of the core becomes ([`super::refusal`]).

use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::RETRY_AFTER;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::api::edge::CARILLON_INDEX;
use crate::base::id::LogIndex;
use crate::resource::Mistake;

/// The media type of RFC 9457 section 3.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// What kind of problem it is; each has a name, a status and a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// No token, or not a known one.
    Unauthenticated,
    /// The role does not allow it.
    Forbidden,
    /// There is no such page.
    UnknownRoute,
    /// The page cannot be asked in this way.
    MethodNotAllowed,
    /// There is no such queue.
    UnknownQueue,
    /// There is no such agent.
    UnknownAgent,
    /// There is no such call.
    UnknownCall,
    /// There is no such leg.
    UnknownLeg,
    /// There is no such trunk.
    UnknownTrunk,
    /// There is no such prompt.
    UnknownPrompt,
    /// Nothing is reached by an address.
    UnknownAddress,
    /// The body is no JSON.
    MalformedBody,
    /// A part of the query or a header cannot be read.
    MalformedRequest,
    /// A field of the body is wrong.
    InvalidField,
    /// The body is too large.
    BodyTooLarge,
    /// The headers are too large.
    HeadersTooLarge,
    /// The body is of another type than JSON.
    UnsupportedMediaType,
    /// Too many requests.
    RateLimited,
    /// Too many listeners.
    TooManyListeners,
    /// Events asked for are no longer kept.
    EventsGone,
    /// No majority of the cluster.
    NoQuorum,
    /// The cluster did not answer in time.
    TimedOut,
    /// The node stops.
    Stopping,
    /// The agent's state does not allow it.
    WrongAgentState,
    /// The call's state does not allow it.
    WrongCallState,
    /// The PIN is wrong.
    WrongPin,
    /// There is no PIN.
    PinMissing,
    /// Too many wrong PINs.
    PinLocked,
    /// The agent may not log in this way.
    LoginKindNotAllowed,
    /// No device to ring.
    NoDevice,
    /// The agent is logged in already.
    AlreadyLoggedIn,
    /// Another agent has the device.
    DeviceTaken,
    /// Who would be taken over talks.
    DeviceInCall,
    /// The reason is not in the settings.
    UnknownReason,
    /// Another queue has the address.
    AddressTaken,
    /// The object lives elsewhere.
    OtherSource,
    /// The call was made already.
    DuplicateCall,
    /// The queue turned the call away.
    TurnedAway,
    /// A former life of a node asked.
    StaleOwner,
    /// The key of another request.
    KeyReused,
    /// Something went wrong inside.
    Internal,
}

/// One problem, on its way to the client.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    retry_after: Option<u64>,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem of a kind; `detail` says what happened and the way out.
    pub(super) fn new(kind: Kind, detail: &str) -> Self {
        let detail = detail.to_owned();
        Self { kind, detail, retry_after: None, members: Map::new() }
    }

    /// Adds an extension member.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// Says when to come again.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Says up to where this node has seen the log.
    pub(super) fn at(self, index: LogIndex) -> Self {
        if self.members.contains_key("index") { self } else { self.with("index", index.0.into()) }
    }

    /// What is wrong with a body, field by field.
    pub(super) fn invalid(mistakes: &[Mistake]) -> Self {
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        let error = |mistake: &Mistake| {
            let detail = format!("{}; {}", mistake.wrong, mistake.remedy);
            json!({ "pointer": mistake.field.pointer(), "detail": detail })
        };
        let errors: Vec<Value> = mistakes.iter().map(error).collect();
        Self::new(Kind::InvalidField, &told.join(". ")).with("errors", errors.into())
    }

    /// Tells whether it is of a kind.
    pub(super) fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    /// Its HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// The document itself.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("/problems/{}", self.kind.name()),
            "title": self.kind.title(),
            "status": self.status().as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(fields) = &mut document {
            fields.extend(self.members.clone());
        }
        document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.document().to_string();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        if let Some(index) = self.members.get("index").and_then(Value::as_u64) {
            headers.insert(CARILLON_INDEX, index.into());
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            // RFC 6750 section 3.
            let challenge = HeaderValue::from_static("Bearer realm=\"carillon\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
