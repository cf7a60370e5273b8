//! What may be looked at: read-only pictures of the state for wallboards, REST and reports.
//!
//! A [`View`] borrows the state at one log index and copies out small plain structs, so that a
//! reader holds no lock for longer than the copy takes.
//!
//! Always holds: looking changes nothing, and a picture is of one moment.
//!
//! Not here: how pictures look as JSON (`api`).

use std::collections::BTreeMap;

use crate::acd::State;
use crate::acd::agent::Agent;
use crate::acd::agent::AgentState;
use crate::acd::call::Call;
use crate::acd::call::CallState;
use crate::acd::call::arrive;
use crate::acd::call::history::Ended;
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
use crate::acd::legs::Party;
use crate::acd::queue::Queue;
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
    Returned(AgentId),
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
        self.state.now
    }

    /// The newest entry applied.
    pub fn index(self) -> LogIndex {
        self.state.index
    }

    /// Every queue's figures, by name.
    pub fn queues(self) -> Vec<QueuePicture> {
        self.state.queues.values().map(|queue| self.picture_queue(queue)).collect()
    }

    /// One queue's figures.
    pub fn queue(self, queue: &QueueId) -> Option<QueuePicture> {
        self.state.queues.get(queue).map(|queue| self.picture_queue(queue))
    }

    /// The live calls of a queue: those waiting in their order, then the others.
    pub fn calls_in(self, queue: &QueueId) -> Vec<CallPicture> {
        let Some(queue) = self.state.queues.get(queue) else {
            return Vec::new();
        };
        let staffed = self.has_eligible(&queue.config.id);
        let waiting = (1..).zip(&queue.waiting).filter_map(|(nth, place)| {
            let waits = wait_reason(nth, queue.config.open, staffed);
            let call = self.state.calls.get(&place.call)?;
            Some(CallPicture {
                place: Some(nth),
                waits_because: Some(waits),
                ..self.picture_call(place.call, call)
            })
        });
        let others = queue.calls.iter().filter_map(|id| Some((*id, self.state.calls.get(id)?)));
        let others = others
            .filter(|(_, call)| call.state != CallState::Waiting)
            .map(|(id, call)| self.picture_call(id, call));
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
        self.state.agents.values().map(|agent| self.picture_agent(agent)).collect()
    }

    /// One agent.
    pub fn agent(self, agent: &AgentId) -> Option<AgentPicture> {
        self.state.agents.get(agent).map(|agent| self.picture_agent(agent))
    }

    /// Every live call.
    pub fn calls(self) -> Vec<CallPicture> {
        self.state.calls.keys().filter_map(|id| self.call(*id)).collect()
    }

    /// One call, live or recently ended.
    pub fn call(self, id: CallId) -> Option<CallPicture> {
        let Some(call) = self.state.calls.get(&id) else {
            return self.state.history.call(id).map(|ended| self.picture_ended(id, ended));
        };
        let mut picture = self.picture_call(id, call);
        if let Some(queue) = self.state.queues.get(&call.queue)
            && call.state == CallState::Waiting
        {
            let ahead = queue.waiting.range(..call.place(id)).count();
            let nth = u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1);
            let staffed = self.has_eligible(&call.queue);
            picture.place = Some(nth);
            picture.waits_because = Some(wait_reason(nth, queue.config.open, staffed));
        }
        Some(picture)
    }

    /// Calls that ended recently, newest first.
    pub fn recent_calls(self) -> Vec<CallPicture> {
        let ended = self.state.history.newest_first();
        ended.map(|(id, ended)| self.picture_ended(id, ended)).collect()
    }

    /// The queue reached by an address.
    pub fn queue_for(self, address: &Address) -> Option<QueueId> {
        arrive::queue_for(self.state, address).cloned()
    }

    /// Every queue as configured, and by whom.
    pub fn queue_configs(self) -> Vec<(&'a QueueConfig, Source)> {
        let kept = self.state.queues.values().filter(|queue| !queue.draining);
        kept.map(|queue| (&queue.config, queue.source)).collect()
    }

    /// Every agent as configured, and by whom.
    pub fn agent_configs(self) -> Vec<(&'a AgentConfig, Source)> {
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

    /// One queue as configured, and by whom.
    pub fn queue_config(self, queue: &QueueId) -> Option<(&'a QueueConfig, Source)> {
        let queue = self.state.queues.get(queue).filter(|queue| !queue.draining)?;
        Some((&queue.config, queue.source))
    }

    /// One agent as configured, and by whom.
    pub fn agent_config(self, agent: &AgentId) -> Option<(&'a AgentConfig, Source)> {
        self.state.agents.get(agent).map(|agent| (&agent.config, agent.source))
    }

    /// The settings in force, and by whom; `None` while they are the defaults.
    pub fn settings(self) -> (&'a Settings, Option<Source>) {
        (&self.state.settings, self.state.settings_source)
    }

    /// The legs somebody owns, in order.
    pub fn legs_of(self, owner: Owner) -> Vec<LegPicture> {
        let legs = self.state.legs.owned_by(owner);
        legs.filter_map(|id| {
            let leg = self.state.legs.by_id.get(&id)?;
            let agent = match &leg.party {
                Party::Caller => None,
                Party::Agent(agent) => Some(agent.clone()),
            };
            Some(LegPicture { leg: id, agent, dialog: leg.dialog.clone() })
        })
        .collect()
    }

    /// The newest life of each node, and whether it is alive.
    pub fn nodes(self) -> Vec<(Owner, bool)> {
        let nodes = self.state.legs.nodes.iter();
        nodes
            .map(|(id, node)| (Owner { node: *id, incarnation: node.incarnation }, !node.lost))
            .collect()
    }

    fn has_eligible(self, queue: &QueueId) -> bool {
        self.state.rosters.get(queue).is_some_and(|roster| !roster.eligible.is_empty())
    }

    fn picture_queue(self, queue: &Queue) -> QueuePicture {
        let longest_wait = queue.waiting.iter().map(|place| place.arrived).min();
        let mut agents: BTreeMap<AgentStateName, u32> = BTreeMap::new();
        let standings = self.state.rosters.get(&queue.config.id).map(|roster| &roster.standings);
        for (standing, count) in standings.into_iter().flatten() {
            let sum = agents.entry(standing.state_name()).or_default();
            *sum = sum.saturating_add(*count);
        }
        let talking =
            queue.count(CallStateName::Talking).saturating_add(queue.count(CallStateName::Held));
        QueuePicture {
            id: queue.config.id.clone(),
            display_name: queue.config.display_name.clone(),
            open: queue.config.open && !queue.draining,
            waiting: queue.count(CallStateName::Waiting),
            reserved: queue.count(CallStateName::Reserved),
            talking,
            longest_wait: longest_wait.map(|arrived| self.state.now.since(arrived)),
            agents: agents.into_iter().collect(),
            totals: queue.totals,
        }
    }

    fn picture_agent(self, agent: &Agent) -> AgentPicture {
        let (reason, until) = match &agent.state {
            AgentState::LoggedOut { why } => {
                (why.as_ref().map(|(reason, _)| format!("{reason:?}")), None)
            }
            AgentState::NotReady { reason } => (Some(reason.clone()), None),
            AgentState::WrapUp { until, .. } => (None, Some(*until)),
            AgentState::Ready | AgentState::Reserved { .. } | AgentState::Talking { .. } => {
                (None, None)
            }
        };
        let is_ready = agent.state == AgentState::Ready;
        AgentPicture {
            id: agent.config.id.clone(),
            display_name: agent.config.display_name.clone(),
            state: agent.state.name(),
            reason,
            since: agent.since,
            until,
            idle_since: is_ready.then_some(agent.idle_since),
            device: agent.login.as_ref().map(|login| login.device.address.clone()),
            device_state: agent.device.state,
            device_freshness: agent.device.freshness(self.state.now),
            queues: agent.config.queues.clone(),
            call: agent.state.call(),
            team: agent.config.team.clone(),
        }
    }

    fn picture_call(self, id: CallId, call: &Call) -> CallPicture {
        let ringing = match &call.state {
            CallState::Reserved { reservation } => self.state.reservations.get(reservation),
            CallState::Arriving { .. }
            | CallState::Waiting
            | CallState::Talking(_)
            | CallState::Held { .. }
            | CallState::Transferring { .. } => None,
        };
        let ringing = ringing.into_iter().flat_map(|held| held.ringing.keys());
        let talking = call.state.pair().map(|pair| &pair.agent);
        CallPicture {
            id,
            state: call.state.name(),
            queue: call.queue.clone(),
            caller: call.caller.clone(),
            priority: call.priority,
            arrived: call.arrived,
            place: None,
            waits_because: None,
            agents: ringing.chain(talking).cloned().collect(),
            answered: call.answered,
            ended: None,
            why: call.why.clone(),
            timeline: call.timeline.clone(),
        }
    }

    fn picture_ended(self, id: CallId, ended: &Ended) -> CallPicture {
        CallPicture {
            state: CallStateName::Ended,
            agents: ended.agent.iter().cloned().collect(),
            ended: Some((ended.at, ended.why.clone())),
            ..self.picture_call(id, &ended.call)
        }
    }
}

fn wait_reason(place: u32, open: bool, eligible: bool) -> WaitReason {
    match place {
        1 if !open && !eligible => WaitReason::QueueClosed,
        1 => WaitReason::NoAgentReady,
        place => WaitReason::BehindOthers { place },
    }
}
