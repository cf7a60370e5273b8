//! Where REST, metrics and health are listened for.
//!
//! Always holds: metrics and health have a port of their own, so that they need no token and can be
//! kept inside.
//!
//! Not here: what is answered (`api`, `observe`), who is let in ([`crate::node::config::tokens`]).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api;
use crate::api::Drain;
use crate::api::Setup;
use crate::api::Tokens;
use crate::base::id::LogIndex;
use crate::cluster::handle::Handle;
use crate::media::built_in;
use crate::node::clock;
use crate::node::entropy;
use crate::node::port::files;
use crate::node::port::files::Shares;
use crate::node::port::http;
use crate::node::port::http::Limits;
use crate::node::pulse::Pulse;
use crate::node::running::NodeError;
use crate::observe::health;
use crate::observe::health::Observed;
use crate::observe::log;
use crate::observe::losses;
use crate::observe::metrics::Metrics;
use crate::resource::NodeSettings;

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
    (tokens, drain): (watch::Receiver<Tokens>, Drain),
    pulse: &Pulse,
) -> Result<Web, NodeError> {
    let observed = Observed {
        handle: handle.clone(),
        metrics: Arc::clone(metrics),
        draining: Arc::clone(&drain.begun),
        ended: pulse.watched(),
    };
    let setup = Setup {
        handle: handle.clone(),
        tokens,
        rate: api::USUAL_RATE,
        built_in_prompts: built_in::FILES.iter().map(|(name, _)| *name).collect(),
        clock: clock::local,
        entropy: || entropy::request_id().0,
        drain,
    };
    let shares = Shares::here();
    let api = Port { name: "api", what: "REST", field: "api.listen" };
    let limits = Limits::new(shares.api, shares.api_of_one);
    let api = api.open(settings.api_listen, api::router(setup), limits, (metrics, pulse)).await?;
    let observe = Port { name: "observe", what: "metrics and health", field: "observe.listen" };
    let limits = Limits::new(shares.observe, files::OBSERVE_OF_ONE);
    let router = health::router(observed);
    let observe = observe.open(settings.observe_listen, router, limits, (metrics, pulse)).await?;
    Ok(Web { api: api.0, observe: observe.0, tasks: vec![api.1, observe.1] })
}

/// A port as metrics, people and `Settings` call it.
struct Port {
    name: &'static str,
    what: &'static str,
    field: &'static str,
}

impl Port {
    /// Begins to serve a router.
    async fn open(
        self,
        address: SocketAddr,
        router: Router,
        limits: Limits,
        (metrics, pulse): (&Arc<Metrics>, &Pulse),
    ) -> Result<(SocketAddr, JoinHandle<()>), NodeError> {
        let failed = |source| NodeError::listen(self.what, &address, self.field, source);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let counted = (self.name, Arc::clone(metrics));
        let served = http::serve(listener, router, limits, counted);
        Ok((bound, pulse.keep(self.what, served)))
    }
}

/// Counts and writes down everything that happens behind `after`, until aborted.
pub async fn follow_facts(handle: Handle, metrics: Arc<Metrics>, mut after: LogIndex) {
    let mut log = log::Writer::default();
    let mut pace = tokio::time::interval(Duration::from_millis(losses::PAUSE.0));
    loop {
        let Ok(mut happenings) = handle.happenings_after(after) else {
            after = handle.applied();
            continue;
        };
        loop {
            tokio::select! {
                happening = happenings.next() => {
                    let Some(happening) = happening else { break };
                    after = happening.index;
                    for fact in &happening.facts {
                        metrics.count_fact(fact);
                        log.write(clock::local(), happening.index, fact);
                    }
                }
                _ = pace.tick() => log.tell_left_out(clock::local()),
            }
        }
    }
}
