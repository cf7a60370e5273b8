//! Everything that happened: one page, in the past tense, for reports, metrics and listeners.
//!
//! A fact is said once, by the entry that made it true, and carries what a listener needs without
//! asking the state again. The published events of the REST interface are these facts.
//!
//! Always holds: facts print no caller's number ([`Private`](crate::base::secret::Private)).
//!
//! Not here: what is to be done about it ([`super::effect`]).

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::Actor;
use crate::acd::command::Caller;
use crate::acd::command::DeviceState;
use crate::acd::command::RingFailure;
use crate::acd::config::OverflowRule;
use crate::acd::config::Source;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::Owner;
use crate::base::id::QueueId;
use crate::base::time::Millis;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    // Calls.
    CallEnqueued {
        call: CallId,
        queue: QueueId,
        caller: Caller,
        priority: i32,
    },
    /// Went from one queue to another by a rule.
    CallOverflowed {
        call: CallId,
        from: QueueId,
        to: QueueId,
        rule: OverflowRule,
    },
    /// Held for these agents, whose phones ring; why them.
    CallReserved {
        call: CallId,
        queue: QueueId,
        agents: Vec<AgentId>,
        why: Explanation,
    },
    /// An agent's phone did not take the call, which waits on with its place and age.
    ReservationEnded {
        call: CallId,
        queue: QueueId,
        agent: AgentId,
        why: ReservationEnd,
    },
    CallAnswered {
        call: CallId,
        queue: QueueId,
        agent: AgentId,
        waited: Millis,
        rang: Millis,
    },
    /// The agent was logged out by force in the middle of the talk; the caller is back in line.
    CallReturned {
        call: CallId,
        queue: QueueId,
        agent: AgentId,
    },
    CallHeld {
        call: CallId,
        by: LegId,
    },
    CallResumed {
        call: CallId,
        by: LegId,
    },
    CallPrioritized {
        call: CallId,
        priority: i32,
        by: Actor,
    },
    CallTransferring {
        call: CallId,
        to: String,
    },
    /// The transfer was refused with this status; the call is back where it was.
    CallTransferFailed {
        call: CallId,
        status: u16,
    },
    CallEnded {
        call: CallId,
        queue: QueueId,
        why: CallEnd,
        waited: Millis,
        talked: Millis,
    },
    /// Turned away at the door; no call was made of it.
    CallTurnedAway {
        queue: QueueId,
        rule: OverflowRule,
        status: u16,
    },

    // Agents.
    AgentLoggedIn {
        agent: AgentId,
        device: String,
        by: Actor,
    },
    /// The second login was let in and the first went on.
    AgentLoginDuplicated {
        agent: AgentId,
        device: String,
        by: Actor,
    },
    AgentLoggedOut {
        agent: AgentId,
        reason: LogoutReason,
        by: Actor,
    },
    AgentReady {
        agent: AgentId,
    },
    AgentNotReady {
        agent: AgentId,
        reason: String,
    },
    AgentReserved {
        agent: AgentId,
        call: CallId,
    },
    AgentTalking {
        agent: AgentId,
        call: CallId,
    },
    AgentWrappingUp {
        agent: AgentId,
        call: CallId,
        length: Millis,
    },
    AgentPinRefused {
        agent: AgentId,
        locked: bool,
    },
    DeviceChanged {
        agent: AgentId,
        state: DeviceState,
    },

    // Configuration and members.
    ConfigPut {
        kind: ConfigKind,
        name: String,
        source: Source,
    },
    ConfigRemoved {
        kind: ConfigKind,
        name: String,
        source: Source,
    },
    NodeStarted {
        owner: Owner,
    },
    NodeLost {
        owner: Owner,
        legs: u32,
    },
    /// A state that made no sense was put right by taking this call out of service.
    CallQuarantined {
        call: CallId,
        broken: String,
    },
    /// The same for an agent, who is NotReady now and must say Ready again.
    AgentQuarantined {
        agent: AgentId,
        broken: String,
    },
}

/// What kind of object was configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConfigKind {
    Queue,
    Agent,
    Trunk,
    Prompt,
    Settings,
}

/// How a reservation ended without a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReservationEnd {
    RungOut,
    Failed(RingFailure),
    /// The caller left, or the call went elsewhere.
    Withdrawn,
    /// In `RingAll`, somebody else answered.
    AnsweredElsewhere,
    /// The agent was logged out or set not ready while it rang.
    AgentLeft,
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallEnd {
    AnsweredAndHungUp { by: HungUpBy },
    Abandoned,
    ShortAbandoned,
    Overflowed(OverflowRule),
    Transferred,
    Rejected(u16),
    CallerLost,
    NodeLost,
}

/// Which side hung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HungUpBy {
    Caller,
    Agent,
    /// Asked for by REST.
    Request,
}

/// The published reasons of a logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LogoutReason {
    Requested,
    Supervisor,
    Menu,
    Inactive,
    Unreachable,
    TakenOver,
    LegLost,
    RingOut,
    Removed,
    Administrator,
}

/// Why this agent: what an assignment was decided by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// How long the chosen agent had been idle (the longest of them, in `RingAll`).
    pub idle: Millis,
    /// The next most idle ready agents, at most eight, with how long each had been idle.
    pub less_idle: Vec<(AgentId, Millis)>,
    /// How many other members were passed over, by reason.
    pub passed_over: Vec<(PassedOver, u32)>,
}

/// Why an agent was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PassedOver {
    LoggedOut,
    NotReady,
    WrapUp,
    Reserved,
    Talking,
    DeviceBusy,
    DeviceUnreachable,
    DeviceUnknown,
    JustRangOut,
    LessIdle,
    NotMember,
}
