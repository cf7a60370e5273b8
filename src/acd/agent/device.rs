//! Able or not: what is known of an agent's device, and what an absent one leads to.
//!
//! | known | a Ready agent | and |
//! |---|---|---|
//! | nothing, since nobody watches the device | may be rung | — |
//! | Idle, Ringing | may be rung | an unreachable one is back: its grace is over |
//! | Busy, not by our own call | is passed over | — |
//! | Unreachable | is passed over at once | after the grace: `onUnreachable` |
//! | nobody watches, and ringing it failed | the same, for a while | then it is tried again |
//! | Unknown, though somebody watches | is passed over | a grace goes on: that is not being back |
//!
//! Reachability is apart from willingness: the agent stays Ready through it. What a device says
//! while it has our own call is put down to that call and forgotten with it.
//!
//! What is known is true for [`FRESH_FOR`]. Then it is Unknown: somebody who watches the device
//! should have said something, and is not to be relied on until they do.
//!
//! Where nobody watches, a failed ring is all there is to go by, and no more than a *suspicion*:
//! it ends after `unreachableRetrySeconds`, twice as long after each further failure in a row, at
//! most [`RETRY_MAX`]. Then the phone may be rung again, which is how to learn more. Whatever the
//! phone itself says to a ring clears it, and so does the agent who says Ready or logs in. The
//! policy is carried out on a phone that is still suspected at the end of the grace, or fails again
//! after it; not on one that nobody has tried again.
//!
//! Always holds: an agent has a grace deadline only while logged in with a device that was
//! unreachable and has not been seen since; a freshness deadline exactly while something is known
//! of the device.
//!
//! Not here: who watches devices (a failed ring tells of one, too).

use serde::Deserialize;
use serde::Serialize;

use crate::acd::State;
use crate::acd::agent;
use crate::acd::agent::AgentState;
use crate::acd::agent::Pending;
use crate::acd::agent::login;
use crate::acd::clock::Deadline;
use crate::acd::command::DeviceState;
use crate::acd::command::Refusal;
use crate::acd::config::UnreachableAction;
use crate::acd::effect::Cause;
use crate::acd::fact::Fact;
use crate::acd::fact::LogoutReason;
use crate::acd::output::Output;
use crate::acd::queue::roster;
use crate::acd::reservation;
use crate::acd::view::Freshness;
use crate::base::id::AgentId;
use crate::base::time::ClusterTime;
use crate::base::time::Millis;

/// How long something known of a device stays true: the usual lifetime of a presence subscription,
/// within which whoever watches says something.
const FRESH_FOR: Millis = Millis::from_secs(3600);

/// How long a phone that failed again and again is left alone at most.
const RETRY_MAX: Millis = Millis::from_secs(300);

/// What failed rings of a device tell that nobody watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Suspicion {
    /// When the first of them failed.
    since: ClusterTime,
    /// How many failed in a row.
    failures: u32,
}

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acd) struct Device {
    pub(in crate::acd) state: DeviceState,
    reported: Option<ClusterTime>,
    /// Busy or ringing with the call we gave it.
    own_call: bool,
    /// Somebody has reported of it since the login; otherwise we only know what ringing it told.
    watched: bool,
    /// Only of a device nobody watches.
    suspicion: Option<Suspicion>,
}

impl Suspicion {
    /// How long the device is not rung after the newest failure.
    fn length(self, retry: Millis) -> Millis {
        let doublings = self.failures.saturating_sub(1).min(16);
        let length = Millis(retry.0.saturating_mul(1 << doublings));
        length.min(RETRY_MAX.max(retry))
    }
}

impl Default for Device {
    fn default() -> Self {
        let state = DeviceState::Unknown;
        Self { state, reported: None, own_call: false, watched: false, suspicion: None }
    }
}

impl Device {
    pub(in crate::acd) fn is_unreachable(&self) -> bool {
        self.state == DeviceState::Unreachable
    }

    pub(in crate::acd) fn is_busy_elsewhere(&self) -> bool {
        self.state == DeviceState::Busy && !self.own_call
    }

    /// Tells whether somebody watches the device and still nothing is known of it.
    pub(in crate::acd) fn is_in_the_dark(&self) -> bool {
        self.state == DeviceState::Unknown && self.watched
    }

    /// How far the state is to be trusted at `now`.
    pub(in crate::acd) fn freshness(&self, now: ClusterTime) -> Freshness {
        match self.reported {
            None => Freshness::Never,
            Some(_) if self.state == DeviceState::Unknown && !self.watched => Freshness::Stale,
            Some(at) if now.since(at) < FRESH_FOR => Freshness::Known,
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
    let device = &mut agent::find(state, id)?.device;
    device.watched = true;
    device.suspicion = None;
    learn(state, id, reported, out);
    Ok(())
}

/// Ringing the device failed: it was not reached at all.
pub(in crate::acd) fn miss(state: &mut State, id: &AgentId, out: &mut Output) {
    let Some(device) = state.agents.to_mut(id).map(|agent| &mut agent.device) else {
        return;
    };
    if !device.watched {
        let is_late = device.reported.is_none_or(|at| state.now.since(at) >= FRESH_FOR);
        let former = device.suspicion.filter(|_| !is_late);
        let former = former.unwrap_or(Suspicion { since: state.now, failures: 0 });
        let failures = former.failures.saturating_add(1);
        device.suspicion = Some(Suspicion { failures, ..former });
    }
    learn(state, id, DeviceState::Unreachable, out);
}

/// The device has spoken to us, or its agent says that it is there: failed rings are forgotten.
pub(in crate::acd) fn trust(state: &mut State, id: &AgentId, out: &mut Output) {
    let suspected = state.agents.to_mut(id).filter(|agent| agent.device.suspicion.is_some());
    let Some(agent) = suspected else {
        return;
    };
    let former = std::mem::take(&mut agent.device).state;
    state.deadlines.clear(&Deadline::EndGrace(id.clone()));
    set_freshness(state, id);
    roster::file(state, id);
    if former != DeviceState::Unknown {
        out.fact(Fact::DeviceChanged { agent: id.clone(), state: DeviceState::Unknown });
    }
}

/// Takes news of a device in, whether reported or found out by ringing it.
fn learn(state: &mut State, id: &AgentId, reported: DeviceState, out: &mut Output) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    let busy = matches!(reported, DeviceState::Busy | DeviceState::Ringing);
    let own_call = busy && agent.state.call().is_some();
    let device = &mut agent.device;
    let former = std::mem::replace(&mut device.state, reported);
    device.reported = Some(state.now);
    device.own_call = own_call;
    let since = device.suspicion.map_or(state.now, |suspicion| suspicion.since);
    let policy = agent.config.on_unreachable;
    let has_grace = agent.login.is_some() && policy.action != UnreachableAction::Nothing;
    let grace = Deadline::EndGrace(id.clone());
    match reported {
        DeviceState::Idle | DeviceState::Ringing | DeviceState::Busy => {
            state.deadlines.clear(&grace);
        }
        DeviceState::Unreachable if former == DeviceState::Unreachable || !has_grace => {}
        DeviceState::Unreachable if state.deadlines.is_set(&grace) => {} // Unknown meanwhile.
        DeviceState::Unreachable => {
            state.deadlines.set(grace, state.now.max(since + policy.after));
        }
        DeviceState::Unknown => {}
    }
    set_freshness(state, id);
    roster::file(state, id);
    if former != reported {
        out.fact(Fact::DeviceChanged { agent: id.clone(), state: reported });
    }
}

/// Sets the deadline of what is known of the device, or clears it when nothing is.
pub(in crate::acd) fn set_freshness(state: &mut State, id: &AgentId) {
    let device = state.agents.get(id).map(|agent| &agent.device);
    let known = device.filter(|device| device.state != DeviceState::Unknown);
    let retry = state.settings.unreachable_retry;
    let fresh_for = |device: &Device| device.suspicion.map_or(FRESH_FOR, |it| it.length(retry));
    let until = known.and_then(|device| Some(device.reported? + fresh_for(device)));
    state.deadlines.set_or_clear(Deadline::EndFreshness(id.clone()), until);
}

/// Nothing was heard of the device for too long, or it may be tried again: nothing is known now.
pub(in crate::acd) fn end_freshness(state: &mut State, id: &AgentId, out: &mut Output) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    agent.device.state = DeviceState::Unknown;
    agent.device.own_call = false;
    roster::file(state, id);
    out.fact(Fact::DeviceChanged { agent: id.clone(), state: DeviceState::Unknown });
}

/// The agent answered, so the device is there, whatever was said of it.
pub(in crate::acd) fn answered(state: &mut State, id: &AgentId, out: &mut Output) {
    let device = state.agents.get(id).map(|agent| &agent.device);
    if device.is_none_or(|device| device.suspicion.is_none() && !device.is_unreachable()) {
        return; // As nearly always.
    }
    trust(state, id, out);
    if state.agents.get(id).is_some_and(|agent| agent.device.is_unreachable()) {
        learn(state, id, DeviceState::Busy, out);
    }
}

/// The device stayed away for the whole grace: the agent's policy is carried out.
pub(in crate::acd) fn end_grace(state: &mut State, id: &AgentId, out: &mut Output) {
    let Some(agent) = state.agents.to_mut(id) else {
        return;
    };
    if agent.device.suspicion.is_some() && !agent.device.is_unreachable() {
        return; // Not tried again yet: the next ring decides.
    }
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
