//! The agent machine: a person who answers, and how far they are willing and able to.
//!
//! ```text
//!   LoggedOut ──► NotReady ◄──► Ready ◄──► Reserved ──► Talking ──► WrapUp ──► Ready
//!       ▲            │            │            │           │          │
//!       └────────────┴────────────┴────────────┴───────────┴──────────┘
//! ```
//!
//! | state | the agent | timed by |
//! |---|---|---|
//! | LoggedOut | is not here; why, and by whom | — |
//! | NotReady | is here and takes no calls; why | `EndInactivity` |
//! | Ready | may be rung | `EndInactivity`; `EndPassingOver` after a ring-out |
//! | Reserved | phone rings for a call | `RingOut` |
//! | Talking | is joined with a caller | — |
//! | WrapUp | finishes the last call's work | `EndWrapUp` |
//!
//! Willing and able are two things: a Ready agent whose device is Busy, Unreachable or Unknown
//! stays Ready and is passed over ([`Agent::standing`]).
//!
//! Always holds: everybody but LoggedOut has a login, and no two logins one device; [`enter_by`]
//! alone changes the state, tells it, and files the agent anew in its rosters.
//!
//! Not here: [`login`] (in and out), [`duplicate`] (in twice), [`ready`] (willing), [`device`]
//! (able), [`relocation`] (another phone), [`configure`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent::device::Device;
use crate::acd::agent::login::Login;
use crate::acd::agent::login::PinTries;
use crate::acd::clock::Deadline;
use crate::acd::clock::Deadlines;
use crate::acd::command::Actor;
use crate::acd::command::AgentStateName;
use crate::acd::command::Refusal;
use crate::acd::config::AgentConfig;
use crate::acd::config::Source;
use crate::acd::fact::Fact;
use crate::acd::fact::LogoutReason;
use crate::acd::output::Output;
use crate::acd::queue::roster;
use crate::acd::queue::roster::Filed;
use crate::acd::queue::roster::Standing;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::QueueId;
use crate::base::id::ReservationId;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

pub(in crate::acd) mod configure;
pub(in crate::acd) mod device;
pub(in crate::acd) mod duplicate;
pub(in crate::acd) mod login;
pub(in crate::acd) mod ready;
pub(in crate::acd) mod relocation;

/// An agent, logged in or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Agent {
    pub(in crate::acd) config: Arc<AgentConfig>,
    pub(in crate::acd) source: Source,
    pub(in crate::acd) state: AgentState,
    /// When this state began.
    pub(in crate::acd) since: ClusterTime,
    pub(in crate::acd) login: Option<Arc<Login>>,
    /// Since when `MostIdle` counts: the end of the last call, or becoming Ready.
    pub(in crate::acd) idle_since: ClusterTime,
    /// When the agent last did something; inactivity counts from here.
    pub(in crate::acd) active: ClusterTime,
    /// What follows the call and its wrap-up, if not Ready.
    pub(in crate::acd) pending: Option<Pending>,
    /// After a ring-out: not rung again before then.
    pub(in crate::acd) passed_over_until: Option<ClusterTime>,
    pub(in crate::acd) device: Device,
    pub(in crate::acd) pin_tries: PinTries,
    /// Removed queues the agent belonged to, to be served until their last caller has left.
    pub(in crate::acd) staying: BTreeSet<QueueId>,
    /// How the rosters have this agent.
    pub(in crate::acd) filed: Option<Filed>,
}

/// What an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) enum AgentState {
    /// `None`: has never been logged in.
    LoggedOut {
        why: Option<(LogoutReason, Actor)>,
    },
    NotReady {
        reason: String,
    },
    Ready,
    Reserved {
        reservation: ReservationId,
        call: CallId,
        leg: LegId,
    },
    Talking {
        call: CallId,
        leg: LegId,
    },
    WrapUp {
        call: CallId,
        until: ClusterTime,
    },
}

/// What an agent becomes after the call, asked for during it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) enum Pending {
    NotReady(String, Actor),
    LogOut(LogoutReason, Actor),
    /// Logged out and forgotten: the configuration has no such agent any more.
    Remove(Actor),
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady(reason, _) => write!(f, "NotReady({reason})"),
            Self::LogOut(reason, _) => write!(f, "LoggedOut({reason:?})"),
            Self::Remove(_) => write!(f, "LoggedOut({:?})", LogoutReason::Removed),
        }
    }
}

impl AgentState {
    pub(in crate::acd) fn name(&self) -> AgentStateName {
        match self {
            Self::LoggedOut { .. } => AgentStateName::LoggedOut,
            Self::NotReady { .. } => AgentStateName::NotReady,
            Self::Ready => AgentStateName::Ready,
            Self::Reserved { .. } => AgentStateName::Reserved,
            Self::Talking { .. } => AgentStateName::Talking,
            Self::WrapUp { .. } => AgentStateName::WrapUp,
        }
    }

    /// Logged in and doing nothing, which may last too long.
    pub(in crate::acd) fn rests(&self) -> bool {
        matches!(self, Self::Ready | Self::NotReady { .. })
    }

    /// The call the agent's phone is busy with.
    pub(in crate::acd) fn call(&self) -> Option<CallId> {
        match self {
            Self::Reserved { call, .. } | Self::Talking { call, .. } => Some(*call),
            Self::LoggedOut { .. } | Self::NotReady { .. } | Self::Ready | Self::WrapUp { .. } => {
                None
            }
        }
    }
}

impl Agent {
    pub(in crate::acd) fn new(config: Arc<AgentConfig>, source: Source, now: ClusterTime) -> Self {
        Self {
            config,
            source,
            state: AgentState::LoggedOut { why: None },
            since: now,
            login: None,
            idle_since: now,
            active: now,
            pending: None,
            passed_over_until: None,
            device: Device::default(),
            pin_tries: PinTries::default(),
            staying: BTreeSet::new(),
            filed: None,
        }
    }

    /// Which the agent serves: those configured, and removed ones until they are empty.
    pub(in crate::acd) fn queues(&self) -> impl Iterator<Item = &QueueId> {
        let staying = self.staying.iter().filter(|queue| !self.config.queues.contains(queue));
        self.config.queues.iter().chain(staying)
    }

    /// The deadlines that die with the agent's state.
    fn deadlines(&self, id: &AgentId) -> [Option<Deadline>; 3] {
        let wraps_up = matches!(self.state, AgentState::WrapUp { .. });
        [
            wraps_up.then(|| Deadline::EndWrapUp(id.clone())),
            self.state.rests().then(|| Deadline::EndInactivity(id.clone())),
            self.passed_over_until.map(|_| Deadline::EndPassingOver(id.clone())),
        ]
    }

    /// Whether the agent could be rung, or why not.
    pub(in crate::acd) fn standing(&self) -> Standing {
        match self.state {
            AgentState::LoggedOut { .. } => Standing::LoggedOut,
            AgentState::NotReady { .. } => Standing::NotReady,
            AgentState::Reserved { .. } => Standing::Reserved,
            AgentState::Talking { .. } => Standing::Talking,
            AgentState::WrapUp { .. } => Standing::WrapUp,
            AgentState::Ready if self.device.is_unreachable() => Standing::DeviceUnreachable,
            AgentState::Ready if self.device.is_in_the_dark() => Standing::DeviceUnknown,
            AgentState::Ready if self.device.is_busy_elsewhere() => Standing::DeviceBusy,
            AgentState::Ready if self.passed_over_until.is_some() => Standing::JustRangOut,
            AgentState::Ready => Standing::Eligible,
        }
    }
}

/// Finds an agent to change, or refuses.
pub(in crate::acd) fn find<'a>(
    state: &'a mut State,
    id: &AgentId,
) -> Result<&'a mut Agent, Refusal> {
    state.agents.to_mut(id).ok_or_else(|| Refusal::UnknownAgent(id.clone()))
}

/// The refusal of what is allowed only in other states.
pub(in crate::acd) fn refuse(id: &AgentId, agent: &Agent, allowed: &[AgentStateName]) -> Refusal {
    let (agent, state) = (id.clone(), agent.state.name());
    Refusal::WrongAgentState { agent, state, allowed: allowed.to_vec() }
}

/// Brings an agent into another state because a call or a policy wants it so.
pub(in crate::acd) fn enter(state: &mut State, id: &AgentId, next: AgentState, out: &mut Output) {
    change(state, id, next, None, out);
}

/// Brings an agent into another state, and tells who wanted it.
pub(in crate::acd) fn enter_by(
    state: &mut State,
    id: &AgentId,
    next: AgentState,
    by: &Actor,
    out: &mut Output,
) {
    change(state, id, next, Some(by), out);
}

/// Brings an agent into another state, with its deadlines and its place in the rosters; tells it.
fn change(state: &mut State, id: &AgentId, next: AgentState, by: Option<&Actor>, out: &mut Output) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    for deadline in agent.deadlines(id).into_iter().flatten() {
        state.deadlines.clear(&deadline);
    }
    let former = agent.state.name();
    // A reservation in vain and a wrap-up leave the idle time as it was.
    let had_call = agent.state.call().is_some();
    let was_away = matches!(former, AgentStateName::NotReady | AgentStateName::LoggedOut);
    if next == AgentState::Ready && was_away {
        agent.idle_since = state.now;
    }
    if had_call && next.call().is_none() {
        agent.device.end_own_call();
    }
    agent.passed_over_until = None;
    agent.state = next;
    agent.since = state.now;
    let is_elsewhere = had_call && relocation::destination(agent).is_some();
    let fact = fact_of(id, agent, by, state.now);
    set_found_deadlines(&mut state.deadlines, state.settings.log_out_when_inactive, id, agent);
    roster::file_found(&mut state.rosters, &mut state.unsettled, id, agent);
    out.facts.extend(fact);
    if is_elsewhere {
        relocation::follow(state, id, out);
    }
}

/// Sets the deadlines of the agent's state, those of the former being cleared.
pub(in crate::acd) fn set_deadlines(state: &mut State, id: &AgentId) {
    if let Some(agent) = state.agents.get(id) {
        let inactive = state.settings.log_out_when_inactive;
        set_found_deadlines(&mut state.deadlines, inactive, id, agent);
    }
}

/// Does the same for an agent who has been looked up already.
fn set_found_deadlines(
    deadlines: &mut Deadlines,
    inactive: Option<Millis>,
    id: &AgentId,
    agent: &Agent,
) {
    if let AgentState::WrapUp { until, .. } = agent.state {
        deadlines.set(Deadline::EndWrapUp(id.clone()), until);
    }
    if agent.state.rests() {
        let at = inactive.map(|limit| agent.active + limit);
        deadlines.set_or_clear(Deadline::EndInactivity(id.clone()), at);
    }
    if let Some(at) = agent.passed_over_until {
        deadlines.set(Deadline::EndPassingOver(id.clone()), at);
    }
}

fn fact_of(id: &AgentId, agent: &Agent, by: Option<&Actor>, now: ClusterTime) -> Option<Fact> {
    let agent_id = id.clone();
    let by = || by.cloned().unwrap_or_else(login::by_ourselves);
    match agent.state.clone() {
        AgentState::LoggedOut { why } => {
            why.map(|(reason, by)| Fact::AgentLoggedOut { agent: agent_id, reason, by })
        }
        AgentState::NotReady { reason } => {
            Some(Fact::AgentNotReady { agent: agent_id, reason, by: by() })
        }
        AgentState::Ready => Some(Fact::AgentReady { agent: agent_id, by: by() }),
        AgentState::Reserved { call, .. } => Some(Fact::AgentReserved { agent: agent_id, call }),
        AgentState::Talking { call, .. } => Some(Fact::AgentTalking { agent: agent_id, call }),
        AgentState::WrapUp { call, until } => {
            Some(Fact::AgentWrappingUp { agent: agent_id, call, length: until.since(now) })
        }
    }
}
