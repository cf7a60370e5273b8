//! The bytes of everything stored or sent: our own encoding, each piece with its version first.
//!
//! | piece | bytes |
//! |---|---|
//! | [`Point`] | version, term, node, index (big endian, 8 bytes each) |
//! | [`Ballot`] | version, term, node (8 bytes each), committed (1) |
//! | payload | version, kind (0 blank, 1 command, 2 members), then postcard |
//! | snapshot | see [`super::snapshot`] |
//!
//! Always holds: nothing here is openraft's serde, so a new openraft is never a migration; a
//! version this program does not know is an error that names it, never a guess. The bytes of every
//! command are kept in `tests/cluster/stored`.
//!
//! Not here: framing between peers ([`super::peer::frame`]), files ([`super::snapshot`]).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::Read;
use std::io::Write;

use bytes::Bytes;
use openraft::EntryPayload;
use openraft::Membership;
use openraft::vote::RaftLeaderId;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cluster::types::LogEntry;
use crate::cluster::types::LogId;
use crate::cluster::types::Member;
use crate::cluster::types::Payload;
use crate::cluster::types::Proposal;
use crate::cluster::types::SnapshotMeta;
use crate::cluster::types::StoredMembers;
use crate::cluster::types::Vote;

/// The version written in front of points, ballots and payloads.
pub const VERSION: u8 = 1;

const BLANK: u8 = 0;
const COMMAND: u8 = 1;
const MEMBERS: u8 = 2;

/// Bytes that cannot be read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Written by a program newer (or very much older) than this one.
    #[error("{what} has format version {found}; this program reads version {known}")]
    UnknownVersion {
        /// Which piece.
        what: &'static str,
        /// The version found in front of it.
        found: u16,
        /// The newest version known here.
        known: u16,
    },
    /// Cut short, or not what it claims to be.
    #[error("{what} is malformed")]
    Malformed {
        /// Which piece.
        what: &'static str,
    },
}

impl From<CodecError> for io::Error {
    fn from(error: CodecError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Refuses every version but the known one.
pub fn check_version(what: &'static str, found: u8) -> Result<(), CodecError> {
    if found == VERSION {
        return Ok(());
    }
    Err(CodecError::UnknownVersion { what, found: found.into(), known: VERSION.into() })
}

/// Writes any plain value the way all pieces are written inside.
pub fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    // Postcard into a Vec fails only for sequences of unknown length, which no type here has.
    postcard::to_stdvec(value).unwrap_or_default()
}

/// Reads back what [`to_bytes`] wrote, to its last byte.
pub fn from_bytes<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, CodecError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(CodecError::Malformed { what }),
    }
}

/// A position in the log with the leader that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Point {
    /// The leader's term.
    pub term: u64,
    /// The leader.
    pub node: u64,
    /// The position.
    pub index: u64,
}

impl From<LogId> for Point {
    fn from(id: LogId) -> Self {
        Self { term: id.leader_id.term, node: id.leader_id.node_id, index: id.index }
    }
}

impl From<Point> for LogId {
    fn from(point: Point) -> Self {
        Self::new(RaftLeaderId::new(point.term, point.node), point.index)
    }
}

impl raft_log::codeq::Encode for Point {
    fn encode<W: Write>(&self, mut w: W) -> Result<usize, io::Error> {
        w.write_all(&[VERSION])?;
        for number in [self.term, self.node, self.index] {
            w.write_all(&number.to_be_bytes())?;
        }
        Ok(25)
    }
}

impl raft_log::codeq::Decode for Point {
    fn decode<R: Read>(mut r: R) -> Result<Self, io::Error> {
        check_version("a log position", read_byte(&mut r)?)?;
        Ok(Self { term: read_u64(&mut r)?, node: read_u64(&mut r)?, index: read_u64(&mut r)? })
    }
}

/// A vote: for whom, in which term, and whether a majority agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ballot {
    /// The term.
    pub term: u64,
    /// The candidate or leader.
    pub node: u64,
    /// Whether a majority granted it.
    pub committed: bool,
}

impl From<Vote> for Ballot {
    fn from(vote: Vote) -> Self {
        let leader = vote.leader_id();
        Self { term: leader.term, node: leader.node_id, committed: vote.is_committed() }
    }
}

impl From<Ballot> for Vote {
    fn from(ballot: Ballot) -> Self {
        if ballot.committed {
            Self::new_committed(ballot.term, ballot.node)
        } else {
            Self::new(ballot.term, ballot.node)
        }
    }
}

impl raft_log::codeq::Encode for Ballot {
    fn encode<W: Write>(&self, mut w: W) -> Result<usize, io::Error> {
        w.write_all(&[VERSION])?;
        w.write_all(&self.term.to_be_bytes())?;
        w.write_all(&self.node.to_be_bytes())?;
        w.write_all(&[u8::from(self.committed)])?;
        Ok(18)
    }
}

impl raft_log::codeq::Decode for Ballot {
    fn decode<R: Read>(mut r: R) -> Result<Self, io::Error> {
        check_version("a vote", read_byte(&mut r)?)?;
        let term = read_u64(&mut r)?;
        let node = read_u64(&mut r)?;
        let committed = read_byte(&mut r)? == 1;
        Ok(Self { term, node, committed })
    }
}

fn read_byte(r: &mut impl Read) -> Result<u8, io::Error> {
    let mut byte = [0];
    r.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn read_u64(r: &mut impl Read) -> Result<u64, io::Error> {
    let mut bytes = [0; 8];
    r.read_exact(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

/// The members as stored: voters (two sets while they change) and every address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// One set of voters, or the old and the new during a change.
    pub voters: Vec<BTreeSet<u64>>,
    /// Every member, voter or learner.
    pub members: BTreeMap<u64, Member>,
}

impl From<&Membership<u64, Member>> for Roll {
    fn from(members: &Membership<u64, Member>) -> Self {
        Self {
            voters: members.get_joint_config().clone(),
            members: members.nodes().map(|(id, member)| (*id, member.clone())).collect(),
        }
    }
}

impl TryFrom<Roll> for Membership<u64, Member> {
    type Error = CodecError;

    fn try_from(roll: Roll) -> Result<Self, CodecError> {
        Self::new(roll.voters, roll.members)
            .map_err(|_| CodecError::Malformed { what: "a list of members" })
    }
}

/// What a snapshot covers, as stored and sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The last entry in it.
    pub last: Option<Point>,
    /// Which entry named the members.
    pub members_since: Option<Point>,
    /// The members.
    pub roll: Roll,
}

impl From<&SnapshotMeta> for Coverage {
    fn from(meta: &SnapshotMeta) -> Self {
        Self {
            last: meta.last_log_id.map(Point::from),
            members_since: meta.last_membership.log_id().map(Point::from),
            roll: Roll::from(meta.last_membership.membership()),
        }
    }
}

impl TryFrom<Coverage> for SnapshotMeta {
    type Error = CodecError;

    fn try_from(coverage: Coverage) -> Result<Self, CodecError> {
        let members = Membership::try_from(coverage.roll)?;
        Ok(Self {
            last_log_id: coverage.last.map(LogId::from),
            last_membership: StoredMembers::new(coverage.members_since.map(LogId::from), members),
        })
    }
}

/// Writes what an entry of the log carries.
pub fn encode_payload(payload: &Payload) -> Vec<u8> {
    match payload {
        EntryPayload::Blank => vec![VERSION, BLANK],
        EntryPayload::Normal(proposal) => with_kind(COMMAND, &proposal.0),
        EntryPayload::Membership(members) => with_kind(MEMBERS, &Roll::from(members)),
    }
}

fn with_kind<T: Serialize>(kind: u8, body: &T) -> Vec<u8> {
    let start = vec![VERSION, kind];
    // As in `to_bytes`: writing to a Vec does not fail for the types here.
    postcard::to_extend(body, start).unwrap_or_default()
}

/// Reads what an entry of the log carries.
pub fn decode_payload(bytes: &[u8]) -> Result<Payload, CodecError> {
    let what = "an entry of the log";
    let (version, rest) = bytes.split_first().ok_or(CodecError::Malformed { what })?;
    check_version(what, *version)?;
    let (kind, body) = rest.split_first().ok_or(CodecError::Malformed { what })?;
    match *kind {
        BLANK if body.is_empty() => Ok(EntryPayload::Blank),
        COMMAND => Ok(EntryPayload::Normal(Proposal(from_bytes("a command", body)?))),
        MEMBERS => {
            let roll: Roll = from_bytes("a list of members", body)?;
            Ok(EntryPayload::Membership(Membership::try_from(roll)?))
        }
        _ => Err(CodecError::Malformed { what }),
    }
}

/// An entry on its way to another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEntry {
    /// Where it stands.
    pub at: Point,
    /// [`encode_payload`] of what it carries.
    pub payload: Bytes,
}

impl From<&LogEntry> for WireEntry {
    fn from(entry: &LogEntry) -> Self {
        Self { at: entry.log_id.into(), payload: encode_payload(&entry.payload).into() }
    }
}

impl WireEntry {
    /// Reads what another node sent.
    pub fn decode(&self) -> Result<LogEntry, CodecError> {
        Ok(LogEntry { log_id: self.at.into(), payload: decode_payload(&self.payload)? })
    }
}
