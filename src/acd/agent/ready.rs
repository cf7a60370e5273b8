//! Willing or not: Ready, NotReady with a reason, and the work after a call.
//!
//! | asked while | Ready | not ready | end wrap-up |
//! |---|---|---|---|
//! | LoggedOut | refused | refused | refused |
//! | NotReady | Ready | the reason changes | refused |
//! | Ready | a phone that failed to ring is trusted again | NotReady | refused |
//! | Reserved | — | the phone stops ringing, NotReady | refused |
//! | Talking | takes a pending not-ready back | remembered, follows call and wrap-up | refused |
//! | WrapUp | Ready | NotReady | Ready, or what is pending |
//!
//! Always holds: idle time counts from the end of the last call, or from becoming Ready out of
//! NotReady; being rung in vain does not reset it.
//!
//! Not here: being able to (`device`), coming and going (`login`).

use crate::acd::State;
use crate::acd::agent;
use crate::acd::agent::AgentState;
use crate::acd::agent::Pending;
use crate::acd::agent::configure;
use crate::acd::agent::device;
use crate::acd::agent::login;
use crate::acd::command::Actor;
use crate::acd::command::AgentStateName;
use crate::acd::command::Refusal;
use crate::acd::command::Role;
use crate::acd::config::RingAction;
use crate::acd::config::RingPolicy;
use crate::acd::effect::Cause;
use crate::acd::fact::LogoutReason;
use crate::acd::output::Output;
use crate::acd::queue::roster;
use crate::acd::reservation;
use crate::base::id::AgentId;
use crate::base::time::Millis;

/// The least time to pass over an agent who stays Ready, so that a phone that refuses at once is
/// not rung without pause.
const PASSED_OVER_MIN: Millis = Millis::from_secs(1);

/// Everybody who is logged in, for refusals.
const LOGGED_IN: [AgentStateName; 5] = [
    AgentStateName::Ready,
    AgentStateName::NotReady,
    AgentStateName::Reserved,
    AgentStateName::Talking,
    AgentStateName::WrapUp,
];

/// The agent wants calls.
pub(in crate::acd) fn set_ready(
    state: &mut State,
    id: &AgentId,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    let now = state.now;
    let agent = agent::find(state, id)?;
    if agent.login.is_none() {
        return Err(agent::refuse(id, agent, &LOGGED_IN));
    }
    agent.active = now;
    if let Some(Pending::NotReady(..)) = agent.pending {
        agent.pending = None;
    }
    let doing = agent.state.clone();
    device::trust(state, id, out);
    match doing {
        AgentState::NotReady { .. } | AgentState::WrapUp { .. } => rest(state, id, by, out),
        AgentState::Ready => agent::set_deadlines(state, id),
        AgentState::LoggedOut { .. } | AgentState::Reserved { .. } | AgentState::Talking { .. } => {
        }
    }
    Ok(())
}

/// The agent wants no calls for now.
pub(in crate::acd) fn set_not_ready(
    state: &mut State,
    id: &AgentId,
    reason: &str,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    let reason = known_reason(state, reason, by)?;
    let now = state.now;
    let agent = agent::find(state, id)?;
    if agent.login.is_none() {
        return Err(agent::refuse(id, agent, &LOGGED_IN));
    }
    agent.active = now;
    match agent.state {
        AgentState::Talking { .. } => {
            // A logout that waits for the end of the call is not taken back by this.
            if !matches!(agent.pending, Some(Pending::LogOut(..) | Pending::Remove(_))) {
                agent.pending = Some(Pending::NotReady(reason, by.clone()));
            }
        }
        AgentState::Reserved { .. } => {
            reservation::leave(state, id, Cause::Requested, out);
            agent::enter_by(state, id, AgentState::NotReady { reason }, by, out);
        }
        AgentState::NotReady { reason: ref former } if *former == reason => {
            agent::set_deadlines(state, id);
        }
        AgentState::LoggedOut { .. }
        | AgentState::NotReady { .. }
        | AgentState::Ready
        | AgentState::WrapUp { .. } => {
            agent.pending = None;
            agent::enter_by(state, id, AgentState::NotReady { reason }, by, out);
        }
    }
    Ok(())
}

/// Checks a reason against the deployment's list; supervisors need not give one.
fn known_reason(state: &State, reason: &str, by: &Actor) -> Result<String, Refusal> {
    let supervises = matches!(by.role, Role::Supervisor | Role::Administrator | Role::System);
    if supervises && (reason.is_empty() || reason == "Supervisor") {
        return Ok("Supervisor".to_owned());
    }
    let known = &state.settings.not_ready_reasons;
    match known.iter().find(|known| *known == reason) {
        Some(reason) => Ok(reason.clone()),
        None => Err(Refusal::UnknownReason { reason: reason.to_owned(), known: known.clone() }),
    }
}

/// The agent is done with the last call's work.
pub(in crate::acd) fn end_wrap_up(
    state: &mut State,
    id: &AgentId,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    let now = state.now;
    let agent = agent::find(state, id)?;
    let AgentState::WrapUp { .. } = agent.state else {
        return Err(agent::refuse(id, agent, &[AgentStateName::WrapUp]));
    };
    agent.active = now;
    rest(state, id, by, out);
    Ok(())
}

/// The agent's call is over: wrap-up if there is any, else what comes after it.
pub(in crate::acd) fn finish_call(state: &mut State, id: &AgentId, out: &mut Output) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    let AgentState::Talking { call, .. } = agent.state else {
        return;
    };
    agent.idle_since = state.now;
    agent.active = state.now;
    let of_queue = state.calls.get(&call).and_then(|call| state.queues.get(&call.queue));
    let length = agent.config.wrap_up.or_else(|| of_queue.map(|queue| queue.config.wrap_up));
    let length = length.unwrap_or_default();
    let leaves = matches!(agent.pending, Some(Pending::LogOut(..) | Pending::Remove(_)));
    if length > Millis::ZERO && !leaves {
        let until = state.now + length;
        agent::enter(state, id, AgentState::WrapUp { call, until }, out);
    } else {
        rest(state, id, &login::by_ourselves(), out);
    }
}

/// The wrap-up's time is over.
pub(in crate::acd) fn wrap_up_is_over(state: &mut State, id: &AgentId, out: &mut Output) {
    rest(state, id, &login::by_ourselves(), out);
}

/// What comes after call and wrap-up: what was asked for meanwhile, else Ready.
fn rest(state: &mut State, id: &AgentId, by: &Actor, out: &mut Output) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    match agent.pending.take() {
        None => agent::enter_by(state, id, AgentState::Ready, by, out),
        Some(Pending::NotReady(reason, by)) => {
            agent::enter_by(state, id, AgentState::NotReady { reason }, &by, out);
        }
        Some(Pending::LogOut(reason, by)) => login::depart(state, id, reason, by, out),
        Some(Pending::Remove(by)) => {
            login::depart(state, id, LogoutReason::Removed, by, out);
            configure::forget(state, id);
        }
    }
}

/// What becomes of an agent whose phone rang in vain.
pub(in crate::acd) fn follow_policy(
    state: &mut State,
    id: &AgentId,
    policy: RingPolicy,
    reason: &str,
    out: &mut Output,
) {
    match policy.action {
        RingAction::NotReady => {
            let reason = reason.to_owned();
            agent::enter(state, id, AgentState::NotReady { reason }, out);
        }
        RingAction::StayReady => {
            agent::enter(state, id, AgentState::Ready, out);
            pass_over(state, id, policy.delay.max(PASSED_OVER_MIN));
        }
        RingAction::LogOut => {
            login::leave(state, id, LogoutReason::RingOut, login::by_ourselves(), out);
        }
    }
}

fn pass_over(state: &mut State, id: &AgentId, length: Millis) {
    let until = state.now + length;
    if let Some(agent) = state.agents.to_mut(id) {
        agent.passed_over_until = Some(until);
        agent::set_deadlines(state, id);
        roster::file(state, id);
    }
}

/// An agent who rang out may be rung again.
pub(in crate::acd) fn end_passing_over(state: &mut State, id: &AgentId) {
    if let Some(agent) = state.agents.to_mut(id) {
        agent.passed_over_until = None;
        roster::file(state, id);
    }
}
