//! REST: the compatible lists at the root, everything else below `/api/v1`.
//!
//! ```text
//! request ─► edge (token, rate, sizes) ─► handler ─┬─► view ─────────────► JSON
//!                                                  └─► command ─► log ─► view ─► JSON
//! ```
//!
//! Always holds: nothing is open without a token but the description of the interface and the
//! pages about its problems, which tell nothing of the deployment; every answer of the deployment
//! says in `Carillon-Index` up to which log index it knows; every error is a problem document; a
//! change is answered after it is committed and applied here.
//!
//! Not here: listening (`node`), metrics and health (`observe`), reading bodies (`resource`).

pub mod limit;
pub mod openapi;

mod agents;
mod auth;
mod calls;
mod catalogue;
mod compatible;
mod edge;
mod events;
mod members;
mod problem;
mod queues;
mod refusal;
mod request;
mod resources;
mod story;
mod time;
mod trunks;

pub use crate::api::auth::Tokens;
pub use crate::api::limit::USUAL_RATE;
pub use crate::api::members::Drain;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::MethodRouter;
use axum::routing::delete;
use axum::routing::get;
use axum::routing::post;
use axum::routing::put;
use tokio::sync::watch;
use tower_http::limit::RequestBodyLimitLayer;

use crate::acd::command::Refusal;
use crate::api::limit::Limiter;
use crate::api::limit::Listeners;
use crate::api::resources::BodyOutside;
use crate::base::rate::Rate;
use crate::base::time::LocalTime;
use crate::cluster::handle::Handle;

/// What the interface is built from.
pub struct Setup {
    /// The cluster.
    pub handle: Handle,
    /// Who is let in, from now on as it changes.
    pub tokens: watch::Receiver<Tokens>,
    /// How often.
    pub rate: Rate,
    /// The prompts in the program, which a queue may name.
    pub built_in_prompts: Vec<&'static str>,
    /// The local clock, for rates.
    pub clock: fn() -> LocalTime,
    /// Random numbers, for request ids.
    pub entropy: fn() -> u128,
    /// How the node is made to take no more calls, and to take them again.
    pub drain: Drain,
}

/// What every handler has at hand.
#[derive(Clone)]
struct Api {
    handle: Handle,
    tokens: watch::Receiver<Tokens>,
    drain: Drain,
    limiter: Arc<Limiter>,
    outside: Arc<BodyOutside>,
    listeners: Arc<Listeners>,
    clock: fn() -> LocalTime,
    entropy: fn() -> u128,
}

/// A method, a path, and who serves it.
type Route = (&'static str, &'static str, MethodRouter<Api>);

/// Every route there is.
#[rustfmt::skip]
fn routes() -> Vec<Route> {
    vec![
        ("GET",    "/queues",                             get(compatible::queues)),
        ("GET",    "/agents",                             get(compatible::agents)),

        ("GET",    "/api/v1/queues",                      get(queues::list)),
        ("GET",    "/api/v1/queues/{queue}",              get(queues::show)),
        ("PUT",    "/api/v1/queues/{queue}",              put(queues::put)),
        ("DELETE", "/api/v1/queues/{queue}",              delete(queues::remove)),
        ("GET",    "/api/v1/queues/{queue}/calls",        get(queues::calls)),

        ("GET",    "/api/v1/agents",                      get(agents::list)),
        ("GET",    "/api/v1/agents/{agent}",              get(agents::show)),
        ("PUT",    "/api/v1/agents/{agent}",              put(agents::put)),
        ("DELETE", "/api/v1/agents/{agent}",              delete(agents::remove)),
        ("POST",   "/api/v1/agents/{agent}/login",        post(agents::login)),
        ("POST",   "/api/v1/agents/{agent}/logout",       post(agents::logout)),
        ("POST",   "/api/v1/agents/{agent}/force-logout", post(agents::force_logout)),
        ("POST",   "/api/v1/agents/{agent}/ready",        post(agents::ready)),
        ("POST",   "/api/v1/agents/{agent}/not-ready",    post(agents::not_ready)),
        ("POST",   "/api/v1/agents/{agent}/end-wrap-up",  post(agents::end_wrap_up)),

        ("GET",    "/api/v1/calls",                       get(calls::list)),
        ("GET",    "/api/v1/calls/{call}",                get(calls::show)),
        ("POST",   "/api/v1/calls/{call}/transfer",       post(calls::transfer)),
        ("POST",   "/api/v1/calls/{call}/hang-up",        post(calls::hang_up)),
        ("POST",   "/api/v1/calls/{call}/priority",       post(calls::prioritize)),

        ("GET",    "/api/v1/trunks",                      get(trunks::list)),
        ("GET",    "/api/v1/trunks/{trunk}",              get(trunks::show)),
        ("PUT",    "/api/v1/trunks/{trunk}",              put(trunks::put)),
        ("DELETE", "/api/v1/trunks/{trunk}",              delete(trunks::remove)),

        ("GET",    "/api/v1/events",                      get(events::listen)),
        ("GET",    "/api/v1/cluster",                     get(members::show)),
        ("POST",   "/api/v1/cluster/drain",               post(members::drain)),
        ("DELETE", "/api/v1/cluster/drain",               delete(members::undrain)),
        ("GET",    "/api/v1/openapi.json",                get(openapi::description)),
        ("GET",    "/problems/{name}",                    get(openapi::problem_page)),
    ]
}

/// The method and path of every route.
pub fn route_list() -> Vec<(&'static str, &'static str)> {
    routes().into_iter().map(|(method, path, _)| (method, path)).collect()
}

/// What a client is told when the core refuses; `asked` is as "logging out".
pub fn refusal_document(refusal: &Refusal, asked: &str) -> serde_json::Value {
    refusal::problem(refusal, asked).document()
}

/// Builds the interface.
pub fn router(setup: Setup) -> Router {
    let Setup { handle, tokens, rate, built_in_prompts, clock, entropy, drain } = setup;
    let outside = BodyOutside { handle: handle.clone(), built_in_prompts };
    let api = Api {
        handle,
        tokens,
        drain,
        limiter: Arc::new(Limiter::new(rate)),
        outside: Arc::new(outside),
        listeners: Arc::default(),
        clock,
        entropy,
    };
    let router = routes()
        .into_iter()
        .fold(Router::new(), |router, (_, path, serve)| router.route(path, serve));
    router
        .layer(RequestBodyLimitLayer::new(edge::BODY_MAX))
        .layer(middleware::from_fn_with_state(api.clone(), edge::pass))
        .with_state(api)
}
