//! Everything that happened: one page, in the past tense, for reports, metrics and listeners.
//!
//! A fact is said once, by the entry that made it true, and carries what a listener needs. The
//! published events of the REST interface are these facts.
//!
//! Always holds: facts print no caller's number ([`Private`](crate::base::secret::Private)).
//!
//! Not here: what is to be done about it ([`super::effect`]).

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::Actor;
use crate::acd::command::Caller;
use crate::acd::command::DeviceState;
use crate::acd::config::OverflowRule;
use crate::acd::config::Source;
pub use crate::acd::ending::CallEnd;
pub use crate::acd::ending::HungUpBy;
pub use crate::acd::ending::ReservationEnd;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::Owner;
use crate::base::id::QueueId;
use crate::base::id::TrunkId;
use crate::base::time::Millis;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    // Calls.
    /// A caller has entered by INVITE.
    CallEnqueued {
        /// Which call.
        call: CallId,
        /// The one that was called.
        queue: QueueId,
        /// Who calls.
        caller: Arc<Caller>,
        /// Higher is served first.
        priority: i32,
    },
    /// Went from one queue to another by a rule.
    CallOverflowed {
        /// Which call.
        call: CallId,
        /// Left.
        from: QueueId,
        /// Entered.
        to: QueueId,
        /// Which rule.
        rule: OverflowRule,
    },
    /// Held for these agents, whose phones ring; why them.
    CallReserved {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// Most idle first.
        agents: Vec<AgentId>,
        /// Why they.
        why: Arc<Explanation>,
    },
    /// An agent's phone did not take the call, which waits on with its place and age.
    ReservationEnded {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// Which agent.
        agent: AgentId,
        /// In which way.
        why: ReservationEnd,
    },
    /// An agent answered, the two are joined.
    CallAnswered {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// Which agent.
        agent: AgentId,
        /// Since the call arrived, in whatever queue.
        waited: Millis,
        /// How long that agent's phone rang.
        rang: Millis,
    },
    /// The agent was logged out by force in the middle of the talk; the caller is back in line.
    CallReturned {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// Which agent.
        agent: AgentId,
    },
    /// A party put the other on hold.
    CallHeld {
        /// Which call.
        call: CallId,
        /// Which.
        by: LegId,
    },
    /// A party has come back.
    CallResumed {
        /// Which call.
        call: CallId,
        /// Which.
        by: LegId,
    },
    /// Was moved in the line.
    CallPrioritized {
        /// Which call.
        call: CallId,
        /// Higher is served first.
        priority: i32,
        /// Who asked.
        by: Actor,
    },
    /// Is on the way elsewhere.
    CallTransferring {
        /// Which call.
        call: CallId,
        /// Where to.
        to: String,
        /// Who asked; Carillon itself where a rule did.
        by: Actor,
    },
    /// The transfer was refused with this status; the call is back where it was.
    CallTransferFailed {
        /// Which call.
        call: CallId,
        /// The SIP status.
        status: u16,
    },
    /// Is over.
    CallEnded {
        /// Which call.
        call: CallId,
        /// The one it was in last.
        queue: QueueId,
        /// Why.
        why: CallEnd,
        /// Since the call arrived, in whatever queue.
        waited: Millis,
        /// Since the answer.
        talked: Millis,
    },
    /// Turned away at the door; no call was made of it.
    CallTurnedAway {
        /// Which queue.
        queue: QueueId,
        /// Which rule.
        rule: OverflowRule,
        /// The SIP status.
        status: u16,
    },
    // Agents.
    /// Is here now, NotReady first.
    AgentLoggedIn {
        /// Which agent.
        agent: AgentId,
        /// Where.
        device: String,
        /// Who did it.
        by: Actor,
    },
    /// A second login, and the first goes on: another client of the same agent, or one refused
    /// because another agent is at that device.
    AgentLoginDuplicated {
        /// Whose second login it is.
        agent: AgentId,
        /// Where they wanted to be.
        device: String,
        /// Who did it.
        by: Actor,
        /// Who is logged in already: the same agent elsewhere, or another at that device.
        holder: AgentId,
    },
    /// Is gone.
    AgentLoggedOut {
        /// Which agent.
        agent: AgentId,
        /// The one published reason.
        reason: LogoutReason,
        /// Who did it.
        by: Actor,
    },
    /// May be rung.
    AgentReady {
        /// Which agent.
        agent: AgentId,
        /// Who wanted it; Carillon itself after a call.
        by: Actor,
    },
    /// Takes no calls.
    AgentNotReady {
        /// Which agent.
        agent: AgentId,
        /// Why, in a published or configured word.
        reason: String,
        /// Who wanted it; Carillon itself where a policy did.
        by: Actor,
    },
    /// The phone rings.
    AgentReserved {
        /// Which agent.
        agent: AgentId,
        /// Which call.
        call: CallId,
    },
    /// Is joined with the caller.
    AgentTalking {
        /// Which agent.
        agent: AgentId,
        /// Which call.
        call: CallId,
    },
    /// Finishes the call's work.
    AgentWrappingUp {
        /// Which agent.
        agent: AgentId,
        /// Which call.
        call: CallId,
        /// How long at most.
        length: Millis,
    },
    /// A wrong PIN was given.
    AgentPinRefused {
        /// Which agent.
        agent: AgentId,
        /// It was one too many.
        locked: bool,
        /// Who gave it.
        by: Actor,
    },
    /// The agent's device is doing something else.
    DeviceChanged {
        /// Which agent.
        agent: AgentId,
        /// What it is doing.
        state: DeviceState,
    },
    // Configuration and members.
    /// An object was made or changed.
    ConfigPut {
        /// Of what kind.
        kind: ConfigKind,
        /// Its name.
        name: String,
        /// Who keeps it.
        source: Source,
    },
    /// An object was removed.
    ConfigRemoved {
        /// Of what kind.
        kind: ConfigKind,
        /// Its name.
        name: String,
        /// Who keeps it.
        source: Source,
    },
    /// A node's process has started.
    NodeStarted {
        /// Whose life.
        owner: Owner,
    },
    /// A node is gone.
    NodeLost {
        /// Whose life.
        owner: Owner,
        /// How many it had.
        legs: u32,
    },
    /// A call's node was lost, and another goes on with it.
    CallTakenOver {
        /// Which call.
        call: CallId,
        /// Where it waits or was answered.
        queue: QueueId,
        /// Who goes on.
        by: Owner,
    },
    /// A state that made no sense was put right by taking this call out of service.
    CallQuarantined {
        /// Which call.
        call: CallId,
        /// What made no sense.
        broken: String,
    },
    /// The same for an agent, who is NotReady now and must say Ready again.
    AgentQuarantined {
        /// Which agent.
        agent: AgentId,
        /// What made no sense.
        broken: String,
    },
    /// More agents' phones ring for a call, in `RingAll`: they became free while others rang.
    ReservationJoined {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// Most idle first.
        agents: Vec<AgentId>,
        /// Why they.
        why: Arc<Explanation>,
    },
    /// Somebody asked for the end of a call, which follows.
    CallHungUp {
        /// Which call.
        call: CallId,
        /// Who asked; Carillon itself when its node stops.
        by: Actor,
    },
    /// An agent who is logged in is rung elsewhere from now on: the configured device has changed.
    AgentMoved {
        /// Which agent.
        agent: AgentId,
        /// Where.
        device: String,
        /// The trunk it is reached through; `None` rings the address directly.
        trunk: Option<TrunkId>,
    },
    /// A removed queue still has callers: nobody enters any more, those inside are served.
    QueueDraining {
        /// Which queue.
        queue: QueueId,
        /// How many are there, waiting or talking.
        calls: u32,
    },
    /// A removed queue is empty, and gone.
    QueueDrained {
        /// Which queue.
        queue: QueueId,
    },
}

/// What kind of object was configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConfigKind {
    /// A queue.
    Queue,
    /// An agent.
    Agent,
    /// A trunk.
    Trunk,
    /// A prompt.
    Prompt,
    /// The settings.
    Settings,
}

/// The published reasons of a logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LogoutReason {
    /// The agent asked.
    Requested,
    /// A supervisor asked.
    Supervisor,
    /// By a telephone menu.
    Menu,
    /// Did nothing for too long.
    Inactive,
    /// The device stayed away.
    Unreachable,
    /// Logged in elsewhere, or another agent at the same device.
    TakenOver,
    /// The nailed-up leg is gone.
    LegLost,
    /// Did not take a call; the queue wants that.
    RingOut,
    /// No such agent in the configuration any more.
    Removed,
    /// An administrator asked.
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
    /// Not here.
    LoggedOut,
    /// Does not want calls.
    NotReady,
    /// Finishes a call.
    WrapUp,
    /// The phone rings for another caller.
    Reserved,
    /// Has a caller.
    Talking,
    /// The phone is in use, not by us.
    DeviceBusy,
    /// The phone is not there.
    DeviceUnreachable,
    /// Somebody watches the phone and cannot tell, or has not for too long, whether it is there.
    DeviceUnknown,
    /// Did not answer a moment ago.
    JustRangOut,
    /// Could be rung; another is idle longer.
    LessIdle,
}
