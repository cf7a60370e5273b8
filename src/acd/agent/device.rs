//! Able or not: what is known of an agent's device, and what an absent one leads to.
//!
//! | reported | a Ready agent | and |
//! |---|---|---|
//! | Idle, Ringing, Unknown | may be rung | an unreachable one is back: its grace is over |
//! | Busy, not by our own call | is passed over | — |
//! | Unreachable | is passed over at once | after the grace: `onUnreachable` |
//!
//! Reachability is apart from willingness: the agent stays Ready through it. What a device says
//! while it has our own call is put down to that call and forgotten with it.
//!
//! Always holds: an agent has a grace deadline exactly while logged in with an unreachable device
//! whose policy has not been carried out.
//!
//! Not here: who watches devices (presence, later; a failed ring tells it too).

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent;
use crate::acd::agent::AgentState;
use crate::acd::agent::Pending;
use crate::acd::agent::login;
use crate::acd::apply::Output;
use crate::acd::clock::Deadline;
use crate::acd::command::DeviceState;
use crate::acd::command::Refusal;
use crate::acd::config::UnreachableAction;
use crate::acd::effect::Cause;
use crate::acd::fact::Fact;
use crate::acd::fact::LogoutReason;
use crate::acd::queue::roster;
use crate::acd::reservation;
use crate::acd::view::Freshness;
use crate::base::id::AgentId;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

/// A report older than this is stale: the usual lifetime of a presence subscription, after which
/// somebody should have said something.
const FRESH_FOR: Millis = Millis::from_secs(3600);

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Device {
    pub(in crate::acd) state: DeviceState,
    reported: Option<ClusterTime>,
    /// Busy or ringing with the call we gave it.
    own_call: bool,
}

impl Default for Device {
    fn default() -> Self {
        Self { state: DeviceState::Unknown, reported: None, own_call: false }
    }
}

impl Device {
    pub(in crate::acd) fn is_unreachable(&self) -> bool {
        self.state == DeviceState::Unreachable
    }

    pub(in crate::acd) fn is_busy_elsewhere(&self) -> bool {
        self.state == DeviceState::Busy && !self.own_call
    }

    /// How far the state is to be trusted at `now`.
    pub(in crate::acd) fn freshness(&self, now: ClusterTime) -> Freshness {
        match self.reported {
            None => Freshness::Never,
            Some(at) if now.since(at) <= FRESH_FOR => Freshness::Known,
            Some(_) => Freshness::Stale,
        }
    }

    /// Our call is over, and with it what the device said of it.
    pub(in crate::acd) fn end_own_call(&mut self) {
        if std::mem::take(&mut self.own_call) {
            self.state = DeviceState::Idle;
        }
    }
}

/// Somebody who watches the device has news.
pub(in crate::acd) fn report(
    state: &mut State,
    id: &AgentId,
    reported: DeviceState,
    out: &mut Output,
) -> Result<(), Refusal> {
    agent::find(state, id)?;
    learn(state, id, reported, out);
    Ok(())
}

/// Takes news of a device in, whether reported or found out by ringing it.
pub(in crate::acd) fn learn(
    state: &mut State,
    id: &AgentId,
    reported: DeviceState,
    out: &mut Output,
) {
    let Some(agent) = state.agents.get_mut(id) else {
        return;
    };
    let busy = matches!(reported, DeviceState::Busy | DeviceState::Ringing);
    let former = agent.device.state;
    let own_call = busy && agent.state.call().is_some();
    agent.device = Device { state: reported, reported: Some(state.now), own_call };
    let policy = agent.config.on_unreachable;
    let has_grace = agent.login.is_some() && policy.action != UnreachableAction::Nothing;
    if reported != DeviceState::Unreachable {
        state.deadlines.clear(&Deadline::EndGrace(id.clone()));
    } else if former != DeviceState::Unreachable && has_grace {
        state.deadlines.set(Deadline::EndGrace(id.clone()), state.now + policy.after);
    }
    roster::file(state, id);
    if former != reported {
        out.fact(Fact::DeviceChanged { agent: id.clone(), state: reported });
    }
}

/// The agent answered, so the device is there, whatever was said of it.
pub(in crate::acd) fn answered(state: &mut State, id: &AgentId, out: &mut Output) {
    if state.agents.get(id).is_some_and(|agent| agent.device.is_unreachable()) {
        learn(state, id, DeviceState::Busy, out);
    }
}

/// The device stayed away for the whole grace: the agent's policy is carried out.
pub(in crate::acd) fn end_grace(state: &mut State, id: &AgentId, out: &mut Output) {
    let Some(agent) = state.agents.get_mut(id) else {
        return;
    };
    let talks = matches!(agent.state, AgentState::Talking { .. });
    let (word, reason) = ("Unreachable".to_owned(), LogoutReason::Unreachable);
    match agent.config.on_unreachable.action {
        UnreachableAction::Nothing => {}
        UnreachableAction::LogOut if talks => {
            // Somebody talks there all the same: after the call.
            let logout = || Pending::LogOut(reason, login::by_ourselves());
            agent.pending.get_or_insert_with(logout);
        }
        UnreachableAction::NotReady if talks => {
            let not_ready = || Pending::NotReady(word, login::by_ourselves());
            agent.pending.get_or_insert_with(not_ready);
        }
        UnreachableAction::LogOut => login::leave(state, id, reason, login::by_ourselves(), out),
        UnreachableAction::NotReady => {
            if let AgentState::NotReady { .. } = agent.state {
                return; // Takes no calls anyway, for a reason of their own.
            }
            reservation::leave(state, id, Cause::Requested, out);
            agent::enter(state, id, AgentState::NotReady { reason: word }, out);
        }
    }
}
