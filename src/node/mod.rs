//! The only worldly place: clocks, entropy, sockets, files and tasks, put together to a node.
//!
//! ```text
//! args ─► serve ─► running: cluster ─► shards ◄─► udp, tcp
//!      │                        │         └────► rtp (media threads)
//!      ├► check                 ├► config (folder ─► commands)
//!      └► demo                  └► port (REST, metrics, health)
//! ```
//!
//! Always holds: nothing here decides about a call; clocks and entropy are read in [`clock`] and
//! [`entropy`] alone; a node that stops says goodbye in order ([`running::Node::stop`]).
//!
//! Not here: what is put together (every other floor).

pub mod args;
pub mod check;
pub mod clock;
pub mod config;
pub mod count;
pub mod demo;
pub mod door;
pub mod entropy;
pub mod identity;
pub mod log;
pub mod nap;
pub mod orders;
pub mod port;
pub mod pulse;
pub mod rtp;
pub mod running;
pub mod shard;
pub mod tcp;
pub mod udp;
pub mod waiting;

use std::process::ExitCode;
use std::time::Duration;

use crate::node::args::Args;
use crate::node::args::Order;
use crate::node::args::Serve;
use crate::node::running::Node;

/// How long a broken node may take to stop.
const LEAVE_WITHIN: Duration = Duration::from_secs(8);

/// Carries out what was typed; the status the process ends with.
pub fn run(args: Args) -> ExitCode {
    match args.order {
        Order::Check { path } => check::check(&path),
        Order::Serve(order) => {
            log::begin(order.log_format);
            in_runtime(async { serve(order).await.map(|()| true) })
        }
        Order::Demo(order) => in_runtime(async { demo::run(order).await.map_err(Into::into) }),
    }
}

/// Runs `work` to its end; `false` or an error is exit status 1.
fn in_runtime(work: impl Future<Output = Result<bool, Box<dyn std::error::Error>>>) -> ExitCode {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.worker_threads(workers()).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(work) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&error.to_string()),
    }
}

/// Half of the cores, for all but media: its threads and the disk have the others.
///
/// A call is many small tasks that wake one another. Where a second worker is idle, each such
/// wake-up crosses the cores, which costs more than the task (measured), and shards that run side
/// by side send what one entry of the log ordered out of its order.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2)
}

fn fail(sentence: &str) -> ExitCode {
    eprintln!("carillon: {sentence}");
    ExitCode::FAILURE
}

/// Runs a node until it is told to stop (Ctrl-C, SIGTERM).
async fn serve(order: Serve) -> Result<(), Box<dyn std::error::Error>> {
    let node = Node::start_among(&order.config, &order.data, &order.membership).await?;
    let [udp, tcp] = node
        .sip
        .each_ref()
        .map(|listens| listens.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    let rtp = rtp::range(&node.rtp);
    let (api, metrics) = (node.api, node.observe);
    tracing::info!(udp, tcp, rtp, %api, %metrics, "carillon is ready for calls");
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        part = node.ended() => {
            tracing::error!(part, "a part of the node has ended; the process ends, too");
            // What is left says goodbye as far as it can.
            let _ = tokio::time::timeout(LEAVE_WITHIN, node.stop()).await;
            return Err(format!("{part} has ended").into());
        }
    }
    tracing::info!("carillon is stopping");
    node.stop().await;
    Ok(())
}
