//! What may be looked at: read-only pictures of the state for wallboards, REST and reports.
//!
//! A [`View`] borrows the state at one log index and copies out small plain structs, so that a
//! reader holds no lock for longer than the copy takes.
//!
//! Always holds: looking changes nothing, and a picture is of one moment.
//!
//! Not here: how pictures look as JSON (`api`).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::acd::State;
use crate::acd::call::CallState;
use crate::acd::call::arrive;
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
use crate::acd::legs;
use crate::acd::legs::Party;
use crate::acd::picture;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::LogIndex;
use crate::base::id::Owner;
use crate::base::id::QueueId;
use crate::base::id::TrunkId;
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
    /// Its name.
    pub id: QueueId,
    /// Shown to people.
    pub display_name: String,
    /// `false`: callers are turned away.
    pub open: bool,
    /// Removed from the configuration: gone when its last caller has left.
    pub draining: bool,
    /// Callers with a place in the line.
    pub waiting: u32,
    /// Callers whose agent's phone is ringing now.
    pub reserved: u32,
    /// Callers joined with an agent, on hold or not.
    pub talking: u32,
    /// Of those who wait.
    pub longest_wait: Option<Millis>,
    /// Members by state, those Ready apart by why they cannot be rung.
    pub agents: Vec<MemberCount>,
    /// How many of its calls should be answered in time.
    pub target_percent: u8,
    /// Since the queue was made.
    pub totals: QueueTotals,
}

/// How many members of a queue are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberCount {
    /// What they are doing.
    pub state: AgentStateName,
    /// Why they cannot be rung though Ready; `None` in every other state.
    pub unable: Option<PassedOver>,
    /// How many.
    pub count: u32,
}

impl MemberCount {
    /// Tells whether these could be rung now.
    pub fn may_be_rung(&self) -> bool {
        self.state == AgentStateName::Ready && self.unable.is_none()
    }

    /// The state, or why they cannot be rung though Ready.
    pub fn word(&self) -> String {
        self.unable.map_or_else(|| format!("{:?}", self.state), |reason| format!("{reason:?}"))
    }
}

/// Counts since the queue was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QueueTotals {
    /// Callers who entered, by INVITE or by overflow from another queue.
    pub entered: u64,
    /// By an agent.
    pub answered: u64,
    /// Of those, within the service level's threshold.
    pub answered_in_time: u64,
    /// Left while waiting.
    pub abandoned: u64,
    /// Left at once.
    pub short_abandoned: u64,
    /// Left by a rule after entering.
    pub overflowed: u64,
    /// Turned away at the door.
    pub turned_away: u64,
    /// Left while waiting because somebody sent them elsewhere.
    pub withdrawn: u64,
    /// Ended while waiting because somebody asked for it.
    pub hung_up: u64,
    /// Lost while waiting: the caller could not be reached any more, or a node was lost.
    pub lost: u64,
}

/// An agent as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPicture {
    /// Their name.
    pub id: AgentId,
    /// Shown to people.
    pub display_name: String,
    /// What they are doing.
    pub state: AgentStateName,
    /// Why NotReady, LoggedOut, or not to be rung though Ready, in a published or configured word.
    pub reason: Option<String>,
    /// Why the agent cannot be rung though Ready; `None` in every other state.
    pub unable: Option<PassedOver>,
    /// Since when.
    pub since: ClusterTime,
    /// When a wrap-up ends by itself.
    pub until: Option<ClusterTime>,
    /// Since when the agent is idle, which `MostIdle` goes by.
    pub idle_since: Option<ClusterTime>,
    /// Where the agent is rung while logged in.
    pub device: Option<String>,
    /// The trunk that is reached through; `None` while logged in: the address is rung directly.
    pub trunk: Option<TrunkId>,
    /// What their phone is doing.
    pub device_state: DeviceState,
    /// How far that is to be trusted.
    pub device_freshness: Freshness,
    /// Which they serve.
    pub queues: Vec<QueueId>,
    /// Which call they ring or talk for.
    pub call: Option<CallId>,
    /// What follows the call and its wrap-up, if not Ready, as `NotReady(Lunch)`.
    pub after_call: Option<String>,
    /// Whose supervisors may act on them.
    pub team: Option<String>,
}

impl AgentPicture {
    /// The state, or why the agent cannot be rung though Ready.
    pub fn word(&self) -> String {
        self.unable.map_or_else(|| format!("{:?}", self.state), |reason| format!("{reason:?}"))
    }
}

/// How far a device state is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Freshness {
    /// Learnt within the hour.
    Known,
    /// Learnt longer ago, so that the state is Unknown now.
    Stale,
    /// Nothing was learnt since the login.
    Never,
}

/// A call, live or recently ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPicture {
    /// Its name.
    pub id: CallId,
    /// Where it is.
    pub state: CallStateName,
    /// The queue it is in, or left last.
    pub queue: QueueId,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Higher is served first.
    pub priority: i32,
    /// Its age counts from here.
    pub arrived: ClusterTime,
    /// Where in its queue, 1 first; only while waiting.
    pub place: Option<u32>,
    /// Why it waits; only while waiting.
    pub waits_because: Option<WaitReason>,
    /// Whose phones ring, or who talks.
    pub agents: Vec<AgentId>,
    /// When an agent answered.
    pub answered: Option<ClusterTime>,
    /// When and why.
    pub ended: Option<(ClusterTime, CallEnd)>,
    /// Why the newest assignment went where it went.
    pub why: Option<Arc<Explanation>>,
    /// Its story, the oldest line first.
    pub timeline: Arc<Vec<Moment>>,
}

/// Why a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// First in line, and nobody could be rung.
    NoAgentReady,
    /// Others are first.
    BehindOthers {
        /// 1 is first.
        place: u32,
    },
    /// First in line of a closed queue, and nobody could be rung.
    QueueClosed,
    /// First in line, and of those Ready some phone cannot be reached.
    DeviceUnreachable,
}

/// One line of a call's story.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moment {
    /// When.
    pub at: ClusterTime,
    /// What happened.
    pub what: Milestone,
}

/// What a line of a call's story can say.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Milestone {
    /// Came into a queue.
    Entered(QueueId),
    /// These phones ring.
    Reserved(Vec<AgentId>),
    /// This one does not any more.
    ReservationEnded(AgentId, crate::acd::fact::ReservationEnd),
    /// This agent answered.
    Answered(AgentId),
    /// Back in line: this agent was logged out by force.
    Returned(AgentId),
    /// One put the other on hold.
    Held,
    /// Came back from that.
    Resumed,
    /// Was given this priority.
    Prioritized(i32),
    /// On the way to this address.
    Transferring(String),
    /// Refused there with this status.
    TransferFailed(u16),
    /// Over.
    Ended(CallEnd),
    /// Its node was lost; this one goes on with it.
    TakenOver(Owner),
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
        self.state.now
    }

    /// The newest entry applied.
    pub fn index(self) -> LogIndex {
        self.state.index
    }

    /// Every queue's figures, by name.
    pub fn queues(self) -> Vec<QueuePicture> {
        self.state.queues.values().map(|queue| picture::of_queue(self.state, queue)).collect()
    }

    /// One queue's figures.
    pub fn queue(self, queue: &QueueId) -> Option<QueuePicture> {
        self.state.queues.get(queue).map(|queue| picture::of_queue(self.state, queue))
    }

    /// The live calls of a queue: those waiting in their order, then the others, the oldest first.
    pub fn calls_in(self, queue: &QueueId) -> Vec<CallPicture> {
        let Some(queue) = self.state.queues.get(queue) else {
            return Vec::new();
        };
        let waiting = (1..).zip(&queue.waiting).filter_map(|(nth, place)| {
            let waits = picture::wait_reason(self.state, nth, queue);
            let call = self.state.calls.get(&place.call)?;
            Some(CallPicture {
                place: Some(nth),
                waits_because: Some(waits),
                ..picture::of_call(self.state, place.call, call)
            })
        });
        let others = queue.calls.values().filter_map(|id| Some((*id, self.state.calls.get(id)?)));
        let others = others
            .filter(|(_, call)| call.state != CallState::Waiting)
            .map(|(id, call)| picture::of_call(self.state, id, call));
        waiting.chain(others).collect()
    }

    /// The members of a queue, each with the reason it is passed over.
    pub fn members_of(self, queue: &QueueId) -> Vec<MemberPicture> {
        let members = self.state.rosters.get(queue).map(|roster| &roster.members);
        let agents = members.into_iter().flatten().filter_map(|id| self.state.agents.get(id));
        agents
            .map(|agent| {
                let passed_over = agent.standing().passed_over();
                let idle_since = passed_over.is_none().then_some(agent.idle_since);
                MemberPicture { agent: agent.config.id.clone(), idle_since, passed_over }
            })
            .collect()
    }

    /// Every agent, by name.
    pub fn agents(self) -> Vec<AgentPicture> {
        self.state.agents.values().map(|agent| picture::of_agent(self.state, agent)).collect()
    }

    /// One agent.
    pub fn agent(self, agent: &AgentId) -> Option<AgentPicture> {
        self.state.agents.get(agent).map(|agent| picture::of_agent(self.state, agent))
    }

    /// Every live call.
    pub fn calls(self) -> Vec<CallPicture> {
        let mut calls: Vec<CallPicture> =
            self.state.queues.keys().flat_map(|queue| self.calls_in(queue)).collect();
        calls.sort_by_key(|call| call.id);
        calls
    }

    /// One call, live or recently ended.
    pub fn call(self, id: CallId) -> Option<CallPicture> {
        let Some(call) = self.state.calls.get(&id) else {
            return self
                .state
                .history
                .call(id)
                .map(|ended| picture::of_ended(self.state, id, ended));
        };
        let mut picture = picture::of_call(self.state, id, call);
        if let Some(queue) = self.state.queues.get(&call.queue)
            && call.state == CallState::Waiting
        {
            let ahead = queue.waiting.range(..call.place(id)).count();
            let nth = u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1);
            picture.place = Some(nth);
            picture.waits_because = Some(picture::wait_reason(self.state, nth, queue));
        }
        Some(picture)
    }

    /// Calls that ended recently, newest first.
    pub fn recent_calls(self) -> Vec<CallPicture> {
        let ended = self.state.history.newest_first();
        ended.map(|(id, ended)| picture::of_ended(self.state, id, ended)).collect()
    }

    /// The queue reached by an address.
    pub fn queue_for(self, address: &Address) -> Option<QueueId> {
        arrive::queue_for(self.state, address).cloned()
    }

    /// Every queue as configured, and by whom; none that is draining.
    pub fn queue_configs(self) -> Vec<(&'a QueueConfig, Source)> {
        let kept = self.state.queues.values().filter(|queue| !queue.draining);
        kept.map(|queue| (&queue.config, queue.source)).collect()
    }

    /// Every agent as configured, and by whom.
    pub fn agent_configs(self) -> Vec<(&'a Arc<AgentConfig>, Source)> {
        self.state.agents.values().map(|agent| (&agent.config, agent.source)).collect()
    }

    /// Every trunk as configured, and by whom.
    pub fn trunk_configs(self) -> Vec<(&'a TrunkConfig, Source)> {
        self.state.trunks.values().map(|(trunk, source)| (trunk, *source)).collect()
    }

    /// Every prompt as configured, and by whom.
    pub fn prompt_configs(self) -> Vec<(&'a PromptConfig, Source)> {
        self.state.prompts.values().map(|(prompt, source)| (prompt, *source)).collect()
    }

    /// One queue as configured, and by whom; also one that is draining, as it was configured.
    pub fn queue_config(self, queue: &QueueId) -> Option<(&'a QueueConfig, Source)> {
        let queue = self.state.queues.get(queue)?;
        Some((&queue.config, queue.source))
    }

    /// One agent as configured, and by whom.
    pub fn agent_config(self, agent: &AgentId) -> Option<(&'a AgentConfig, Source)> {
        self.state.agents.get(agent).map(|agent| (&*agent.config, agent.source))
    }

    /// The settings in force, and by whom; `None` while they are the defaults.
    pub fn settings(self) -> (&'a Settings, Option<Source>) {
        (&self.state.settings, self.state.settings_source)
    }

    /// The legs somebody owns, in order.
    pub fn legs_of(self, owner: Owner) -> Vec<LegPicture> {
        let legs = legs::owned_by(self.state, owner);
        legs.map(|(id, leg)| {
            let agent = match &leg.party {
                Party::Caller => None,
                Party::Agent(agent) => Some(agent.clone()),
            };
            LegPicture { leg: id, agent, dialog: leg.dialog.clone() }
        })
        .collect()
    }

    /// Every leg, and whose it is.
    pub fn legs(self) -> BTreeSet<(Owner, LegId)> {
        legs::all(self.state).map(|(owner, leg, _)| (owner, leg)).collect()
    }

    /// The newest life of each node, and whether it is alive.
    pub fn nodes(self) -> Vec<(Owner, bool)> {
        self.state.nodes.iter().collect()
    }
}
