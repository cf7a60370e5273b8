//! Everything that may be asked of the core: one page of orders.
//!
//! A command reaches the core only as an [`Entry`] of the Raft log. The core answers every one
//! with an [`Outcome`]: done, or refused with the reason. Nothing here is an error, and nothing a
//! stranger sends can make the core stop: what makes no sense is refused by name.
//!
//! Always holds: a repeat of a [`RequestId`] returns the first outcome and changes nothing.
//!
//! Not here: what happens then ([`super::effect`] orders it, [`super::fact`] reports it).

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::config::Address;
use crate::acd::config::AgentConfig;
use crate::acd::config::PromptConfig;
use crate::acd::config::QueueConfig;
use crate::acd::config::Settings;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
pub use crate::acd::outcome::AgentStateName;
pub use crate::acd::outcome::CallStateName;
pub use crate::acd::outcome::Outcome;
pub use crate::acd::outcome::Refusal;
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
    /// A node's process has started; it goes on with what its former lives owned.
    StartNode {
        /// Whose life.
        owner: Owner,
    },
    /// A node is gone; others go on with what it owned.
    LoseNode {
        /// Whose life.
        owner: Owner,
    },

    // Configuration: the whole object each time, already checked.
    /// Makes a queue, or gives one another configuration.
    PutQueue {
        /// The whole of it.
        queue: Box<QueueConfig>,
        /// Who keeps it.
        source: Source,
    },
    /// Lets nobody in any more; those inside are served to the end.
    RemoveQueue {
        /// Which queue.
        queue: QueueId,
        /// Who keeps it.
        source: Source,
    },
    /// Makes an agent, or gives one another configuration.
    PutAgent {
        /// The whole of it.
        agent: Box<AgentConfig>,
        /// Who keeps it.
        source: Source,
    },
    /// Logs the agent out, after the talk if there is one, and forgets them.
    RemoveAgent {
        /// Which agent.
        agent: AgentId,
        /// Who keeps it.
        source: Source,
    },
    /// Makes a trunk or changes it.
    PutTrunk {
        /// The whole of it.
        trunk: Box<TrunkConfig>,
        /// Who keeps it.
        source: Source,
    },
    /// Forgets a trunk.
    RemoveTrunk {
        /// Which trunk.
        trunk: TrunkId,
        /// Who keeps it.
        source: Source,
    },
    /// Makes a prompt or changes it.
    PutPrompt {
        /// The whole of it.
        prompt: Box<PromptConfig>,
        /// Who keeps it.
        source: Source,
    },
    /// Forgets a prompt.
    RemovePrompt {
        /// Which prompt.
        prompt: PromptId,
        /// Who keeps it.
        source: Source,
    },
    /// Changes what holds for the whole deployment.
    PutSettings {
        /// All of them.
        settings: Box<Settings>,
        /// Who keeps it.
        source: Source,
    },

    // Calls, told by the node that owns the leg.
    /// A caller has arrived; nothing but 100 Trying was answered yet.
    EnqueueCall(Box<Arrival>),
    /// The agent's phone answered.
    AnswerReservation {
        /// Which leg.
        leg: LegId,
        /// The newest picture of it.
        dialog: Dialog,
    },
    /// The agent's phone did not take the call.
    FailReservation {
        /// Which leg.
        leg: LegId,
        /// What the phone said, or did not.
        why: RingFailure,
    },
    /// The leg's dialog or media changed; the newest picture of it.
    UpdateLeg {
        /// Which leg.
        leg: LegId,
        /// The newest picture of it.
        dialog: Dialog,
    },
    /// The leg's party put the other on hold, or took them back.
    HoldLeg {
        /// Whose party did it.
        leg: LegId,
        /// On hold, or back.
        held: bool,
    },
    /// The leg is over: BYE, CANCEL, or nobody there any more.
    EndLeg {
        /// Which leg.
        leg: LegId,
        /// In which way.
        why: LegEnd,
    },
    /// The prompt ordered by `PlayPrompt` was heard to its end.
    FinishPrompt {
        /// Which leg.
        leg: LegId,
    },
    /// The far end took the transfer ordered by `TransferLeg`, or refused it with this status.
    SettleTransfer {
        /// Which leg.
        leg: LegId,
        /// `None`: the caller is there.
        refused: Option<u16>,
    },

    // Calls, asked by people.
    /// Sends a caller elsewhere, out of the queue or out of a talk.
    TransferCall {
        /// Which call.
        call: CallId,
        /// Where to.
        to: Address,
        /// Who asks.
        by: Actor,
    },
    /// Ends a call wherever it is.
    HangUpCall {
        /// Which call.
        call: CallId,
        /// Who asks.
        by: Actor,
    },
    /// Moves a caller forward or back in the line.
    PrioritizeCall {
        /// Which call.
        call: CallId,
        /// Higher is served first.
        priority: i32,
        /// Who asks.
        by: Actor,
    },

    // Agents.
    /// Logs an agent in; they are NotReady(LoggedIn) then.
    LogIn(Box<LogIn>),
    /// Logs an agent out, in the states the settings allow.
    LogOut {
        /// Which agent.
        agent: AgentId,
        /// Who asks.
        by: Actor,
    },
    /// Always works, whatever the agent is doing.
    ForceLogOut {
        /// Which agent.
        agent: AgentId,
        /// Who asks.
        by: Actor,
    },
    /// The agent wants calls.
    SetReady {
        /// Which agent.
        agent: AgentId,
        /// Who asks.
        by: Actor,
    },
    /// The agent wants none; during a talk, after it.
    SetNotReady {
        /// Which agent.
        agent: AgentId,
        /// One of the settings' reasons; a supervisor need not give one.
        reason: String,
        /// Who asks.
        by: Actor,
    },
    /// The last call's work is done.
    EndWrapUp {
        /// Which agent.
        agent: AgentId,
        /// Who asks.
        by: Actor,
    },
    /// What is known of an agent's device now.
    ReportDevice {
        /// Which agent.
        agent: AgentId,
        /// What it is doing.
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
    pub caller: Arc<Caller>,
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
    /// `user@host` of the caller; `anonymous@anonymous.invalid` when withheld.
    pub from: Private<String>,
    /// `user@host` that was called.
    pub to: String,
    /// The number to show to the agent; `None` when withheld.
    pub number: Private<Option<String>>,
    /// The display name, if any.
    pub name: Private<Option<String>>,
}

/// A leg's dialog in the encoding of `b2bua`; the core keeps it and never looks inside, so that the
/// bytes are those of the entry it came with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dialog(pub Arc<[u8]>);

impl From<Vec<u8>> for Dialog {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::from(bytes))
    }
}

impl std::fmt::Debug for Dialog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dialog({} bytes)", self.0.len())
    }
}

/// Asks to log an agent in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogIn {
    /// Who.
    pub agent: AgentId,
    /// Must match when the agent has a PIN and asks for itself.
    pub pin: Option<Private<String>>,
    /// Where to ring; the configured device when `None`.
    pub device: Option<String>,
    /// How calls reach them.
    pub kind: LoginKind,
    /// Who asks; agents who ask for themselves need their PIN.
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
    /// In which capacity.
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
    /// The party's node was lost, and the party is not reached by the node that took over.
    LostWithNode,
}

/// What a device is doing, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DeviceState {
    /// Nothing; it can be rung.
    Idle,
    /// It rings.
    Ringing,
    /// It is in use.
    Busy,
    /// It is not there.
    Unreachable,
    /// Nobody can tell. Rung only where nobody watches the device, so that nobody could.
    Unknown,
}
