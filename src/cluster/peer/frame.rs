//! What nodes say to one another, and the frames it travels in.
//!
//! Always holds: the first frame of a connection is the dialer's [`Hello`], whose first byte is the
//! version of the protocol; a frame is at most [`FRAME_BYTES_MAX`], and a stranger's far less.
//!
//! Not here: who may dial ([`super::server`]), when ([`super::link`]).

use std::io;
use std::time::Duration;

use bytes::Bytes;
use bytes::BytesMut;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::tcp::OwnedWriteHalf;
use tokio_stream::StreamExt;
use tokio_util::codec::Encoder;
use tokio_util::codec::FramedRead;
use tokio_util::codec::LengthDelimitedCodec;

use crate::acd::command::Command;
use crate::acd::command::Outcome;
use crate::base::id::RequestId;
use crate::cluster::codec::Ballot;
use crate::cluster::codec::CodecError;
use crate::cluster::codec::Coverage;
use crate::cluster::codec::Point;
use crate::cluster::codec::VERSION;
use crate::cluster::codec::WireEntry;
use crate::cluster::codec::check_version;
use crate::cluster::codec::from_bytes;
use crate::cluster::codec::to_bytes;
use crate::cluster::identity::ClusterId;

/// The largest frame: one batch of entries or one part of a snapshot, with room.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// The largest frame before both sides know each other.
const GREETING_BYTES_MAX: usize = 1 << 10;
/// How much of a snapshot goes into one frame.
pub const SNAPSHOT_PART_BYTES: usize = 1 << 20;

/// A connection that speaks in frames.
#[derive(Debug)]
pub struct Frames {
    read: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    write: OwnedWriteHalf,
    codec: LengthDelimitedCodec,
    /// Fed and not written yet.
    fed: BytesMut,
}

impl Frames {
    /// Prepares a connection: nothing is held back to fill a packet, a dead peer is noticed.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let keepalive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(10));
        socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        let limited = |bytes| LengthDelimitedCodec::builder().max_frame_length(bytes).new_codec();
        let (read, write) = stream.into_split();
        let read = FramedRead::new(read, limited(GREETING_BYTES_MAX));
        Ok(Self { read, write, codec: limited(FRAME_BYTES_MAX), fed: BytesMut::new() })
    }

    /// Reads large frames from now on: the other side is known.
    pub fn trust(&mut self) {
        self.read.decoder_mut().set_max_frame_length(FRAME_BYTES_MAX);
    }

    /// The next frame; `None` when the other side has closed. Nothing is lost when dropped early.
    pub async fn next(&mut self) -> Option<io::Result<BytesMut>> {
        self.read.next().await
    }

    /// Adds a frame to what the next [`Frames::flush`] writes.
    pub fn feed(&mut self, frame: Bytes) -> io::Result<()> {
        self.codec.encode(frame, &mut self.fed)
    }

    /// Writes everything fed, in one go.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.write.write_all_buf(&mut self.fed).await
    }

    /// Writes one frame.
    pub async fn send(&mut self, frame: Bytes) -> io::Result<()> {
        self.feed(frame)?;
        self.flush().await
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Entries of the log, one batch after another.
    Replication,
    /// Heartbeats, votes, and the leader's hand-over.
    Liveness,
    /// Snapshots, in parts.
    Snapshot,
    /// Proposals and read points, many at once.
    Forward,
}

/// The first word of a dialer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The cluster it belongs to.
    pub cluster: ClusterId,
    /// Who it is.
    pub from: u64,
    /// Which life of it.
    pub incarnation: u64,
    /// Whom it means to reach.
    pub to: u64,
    /// What for.
    pub purpose: Purpose,
}

/// The answer to a [`Hello`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Greeting {
    /// Go on.
    Welcome {
        /// Who answers.
        node: u64,
        /// Which life of it.
        incarnation: u64,
    },
    /// The connection is closed now.
    Refused(Stranger),
}

/// Why a dialer is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Stranger {
    /// It belongs to another cluster.
    #[error("the node belongs to cluster {0}")]
    OtherCluster(ClusterId),
    /// It meant to reach another node; the address has changed hands.
    #[error("the address belongs to node {0}")]
    OtherNode(u64),
    /// A newer life of the same node was seen: its disk was put back.
    #[error("a newer life ({0}) of the calling node was seen")]
    FormerLife(u64),
}

/// A question with the number its answer will carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Counted by the dialer.
    pub id: u64,
    /// The question.
    pub ask: Ask,
}

/// An answer with the number of its question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// The question's.
    pub id: u64,
    /// The answer.
    pub answer: Answer,
}

/// What one node may ask of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Append these entries; none is a heartbeat.
    Append {
        /// The leader's vote.
        ballot: Ballot,
        /// What stands before the entries.
        previous: Option<Point>,
        /// The entries.
        entries: Vec<WireEntry>,
        /// How far the leader has committed.
        committed: Option<Point>,
    },
    /// Vote for me.
    Vote {
        /// The vote asked for.
        ballot: Ballot,
        /// How far the candidate's log goes.
        last: Option<Point>,
        /// The leader itself asked the candidate to stand.
        hand_over: bool,
    },
    /// Would you vote for me?
    PreVote {
        /// The vote that would be asked for.
        ballot: Ballot,
        /// How far the candidate's log goes.
        last: Option<Point>,
    },
    /// Stand for election now, the leader goes.
    HandOver {
        /// The leader's vote.
        ballot: Ballot,
        /// Who is to stand.
        to: u64,
        /// How far its log must go.
        last: Option<Point>,
    },
    /// A piece of a snapshot; pieces come in order on one connection.
    SnapshotPart {
        /// The leader's vote.
        ballot: Ballot,
        /// What the snapshot covers.
        coverage: Box<Coverage>,
        /// Where the piece belongs; 0 starts anew.
        offset: u64,
        /// The piece.
        bytes: Bytes,
        /// Whether it is the last: then the answer comes after it is installed.
        last: bool,
    },
    /// Propose this, as the leader.
    Propose {
        /// Recognises a repeat.
        request: RequestId,
        /// What is asked.
        command: Box<Command>,
    },
    /// How far must a node have applied to see everything acknowledged by now?
    ReadPoint,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// All appended and on the disk.
    Appended,
    /// Appended up to here.
    AppendedUpTo(Option<Point>),
    /// What stands before the entries is not what the leader thinks.
    Conflict,
    /// A newer vote is known here.
    HigherVote(Ballot),
    /// To a vote or a pre-vote.
    Voted {
        /// The vote held here.
        ballot: Ballot,
        /// Whether it was granted.
        granted: bool,
        /// How far the log goes here.
        last: Option<Point>,
    },
    /// It stands.
    Standing,
    /// It does not stand: the vote has changed.
    VoteChanged {
        /// The vote named.
        expected: Ballot,
        /// The vote held.
        actual: Ballot,
    },
    /// It does not stand: its log is behind.
    LogBehind {
        /// How far it must go.
        expected: Option<Point>,
        /// How far it goes.
        actual: Option<Point>,
    },
    /// The piece is kept.
    PartKept,
    /// The snapshot is installed, or refused by this vote.
    SnapshotTaken(Ballot),
    /// The proposal was committed and applied.
    Applied {
        /// Where it stands in the log.
        index: u64,
        /// What came of it.
        outcome: Outcome,
    },
    /// The read point.
    ReadPoint(u64),
    /// Not the leader; nothing was done.
    NotLeader,
    /// It may or may not be committed.
    Unknown,
    /// The node stops.
    Stopping,
}

/// Writes a frame.
pub fn write<T: Serialize>(value: &T) -> Bytes {
    Bytes::from(to_bytes(value))
}

/// Reads a frame.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    from_bytes("a frame from another node", bytes)
}

/// Writes the first frame, which says the version.
pub fn write_hello(hello: &Hello) -> Bytes {
    let mut bytes = vec![VERSION];
    bytes.extend(to_bytes(hello));
    Bytes::from(bytes)
}

/// Reads the first frame.
pub fn read_hello(bytes: &[u8]) -> Result<Hello, CodecError> {
    let what = "the first frame from another node";
    let (version, rest) = bytes.split_first().ok_or(CodecError::Malformed { what })?;
    check_version(what, *version)?;
    from_bytes(what, rest)
}
