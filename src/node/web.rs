//! Where REST, metrics and health are listened for, and who is let in.
//!
//! Always holds: without a file of tokens nobody is let in; metrics and health have a port of
//! their own, so that they need no token and can be kept inside.
//!
//! Not here: what is answered (`api`, `observe`).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::api;
use crate::api::Rate;
use crate::api::Setup;
use crate::api::Tokens;
use crate::base::id::LogIndex;
use crate::cluster::handle::Handle;
use crate::media::built_in;
use crate::node::clock;
use crate::node::entropy;
use crate::node::folder::Disk;
use crate::node::running::NodeError;
use crate::observe::health;
use crate::observe::health::Observed;
use crate::observe::log;
use crate::observe::metrics::Metrics;
use crate::resource;
use crate::resource::NodeSettings;

/// How often one token may ask.
const RATE: Rate = Rate { per_second: 200, burst: 400 };

/// What is served, and where.
pub struct Web {
    /// Where REST is served.
    pub api: SocketAddr,
    /// Everything that must be aborted at the end.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Begins to serve both ports.
pub async fn serve(
    settings: &NodeSettings,
    handle: &Handle,
    metrics: &Arc<Metrics>,
    draining: &Arc<AtomicBool>,
) -> Result<Web, NodeError> {
    let setup = Setup {
        handle: handle.clone(),
        tokens: tokens(settings)?,
        rate: RATE,
        built_in_prompts: built_in::FILES.iter().map(|(name, _)| *name).collect(),
        clock: clock::local,
        entropy: || entropy::request_id().0,
    };
    let observed = Observed {
        handle: handle.clone(),
        metrics: Arc::clone(metrics),
        draining: Arc::clone(draining),
    };
    let (api, api_task) = listen(settings.api_listen, api::router(setup)).await?;
    let (_, observe_task) = listen(settings.observe_listen, health::router(observed)).await?;
    Ok(Web { api, tasks: vec![api_task, observe_task] })
}

async fn listen(
    address: SocketAddr,
    router: Router,
) -> Result<(SocketAddr, JoinHandle<()>), NodeError> {
    let failed = |source| NodeError::Listen { address: address.to_string(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let task = tokio::spawn(async move {
        // It ends with the node; an error of one connection does not end it.
        let _ = axum::serve(listener, router).await;
    });
    Ok((bound, task))
}

/// Reads the file of tokens; no file lets nobody in.
fn tokens(settings: &NodeSettings) -> Result<Tokens, NodeError> {
    let Some(path) = &settings.tokens_file else {
        tracing::warn!("api.tokensFile is not set: nobody is let in to the REST interface");
        return Ok(Tokens::default());
    };
    let failed = |source: io::Error| NodeError::Tokens { words: format!("{path}: {source}") };
    let text = fs::read_to_string(path).map_err(failed)?;
    let file = resource::File { name: path, text: &text };
    match resource::read_tokens(file, &Disk::new(&|_| Vec::new())) {
        Ok(tokens) => Ok(Tokens::new(&tokens)),
        Err(mistakes) => Err(NodeError::Tokens {
            words: mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        }),
    }
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
