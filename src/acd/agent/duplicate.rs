//! A second login: of an agent who is logged in already, or at a device where another agent is.
//!
//! The policy is `duplicateLogin` of the agent who is logged in already, whose login is at stake.
//!
//! | logged in already | Reject | Warn | TakeOver |
//! |---|---|---|---|
//! | the same agent, here | done, nothing changes: another client | the same | the same |
//! | the same agent, elsewhere | AlreadyLoggedIn | another client, and a fact | moves here |
//! | another agent, here | DeviceTaken | DeviceTaken, and a fact | that one is logged out |
//!
//! Warn cannot let two agents in at one device: it would ring for both at once.
//!
//! | who is taken over is | then |
//! |---|---|
//! | Ready, NotReady, WrapUp | logged out at once: TakenOver |
//! | Reserved | the same; the phone stops ringing, the call keeps its place and age |
//! | Talking | refused: DeviceInCall |
//!
//! A talk is never cut for a login. Nor is the login put off until the talk is over: somebody is at
//! that phone now, and whoever logs in would believe to be in service and not be. They are told to
//! come again; a supervisor can force the other out.
//!
//! Always holds: a refused login logs nobody out; a device has one agent.
//!
//! Not here: the login itself (`login`).

use crate::acd::State;
use crate::acd::agent::AgentState;
use crate::acd::agent::login;
use crate::acd::command::LogIn;
use crate::acd::command::Refusal;
use crate::acd::config::DuplicateLogin;
use crate::acd::fact::Fact;
use crate::acd::fact::LogoutReason;
use crate::acd::output::Output;
use crate::base::id::AgentId;

/// What is to be done with a login that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::acd) enum Admission {
    /// Carry it out: agent and device are free, or have just been made so.
    Login,
    /// The agent is here already; this is another client of theirs.
    Nothing,
}

/// Says what a login does to those who are logged in already, and does it.
pub(in crate::acd) fn admit(
    state: &mut State,
    wish: &LogIn,
    address: &str,
    out: &mut Output,
) -> Result<Admission, Refusal> {
    let own = state.agents.get(&wish.agent).and_then(|agent| agent.login.as_ref());
    let own = own.map(|login| login.device.address.clone());
    let holder = state.devices.get(address).filter(|holder| **holder != wish.agent).cloned();
    if own.as_deref() == Some(address) {
        return Ok(Admission::Nothing);
    }
    if let Some(device) = &own {
        let (agent, device) = (wish.agent.clone(), device.clone());
        match policy_of(state, &agent) {
            DuplicateLogin::Reject => return Err(Refusal::AlreadyLoggedIn { agent, device }),
            DuplicateLogin::Warn => {
                warn(wish, address, &agent, out);
                return Ok(Admission::Nothing);
            }
            DuplicateLogin::TakeOver => check_talk(state, agent, device)?,
        }
    }
    if let Some(agent) = holder.clone() {
        let device = address.to_owned();
        match policy_of(state, &agent) {
            DuplicateLogin::Reject => return Err(Refusal::DeviceTaken { device, agent }),
            DuplicateLogin::Warn => {
                warn(wish, address, &agent, out);
                return Err(Refusal::DeviceTaken { device, agent });
            }
            DuplicateLogin::TakeOver => check_talk(state, agent, device)?,
        }
    }
    let moved = own.map(|_| wish.agent.clone());
    for agent in moved.into_iter().chain(holder) {
        login::leave(state, &agent, LogoutReason::TakenOver, wish.by.clone(), out);
    }
    Ok(Admission::Login)
}

/// The policy of an agent who is logged in, or the deployment's.
fn policy_of(state: &State, agent: &AgentId) -> DuplicateLogin {
    let own = state.agents.get(agent).and_then(|agent| agent.config.duplicate_login);
    own.unwrap_or(state.settings.duplicate_login)
}

fn warn(wish: &LogIn, address: &str, holder: &AgentId, out: &mut Output) {
    let (agent, device, by) = (wish.agent.clone(), address.to_owned(), wish.by.clone());
    out.fact(Fact::AgentLoginDuplicated { agent, device, by, holder: holder.clone() });
}

fn check_talk(state: &State, agent: AgentId, device: String) -> Result<(), Refusal> {
    match state.agents.get(&agent).map(|agent| &agent.state) {
        Some(AgentState::Talking { .. }) => Err(Refusal::DeviceInCall { device, agent }),
        Some(
            AgentState::LoggedOut { .. }
            | AgentState::NotReady { .. }
            | AgentState::Ready
            | AgentState::Reserved { .. }
            | AgentState::WrapUp { .. },
        )
        | None => Ok(()),
    }
}
