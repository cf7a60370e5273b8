//! How scripts word facts, orders, refusals and states: one line each, in the script's names.
//!
//! Calls are `c1`, an owner is `n1` in its first life and `n1.2` in its second, the caller's leg is
//! called after the call and an agent's leg after the agent it was made to ring.
//!
//! Always holds: every variant is worded here by name, so a new fact or effect must be given words
//! before it can appear in a script. Not here: which lines are shown, and when ([`super::world`]).

use std::collections::BTreeMap;

use carillon::acd::command::Actor;
use carillon::acd::command::AgentStateName;
use carillon::acd::command::CallStateName;
use carillon::acd::command::DeviceState;
use carillon::acd::command::Outcome;
use carillon::acd::command::Refusal;
use carillon::acd::command::Role;
use carillon::acd::effect::Effect;
use carillon::acd::effect::Order;
use carillon::acd::fact::CallEnd;
use carillon::acd::fact::Explanation;
use carillon::acd::fact::Fact;
use carillon::acd::view::AgentPicture;
use carillon::acd::view::CallPicture;
use carillon::acd::view::Freshness;
use carillon::acd::view::MemberPicture;
use carillon::acd::view::QueuePicture;
use carillon::acd::view::WaitReason;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::LegId;
use carillon::base::id::Owner;
use carillon::base::time::ClusterTime;
use carillon::base::time::Millis;

/// Which agent each leg was made to ring.
pub(crate) type Phones = BTreeMap<LegId, AgentId>;

/// `15s`, or `1500ms` when it is no whole second.
pub(crate) fn length(length: Millis) -> String {
    match length.0 % 1000 {
        0 => format!("{}s", length.as_secs()),
        _ => format!("{}ms", length.0),
    }
}

/// `c1`.
pub(crate) fn call(call: CallId) -> String {
    format!("c{}", call.0)
}

/// `n1`, or `n1.2` in the second life.
pub(crate) fn owner(owner: Owner) -> String {
    match owner.incarnation.0 {
        1 => format!("n{}", owner.node.0),
        life => format!("n{}.{life}", owner.node.0),
    }
}

/// `c1`, or the agent whose phone it is.
pub(crate) fn leg(leg: LegId, phones: &Phones) -> String {
    match phones.get(&leg) {
        Some(agent) => agent.to_string(),
        None if leg.is_caller() => call(leg.call),
        None => format!("{}-{}", call(leg.call), leg.nth),
    }
}

fn actor(actor: &Actor) -> String {
    match actor.role {
        Role::Agent | Role::System => actor.name.clone(),
        Role::Viewer | Role::Supervisor | Role::Administrator => {
            format!("{:?} {}", actor.role, actor.name)
        }
    }
}

fn agents(agents: &[AgentId]) -> String {
    agents.iter().map(AgentId::to_string).collect::<Vec<_>>().join(" ")
}

/// `= WrongPin ann`; nothing when it was done.
pub(crate) fn outcome(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Done => None,
        Outcome::Refused(refusal) => Some(format!("= {}", self::refusal(refusal))),
    }
}

fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UnknownCall(id) => format!("UnknownCall {}", call(*id)),
        Refusal::DuplicateCall(id) => format!("DuplicateCall {}", call(*id)),
        Refusal::UnknownLeg(id) => format!("UnknownLeg {}-{}", call(id.call), id.nth),
        Refusal::UnknownAddress(address) => format!("UnknownAddress {address}"),
        Refusal::TurnedAway { queue, status, rule } => {
            format!("TurnedAway from {queue} with {status} by {rule:?}")
        }
        Refusal::WrongAgentState { agent, state, allowed } => {
            format!("WrongAgentState {agent} {state:?}, allowed in {allowed:?}")
        }
        Refusal::WrongCallState { call: id, state } => {
            format!("WrongCallState {} {state:?}", call(*id))
        }
        Refusal::PinLocked { agent, .. } => format!("PinLocked {agent}"),
        Refusal::LoginKindNotAllowed { agent, kind } => {
            format!("LoginKindNotAllowed {agent} {kind:?}")
        }
        Refusal::AlreadyLoggedIn { agent, device } => {
            format!("AlreadyLoggedIn {agent} at {device}")
        }
        Refusal::DeviceTaken { device, agent } => format!("DeviceTaken {device} by {agent}"),
        Refusal::DeviceInCall { device, agent } => format!("DeviceInCall {device} of {agent}"),
        Refusal::UnknownReason { reason, known } => {
            format!("UnknownReason {reason}, known are {}", known.join(" "))
        }
        Refusal::AddressTaken { address, queue } => format!("AddressTaken {address} by {queue}"),
        Refusal::OtherSource { name, source } => format!("OtherSource {name} is in {source:?}"),
        Refusal::RequestReused => "RequestReused".to_owned(),
        Refusal::StaleOwner(stale) => format!("StaleOwner {}", owner(*stale)),
        Refusal::UnknownQueue(_)
        | Refusal::UnknownAgent(_)
        | Refusal::UnknownTrunk(_)
        | Refusal::UnknownPrompt(_)
        | Refusal::WrongPin { .. }
        | Refusal::PinMissing { .. }
        | Refusal::NoDevice { .. } => plain(refusal),
    }
}

/// A refusal about one named thing: its variant and the name.
fn plain(refusal: &Refusal) -> String {
    let debug = format!("{refusal:?}");
    let variant = debug.split([' ', '(']).next().unwrap_or_default();
    let name = debug.split('"').nth(1).unwrap_or_default();
    format!("{variant} {name}")
}

/// `n1 ring ann for c1`.
pub(crate) fn order(order: &Order, phones: &Phones) -> String {
    let leg = |id| leg(id, phones);
    let what = match &order.effect {
        Effect::HoldCaller { leg: id, queue, treatment } => {
            let welcome = treatment.welcome.as_ref().map(|prompt| format!(" after {prompt}"));
            format!("hold {} in {queue}{}", leg(*id), welcome.unwrap_or_default())
        }
        Effect::AdoptLeg { leg: id, .. } => format!("adopt {}", leg(*id)),
        Effect::RingAgent(ring) => {
            let by = ring.device.trunk.as_ref().map(|trunk| format!(" by {trunk}"));
            let (address, by) = (&ring.device.address, by.unwrap_or_default());
            format!("ring {} at {address}{by} for {}", ring.agent, call(ring.leg.call))
        }
        Effect::JoinLegs { caller, agent } => format!("join {} and {}", leg(*caller), leg(*agent)),
        Effect::ReleaseLeg { leg: id, cause } => format!("release {}: {cause:?}", leg(*id)),
        Effect::ReleaseOrphan { leg: id, cause, .. } => {
            format!("release orphaned {}: {cause:?}", leg(*id))
        }
        Effect::PlayPrompt { leg: id, prompt, .. } => format!("play {prompt} to {}", leg(*id)),
        Effect::TransferLeg { leg: id, to } => format!("transfer {} to {to}", leg(*id)),
    };
    format!("{} {what}", owner(order.owner))
}

/// `Abandoned`, `AnsweredAndHungUp by Agent`.
fn end(why: &CallEnd) -> String {
    match why {
        CallEnd::AnsweredAndHungUp { by } => format!("AnsweredAndHungUp by {by:?}"),
        CallEnd::HungUp { by } => format!("HungUp by {by:?}"),
        CallEnd::Abandoned
        | CallEnd::ShortAbandoned
        | CallEnd::Overflowed(_)
        | CallEnd::Transferred
        | CallEnd::Rejected(_)
        | CallEnd::CallerLost
        | CallEnd::AgentLost
        | CallEnd::NodeLost => format!("{why:?}"),
    }
}

/// `fact CallAnswered c1 by ann, waited 3s, rang 3s`.
pub(crate) fn fact(fact: &Fact, phones: &Phones) -> String {
    let words = about_call(fact, phones).or_else(|| about_agent(fact)).or_else(|| about_rest(fact));
    format!("fact {}", words.unwrap_or_else(|| format!("{fact:?} (has no words yet)")))
}

fn about_call(fact: &Fact, phones: &Phones) -> Option<String> {
    Some(match fact {
        Fact::CallEnqueued { call: id, queue, priority, .. } => {
            format!("CallEnqueued {} in {queue}{}", call(*id), unless_zero("priority", *priority))
        }
        Fact::CallOverflowed { call: id, from, to, rule } => {
            format!("CallOverflowed {} from {from} to {to} by {rule:?}", call(*id))
        }
        Fact::CallReserved { call: id, queue, agents: chosen, why } => {
            format!("CallReserved {} in {queue} for {}, {}", call(*id), agents(chosen), idle(why))
        }
        Fact::ReservationJoined { call: id, agents: chosen, why, .. } => {
            format!("ReservationJoined {} by {}, {}", call(*id), agents(chosen), idle(why))
        }
        Fact::ReservationEnded { call: id, agent, why, .. } => {
            format!("ReservationEnded {} for {agent}: {why:?}", call(*id))
        }
        Fact::CallAnswered { call: id, agent, waited, rang, .. } => {
            let (waited, rang) = (length(*waited), length(*rang));
            format!("CallAnswered {} by {agent}, waited {waited}, rang {rang}", call(*id))
        }
        Fact::CallTakenOver { call: id, queue, by } => {
            format!("CallTakenOver {} in {queue} by {}", call(*id), owner(*by))
        }
        Fact::CallHeld { call: id, by } => {
            format!("CallHeld {} by {}", call(*id), leg(*by, phones))
        }
        Fact::CallResumed { call: id, by } => {
            format!("CallResumed {} by {}", call(*id), leg(*by, phones))
        }
        Fact::CallPrioritized { call: id, priority, by } => {
            format!("CallPrioritized {} to {priority} by {}", call(*id), actor(by))
        }
        Fact::CallTransferring { call: id, to, by } => {
            format!("CallTransferring {} to {to} by {}", call(*id), actor(by))
        }
        Fact::CallHungUp { call: id, by } => format!("CallHungUp {} by {}", call(*id), actor(by)),
        Fact::CallTransferFailed { call: id, status } => {
            format!("CallTransferFailed {} with {status}", call(*id))
        }
        Fact::CallReturned { call: id, queue, agent } => {
            format!("CallReturned {} to {queue} from {agent}", call(*id))
        }
        Fact::CallEnded { call: id, queue, why, waited, talked } => {
            let (waited, talked) = (length(*waited), length(*talked));
            let id = call(*id);
            let why = end(why);
            format!("CallEnded {id} in {queue}: {why}, waited {waited}, talked {talked}")
        }
        Fact::CallTurnedAway { queue, rule, status } => {
            format!("CallTurnedAway from {queue} with {status} by {rule:?}")
        }
        Fact::CallQuarantined { call: id, broken } => {
            format!("CallQuarantined {}: {broken}", call(*id))
        }
        _ => return None,
    })
}

fn about_agent(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::AgentLoggedIn { agent, device, by } => {
            format!("AgentLoggedIn {agent} at {device} by {}", actor(by))
        }
        Fact::AgentLoginDuplicated { agent, device, by, holder } => {
            format!("AgentLoginDuplicated {agent} at {device} by {}, beside {holder}", actor(by))
        }
        Fact::AgentLoggedOut { agent, reason, by } => {
            format!("AgentLoggedOut {agent}: {reason:?} by {}", actor(by))
        }
        Fact::AgentReady { agent, by } => format!("AgentReady {agent} by {}", actor(by)),
        Fact::AgentNotReady { agent, reason, by } => {
            format!("AgentNotReady {agent}: {reason} by {}", actor(by))
        }
        Fact::AgentReserved { agent, call: id } => {
            format!("AgentReserved {agent} for {}", call(*id))
        }
        Fact::AgentTalking { agent, call: id } => {
            format!("AgentTalking {agent} with {}", call(*id))
        }
        Fact::AgentWrappingUp { agent, length: time, .. } => {
            format!("AgentWrappingUp {agent} for {}", length(*time))
        }
        Fact::AgentPinRefused { agent, locked, by } => {
            let locked = if *locked { ", locked" } else { "" };
            format!("AgentPinRefused {agent} by {}{locked}", actor(by))
        }
        Fact::AgentQuarantined { agent, broken } => format!("AgentQuarantined {agent}: {broken}"),
        Fact::AgentMoved { agent, device, trunk } => {
            let by = trunk.as_ref().map(|trunk| format!(" by {trunk}")).unwrap_or_default();
            format!("AgentMoved {agent} to {device}{by}")
        }
        Fact::DeviceChanged { agent, state } => format!("DeviceChanged {agent} to {state:?}"),
        _ => return None,
    })
}

fn about_rest(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::ConfigPut { kind, name, source } => {
            format!("ConfigPut {kind:?} {name} by {source:?}")
        }
        Fact::ConfigRemoved { kind, name, source } => {
            format!("ConfigRemoved {kind:?} {name} by {source:?}")
        }
        Fact::QueueDraining { queue, calls } => format!("QueueDraining {queue} with {calls} calls"),
        Fact::QueueDrained { queue } => format!("QueueDrained {queue}"),
        Fact::NodeStarted { owner: started } => format!("NodeStarted {}", owner(*started)),
        Fact::NodeLost { owner: lost, legs } => {
            format!("NodeLost {} with {legs} legs", owner(*lost))
        }
        _ => return None,
    })
}

/// `idle 60s`, and who else there was.
fn idle(why: &Explanation) -> String {
    let mut words = vec![format!("idle {}", length(why.idle))];
    words.extend(why.less_idle.iter().map(|(agent, idle)| format!("{agent} {}", length(*idle))));
    words.extend(why.passed_over.iter().map(|(reason, count)| format!("{count} {reason:?}")));
    words.join(", ")
}

fn unless_zero(word: &str, number: i32) -> String {
    if number == 0 { String::new() } else { format!(", {word} {number}") }
}

/// `ann Ready, idle 60s`.
pub(crate) fn agent(agent: &AgentPicture, now: ClusterTime) -> String {
    let reason = agent.reason.as_ref().map(|reason| format!("({reason})")).unwrap_or_default();
    let mut words = vec![format!("{} {:?}{reason}", agent.id, agent.state)];
    match (agent.state, agent.call) {
        (AgentStateName::Reserved | AgentStateName::Talking, Some(id)) => {
            words[0].push_str(&format!(" {}", call(id)));
        }
        (_, Some(id)) => words.push(format!("strangely with {}", call(id))),
        (_, None) => {}
    }
    if agent.state == AgentStateName::Ready {
        words.extend(agent.idle_since.map(|since| format!("idle {}", length(now.since(since)))));
    }
    words.extend(agent.until.map(|until| format!("until +{}", length(until.since(now)))));
    match (agent.device_state, agent.device_freshness) {
        (DeviceState::Idle, Freshness::Known) | (DeviceState::Unknown, Freshness::Never) => {}
        (state, Freshness::Known) => words.push(format!("device {state:?}")),
        (state, freshness) => words.push(format!("device {state:?} ({freshness:?})")),
    }
    words.join(", ")
}

/// `c1 Waiting in sales at 1, age 15s`.
pub(crate) fn call_line(picture: &CallPicture, now: ClusterTime) -> String {
    let name = format!("{} {:?}", call(picture.id), picture.state);
    let age = length(now.since(picture.arrived));
    match (picture.state, &picture.ended, picture.place) {
        (_, Some((_, why)), _) => format!("{name}: {}", end(why)),
        (CallStateName::Waiting, None, Some(place)) => {
            let why = match picture.waits_because {
                Some(WaitReason::BehindOthers { .. }) | None => String::new(),
                Some(reason) => format!(", {reason:?}"),
            };
            format!("{name} in {} at {place}, age {age}{why}", picture.queue)
        }
        _ => {
            let with = match picture.agents.as_slice() {
                [] => String::new(),
                some => format!(" with {}", agents(some)),
            };
            format!("{name}{with} in {}, age {age}", picture.queue)
        }
    }
}

/// `sales: 1 waiting, 0 reserved, 2 talking; entered 3, answered 2 (1 in time), …`.
pub(crate) fn queue(picture: &QueuePicture) -> String {
    let totals = &picture.totals;
    let counts = [
        ("abandoned", totals.abandoned),
        ("short-abandoned", totals.short_abandoned),
        ("overflowed", totals.overflowed),
        ("turned away", totals.turned_away),
        ("withdrawn", totals.withdrawn),
        ("hung up", totals.hung_up),
        ("lost", totals.lost),
    ];
    let mut words = format!(
        "{}{}: {} waiting, {} reserved, {} talking; entered {}, answered {} ({} in time)",
        picture.id,
        if picture.draining { " (draining)" } else { "" },
        picture.waiting,
        picture.reserved,
        picture.talking,
        totals.entered,
        totals.answered,
        totals.answered_in_time,
    );
    words.extend(picture.longest_wait.map(|wait| format!(", longest wait {}", length(wait))));
    for (word, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        words.push_str(&format!(", {word} {count}"));
    }
    words
}

/// A call's story as people read it: why it went where it went, and what happened when.
pub(crate) fn story(picture: &CallPicture) -> Vec<String> {
    let name = call(picture.id);
    let why = picture.why.iter().map(|why| format!("{name} because {}", idle(why)));
    let moments = picture.timeline.iter().map(|moment| {
        let after = length(moment.at.since(picture.arrived));
        let what = format!("{:?}", moment.what);
        let what = ["AgentId(", "QueueId(", "\"", ")"]
            .iter()
            .fold(what, |what, noise| what.replace(noise, ""));
        format!("{name} +{after} {}", what.replace('(', " "))
    });
    why.chain(moments).collect()
}

/// `ann could be rung, idle 60s`, or why not.
pub(crate) fn member(picture: &MemberPicture, now: ClusterTime) -> String {
    match (picture.passed_over, picture.idle_since) {
        (Some(reason), _) => format!("{} is passed over: {reason:?}", picture.agent),
        (None, Some(since)) => {
            format!("{} could be rung, idle {}", picture.agent, length(now.since(since)))
        }
        (None, None) => format!("{} could be rung", picture.agent),
    }
}
