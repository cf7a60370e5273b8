//! `GET /api/v1/events`: everything that happens, as it happens, resumable by log index.
//!
//! ```text
//! event: CallEnqueued                      one event a fact
//! data: {"index":4711,"at":"…","type":"CallEnqueued","call":"…","queue":"sales",…}
//!
//! id: 4711                                 only the last fact of an entry carries the id, so that
//! event: CallReserved                      a listener cut off in the middle of an entry is given
//! data: {…}                                the whole of it again, and never misses one
//! ```
//!
//! A listener says where to go on by `?after=INDEX` or `Last-Event-ID` (which wins, being newer);
//! without either it hears what happens from now on. What is no longer kept is answered 410 with
//! a fresh index.
//!
//! Always holds: no fact is missed between two events of one stream; a slow listener's stream ends
//! rather than grow, and so does one whose token is taken out of the file.
//!
//! Not here: how long facts are kept (`cluster::happenings`), their JSON ([`super::story`]).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::response::sse::KeepAlive;
use futures_util::Stream;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;
use tokio::sync::watch;

use crate::acd::fact::Fact;
use crate::api::Api;
use crate::api::auth::Asker;
use crate::api::auth::Tokens;
use crate::api::limit::Listening;
use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::api::request::Look;
use crate::api::request::parameter;
use crate::api::story;
use crate::api::time::rfc3339;
use crate::base::id::LogIndex;
use crate::cluster::handle::Happening;

/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where a listener goes on.
pub(super) struct After(Option<LogIndex>);

impl FromRequestParts<Api> for After {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<Self, Problem> {
        let last = parts.headers.get("last-event-id").map(|last| last.to_str().unwrap_or("?"));
        let written = last.map(str::to_owned).or_else(|| parameter(parts, "after"));
        let Some(written) = written else { return Ok(Self(None)) };
        match written.parse() {
            Ok(index) => Ok(Self(Some(LogIndex(index)))),
            Err(_) => {
                let detail = "after and Last-Event-ID are log indexes: whole numbers";
                Err(Problem::new(Kind::MalformedRequest, detail))
            }
        }
    }
}

/// Streams what happens.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(
        ("after" = Option<u64>, Query, description = "The last log index already seen"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers send it"),
    ),
    responses((status = 200, content_type = "text/event-stream", body = String),
        (status = 410, description = "No longer kept; a fresh index is in the problem")))]
pub(super) async fn listen(
    State(api): State<Api>,
    After(after): After,
    look: Look,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let place = api
        .listeners
        .enter(&look.asker.name)
        .map_err(|detail| Problem::new(Kind::TooManyListeners, &detail).retry_after(5))?;
    // An index from the future is one of another cluster, or of a log that was lost.
    let after = after.unwrap_or(look.index);
    if after > look.index {
        return Err(gone(after, look.index));
    }
    let happenings =
        api.handle.happenings_after(after).map_err(|gone_by| gone(after, gone_by.newest))?;
    let asker = look.asker;
    let shut_out = shut_out(api.tokens.clone(), asker.clone());
    let events = happenings
        .flat_map(move |happening| stream::iter(events(&happening, &asker).into_iter().map(Ok)))
        .take_until(shut_out);
    let events = Counted { events: Box::pin(events), _place: place };
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Waits until the listener's token is not let in any more.
async fn shut_out(mut tokens: watch::Receiver<Tokens>, asker: Asker) {
    if tokens.wait_for(|tokens| !tokens.knows(&asker)).await.is_err() {
        // Nobody changes the tokens any more.
        std::future::pending().await
    }
}

fn gone(after: LogIndex, newest: LogIndex) -> Problem {
    let detail = format!(
        "What happened after {after} is not kept here. Read the state anew, then listen after \
         {newest}."
    );
    Problem::new(Kind::EventsGone, &detail).at(newest)
}

fn events(happening: &Happening, asker: &Asker) -> Vec<Event> {
    let last = happening.facts.len().saturating_sub(1);
    let event = |(nth, fact): (usize, &Fact)| {
        // Nobody has the call yet when its caller is told of.
        let (kind, fields) = story::fact(fact, asker.sees_caller_of(&[]));
        let mut data = serde_json::Map::new();
        data.insert("index".to_owned(), happening.index.0.into());
        data.insert("at".to_owned(), rfc3339(happening.at).into());
        data.insert("type".to_owned(), kind.into());
        data.extend(fields);
        let event = Event::default().event(kind).data(Value::Object(data).to_string());
        if nth == last { event.id(happening.index.to_string()) } else { event }
    };
    happening.facts.iter().enumerate().map(event).collect()
}

/// A stream that gives its place back when it ends.
struct Counted<S> {
    events: std::pin::Pin<Box<S>>,
    _place: Listening,
}

impl<S: Stream> Stream for Counted<S> {
    type Item = S::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.events.as_mut().poll_next(context)
    }
}
