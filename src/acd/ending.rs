//! In which ways calls and reservations end, in the words that are published and never renamed.
//!
//! Always holds: what is stored and sent names a way by its place in the list: new ones come last.
//!
//! Not here: what brings an end about (`call::end`, `reservation`).

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::RingFailure;
use crate::acd::command::Role;
use crate::acd::config::OverflowRule;

/// How a reservation ended without a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReservationEnd {
    /// Nobody answered in time.
    RungOut,
    /// The agent's phone said so.
    Failed(RingFailure),
    /// The caller left, or the call went elsewhere.
    Withdrawn,
    /// In `RingAll`, somebody else answered.
    AnsweredElsewhere,
    /// The agent was logged out or set not ready while it rang.
    AgentLeft,
    /// The node that rang was lost.
    NodeLost,
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallEnd {
    /// An agent answered; this side hung up.
    AnsweredAndHungUp {
        /// Which.
        by: HungUpBy,
    },
    /// The caller left while waiting.
    Abandoned,
    /// The caller left sooner than the queue's `short_abandon`.
    ShortAbandoned,
    /// Left by a rule that transfers or hangs up.
    Overflowed(OverflowRule),
    /// Went elsewhere because somebody asked.
    Transferred,
    /// Sent away with this status by a rule.
    Rejected(u16),
    /// The caller could not be reached any more.
    CallerLost,
    /// The node that had it was lost, and a party was not reached by the node that took over.
    NodeLost,
    /// The agent who talked could not be reached any more.
    AgentLost,
    /// Somebody asked for its end before an agent answered.
    HungUp {
        /// In which capacity; `System` is a node that stops.
        by: Role,
    },
}

/// Which side hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HungUpBy {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
    /// Asked for by REST.
    Request,
}

impl ReservationEnd {
    /// The published word.
    pub fn word(self) -> &'static str {
        match self {
            Self::RungOut => "RingOut",
            Self::Failed(RingFailure::Declined) => "Declined",
            Self::Failed(RingFailure::Busy) => "Busy",
            Self::Failed(RingFailure::NoAnswer) => "NoAnswer",
            Self::Failed(RingFailure::Unreachable) => "Unreachable",
            Self::Failed(RingFailure::WrongAddress) => "WrongAddress",
            Self::Failed(RingFailure::NoCodec) => "NoCodec",
            Self::Withdrawn => "Withdrawn",
            Self::AnsweredElsewhere => "AnsweredElsewhere",
            Self::AgentLeft => "AgentLeft",
            Self::NodeLost => "NodeLost",
        }
    }
}

impl CallEnd {
    /// The published word, without what belongs to it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::AnsweredAndHungUp { .. } => "AnsweredAndHungUp",
            Self::Abandoned => "Abandoned",
            Self::ShortAbandoned => "ShortAbandoned",
            Self::Overflowed(_) => "Overflowed",
            Self::Transferred => "Transferred",
            Self::Rejected(_) => "Rejected",
            Self::CallerLost => "CallerLost",
            Self::NodeLost => "NodeLost",
            Self::AgentLost => "AgentLost",
            Self::HungUp { .. } => "HungUp",
        }
    }
}
