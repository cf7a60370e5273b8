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
use crate::acd::config::AgentConfig;
use crate::acd::config::PromptConfig;
use crate::acd::config::QueueConfig;
use crate::acd::config::Settings;
use crate::acd::config::Source;
use crate::acd::config::TrunkConfig;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Explanation;
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
