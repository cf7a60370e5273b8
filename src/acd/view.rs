//! What may be looked at: read-only pictures of the state for wallboards, REST and reports.
//!
//! A [`View`] borrows the state at one log index and copies out small plain structs, so that a
//! reader holds no lock for longer than the copy takes.
//!
//! Always holds: looking changes nothing, and a picture is of one moment.
//!
//! Not here: how pictures look as JSON (`api`).

use crate::acd::State;
use crate::acd::command::AgentStateName;
use crate::acd::command::CallStateName;
use crate::acd::command::Caller;
use crate::acd::command::DeviceState;
use crate::acd::command::Dialog;
use crate::acd::config::Address;
use crate::acd::config::AgentConfig;
use crate::acd::config::PromptConfig;
use crate::acd::config::QueueConfig;
use crate::acd::config::Settings;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Explanation;
use crate::acd::fact::PassedOver;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::LogIndex;
use crate::base::id::Owner;
use crate::base::id::QueueId;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

/// The state at one moment, to be looked at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    state: &'a State,
}

/// A queue's live figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuePicture {
    pub id: QueueId,
    pub display_name: String,
    pub open: bool,
    pub waiting: u32,
    /// Callers whose agent's phone is ringing now.
    pub reserved: u32,
    pub talking: u32,
    pub longest_wait: Option<Millis>,
    /// Members by state.
    pub agents: Vec<(AgentStateName, u32)>,
    pub totals: QueueTotals,
}

/// Counts since the queue was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QueueTotals {
    /// Callers who entered, by INVITE or by overflow from another queue.
    pub entered: u64,
    pub answered: u64,
    /// Of those, within the service level's threshold.
    pub answered_in_time: u64,
    pub abandoned: u64,
    pub short_abandoned: u64,
    /// Left by a rule after entering.
    pub overflowed: u64,
    /// Turned away at the door.
    pub turned_away: u64,
    /// Ended another way while waiting: by request, transfer, or a lost node.
    pub withdrawn: u64,
}

/// An agent as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPicture {
    pub id: AgentId,
    pub display_name: String,
    pub state: AgentStateName,
    /// Why NotReady or LoggedOut, in a published or configured word.
    pub reason: Option<String>,
    pub since: ClusterTime,
    /// When a wrap-up ends by itself.
    pub until: Option<ClusterTime>,
    /// Since when the agent is idle, which `MostIdle` goes by.
    pub idle_since: Option<ClusterTime>,
    /// Where the agent is rung while logged in.
    pub device: Option<String>,
    pub device_state: DeviceState,
    pub device_freshness: Freshness,
    pub queues: Vec<QueueId>,
    pub call: Option<CallId>,
    pub team: Option<String>,
}

/// How far a device state is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Freshness {
    Known,
    Stale,
    Never,
}

/// A call, live or recently ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPicture {
    pub id: CallId,
    pub state: CallStateName,
    /// The queue it is in, or left last.
    pub queue: QueueId,
    pub caller: Caller,
    pub priority: i32,
    pub arrived: ClusterTime,
    /// Where in its queue, 1 first; only while waiting.
    pub place: Option<u32>,
    /// Why it waits; only while waiting.
    pub waits_because: Option<WaitReason>,
    /// Whose phones ring, or who talks.
    pub agents: Vec<AgentId>,
    pub answered: Option<ClusterTime>,
    pub ended: Option<(ClusterTime, CallEnd)>,
    /// Why the newest assignment went where it went.
    pub why: Option<Explanation>,
    pub timeline: Vec<Moment>,
}

/// Why a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    NoAgentReady,
    BehindOthers { place: u32 },
    QueueClosed,
}

/// One line of a call's story.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moment {
    pub at: ClusterTime,
    pub what: Milestone,
}

/// What a line of a call's story can say.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Milestone {
    Entered(QueueId),
    Reserved(Vec<AgentId>),
    ReservationEnded(AgentId, crate::acd::fact::ReservationEnd),
    Answered(AgentId),
    Held,
    Resumed,
    Prioritized(i32),
    Transferring(String),
    TransferFailed(u16),
    Ended(CallEnd),
}

/// A member of a queue and why it is not the one to be rung, if so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPicture {
    /// Who.
    pub agent: AgentId,
    /// Since when the agent is idle; only of those who could be rung now.
    pub idle_since: Option<ClusterTime>,
    /// Why the agent is passed over; `None` for one who could be rung now.
    pub passed_over: Option<PassedOver>,
}

/// A leg somebody owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegPicture {
    /// Which leg.
    pub leg: LegId,
    /// Whose phone it is; `None` is the caller's.
    pub agent: Option<AgentId>,
    /// The newest picture of its dialog; `None` while it rings.
    pub dialog: Option<Dialog>,
}

impl<'a> View<'a> {
    /// Looks at `state`.
    pub fn new(state: &'a State) -> Self {
        Self { state }
    }

    /// The replicated clock.
    pub fn now(self) -> ClusterTime {
        self.state.now()
    }

    /// Every queue's figures, by name.
    pub fn queues(self) -> Vec<QueuePicture> {
        Vec::new()
    }

    /// One queue's figures.
    pub fn queue(self, _queue: &QueueId) -> Option<QueuePicture> {
        None
    }

    /// The live calls of a queue: those waiting in their order, then the others.
    pub fn calls_in(self, _queue: &QueueId) -> Vec<CallPicture> {
        Vec::new()
    }

    /// The members of a queue, each with the reason it is passed over.
    pub fn members_of(self, _queue: &QueueId) -> Vec<MemberPicture> {
        Vec::new()
    }

    /// Every agent, by name.
    pub fn agents(self) -> Vec<AgentPicture> {
        Vec::new()
    }

    /// One agent.
    pub fn agent(self, _agent: &AgentId) -> Option<AgentPicture> {
        None
    }

    /// Every live call.
    pub fn calls(self) -> Vec<CallPicture> {
        Vec::new()
    }

    /// One call, live or recently ended.
    pub fn call(self, _call: CallId) -> Option<CallPicture> {
        None
    }

    /// Calls that ended recently, newest first.
    pub fn recent_calls(self) -> Vec<CallPicture> {
        Vec::new()
    }

    /// The queue reached by an address.
    pub fn queue_for(self, _address: &Address) -> Option<QueueId> {
        None
    }

    /// Every queue as configured, and by whom.
    pub fn queue_configs(self) -> Vec<(&'a QueueConfig, Source)> {
        Vec::new()
    }

    /// Every agent as configured, and by whom.
    pub fn agent_configs(self) -> Vec<(&'a AgentConfig, Source)> {
        Vec::new()
    }

    /// Every trunk as configured, and by whom.
    pub fn trunk_configs(self) -> Vec<(&'a TrunkConfig, Source)> {
        Vec::new()
    }

    /// Every prompt as configured, and by whom.
    pub fn prompt_configs(self) -> Vec<(&'a PromptConfig, Source)> {
        Vec::new()
    }

    /// One queue as configured, and by whom.
    pub fn queue_config(self, _queue: &QueueId) -> Option<(&'a QueueConfig, Source)> {
        None
    }

    /// One agent as configured, and by whom.
    pub fn agent_config(self, _agent: &AgentId) -> Option<(&'a AgentConfig, Source)> {
        None
    }

    /// The settings in force, and by whom; `None` while they are the defaults.
    pub fn settings(self) -> (&'a Settings, Option<Source>) {
        (&self.state.settings, None)
    }

    /// The legs somebody owns, in order.
    pub fn legs_of(self, _owner: Owner) -> Vec<LegPicture> {
        Vec::new()
    }

    /// The life of each node the state deals with; `false` once it is lost.
    pub fn nodes(self) -> Vec<(Owner, bool)> {
        Vec::new()
    }
}
