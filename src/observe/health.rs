//! `/metrics`, `/healthz` and `/readyz`, on a port of their own and without a token.
//!
//! | path | 200 means |
//! |---|---|
//! | `/healthz` | the process answers, and no part of it has ended that must not |
//! | `/readyz` | the node can take calls: it knows a quorum, has caught up, and is not leaving |
//!
//! Always holds: nothing of a caller or of the configuration's secrets is served here.
//!
//! Not here: listening, and saying that the node leaves (`node`).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use tokio::sync::watch;

use crate::cluster::handle::Handle;
use crate::observe::metrics::Metrics;
use crate::observe::scrape;

/// What is shown, and where it is from.
#[derive(Clone)]
pub struct Observed {
    /// The cluster.
    pub handle: Handle,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Set when the node begins to leave.
    pub draining: Arc<AtomicBool>,
    /// The part of the node that has ended, once one has.
    pub ended: watch::Receiver<Option<String>>,
}

/// A replica this many entries behind what it knows to be committed has not caught up.
const BEHIND_MAX: u64 = 1000;

/// Builds the three pages.
pub fn router(observed: Observed) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .with_state(observed)
}

async fn metrics(State(observed): State<Observed>) -> Response {
    match scrape::text(&observed.handle, &observed.metrics) {
        Ok(text) => {
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn health(State(observed): State<Observed>) -> Response {
    match &*observed.ended.borrow() {
        None => "ok\n".into_response(),
        Some(part) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{part} has ended\n")).into_response()
        }
    }
}

async fn ready(State(observed): State<Observed>) -> Response {
    let members = observed.handle.members();
    let mut missing = Vec::new();
    if observed.draining.load(Ordering::Relaxed) {
        missing.push("the node is leaving");
    }
    if !members.quorum {
        missing.push("no majority of the cluster can be reached");
    }
    if members.committed.0.saturating_sub(members.applied.0) > BEHIND_MAX {
        missing.push("the log is still being applied");
    }
    if missing.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", missing.join("\n"))).into_response()
}
