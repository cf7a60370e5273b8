//! The answer to a command, with every refusal by name, and the published names of states.
//!
//! The core has no errors: a command that cannot be done, because of who asks or because somebody
//! was quicker, is answered with a [`Refusal`], a value like any other and the same everywhere.
//!
//! Always holds: a refused command has left queues, calls and agents as they were; a wrong PIN is
//! counted, a caller turned away too.
//!
//! Not here: words for people (`api::problem`), SIP statuses (`b2bua`). Neighbours find these types
//! in [`super::command`], beside what they answer.

use serde::Deserialize;
use serde::Serialize;

use crate::acd::command::LoginKind;
use crate::acd::config::Address;
use crate::acd::config::OverflowRule;
use crate::acd::config::Source;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::Owner;
use crate::base::id::PromptId;
use crate::base::id::QueueId;
use crate::base::id::TrunkId;
use crate::base::time::ClusterTime;

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
    /// There is no such call, not even among the recent ones.
    UnknownCall(CallId),
    /// There is or was a call of this name.
    DuplicateCall(CallId),
    /// No call has this leg any more: its end was quicker.
    UnknownLeg(LegId),
    /// Nothing is reached by this address.
    UnknownAddress(Address),
    /// There is no such queue.
    UnknownQueue(QueueId),
    /// There is no such agent.
    UnknownAgent(AgentId),
    /// There is no such trunk.
    UnknownTrunk(TrunkId),
    /// There is no such prompt.
    UnknownPrompt(PromptId),
    /// The call was turned away at the door by the queue's rule: this SIP status.
    TurnedAway {
        /// Which queue.
        queue: QueueId,
        /// What the caller is answered.
        status: u16,
        /// Which rule.
        rule: OverflowRule,
    },
    /// The agent's state does not allow it; these states do.
    WrongAgentState {
        /// Which agent.
        agent: AgentId,
        /// Where the agent is.
        state: AgentStateName,
        /// Where it would be allowed.
        allowed: Vec<AgentStateName>,
    },
    /// The call's state does not allow it.
    WrongCallState {
        /// Which call.
        call: CallId,
        /// Where the call is.
        state: CallStateName,
    },
    /// The PIN is wrong.
    WrongPin {
        /// Which agent.
        agent: AgentId,
    },
    /// Too many wrong PINs; try again then.
    PinLocked {
        /// Which agent.
        agent: AgentId,
        /// When it may be tried again.
        until: ClusterTime,
    },
    /// The agent's configuration does not allow this kind of login.
    LoginKindNotAllowed {
        /// Which agent.
        agent: AgentId,
        /// The kind asked for.
        kind: LoginKind,
    },
    /// Neither the login nor the configuration names a device.
    NoDevice {
        /// Which agent.
        agent: AgentId,
    },
    /// The agent is logged in already, at this device.
    AlreadyLoggedIn {
        /// Which agent.
        agent: AgentId,
        /// Where they are.
        device: String,
    },
    /// Another agent is logged in at this device.
    DeviceTaken {
        /// Where.
        device: String,
        /// Who has it.
        agent: AgentId,
    },
    /// The reason is not in the settings' list, which follows.
    UnknownReason {
        /// The one given.
        reason: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The address belongs to this queue already.
    AddressTaken {
        /// The one wanted twice.
        address: Address,
        /// Who has it.
        queue: QueueId,
    },
    /// The object is kept by another source and must be changed there.
    OtherSource {
        /// Its name.
        name: String,
        /// Where it lives.
        source: Source,
    },
    /// The owner is not the newest life of its node.
    StaleOwner(Owner),
    /// The agent has a PIN and the login names none; not counted as a wrong one.
    PinMissing {
        /// Which agent.
        agent: AgentId,
    },
    /// The name of the request was used for something else a moment ago.
    RequestReused,
    /// The login would take over from an agent who talks with a caller.
    DeviceInCall {
        /// Where the talk is.
        device: String,
        /// Who talks.
        agent: AgentId,
    },
}

/// The published names of an agent's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AgentStateName {
    /// Not here.
    LoggedOut,
    /// May be rung.
    Ready,
    /// Here and takes no calls.
    NotReady,
    /// The phone rings.
    Reserved,
    /// Joined with a caller.
    Talking,
    /// Finishes the last call's work.
    WrapUp,
}

/// The published names of a call's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CallStateName {
    /// Hears a rule's prompt, in no line.
    Arriving,
    /// Has a place in the line.
    Waiting,
    /// Agents' phones ring for it.
    Reserved,
    /// Joined with an agent.
    Talking,
    /// Joined and put aside.
    Held,
    /// On the way elsewhere.
    Transferring,
    /// Over.
    Ended,
}
