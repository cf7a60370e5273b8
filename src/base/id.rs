//! Names of things: calls, legs, queues, agents, nodes, log positions.
//!
//! | name | made by | looks like |
//! |---|---|---|
//! | [`CallId`], [`RequestId`] | the node that proposes, from its entropy | 16 or 32 hex digits |
//! | [`LegId`] | counted within its call; the caller's leg is number 0 | `00c0ffee00c0ffee-1` |
//! | [`QueueId`], [`AgentId`], [`TrunkId`], [`PromptId`] | the configuration | `sales` |
//! | [`ReservationId`] | the core, counting | `r17` |
//! | [`NodeId`], [`Incarnation`] | the data directory and each start of the process | `n1.3` |
//!
//! Always holds: a name is never used twice, and says nothing about where its thing lives.
//!
//! Not here: SIP's own names (Call-ID, tags, branches), which live in `sip`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;

use crate::base::name::Name;

/// Names one caller's contact, from arrival to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub u64);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is not sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACallId;

impl FromStr for CallId {
    type Err = NotACallId;

    fn from_str(text: &str) -> Result<Self, NotACallId> {
        if text.len() != 16 {
            return Err(NotACallId);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NotACallId)
    }
}

/// Names one leg: our side of one SIP dialog with its media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegId {
    /// The call this leg belongs to.
    pub call: CallId,
    /// Its number within the call; 0 is the caller's.
    pub nth: u32,
}

impl LegId {
    /// Names the caller's leg of `call`.
    pub fn of_caller(call: CallId) -> Self {
        Self { call, nth: 0 }
    }

    /// Tells whether this is the caller's leg.
    pub fn is_caller(self) -> bool {
        self.nth == 0
    }
}

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.call, self.nth)
    }
}

macro_rules! configured_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Name);

        impl $name {
            /// Wraps the text as it was configured.
            pub fn new(text: &str) -> Self {
                Self(Name::from(text))
            }

            /// The text as it was configured.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.as_str())
            }
        }
    };
}

configured_name!(
    /// Names a queue: `metadata.name` of a `Queue`.
    QueueId
);
configured_name!(
    /// Names an agent: `metadata.name` of an `Agent`, what the agent keys in at a phone.
    AgentId
);
configured_name!(
    /// Names a trunk: `metadata.name` of a `Trunk`.
    TrunkId
);
configured_name!(
    /// Names a prompt: `metadata.name` of a `Prompt`.
    PromptId
);

/// Names one call held for one ringing agent (or, in `RingAll`, for several).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReservationId(pub u64);

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// Names one proposal, so that a repeat of it is recognised.
///
/// The first 96 bits are the name; the last 32 stand for what is asked, so that a name that is used
/// again for something else is recognised too. Where names are drawn at random, all bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u128);

/// The part of a [`RequestId`] that a repeat of the request has too, whatever it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestName(u64, u32);

impl RequestId {
    /// Makes a request's id of its name and of what it asks.
    pub fn of(name: [u8; 12], asked: [u8; 4]) -> Self {
        let name = name.iter().fold(0, |whole, byte| whole << 8 | u128::from(*byte));
        Self(name << 32 | u128::from(u32::from_be_bytes(asked)))
    }

    /// Its name, without what it asks.
    pub fn name(self) -> RequestName {
        RequestName((self.0 >> 64) as u64, (self.0 >> 32) as u32)
    }

    /// What stands for what it asks.
    pub fn asked(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Names a member of the cluster; never used again for another disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u64);

/// Counts the starts of one node's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

/// Names who acts for a leg: a node, in one life of it.
///
/// Effects are addressed to an owner. A restarted node is a new owner, so what was ordered of
/// its former life is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The node.
    pub node: NodeId,
    /// Which life of it.
    pub incarnation: Incarnation,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}.{}", self.node.0, self.incarnation.0)
    }
}

/// A position in the Raft log.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LogIndex(pub u64);

impl fmt::Display for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
