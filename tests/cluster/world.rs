//! Nodes to test with, and how to wait for them.
//!
//! Not here: any assertion about Carillon.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;
use std::time::SystemTime;

use carillon::acd::command::Command;
use carillon::acd::config::PromptConfig;
use carillon::acd::config::PromptSource;
use carillon::acd::config::Source;
use carillon::base::id::NodeId;
use carillon::base::id::PromptId;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;
use carillon::base::time::LocalTime;
use carillon::cluster;
use carillon::cluster::Batches;
use carillon::cluster::Clock;
use carillon::cluster::Cluster;
use carillon::cluster::ClusterConfig;
use carillon::cluster::Timing;
use carillon::cluster::handle::Handle;
use carillon::cluster::identity::ClusterId;
use carillon::cluster::membership::Bootstrap;

use crate::wait_async::PATIENCE;
use crate::wait_async::until_some;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(crate) fn wall() -> ClusterTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    ClusterTime(u64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn local() -> LocalTime {
    LocalTime(u64::try_from(START.elapsed().as_micros()).unwrap() + 1)
}

pub(crate) fn entropy(bytes: &mut [u8]) {
    getrandom::fill(bytes).unwrap();
}

pub(crate) const CLOCK: Clock = Clock { wall, local };

/// A node of its own, fresh or as it was left in `data`.
pub(crate) fn alone(data: &Path) -> ClusterConfig {
    ClusterConfig {
        data: data.to_path_buf(),
        listen: None,
        advertise: None,
        bootstrap: Bootstrap::Alone,
        timing: Timing::default(),
        clock: CLOCK,
        entropy,
    }
}

/// A node that runs, with the orders it was given.
pub(crate) struct Node {
    pub(crate) cluster: Cluster,
    pub(crate) handle: Handle,
    pub(crate) batches: Batches,
}

pub(crate) async fn start(config: ClusterConfig) -> Node {
    let (cluster, handle, batches) = cluster::start(config).await.unwrap();
    Node { cluster, handle, batches }
}

/// Starts again what has just stopped: its locks are let go a moment later.
pub(crate) async fn start_again(config: ClusterConfig) -> Node {
    let start = async || cluster::start(config.clone()).await.ok();
    let (cluster, handle, batches) = until_some("its locks are let go", start).await;
    Node { cluster, handle, batches }
}

/// Configurations of nodes 1 to `count` of one cluster, each with a folder below `data`.
pub(crate) fn together(data: &Path, count: u64) -> Vec<ClusterConfig> {
    let addresses = free_addresses(count);
    let members = addresses
        .iter()
        .map(|(id, address)| (*id, address.to_string()))
        .collect::<BTreeMap<_, _>>();
    addresses
        .iter()
        .map(|(id, address)| ClusterConfig {
            data: data.join(id.0.to_string()),
            listen: Some(*address),
            bootstrap: Bootstrap::Together {
                cluster: ClusterId(7),
                node: *id,
                members: members.clone(),
            },
            ..alone(data)
        })
        .collect()
}

/// Addresses nobody listens on, for nodes 1 to `count`.
pub(crate) fn free_addresses(count: u64) -> BTreeMap<NodeId, SocketAddr> {
    // All held at once, so that they differ.
    let held = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect::<Vec<_>>();
    let ids = (1..=count).map(NodeId);
    ids.zip(held.iter().map(|listener| listener.local_addr().unwrap())).collect()
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, async || holds().then_some(())).await;
}

/// Waits for a future.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("never ended: {what}"),
    }
}

pub(crate) fn request() -> RequestId {
    let mut bytes = [0; 16];
    entropy(&mut bytes);
    RequestId(u128::from_be_bytes(bytes))
}

/// A command that leaves a trace in the state: the prompt `name`.
pub(crate) fn put(name: &str) -> Command {
    let prompt =
        PromptConfig { id: PromptId::new(name), source: PromptSource::BuiltIn("beep".to_owned()) };
    Command::PutPrompt { prompt: Box::new(prompt), source: Source::Rest }
}

/// Whether a node's state has that trace.
pub(crate) fn has(handle: &Handle, name: &str) -> bool {
    let id = PromptId::new(name);
    handle.view(|view| view.prompt_configs().iter().any(|(prompt, _)| prompt.id == id))
}
