//! The Raft group: every command goes through its log, every node applies the log to its own copy.
//!
//! ```text
//!           propose                    view, happenings_after, members
//!              │                                   ▲
//!              ▼                                   │
//!   handle ── follower? ──► peer ──► leader      replica ──► Batch of orders ──► node
//!              │ leader                            ▲
//!              ▼                                   │ entries, in log order
//!           openraft ── network ── peers      state_machine ── snapshot (files)
//!              │                                   ▲
//!              ▼                                   │
//!          log_store (one append, one fsync) ── commit
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | [`handle`] | the door: all that other floors see |
//! | [`membership`] | how a cluster begins, who joins, how everybody stands |
//! | [`replica`], [`happenings`] | this node's copy, and what happened to it lately |
//! | [`deadline`] | proposes `Advance` when something is due |
//! | [`absence`] | proposes `LoseNode` when a node is gone |
//! | [`log_store`], [`snapshot`], [`identity`] | the data directory |
//! | [`codec`] | the bytes of all of it |
//! | [`network`], [`peer`] | Raft's messages and forwarded proposals between nodes |
//! | [`state_machine`], [`types`] | what openraft asks for |
//!
//! ```text
//! data/  identity  lock  log/ (chunks of the write-ahead log)  snapshots/ (the newest two)
//! ```
//!
//! Always holds: an acknowledged command is on the disks of a majority; each replica applies the
//! same entries in the same order; nothing reads a clock or draws a number but by what was handed
//! in ([`Clock`], [`Entropy`]).
//!
//! Not here: any decision (`acd`), and who carries out orders (`node`).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openraft::SnapshotPolicy;
use openraft::errors::InitializeError;
use openraft::errors::RaftError;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::acd::State;
use crate::base::id::NodeId;
use crate::base::time::ClusterTime;
use crate::base::time::LocalTime;
use crate::cluster::codec::CodecError;
use crate::cluster::figures::Figures;
use crate::cluster::handle::Handle;
use crate::cluster::handle::Parts;
use crate::cluster::identity::ClusterId;
use crate::cluster::identity::Held;
use crate::cluster::identity::IdentityError;
use crate::cluster::log_store::LogStore;
use crate::cluster::membership::Bootstrap;
use crate::cluster::network::Network;
use crate::cluster::replica::Batch;
use crate::cluster::replica::Picture;
use crate::cluster::replica::Replica;
use crate::cluster::replica::index_of;
use crate::cluster::snapshot::SnapshotFolder;
use crate::cluster::state_machine::StateMachine;
use crate::cluster::types::LogId;
use crate::cluster::types::Member;
use crate::cluster::types::Raft;
use crate::cluster::types::StoredMembers;

pub mod absence;
pub mod codec;
pub mod deadline;
pub mod figures;
pub mod handle;
pub mod happenings;
pub mod identity;
pub mod log_store;
pub mod membership;
pub mod network;
pub mod peer;
pub mod replica;
pub mod snapshot;
pub mod state_machine;
pub mod types;

/// The two clocks, handed in.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// What a leader stamps on entries.
    pub wall: fn() -> ClusterTime,
    /// What lengths are measured by.
    pub local: fn() -> LocalTime,
}

/// Fills a buffer with random bytes, handed in.
pub type Entropy = fn(&mut [u8]);

/// How patient nodes are with one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two heartbeats of the leader.
    pub heartbeat: Duration,
    /// A follower stands for election after a time drawn between these two without a leader.
    pub election: (Duration, Duration),
    /// How long a node may be silent before others go on with its calls.
    pub absence: Duration,
    /// How long a proposal may take before its fate is called unknown.
    pub proposal: Duration,
    /// Entries between two snapshots.
    pub snapshot_every: u64,
    /// Entries kept behind a snapshot for followers that lag.
    pub keep_behind: u64,
}

impl Default for Timing {
    /// Measured on three nodes: a killed leader is replaced within 0.77 to 0.97 s.
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(100),
            election: (Duration::from_millis(250), Duration::from_millis(500)),
            absence: Duration::from_secs(1),
            proposal: Duration::from_secs(5),
            snapshot_every: 20_000,
            keep_behind: 1_000,
        }
    }
}

impl Timing {
    /// How long a leader that is not heard is still believed in.
    pub fn lease(&self) -> Duration {
        self.election.1 + self.heartbeat
    }
}

/// What a node needs to take part.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// The data directory; made if it is missing.
    pub data: PathBuf,
    /// Where other nodes dial in; `None` for a node that is alone.
    pub listen: Option<SocketAddr>,
    /// `host:port` other nodes dial; `listen` when `None`.
    pub advertise: Option<String>,
    /// How a fresh data directory begins.
    pub bootstrap: Bootstrap,
    /// How patient to be.
    pub timing: Timing,
    /// The clocks.
    pub clock: Clock,
    /// The random numbers.
    pub entropy: Entropy,
}

/// Why a node cannot take part.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory is not ours to use.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The log or the snapshots cannot be opened.
    #[error("the log or a snapshot cannot be opened: {0}")]
    Store(#[source] io::Error),
    /// A snapshot was lost together with the entries it stood for.
    #[error("entries {from} to {to} are neither in the log nor in a snapshot")]
    Hole {
        /// The first entry missing.
        from: u64,
        /// The last entry missing.
        to: u64,
    },
    /// The address for other nodes cannot be listened on.
    #[error("cannot listen for other nodes: {0}")]
    Listen(#[source] io::Error),
    /// The list of members does not fit.
    #[error("the members do not fit: {0}")]
    Members(String),
    /// Raft did not start.
    #[error("raft did not start: {0}")]
    Raft(String),
}

impl From<CodecError> for StartError {
    fn from(error: CodecError) -> Self {
        Self::Store(error.into())
    }
}

/// How often the end of something is looked for.
const MOMENT: Duration = Duration::from_millis(2);
/// How long a stop waits for each of its parts.
const GRACE: Duration = Duration::from_secs(1);

/// A node's part in the cluster; stop it before the process ends.
pub struct Cluster {
    handle: Handle,
    tasks: Vec<JoinHandle<()>>,
    is_log_open: Box<dyn Fn() -> bool + Send + Sync>,
    held: Held,
}

/// Orders as they are applied, in log order.
pub type Batches = mpsc::UnboundedReceiver<Batch>;

/// Opens the data directory, applies what it holds, and takes part.
///
/// A node that is the only voter leads and has applied its whole log when this returns; others come
/// to a leader in their own time ([`Handle::wait_quorum`]).
pub async fn start(config: ClusterConfig) -> Result<(Cluster, Handle, Batches), StartError> {
    let held = hold(&config)?;
    let me = held.identity;
    let figures = Arc::new(Figures::new(config.clock.local));
    let folder = SnapshotFolder::open(config.data.join("snapshots")).map_err(StartError::Store)?;
    let log = LogStore::open(&config.data.join("log"), Arc::clone(&figures))
        .map_err(StartError::Store)?;
    let picture = recover(&folder, &log)?;
    let silent_until = index_of(log.committed().map(LogId::from)).max(index_of(picture.applied));
    let (replica, batches) = Replica::new(picture, silent_until);
    let is_log_open = Box::new(log.watch());
    let machine = StateMachine::new(Arc::clone(&replica), folder, Arc::clone(&figures));
    // Twice the longest election: a peer that has not answered by then is as good as gone.
    let network = Network::new(me, config.timing.election.1 * 2);
    let settings = Arc::new(settings(&config.timing));
    let raft = Raft::new(me.owner.node.0, settings, network.clone(), log, machine)
        .await
        .map_err(|error| StartError::Raft(error.to_string()))?;
    let (clock, timing) = (config.clock, config.timing);
    let handle = Handle::new(Parts { me, raft, replica, network, figures, clock, timing });
    let mut tasks = Vec::new();
    if let Some(listen) = config.listen {
        let listener = TcpListener::bind(listen).await.map_err(StartError::Listen)?;
        tasks.push(tokio::spawn(peer::server::serve(listener, handle.clone())));
        let absent = absence::watch(handle.clone(), config.entropy, config.timing.absence);
        tasks.push(tokio::spawn(absent));
    }
    if held.fresh {
        begin(&handle, &config).await?;
    }
    lead_if_alone(&handle, config.timing.election.1 * 20).await?;
    tasks.push(tokio::spawn(deadline::watch(handle.clone(), config.entropy)));
    Ok((Cluster { handle: handle.clone(), tasks, is_log_open, held }, handle, batches))
}

impl Cluster {
    /// Hands over if this node leads others, then stops; the data directory is free afterwards.
    pub async fn stop(mut self) {
        self.hand_over().await;
        for task in self.tasks.drain(..) {
            task.abort();
            // Aborted is how it ends.
            let _ = task.await;
        }
        if let Err(error) = self.handle.raft().shutdown().await {
            tracing::error!(%error, "raft did not end well");
        }
        let closed = async {
            while (self.is_log_open)() {
                tokio::time::sleep(MOMENT).await;
            }
        };
        if tokio::time::timeout(GRACE, closed).await.is_err() {
            tracing::error!("the log is still open");
        }
        drop(self.held);
    }

    /// Best effort: without it the others elect a leader by themselves.
    async fn hand_over(&self) {
        let members = self.handle.members();
        if self.handle.is_leader()
            && let Some(next) = members
                .members
                .iter()
                .filter(|member| member.voter && member.id != self.handle.node())
                .filter(|member| member.reachable == Some(true))
                .max_by_key(|member| member.matched)
            && self.handle.hand_over(next.id).await.is_ok()
        {
            let gone = async {
                while self.handle.is_leader() {
                    tokio::time::sleep(MOMENT).await;
                }
            };
            let _ = tokio::time::timeout(GRACE, gone).await;
        }
    }
}

fn hold(config: &ClusterConfig) -> Result<Held, StartError> {
    let expected = match &config.bootstrap {
        Bootstrap::Alone => None,
        Bootstrap::Together { cluster, node, .. } | Bootstrap::Join { cluster, node } => {
            Some((*cluster, *node))
        }
    };
    let fresh = || {
        expected.unwrap_or_else(|| {
            let mut bytes = [0; 16];
            (config.entropy)(&mut bytes);
            (ClusterId(u128::from_be_bytes(bytes)), NodeId(1))
        })
    };
    Ok(identity::take(&config.data, fresh, expected)?)
}

/// The newest snapshot, or the empty state; the log goes on from there.
fn recover(folder: &SnapshotFolder, log: &LogStore) -> Result<Picture, StartError> {
    let picture = match folder.newest().map_err(StartError::Store)? {
        Some(found) => {
            let meta = types::SnapshotMeta::try_from(found.coverage)?;
            let members = meta.last_membership;
            Picture { state: found.state, applied: meta.last_log_id, members }
        }
        None => {
            let members = StoredMembers::default();
            Picture { state: State::new(), applied: None, members }
        }
    };
    let (have, dropped) = (picture.applied.map(codec::Point::from), log.purged());
    if dropped > have {
        let from = have.map_or(0, |have| have.index + 1);
        return Err(StartError::Hole { from, to: dropped.map_or(0, |dropped| dropped.index) });
    }
    Ok(picture)
}

fn settings(timing: &Timing) -> openraft::Config {
    openraft::Config {
        cluster_name: "carillon".to_owned(),
        heartbeat_interval: millis(timing.heartbeat),
        election_timeout_min: millis(timing.election.0),
        election_timeout_max: millis(timing.election.1),
        enable_pre_vote: Some(true),
        // Per part of a snapshot on the asking side; for the whole of it on openraft's.
        install_snapshot_timeout: 60_000,
        max_payload_entries: 1_024,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(timing.snapshot_every),
        max_in_snapshot_log_to_keep: timing.keep_behind,
        replication_lag_threshold: timing.snapshot_every,
        ..openraft::Config::default()
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

async fn begin(handle: &Handle, config: &ClusterConfig) -> Result<(), StartError> {
    let members = match &config.bootstrap {
        Bootstrap::Join { .. } => return Ok(()),
        Bootstrap::Alone => {
            let listen = config.listen.map_or_else(String::new, |listen| listen.to_string());
            let address = config.advertise.clone().unwrap_or(listen);
            BTreeMap::from([(handle.node().0, Member { address })])
        }
        Bootstrap::Together { members, .. } => members
            .iter()
            .map(|(id, address)| (id.0, Member { address: address.clone() }))
            .collect(),
    };
    match handle.raft().initialize(members).await {
        // Another of the list was faster and has told us already.
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(RaftError::APIError(error @ InitializeError::NotInMembers(_))) => {
            Err(StartError::Members(error.to_string()))
        }
        Err(RaftError::Fatal(error)) => Err(StartError::Raft(error.to_string())),
    }
}

/// The only voter need not wait for a silent leader before it stands.
async fn lead_if_alone(handle: &Handle, deadline: Duration) -> Result<(), StartError> {
    let failed = |error: String| StartError::Raft(error);
    let voters = handle
        .raft()
        .with_raft_state(|state| state.membership_state.effective().voter_ids().collect())
        .await;
    let voters: Vec<u64> = voters.map_err(|error| failed(error.to_string()))?;
    if voters != [handle.node().0] {
        return Ok(());
    }
    if !handle.is_leader() {
        handle.raft().trigger().elect(false).await.map_err(|error| failed(error.to_string()))?;
    }
    handle.wait_quorum(deadline).await.map_err(|error| failed(error.to_string()))?;
    // What was written behind the last known commit is committed and applied with this.
    handle.barrier().await.map(drop).map_err(|error| failed(error.to_string()))
}
