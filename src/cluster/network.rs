//! Raft's messages between nodes: openraft's network contract over [`super::peer`], both sides.
//!
//! | side | here |
//! |---|---|
//! | asking | [`Network`] makes a [`Client`] per peer and purpose; each has its own connection |
//! | answering | [`Receiver`], one per connection, which also collects the parts of a snapshot |
//!
//! One batch of entries is under way per follower; while it is, the next one grows.
//!
//! Always holds: pre-votes and hand-overs are really asked (their defaults in openraft would grant
//! and ignore); a request that misses its deadline is an error, so openraft starts again.
//!
//! Not here: connections and greetings ([`super::peer`]).

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use openraft::RaftNetworkFactory;
use openraft::RaftNetworkV2;
use openraft::errors::NetworkError;
use openraft::errors::RPCError;
use openraft::errors::ReplicationClosed;
use openraft::errors::StreamingError;
use openraft::errors::Unreachable;
use openraft::network::Backoff;
use openraft::network::RPCOption;
use openraft::raft::AppendEntriesRequest;
use openraft::raft::AppendEntriesResponse;
use openraft::raft::SnapshotResponse;
use openraft::raft::TransferLeaderError;
use openraft::raft::TransferLeaderRequest;
use openraft::raft::TransferLeaderResponse;
use openraft::raft::VoteRequest;
use openraft::raft::VoteResponse;

use crate::cluster::codec::Ballot;
use crate::cluster::codec::Coverage;
use crate::cluster::codec::Point;
use crate::cluster::codec::WireEntry;
use crate::cluster::handle::Handle;
use crate::cluster::identity::Identity;
use crate::cluster::peer::frame::Answer;
use crate::cluster::peer::frame::Ask;
use crate::cluster::peer::frame::Purpose;
use crate::cluster::peer::frame::SNAPSHOT_PART_BYTES;
use crate::cluster::peer::link::Dial;
use crate::cluster::peer::link::Link;
use crate::cluster::peer::link::LinkError;
use crate::cluster::state_machine::Snapshot;
use crate::cluster::types::LogId;
use crate::cluster::types::Member;
use crate::cluster::types::SnapshotMeta;
use crate::cluster::types::Types;
use crate::cluster::types::Vote;

/// Pauses before dialing an unreachable node again; the last repeats.
const BACKOFF_MS: [u64; 4] = [20, 40, 80, 200];

/// Makes clients to other nodes.
#[derive(Clone, Debug)]
pub struct Network {
    me: Identity,
    patience: Duration,
}

impl Network {
    /// Speaks as `me`; connecting and each answer may take `patience`.
    pub fn new(me: Identity, patience: Duration) -> Self {
        Self { me, patience }
    }

    /// Makes the way to a node for one purpose.
    pub fn link(&self, target: u64, member: &Member, purpose: Purpose) -> Link {
        Link::new(Dial {
            me: self.me,
            target,
            address: member.address.clone(),
            purpose,
            patience: self.patience,
        })
    }

    fn client(&self, target: u64, member: &Member, purpose: Purpose) -> Client {
        Client { link: self.link(target, member, purpose), patience: self.patience }
    }
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Client;

    async fn new_client(&mut self, target: u64, member: &Member) -> Client {
        // Asked for votes and hand-overs as well, on a client made for that alone.
        self.client(target, member, Purpose::Replication)
    }

    async fn new_heartbeat_client(&mut self, target: u64, member: &Member) -> Client {
        self.client(target, member, Purpose::Liveness)
    }

    async fn new_snapshot_client(&mut self, target: u64, member: &Member) -> Client {
        self.client(target, member, Purpose::Snapshot)
    }
}

/// The way to one node for one purpose, as openraft uses it.
pub struct Client {
    link: Link,
    patience: Duration,
}

impl Client {
    async fn call(&self, ask: Ask) -> Result<Answer, RPCError<Types>> {
        self.call_within(ask, self.patience).await
    }

    async fn call_within(&self, ask: Ask, deadline: Duration) -> Result<Answer, RPCError<Types>> {
        self.link.call(ask, deadline).await.map_err(|error| match error {
            LinkError::Unreachable(_) => RPCError::Unreachable(Unreachable::new(&error)),
            LinkError::Lost | LinkError::TimedOut => RPCError::Network(NetworkError::new(&error)),
        })
    }
}

fn out_of_place(answer: &Answer) -> RPCError<Types> {
    RPCError::Unreachable(Unreachable::from_string(format!("unexpected answer {answer:?}")))
}

fn voted(answer: &Answer) -> Result<VoteResponse<Types>, RPCError<Types>> {
    let Answer::Voted { ballot, granted, last } = answer else { return Err(out_of_place(answer)) };
    Ok(VoteResponse::new(Vote::from(*ballot), last.map(LogId::from), *granted))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other answer is out of place")]
fn appended(answer: &Answer) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
    match answer {
        Answer::Appended => Ok(AppendEntriesResponse::Success),
        Answer::AppendedUpTo(last) => {
            Ok(AppendEntriesResponse::PartialSuccess(last.map(LogId::from)))
        }
        Answer::Conflict => Ok(AppendEntriesResponse::Conflict),
        Answer::HigherVote(ballot) => Ok(AppendEntriesResponse::HigherVote(Vote::from(*ballot))),
        other => Err(out_of_place(other)),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other answer is out of place")]
fn handed_over(answer: &Answer) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
    match answer {
        Answer::Standing => Ok(Ok(())),
        Answer::VoteChanged { expected, actual } => {
            let (expected, actual) = (Vote::from(*expected), Vote::from(*actual));
            Ok(Err(TransferLeaderError::VoteChanged { expected, actual }))
        }
        Answer::LogBehind { expected, actual } => {
            let (expected, actual) = (expected.map(LogId::from), actual.map(LogId::from));
            Ok(Err(TransferLeaderError::LogNotFlushed { expected, actual }))
        }
        other => Err(out_of_place(other)),
    }
}

impl RaftNetworkV2<Types> for Client {
    type SnapshotData = Bytes;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        let ask = Ask::Append {
            ballot: request.vote.into(),
            previous: request.prev_log_id.map(Point::from),
            entries: request.entries.iter().map(WireEntry::from).collect(),
            committed: request.leader_commit.map(Point::from),
        };
        appended(&self.call(ask).await?)
    }

    async fn vote(
        &mut self,
        request: VoteRequest<Types>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let ask = Ask::Vote {
            ballot: request.vote.into(),
            last: request.last_log_id.map(Point::from),
            hand_over: request.leadership_transfer,
        };
        voted(&self.call(ask).await?)
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<Types>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let last = request.last_log_id.map(Point::from);
        let ask = Ask::PreVote { ballot: request.vote.into(), last };
        voted(&self.call(ask).await?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.send_snapshot(vote.into(), snapshot, option) => Ok(sent?),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Types>,
        _option: RPCOption,
    ) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
        let ask = Ask::HandOver {
            ballot: Ballot::from(*request.from_leader()),
            to: *request.to_node_id(),
            last: request.last_log_id().copied().map(Point::from),
        };
        handed_over(&self.call(ask).await?)
    }

    fn backoff(&self) -> Option<Backoff> {
        let pauses = BACKOFF_MS.into_iter().chain(std::iter::repeat(BACKOFF_MS[3]));
        Some(Backoff::new(pauses.map(Duration::from_millis)))
    }
}

impl Client {
    /// Sends part after part; each has a deadline, the whole has none.
    async fn send_snapshot(
        &self,
        ballot: Ballot,
        snapshot: Snapshot,
        option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let coverage = Coverage::from(&snapshot.meta);
        let mut rest = snapshot.snapshot;
        let mut offset = 0;
        loop {
            let bytes = rest.split_to(rest.len().min(SNAPSHOT_PART_BYTES));
            let (sent, last) = (bytes.len() as u64, rest.is_empty());
            let coverage = Box::new(coverage.clone());
            // The last one is answered when the whole is on the other side's disk.
            let deadline = if last { option.soft_ttl().max(self.patience) } else { self.patience };
            let ask = Ask::SnapshotPart { ballot, coverage, offset, bytes, last };
            let answer = self.call_within(ask, deadline).await.map_err(streaming)?;
            if let Answer::SnapshotTaken(ballot) = answer {
                return Ok(SnapshotResponse::new(ballot.into()));
            }
            if last || answer != Answer::PartKept {
                return Err(streaming(out_of_place(&answer)));
            }
            offset += sent;
        }
    }
}

fn streaming(error: RPCError<Types>) -> StreamingError<Types> {
    match error {
        RPCError::Timeout(error) => StreamingError::Timeout(error),
        RPCError::Unreachable(error) => StreamingError::Unreachable(error),
        RPCError::Network(error) => StreamingError::Network(error),
        RPCError::RemoteError(error) => match error.source {},
    }
}

/// Answers Raft's messages that arrive on one connection.
pub struct Receiver {
    handle: Handle,
    /// The snapshot received so far.
    parts: Vec<u8>,
}

impl Receiver {
    /// Starts with no part of any snapshot.
    pub fn new(handle: Handle) -> Self {
        Self { handle, parts: Vec::new() }
    }

    /// Passes one message to Raft; a node that stops says so.
    pub async fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Append { ballot, previous, entries, committed } => {
                self.append(ballot, previous, &entries, committed).await
            }
            Ask::Vote { ballot, last, hand_over } => {
                let mut request = VoteRequest::new(ballot.into(), last.map(LogId::from));
                request.leadership_transfer = hand_over;
                self.handle.raft().vote(request).await.map_or(Answer::Stopping, |vote| voice(&vote))
            }
            Ask::PreVote { ballot, last } => {
                let request = VoteRequest::new(ballot.into(), last.map(LogId::from));
                let answered = self.handle.raft().pre_vote(request).await;
                answered.map_or(Answer::Stopping, |vote| voice(&vote))
            }
            Ask::HandOver { ballot, to, last } => {
                let last = last.map(LogId::from);
                let request = TransferLeaderRequest::new(ballot.into(), to, last);
                let answered = self.handle.raft().handle_transfer_leader(request).await;
                answered.map_or(Answer::Stopping, |response| stands(&response))
            }
            Ask::SnapshotPart { ballot, coverage, offset, bytes, last } => {
                if offset == 0 {
                    self.parts.clear();
                }
                if offset != self.parts.len() as u64 {
                    return Answer::Conflict;
                }
                self.parts.extend_from_slice(&bytes);
                if last { self.install(ballot, *coverage).await } else { Answer::PartKept }
            }
            Ask::Propose { .. } | Ask::ReadPoint => Answer::NotLeader,
        }
    }

    async fn append(
        &self,
        ballot: Ballot,
        previous: Option<Point>,
        entries: &[WireEntry],
        committed: Option<Point>,
    ) -> Answer {
        let entries = entries.iter().map(WireEntry::decode).collect::<Result<Vec<_>, _>>();
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                tracing::error!(%error, "the leader sends entries this program cannot read");
                return Answer::Unknown;
            }
        };
        let request = AppendEntriesRequest {
            vote: ballot.into(),
            prev_log_id: previous.map(LogId::from),
            entries,
            leader_commit: committed.map(LogId::from),
        };
        let answered = self.handle.raft().append_entries(request).await;
        match answered {
            Ok(AppendEntriesResponse::HigherVote(vote)) => Answer::HigherVote(vote.into()),
            Ok(heard) => {
                self.handle.heard_from_leader();
                match heard {
                    AppendEntriesResponse::PartialSuccess(last) => {
                        Answer::AppendedUpTo(last.map(Point::from))
                    }
                    AppendEntriesResponse::Conflict => Answer::Conflict,
                    AppendEntriesResponse::Success | AppendEntriesResponse::HigherVote(_) => {
                        Answer::Appended
                    }
                }
            }
            Err(_) => Answer::Stopping,
        }
    }

    async fn install(&mut self, ballot: Ballot, coverage: Coverage) -> Answer {
        let bytes = Bytes::from(std::mem::take(&mut self.parts));
        let Ok(meta) = SnapshotMeta::try_from(coverage) else { return Answer::Conflict };
        let snapshot = Snapshot { meta, snapshot: bytes };
        let installed = self.handle.raft().install_full_snapshot(ballot.into(), snapshot).await;
        installed.map_or(Answer::Stopping, |done| Answer::SnapshotTaken(done.vote.into()))
    }
}

fn voice(vote: &VoteResponse<Types>) -> Answer {
    Answer::Voted {
        ballot: vote.vote.into(),
        granted: vote.vote_granted,
        last: vote.last_log_id.map(Point::from),
    }
}

fn stands(response: &TransferLeaderResponse<Types>) -> Answer {
    match response {
        Ok(()) => Answer::Standing,
        Err(TransferLeaderError::VoteChanged { expected, actual }) => {
            Answer::VoteChanged { expected: (*expected).into(), actual: (*actual).into() }
        }
        Err(TransferLeaderError::LogNotFlushed { expected, actual }) => Answer::LogBehind {
            expected: expected.map(Point::from),
            actual: actual.map(Point::from),
        },
    }
}
