//! Everything that may be asked of the core: one page of orders.
//!
//! A command reaches the core only as an [`Entry`] of the Raft log. The core answers every one
//! with an [`Outcome`]: done, or refused with the reason. Nothing here is an error, and nothing a
//! stranger sends can make the core stop: what makes no sense is refused by name.
//!
//! Always holds: a repeat of a [`RequestId`] returns the first outcome and changes nothing.
//!
//! Not here: what happens then ([`super::effect`] orders it, [`super::fact`] reports it).

use serde::Deserialize;
use serde::Serialize;

use crate::acd::config::Address;
use crate::acd::config::AgentConfig;
use crate::acd::config::PromptConfig;
use crate::acd::config::QueueConfig;
use crate::acd::config::Settings;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::Owner;
use crate::base::id::PromptId;
use crate::base::id::QueueId;
use crate::base::id::RequestId;
use crate::base::id::TrunkId;
use crate::base::secret::Private;
use crate::base::time::ClusterTime;

/// One entry of the log as the core sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When the leader took it; raised by `apply` if it lies behind the state's clock.
    pub proposed_at: ClusterTime,
    /// Recognises a repeat.
    pub request: RequestId,
    /// What is asked.
    pub command: Command,
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    // The clock and the members.
    /// Moves the clock, so that what is due happens.
    Advance,
    /// A node's process has started; what its former lives owned is lost.
    StartNode {
        owner: Owner,
    },
    /// A node is gone; what it owned is lost.
    LoseNode {
        owner: Owner,
    },

    // Configuration: the whole object each time, already checked.
    PutQueue {
        queue: Box<QueueConfig>,
        source: Source,
    },
    RemoveQueue {
        queue: QueueId,
        source: Source,
    },
    PutAgent {
        agent: Box<AgentConfig>,
        source: Source,
    },
    RemoveAgent {
        agent: AgentId,
        source: Source,
    },
    PutTrunk {
        trunk: Box<TrunkConfig>,
        source: Source,
    },
    RemoveTrunk {
        trunk: TrunkId,
        source: Source,
    },
    PutPrompt {
        prompt: Box<PromptConfig>,
        source: Source,
    },
    RemovePrompt {
        prompt: PromptId,
        source: Source,
    },
    PutSettings {
        settings: Box<Settings>,
        source: Source,
    },

    // Calls, told by the node that owns the leg.
    /// A caller has arrived; nothing but 100 Trying was answered yet.
    EnqueueCall(Box<Arrival>),
    /// The agent's phone answered.
    AnswerReservation {
        leg: LegId,
        dialog: Dialog,
    },
    /// The agent's phone did not take the call.
    FailReservation {
        leg: LegId,
        why: RingFailure,
    },
    /// The leg's dialog or media changed; the newest picture of it.
    UpdateLeg {
        leg: LegId,
        dialog: Dialog,
    },
    /// The leg's party put the other on hold, or took them back.
    HoldLeg {
        leg: LegId,
        held: bool,
    },
    /// The leg is over: BYE, CANCEL, or nobody there any more.
    EndLeg {
        leg: LegId,
        why: LegEnd,
    },
    /// The prompt ordered by `PlayPrompt` was heard to its end.
    FinishPrompt {
        leg: LegId,
    },
    /// The far end took the transfer ordered by `TransferLeg`, or refused it with this status.
    SettleTransfer {
        leg: LegId,
        refused: Option<u16>,
    },

    // Calls, asked by people.
    TransferCall {
        call: CallId,
        to: Address,
        by: Actor,
    },
    HangUpCall {
        call: CallId,
        by: Actor,
    },
    PrioritizeCall {
        call: CallId,
        priority: i32,
        by: Actor,
    },

    // Agents.
    LogIn(Box<LogIn>),
    LogOut {
        agent: AgentId,
        by: Actor,
    },
    /// Always works, whatever the agent is doing.
    ForceLogOut {
        agent: AgentId,
        by: Actor,
    },
    SetReady {
        agent: AgentId,
        by: Actor,
    },
    SetNotReady {
        agent: AgentId,
        reason: String,
        by: Actor,
    },
    EndWrapUp {
        agent: AgentId,
        by: Actor,
    },
    /// What is known of an agent's device now.
    ReportDevice {
        agent: AgentId,
        state: DeviceState,
    },
}

/// A caller at the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The new call's name, made by the proposer.
    pub call: CallId,
    /// The node that received the INVITE and owns the caller's leg.
    pub owner: Owner,
    /// The address called; the core finds the queue.
    pub to: Address,
    /// Who calls.
    pub caller: Caller,
    /// Raises the queue's priority for this call.
    pub priority: Option<i32>,
    /// The caller's dialog.
    pub dialog: Dialog,
}

/// Who calls, as the caller's side told it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The SIP Call-ID of the caller's leg, for people who search a trace.
    pub sip_call_id: String,
    /// `user@host` of the caller.
    pub from: Private<String>,
    /// `user@host` that was called.
    pub to: String,
    /// The number to show to the agent; `None` when withheld.
    pub number: Private<Option<String>>,
    /// The display name, if any.
    pub name: Private<Option<String>>,
}

/// A leg's dialog in the encoding of `b2bua`; the core keeps it and never looks inside.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dialog(pub Vec<u8>);

impl std::fmt::Debug for Dialog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dialog({} bytes)", self.0.len())
    }
}

/// Asks to log an agent in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogIn {
    pub agent: AgentId,
    /// Must match when the agent has a PIN and asks for itself.
    pub pin: Option<Private<String>>,
    /// Where to ring; the configured device when `None`.
    pub device: Option<String>,
    pub kind: LoginKind,
    pub by: Actor,
}

/// How an agent is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LoginKind {
    /// The phone rings for each call.
    Callback,
    /// The phone stays off hook.
    NailedUp,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    pub role: Role,
    /// The name behind the token, agent id or node.
    pub name: String,
}

/// In which capacity one asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// May look.
    Viewer,
    /// May act for itself.
    Agent,
    /// May act for the agents of its teams.
    Supervisor,
    /// May do everything.
    Administrator,
    /// Carillon itself.
    System,
}

/// Why an agent's phone did not take a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RingFailure {
    /// 603, 403, or a forward that is not followed.
    Declined,
    /// 486, 600.
    Busy,
    /// 480, 408 from the far side: the phone rang out before we stopped it.
    NoAnswer,
    /// No answer at all, a transport error, or 5xx.
    Unreachable,
    /// 404, 410, 484: the address is wrong.
    WrongAddress,
    /// 488, 415, 606: no common codec.
    NoCodec,
}

/// Why a leg is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LegEnd {
    /// The party hung up (BYE, or CANCEL before the answer).
    HungUp,
    /// The party cannot be reached any more (no ACK, session timer, transport).
    Lost,
}

/// What a device is doing, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DeviceState {
    Idle,
    Ringing,
    Busy,
    Unreachable,
    Unknown,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not done, and nothing changed.
    Refused(Refusal),
}

/// Why a command was not done. The words for people are in `api::problem`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    UnknownCall(CallId),
    DuplicateCall(CallId),
    UnknownLeg(LegId),
    /// Nothing is reached by this address.
    UnknownAddress(Address),
    UnknownQueue(QueueId),
    UnknownAgent(AgentId),
    UnknownTrunk(TrunkId),
    UnknownPrompt(PromptId),
    /// The call was turned away at the door by the queue's rule: this SIP status.
    TurnedAway {
        queue: QueueId,
        status: u16,
        rule: super::config::OverflowRule,
    },
    /// The agent's state does not allow it; these states do.
    WrongAgentState {
        agent: AgentId,
        state: AgentStateName,
        allowed: Vec<AgentStateName>,
    },
    /// The call's state does not allow it.
    WrongCallState {
        call: CallId,
        state: CallStateName,
    },
    WrongPin {
        agent: AgentId,
    },
    /// Too many wrong PINs; try again then.
    PinLocked {
        agent: AgentId,
        until: ClusterTime,
    },
    LoginKindNotAllowed {
        agent: AgentId,
        kind: LoginKind,
    },
    /// Neither the login nor the configuration names a device.
    NoDevice {
        agent: AgentId,
    },
    /// The agent is logged in already, at this device.
    AlreadyLoggedIn {
        agent: AgentId,
        device: String,
    },
    /// Another agent is logged in at this device.
    DeviceTaken {
        device: String,
        agent: AgentId,
    },
    /// The reason is not in the settings' list, which follows.
    UnknownReason {
        reason: String,
        known: Vec<String>,
    },
    /// The address belongs to this queue already.
    AddressTaken {
        address: Address,
        queue: QueueId,
    },
    /// The object is kept by another source and must be changed there.
    OtherSource {
        name: String,
        source: Source,
    },
    /// The owner is not the newest life of its node.
    StaleOwner(Owner),
}

/// The published names of an agent's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AgentStateName {
    LoggedOut,
    Ready,
    NotReady,
    Reserved,
    Talking,
    WrapUp,
}

/// The published names of a call's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CallStateName {
    Arriving,
    Waiting,
    Reserved,
    Talking,
    Held,
    Transferring,
    Ended,
}
