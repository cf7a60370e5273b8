//! Coming and going: login with PIN and device, logout by rule, logout by force.
//!
//! | login | then |
//! |---|---|
//! | no PIN, and the agent has one | refused, not counted |
//! | wrong PIN | refused, counted; too many: locked for five minutes |
//! | kind not allowed, no device | refused |
//! | logged in already, or another agent at this device | as [`duplicate`] says |
//! | otherwise | NotReady(LoggedIn); the agent says Ready |
//!
//! | forced logout while | the call | the agent's phone |
//! |---|---|---|
//! | Reserved | waits on at its place | stops ringing |
//! | Talking, Held | back in its queue with its age, before later ones | is hung up: LoggedOut |
//! | else | — | — |
//!
//! Always holds: after a forced logout no call reaches the agent, whatever was left over; every
//! logout has one published reason; a device has one agent.
//!
//! Not here: what an agent wants (`ready`), what a phone can (`device`), another phone while logged
//! in (`relocation`).

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent;
use crate::acd::agent::Agent;
use crate::acd::agent::AgentState;
use crate::acd::agent::Pending;
use crate::acd::agent::device;
use crate::acd::agent::device::Device;
use crate::acd::agent::device::set_freshness;
use crate::acd::agent::duplicate;
use crate::acd::agent::duplicate::Admission;
use crate::acd::agent::relocation;
use crate::acd::call;
use crate::acd::call::CallState;
use crate::acd::call::Origin;
use crate::acd::clock::Deadline;
use crate::acd::command::Actor;
use crate::acd::command::LogIn;
use crate::acd::command::LoginKind;
use crate::acd::command::Refusal;
use crate::acd::command::Role;
use crate::acd::config::DeviceConfig;
use crate::acd::effect::Cause;
use crate::acd::fact::Fact;
use crate::acd::fact::LogoutReason;
use crate::acd::legs;
use crate::acd::output::Output;
use crate::acd::queue::overflow;
use crate::acd::reservation;
use crate::acd::view::Milestone;
use crate::base::id::AgentId;
use crate::base::id::CallId;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

/// How long a login stays locked after too many wrong PINs.
const PIN_LOCKED_FOR: Millis = Millis::from_secs(300);

/// Where and how an agent is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Login {
    pub(in crate::acd) device: DeviceConfig,
    pub(in crate::acd) kind: LoginKind,
    /// The device is the configured one and goes where that goes; else the login chose another.
    pub(in crate::acd) configured: bool,
}

/// Wrong PINs of late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct PinTries {
    wrong: u8,
    locked_until: Option<ClusterTime>,
}

/// Who acts when nobody asked.
pub(in crate::acd) fn by_ourselves() -> Actor {
    Actor { role: Role::System, name: "carillon".to_owned() }
}

/// Logs an agent in.
pub(in crate::acd) fn log_in(
    state: &mut State,
    wish: &LogIn,
    out: &mut Output,
) -> Result<(), Refusal> {
    check_pin(state, wish, out)?;
    let id = &wish.agent;
    let agent = agent::find(state, id)?;
    if !agent.config.allowed_logins.contains(&wish.kind) {
        return Err(Refusal::LoginKindNotAllowed { agent: id.clone(), kind: wish.kind });
    }
    let device = device_of(agent, wish).ok_or_else(|| Refusal::NoDevice { agent: id.clone() })?;
    let address = device.address.clone();
    let configured = agent.config.device.as_ref().is_some_and(|its| its.address == address);
    let login = Login { device, kind: wish.kind, configured };
    if duplicate::admit(state, wish, &address, out)? == Admission::Nothing {
        if state.devices.get(&address) == Some(id) {
            log_in_again(state, id, login, out);
        }
        return Ok(());
    }
    let now = state.now;
    let agent = agent::find(state, id)?;
    agent.login = Some(Arc::new(login));
    agent.device = Device::default();
    agent.active = now;
    set_freshness(state, id);
    state.devices.insert(address.clone(), id.clone());
    out.fact(Fact::AgentLoggedIn { agent: id.clone(), device: address, by: wish.by.clone() });
    let reason = "LoggedIn".to_owned();
    agent::enter_by(state, id, AgentState::NotReady { reason }, &wish.by, out);
    Ok(())
}

/// The agent is here already, and says so: the phone is trusted, and rung as configured now.
fn log_in_again(state: &mut State, id: &AgentId, login: Login, out: &mut Output) {
    device::trust(state, id, out);
    let former = state.agents.get(id).and_then(|agent| agent.login.as_ref());
    let Some(former) = former.filter(|former| former.device != login.device) else {
        return;
    };
    let kind = former.kind;
    relocation::move_to(state, id, Login { kind, ..login }, out);
}

/// The device the login names, through the configured trunk, or the configured device.
fn device_of(agent: &Agent, wish: &LogIn) -> Option<DeviceConfig> {
    let configured = agent.config.device.clone();
    let trunk = configured.as_ref().and_then(|device| device.trunk.clone());
    let named = wish.device.clone().map(|address| DeviceConfig { address, trunk });
    named.or(configured)
}

/// Checks the PIN of an agent who asks for itself.
fn check_pin(state: &mut State, wish: &LogIn, out: &mut Output) -> Result<(), Refusal> {
    let (now, tries_max) = (state.now, state.settings.pin_tries);
    let id = wish.agent.clone();
    let agent = agent::find(state, &id)?;
    let asks_for_itself = matches!(wish.by.role, Role::Agent | Role::Viewer);
    let Some(pin) = agent.config.pin.as_ref().filter(|_| asks_for_itself) else {
        return Ok(());
    };
    if let Some(until) = agent.pin_tries.locked_until.filter(|until| *until > now) {
        return Err(Refusal::PinLocked { agent: id, until });
    }
    let Some(given) = &wish.pin else {
        return Err(Refusal::PinMissing { agent: id });
    };
    if is_same(given.expose(), pin.expose()) {
        agent.pin_tries = PinTries::default();
        return Ok(());
    }
    agent.pin_tries.locked_until = None;
    agent.pin_tries.wrong = agent.pin_tries.wrong.saturating_add(1);
    let locked = agent.pin_tries.wrong >= tries_max;
    if locked {
        agent.pin_tries = PinTries { wrong: 0, locked_until: Some(now + PIN_LOCKED_FOR) };
    }
    out.fact(Fact::AgentPinRefused { agent: id.clone(), locked, by: wish.by.clone() });
    Err(Refusal::WrongPin { agent: id })
}

/// Compares without stopping at the first difference.
fn is_same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    one.len() == other.len() && pairs.fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Logs an agent out, in the states the settings allow.
pub(in crate::acd) fn log_out(
    state: &mut State,
    id: &AgentId,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    let allowed = state.settings.log_out_allowed_in.clone();
    let agent = agent::find(state, id)?;
    if agent.login.is_none() || !allowed.contains(&agent.state.name()) {
        return Err(agent::refuse(id, agent, &allowed));
    }
    if let AgentState::Talking { .. } = agent.state {
        // Allowed by this deployment: the talk goes on, the logout follows it.
        agent.pending = Some(Pending::LogOut(reason_of(by), by.clone()));
        return Ok(());
    }
    leave(state, id, reason_of(by), by.clone(), out);
    Ok(())
}

/// Logs an agent out whatever they are doing.
pub(in crate::acd) fn force_log_out(
    state: &mut State,
    id: &AgentId,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    agent::find(state, id)?;
    leave(state, id, reason_of(by), by.clone(), out);
    Ok(())
}

/// The published reason of a logout asked for in this capacity.
fn reason_of(by: &Actor) -> LogoutReason {
    match by.role {
        Role::Viewer | Role::Agent => LogoutReason::Requested,
        Role::Supervisor => LogoutReason::Supervisor,
        Role::Administrator => LogoutReason::Administrator,
        Role::System => LogoutReason::Menu,
    }
}

/// The agent has done nothing for as long as the settings allow.
pub(in crate::acd) fn end_inactivity(state: &mut State, id: &AgentId, out: &mut Output) {
    leave(state, id, LogoutReason::Inactive, by_ourselves(), out);
}

/// Takes an agent out of service, away from their call: from here on no call reaches them.
pub(in crate::acd) fn leave(
    state: &mut State,
    id: &AgentId,
    reason: LogoutReason,
    by: Actor,
    out: &mut Output,
) {
    let Some(doing) = state.agents.get(id).map(|agent| agent.state.clone()) else {
        return;
    };
    if let AgentState::Reserved { .. } = doing {
        reservation::leave(state, id, Cause::LoggedOut, out);
    }
    depart(state, id, reason, by, out);
    if let AgentState::Talking { call, leg } = doing {
        legs::release(state, leg, Cause::LoggedOut, out);
        send_back(state, call, id, out);
    }
}

/// Logs an agent out who is on no call, or whose call has just ended.
pub(in crate::acd) fn depart(
    state: &mut State,
    id: &AgentId,
    reason: LogoutReason,
    by: Actor,
    out: &mut Output,
) {
    if state.agents.get(id).is_none_or(|agent| agent.login.is_none()) {
        return; // Nobody there to be logged out.
    }
    relocation::vacate(state, id);
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    agent.login = None;
    agent.pending = None;
    agent.device = Device::default();
    state.deadlines.clear(&Deadline::EndGrace(id.clone()));
    set_freshness(state, id);
    let why = Some((reason, by));
    agent::enter(state, id, AgentState::LoggedOut { why }, out);
}

/// A caller whose agent was taken away goes back to the queue and counts as entering it again.
fn send_back(state: &mut State, id: CallId, agent: &AgentId, out: &mut Output) {
    let Some(call) = state.calls.to_mut(&id) else {
        return;
    };
    call.answered = None;
    call.counted = true;
    call.note(state.now, Milestone::Returned(agent.clone()));
    let queue_id = call.queue.clone();
    let is_on_the_way = matches!(call.state, CallState::Transferring { .. });
    if let Some(queue) = state.queues.get_mut(&queue_id) {
        queue.totals.entered = queue.totals.entered.saturating_add(1);
        call.entered = state.now;
        call.wait_until = queue.config.limits.wait_max.map(|max| state.now + max);
    }
    out.fact(Fact::CallReturned { call: id, queue: queue_id, agent: agent.clone() });
    if is_on_the_way {
        call::enter(state, id, CallState::Transferring { from: Origin::Queue });
    } else {
        overflow::wait_again(state, id, out);
    }
}
