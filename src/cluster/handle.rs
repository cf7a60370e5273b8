//! What everybody else sees of the cluster: propose, look, listen, and ask how it stands.
//!
//! A proposal may be made at any node. A follower passes it to the leader, which stamps the time;
//! it is answered when it is committed and applied there:
//!
//! | answer | means |
//! |---|---|
//! | [`Applied`] | in the log for good; the outcome is the core's |
//! | [`Unavailable::NoQuorum`] | nobody can take it now; it was not taken |
//! | [`Unavailable::TimedOut`] | nobody knows; propose it again under the same [`RequestId`] |
//!
//! Always holds: a repeat under the same request id is harmless (the core answers it with the first
//! outcome), so the handle itself repeats what was lost on the way until the deadline. Time
//! stamped by one leader never goes back, and the core raises what an older leader stamped.
//!
//! Not here: what is decided (`acd`), how it becomes durable ([`super::log_store`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use openraft::Instant;
use openraft::ReadPolicy;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::ClientWriteError;
use openraft::errors::LinearizableReadError;
use openraft::errors::RaftError;
use tokio::time::sleep;
use tokio::time::timeout;

use crate::acd::State;
pub use crate::cluster::figures::BOUNDS_US;
pub use crate::cluster::figures::HistogramPicture;
pub use crate::cluster::happenings::Happening;
pub use crate::cluster::membership::MemberPicture;

use crate::acd::command::Command;
use crate::acd::command::Entry;
use crate::acd::command::Outcome;
use crate::acd::view::View;
use crate::base::id::LogIndex;
use crate::base::id::NodeId;
use crate::base::id::RequestId;
use crate::base::time::ClusterTime;
use crate::base::time::LocalTime;
use crate::cluster::Clock;
use crate::cluster::Timing;
use crate::cluster::figures::Figures;
use crate::cluster::happenings::Gone;
use crate::cluster::happenings::HappeningStream;
use crate::cluster::identity::Identity;
use crate::cluster::membership::Members;
use crate::cluster::network::Network;
use crate::cluster::peer::frame::Answer;
use crate::cluster::peer::frame::Ask;
use crate::cluster::peer::frame::Purpose;
use crate::cluster::peer::link::Link;
use crate::cluster::peer::link::LinkError;
use crate::cluster::replica::Replica;
use crate::cluster::types::Member;
use crate::cluster::types::Proposal;
use crate::cluster::types::Raft;

/// How often it is looked whether Raft still runs.
const LOOK: Duration = Duration::from_millis(100);
/// Pause before a proposal lost on the way is made again.
const AGAIN: Duration = Duration::from_millis(20);

/// A command that is in the log for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Where it stands.
    pub index: LogIndex,
    /// What came of it.
    pub outcome: Outcome,
}

/// Why a proposal or a read point has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// There is no leader with a majority; nothing was taken.
    #[error("no majority of the cluster can be reached")]
    NoQuorum,
    /// It may or may not be taken yet; repeat it under the same request id.
    #[error("the cluster did not answer in time")]
    TimedOut,
    /// This node stops.
    #[error("the node is stopping")]
    Stopped,
}

/// The cluster as seen from this node; clones are the same.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    me: Identity,
    raft: Raft,
    replica: Arc<Replica>,
    network: Network,
    figures: Arc<Figures>,
    clock: Clock,
    timing: Timing,
    /// The newest time stamped here, so that the next is never older.
    stamped: AtomicU64,
    /// When a leader was last heard, by the local clock; 0 is never.
    heard: AtomicU64,
    /// Ways to other nodes for proposals, made when first needed.
    forward: Mutex<BTreeMap<u64, (Member, Link)>>,
}

/// What a handle is made of.
pub(crate) struct Parts {
    pub(crate) me: Identity,
    pub(crate) raft: Raft,
    pub(crate) replica: Arc<Replica>,
    pub(crate) network: Network,
    pub(crate) figures: Arc<Figures>,
    pub(crate) clock: Clock,
    pub(crate) timing: Timing,
}

/// How one attempt at the leader went.
enum Attempt<T> {
    Done(T),
    /// Not taken; this node is said to be the leader, if any is.
    Elsewhere(Option<(u64, Member)>),
    /// Perhaps taken.
    Unknown,
    Stopped,
}

impl Handle {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { me, raft, replica, network, figures, clock, timing } = parts;
        let inner = Inner {
            me,
            raft,
            replica,
            network,
            figures,
            clock,
            timing,
            stamped: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            forward: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Proposes a command and waits until it is committed and applied at the leader.
    ///
    /// This node may apply it a moment later; [`Handle::barrier`] waits for that. Refused with
    /// `NoQuorum` at once when no leader is known or it has lost its majority, with `TimedOut`
    /// after [`Timing::proposal`].
    pub async fn propose(
        &self,
        request: RequestId,
        command: Command,
    ) -> Result<Applied, Unavailable> {
        let since = self.inner.figures.now();
        let mut taken_perhaps = false;
        let proposed = self.until_done(&mut taken_perhaps, |leader| {
            let command = command.clone();
            async move {
                let Some((id, member)) = leader else {
                    return self.propose_here(request, command).await;
                };
                let ask = Ask::Propose { request, command: Box::new(command) };
                let answered = self.forward(id, &member, ask).await;
                if let Attempt::Done(Answer::Applied { index, outcome }) = answered {
                    return Attempt::Done(Applied { index: LogIndex(index), outcome });
                }
                settle(answered)
            }
        });
        let result = timeout(self.inner.timing.proposal, proposed).await;
        let applied = result.unwrap_or(Err(Unavailable::TimedOut))?;
        self.inner.figures.count_commit(since);
        Ok(applied)
    }

    /// Waits until Raft has ended on this node: by a broken disk, a panic, or a stop.
    pub async fn wait_end(self) {
        let metrics = self.inner.raft.metrics();
        // Looked at now and then: a change is told of with every entry.
        while metrics.borrow_watched().running_state.is_ok() {
            sleep(LOOK).await;
        }
    }

    /// Looks at this node's state; keep it short, nothing is applied meanwhile.
    pub fn view<R>(&self, look: impl FnOnce(View<'_>) -> R) -> R {
        let picture = self.inner.replica.read();
        look(View::new(&picture.state))
    }

    /// The last entry this node has applied.
    pub fn applied(&self) -> LogIndex {
        self.inner.replica.applied()
    }

    /// The last entry applied here and a hash of the whole state by then.
    ///
    /// Two replicas with the same entry and different hashes have fallen out of step.
    pub fn fingerprint(&self) -> (LogIndex, [u8; 32]) {
        self.inner.replica.fingerprint()
    }

    /// A copy of the whole state, as a snapshot takes it; nothing is applied while it is copied.
    pub fn copy_of_state(&self) -> State {
        self.inner.replica.read().state.clone()
    }

    /// Waits until this node's state contains everything acknowledged anywhere before the call.
    pub async fn barrier(&self) -> Result<LogIndex, Unavailable> {
        let waited = async {
            let mut taken_perhaps = false;
            let point = self
                .until_done(&mut taken_perhaps, |leader| async move {
                    let Some((id, member)) = leader else { return self.read_point_here().await };
                    let answered = self.forward(id, &member, Ask::ReadPoint).await;
                    if let Attempt::Done(Answer::ReadPoint(index)) = answered {
                        return Attempt::Done(LogIndex(index));
                    }
                    settle(answered)
                })
                .await?;
            self.wait_applied(point).await
        };
        timeout(self.inner.timing.proposal, waited).await.unwrap_or(Err(Unavailable::TimedOut))
    }

    /// Waits until this node has applied an entry.
    pub async fn wait_applied(&self, index: LogIndex) -> Result<LogIndex, Unavailable> {
        let mut applied = self.inner.replica.watch();
        let reached = applied.wait_for(|applied| *applied >= index).await;
        reached.map(|reached| *reached).map_err(|_| Unavailable::Stopped)
    }

    /// Streams what happens after an entry, in log order and without a gap.
    ///
    /// The newest 10,000 entries with facts are kept; the stream of a listener slower than that
    /// ends, and asking again from its last entry says `Gone`.
    pub fn happenings_after(&self, after: LogIndex) -> Result<HappeningStream, Gone> {
        let replica = &self.inner.replica;
        replica.happenings().after(after, replica.watch())
    }

    /// Who belongs to the cluster, as this node knows it.
    pub fn members(&self) -> Members {
        // Asked before: who looked at the news of Raft twice at once would wait for a writer in
        // between, who waits for the first look to end.
        let quorum = self.has_quorum();
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow_watched();
        Members::of(&metrics, quorum, self.inner.timing.lease())
    }

    /// Tells whether a proposal made now has a leader with a majority behind it.
    pub fn has_quorum(&self) -> bool {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow_watched();
        let lease = self.inner.timing.lease();
        match metrics.current_leader {
            None => false,
            Some(leader) if leader == self.inner.me.owner.node.0 => {
                metrics.membership_config.voter_ids().count() == 1
                    || metrics.last_quorum_acked.is_some_and(|acked| acked.elapsed() < lease)
            }
            Some(_) => self.since_heard() < lease,
        }
    }

    /// The leader, if one is known.
    pub fn leader(&self) -> Option<NodeId> {
        self.inner.raft.metrics().borrow_watched().current_leader.map(NodeId)
    }

    /// How long nothing was heard of a node, as far as this one can know: the leader of those that
    /// answer it, the others of the leader.
    pub(crate) fn silence_of(&self, node: NodeId) -> Option<Duration> {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow_watched();
        match &metrics.heartbeat {
            Some(heard) => heard.get(&node.0).copied().flatten().map(|at| at.elapsed()),
            None if metrics.current_leader == Some(node.0) => Some(self.since_heard()),
            None => None,
        }
    }

    /// The local clock.
    pub(crate) fn now(&self) -> LocalTime {
        (self.inner.clock.local)()
    }

    /// Tells whether this node leads.
    pub fn is_leader(&self) -> bool {
        self.inner.raft.is_leader()
    }

    /// Waits until a leader with a majority is known.
    pub async fn wait_quorum(&self, deadline: Duration) -> Result<(), Unavailable> {
        let known = async {
            while !self.has_quorum() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(deadline, known).await.map_err(|_| Unavailable::NoQuorum)
    }

    /// Who this node is.
    pub fn identity(&self) -> Identity {
        self.inner.me
    }

    /// How long commits, fsyncs and snapshots have taken.
    pub fn figures(&self) -> &Figures {
        &self.inner.figures
    }

    /// The time a proposal made now would be stamped with, were this node the leader.
    pub fn stamp(&self) -> ClusterTime {
        let state = self.inner.replica.read().state.now();
        let wall = (self.inner.clock.wall)().max(state).0;
        ClusterTime(self.inner.stamped.fetch_max(wall, Ordering::Relaxed).max(wall))
    }

    pub(crate) fn raft(&self) -> &Raft {
        &self.inner.raft
    }

    pub(crate) fn replica(&self) -> &Arc<Replica> {
        &self.inner.replica
    }

    pub(crate) fn heard_from_leader(&self) {
        self.inner.heard.store((self.inner.clock.local)().0.max(1), Ordering::Relaxed);
    }

    /// A node has announced itself: do not wait out the pause after failing to reach it.
    pub(crate) fn retry_soon(&self, node: u64) {
        let raft = self.inner.raft.clone();
        tokio::spawn(async move { raft.trigger().reset_backoff([node]).await });
    }

    pub(crate) async fn propose_as_leader(&self, request: RequestId, command: Command) -> Answer {
        let proposed = self.propose_here(request, command);
        match timeout(self.inner.timing.proposal, proposed).await {
            Ok(Attempt::Done(Applied { index, outcome })) => {
                Answer::Applied { index: index.0, outcome }
            }
            Ok(other) => answer_of(&other),
            Err(_) => Answer::Unknown,
        }
    }

    pub(crate) async fn read_point_as_leader(&self) -> Answer {
        match timeout(self.inner.timing.proposal, self.read_point_here()).await {
            Ok(Attempt::Done(index)) => Answer::ReadPoint(index.0),
            Ok(other) => answer_of(&other),
            Err(_) => Answer::Unknown,
        }
    }

    fn since_heard(&self) -> Duration {
        let heard = self.inner.heard.load(Ordering::Relaxed);
        if heard == 0 {
            return Duration::MAX;
        }
        Duration::from_micros((self.inner.clock.local)().0.saturating_sub(heard))
    }

    /// Tries here, then at whoever is said to lead, until it is done or nobody can take it.
    async fn until_done<T, F: Future<Output = Attempt<T>>>(
        &self,
        taken_perhaps: &mut bool,
        attempt: impl Fn(Option<(u64, Member)>) -> F,
    ) -> Result<T, Unavailable> {
        let mut leader = self.known_leader();
        loop {
            match attempt(leader).await {
                Attempt::Done(done) => return Ok(done),
                Attempt::Stopped => return Err(Unavailable::Stopped),
                Attempt::Elsewhere(Some(next)) if next.0 != self.inner.me.owner.node.0 => {
                    leader = Some(next);
                    continue;
                }
                Attempt::Elsewhere(_) => {
                    if !*taken_perhaps && !self.has_quorum() {
                        return Err(Unavailable::NoQuorum);
                    }
                }
                Attempt::Unknown => *taken_perhaps = true,
            }
            sleep(AGAIN).await;
            leader = self.known_leader();
        }
    }

    /// The leader, unless it is this node or nobody.
    fn known_leader(&self) -> Option<(u64, Member)> {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow_watched();
        let leader = metrics.current_leader?;
        if leader == self.inner.me.owner.node.0 {
            return None;
        }
        Some((leader, metrics.membership_config.get_node(&leader)?.clone()))
    }

    async fn propose_here(&self, request: RequestId, command: Command) -> Attempt<Applied> {
        let entry = Entry { proposed_at: self.stamp(), request, command };
        match self.inner.raft.client_write(Proposal(entry)).await {
            Ok(written) => {
                let index = LogIndex(written.log_id.index);
                match written.data.0 {
                    Some(outcome) => Attempt::Done(Applied { index, outcome }),
                    // Only Raft's own entries have no outcome.
                    None => Attempt::Unknown,
                }
            }
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(to))) => {
                Attempt::Elsewhere(to.leader_id.zip(to.leader_node))
            }
            Err(RaftError::APIError(
                ClientWriteError::LogEntryDiscarded(_)
                | ClientWriteError::ChangeMembershipError(_)
                | ClientWriteError::PreconditionFailed(_),
            )) => Attempt::Unknown,
            Err(RaftError::Fatal(_)) => Attempt::Stopped,
        }
    }

    async fn read_point_here(&self) -> Attempt<LogIndex> {
        match self.inner.raft.get_read_log_id(ReadPolicy::ReadIndex).await {
            Ok((point, _)) => Attempt::Done(LogIndex(point.log_id().index)),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(to))) => {
                Attempt::Elsewhere(to.leader_id.zip(to.leader_node))
            }
            Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(_))) => {
                Attempt::Elsewhere(None)
            }
            Err(RaftError::Fatal(_)) => Attempt::Stopped,
        }
    }

    async fn forward(&self, target: u64, member: &Member, ask: Ask) -> Attempt<Answer> {
        let link = {
            let mut links = self.inner.forward.lock().unwrap_or_else(PoisonError::into_inner);
            let made = links.entry(target).or_insert_with(|| {
                let link = self.inner.network.link(target, member, Purpose::Forward);
                (member.clone(), link)
            });
            if made.0 != *member {
                let link = self.inner.network.link(target, member, Purpose::Forward);
                *made = (member.clone(), link);
            }
            made.1.clone()
        };
        match link.ask(ask, self.inner.timing.proposal).await {
            Ok(answer) => Attempt::Done(answer),
            Err(LinkError::Unreachable(_)) => Attempt::Elsewhere(None),
            Err(LinkError::Lost | LinkError::TimedOut) => Attempt::Unknown,
        }
    }

    /// The node's own name in the cluster.
    pub fn node(&self) -> NodeId {
        self.inner.me.owner.node
    }
}

/// What a forwarded question came to, when it is not the answer hoped for.
fn settle<T>(attempt: Attempt<Answer>) -> Attempt<T> {
    match attempt {
        Attempt::Done(Answer::NotLeader) => Attempt::Elsewhere(None),
        // The leader stops: another will lead soon.
        Attempt::Done(_) | Attempt::Unknown => Attempt::Unknown,
        Attempt::Elsewhere(to) => Attempt::Elsewhere(to),
        Attempt::Stopped => Attempt::Stopped,
    }
}

fn answer_of<T>(attempt: &Attempt<T>) -> Answer {
    match attempt {
        Attempt::Done(_) | Attempt::Unknown => Answer::Unknown,
        Attempt::Elsewhere(_) => Answer::NotLeader,
        Attempt::Stopped => Answer::Stopping,
    }
}
