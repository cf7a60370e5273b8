//! How the pictures of [`super::view`] are taken: queue, agent, call.
//!
//! Always holds: a picture costs as much as it shows; a queue's figures are counts and indexes the
//! core keeps anyway, however many wait.
//!
//! Not here: what a picture shows (`view`), how it looks as JSON (`api`).

use crate::acd::State;
use crate::acd::agent::Agent;
use crate::acd::agent::AgentState;
use crate::acd::agent::Pending;
use crate::acd::call::Call;
use crate::acd::call::CallState;
use crate::acd::call::history::Ended;
use crate::acd::command::CallStateName;
use crate::acd::queue::Queue;
use crate::acd::queue::roster::Roster;
use crate::acd::queue::roster::Standing;
use crate::acd::view::AgentPicture;
use crate::acd::view::CallPicture;
use crate::acd::view::MemberCount;
use crate::acd::view::QueuePicture;
use crate::acd::view::WaitReason;
use crate::base::id::CallId;

/// A queue's figures.
pub(super) fn of_queue(state: &State, queue: &Queue) -> QueuePicture {
    let longest_wait = queue.oldest();
    let standings = state.rosters.get(&queue.config.id).map(|roster| &roster.standings);
    let count = |(standing, count): (&Standing, &u32)| MemberCount {
        state: standing.state_name(),
        unable: standing.unable(),
        count: *count,
    };
    let agents = standings.into_iter().flatten().map(count).collect();
    let talking =
        queue.count(CallStateName::Talking).saturating_add(queue.count(CallStateName::Held));
    QueuePicture {
        id: queue.config.id.clone(),
        display_name: queue.config.display_name.clone(),
        open: queue.config.open && !queue.draining,
        draining: queue.draining,
        waiting: queue.count(CallStateName::Waiting),
        reserved: queue.count(CallStateName::Reserved),
        talking,
        longest_wait: longest_wait.map(|arrived| state.now.since(arrived)),
        agents,
        target_percent: queue.config.service_level.target_percent,
        totals: queue.totals,
    }
}

/// An agent.
pub(super) fn of_agent(state: &State, agent: &Agent) -> AgentPicture {
    let unable = agent.standing().unable();
    let (reason, until) = match &agent.state {
        AgentState::LoggedOut { why } => {
            (why.as_ref().map(|(reason, _)| format!("{reason:?}")), None)
        }
        AgentState::NotReady { reason } => (Some(reason.clone()), None),
        AgentState::WrapUp { until, .. } => (None, Some(*until)),
        AgentState::Ready => (unable.map(|reason| format!("{reason:?}")), None),
        AgentState::Reserved { .. } | AgentState::Talking { .. } => (None, None),
    };
    let is_ready = agent.state == AgentState::Ready;
    AgentPicture {
        id: agent.config.id.clone(),
        display_name: agent.config.display_name.clone(),
        state: agent.state.name(),
        reason,
        unable,
        since: agent.since,
        until,
        idle_since: is_ready.then_some(agent.idle_since),
        device: agent.login.as_ref().map(|login| login.device.address.clone()),
        trunk: agent.login.as_ref().and_then(|login| login.device.trunk.clone()),
        device_state: agent.device.state,
        device_freshness: agent.device.freshness(state.now),
        queues: agent.queues().cloned().collect(),
        call: agent.state.call(),
        after_call: agent.pending.as_ref().map(Pending::to_string),
        team: agent.config.team.clone(),
    }
}

/// A live call, without its place.
pub(super) fn of_call(state: &State, id: CallId, call: &Call) -> CallPicture {
    let ringing = match &call.state {
        CallState::Reserved { reservation } => state.reservations.get(reservation),
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

/// A call that has ended.
pub(super) fn of_ended(state: &State, id: CallId, ended: &Ended) -> CallPicture {
    CallPicture {
        state: CallStateName::Ended,
        agents: ended.agent.iter().cloned().collect(),
        ended: Some((ended.at, ended.why.clone())),
        ..of_call(state, id, &ended.call)
    }
}

/// Why a caller at this place of a queue waits.
pub(super) fn wait_reason(state: &State, place: u32, queue: &Queue) -> WaitReason {
    let roster = state.rosters.get(&queue.config.id);
    let is_unreachable =
        |roster: &Roster| roster.standings.contains_key(&Standing::DeviceUnreachable);
    match place {
        1 if roster.is_some_and(is_unreachable) => WaitReason::DeviceUnreachable,
        1 if !queue.config.open => WaitReason::QueueClosed,
        1 => WaitReason::NoAgentReady,
        place => WaitReason::BehindOthers { place },
    }
}
