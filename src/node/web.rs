//! Where REST, metrics and health are listened for.
//!
//! Always holds: metrics and health have a port of their own, so that they need no token and can be
//! kept inside.
//!
//! Not here: what is answered (`api`, `observe`), who is let in ([`super::config::tokens`]).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api;
use crate::api::Drain;
use crate::api::Rate;
use crate::api::Setup;
use crate::api::Tokens;
use crate::base::id::LogIndex;
use crate::cluster::handle::Handle;
use crate::media::built_in;
use crate::node::clock;
use crate::node::entropy;
use crate::node::running::NodeError;
use crate::observe::health;
use crate::observe::health::Observed;
use crate::observe::log;
use crate::observe::metrics::Metrics;
use crate::resource::NodeSettings;

/// How often one token may ask.
const RATE: Rate = Rate { per_second: 200, burst: 400 };

/// What is served, and where.
pub struct Web {
    /// Where REST is served.
    pub api: SocketAddr,
    /// Where metrics and health are served.
    pub observe: SocketAddr,
    /// Everything that must be aborted at the end.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Begins to serve both ports.
pub async fn serve(
    settings: &NodeSettings,
    handle: &Handle,
    metrics: &Arc<Metrics>,
    tokens: watch::Receiver<Tokens>,
    drain: Drain,
) -> Result<Web, NodeError> {
    let observed = Observed {
        handle: handle.clone(),
        metrics: Arc::clone(metrics),
        draining: Arc::clone(&drain.begun),
    };
    let setup = Setup {
        handle: handle.clone(),
        tokens,
        rate: RATE,
        built_in_prompts: built_in::FILES.iter().map(|(name, _)| *name).collect(),
        clock: clock::local,
        entropy: || entropy::request_id().0,
        drain,
    };
    let api = listen(("REST", "api.listen"), settings.api_listen, api::router(setup)).await?;
    let observe = ("metrics and health", "observe.listen");
    let observe = listen(observe, settings.observe_listen, health::router(observed)).await?;
    Ok(Web { api: api.0, observe: observe.0, tasks: vec![api.1, observe.1] })
}

async fn listen(
    (what, field): (&'static str, &'static str),
    address: SocketAddr,
    router: Router,
) -> Result<(SocketAddr, JoinHandle<()>), NodeError> {
    let failed = |source| NodeError::listen(what, &address, field, source);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let task = tokio::spawn(async move {
        // It ends with the node; an error of one connection does not end it.
        let _ = axum::serve(listener, router).await;
    });
    Ok((bound, task))
}

/// Counts and writes down everything that happens behind `after`, until aborted.
pub async fn follow_facts(handle: Handle, metrics: Arc<Metrics>, mut after: LogIndex) {
    loop {
        let Ok(mut happenings) = handle.happenings_after(after) else {
            after = handle.applied();
            continue;
        };
        while let Some(happening) = happenings.next().await {
            after = happening.index;
            for fact in &happening.facts {
                metrics.count_fact(fact);
                log::write_fact(happening.index, fact);
            }
        }
    }
}
