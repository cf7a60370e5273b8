//! What happens to a caller the queue cannot keep: full, closed, nobody there, waited too long.
//!
//! ```text
//!   rule ──► prompt, if any (Arriving) ──► reject · hang up · transfer · another queue · wait
//! ```
//!
//! | rule | looked at |
//! |---|---|
//! | `closed`, `noAgents`, `full`, in this order | when a caller enters, also from another queue |
//! | `noAgents` | for everybody waiting, when the last agent logs out |
//! | the same, or `closed` if that is to wait | when the queue is removed, and nobody is left |
//! | `tooLong` | when a caller has waited in the queue for its `waitSecondsMax`; if a phone rings |
//! | | then, when it stops |
//!
//! Always holds: a caller sent on [`HOPS_MAX`] times is rejected, so rules that point at each other
//! end; a rule names no queue that does not exist, or the caller is rejected.
//!
//! Not here: callers rejected without a prompt before any call is made (`call::arrive`).

use crate::acd::State;
use crate::acd::agent::login::by_ourselves;
use crate::acd::call;
use crate::acd::call::CallState;
use crate::acd::call::Origin;
use crate::acd::call::end;
use crate::acd::call::end::Ending;
use crate::acd::call::end::TEMPORARILY_UNAVAILABLE;
use crate::acd::call::transfer;
use crate::acd::clock::Deadline;
use crate::acd::command::Refusal;
use crate::acd::config::Overflow;
use crate::acd::config::OverflowAction;
use crate::acd::config::OverflowRule;
use crate::acd::config::QueueConfig;
use crate::acd::effect::Cause;
use crate::acd::effect::Effect;
use crate::acd::fact::CallEnd;
use crate::acd::fact::Fact;
use crate::acd::legs;
use crate::acd::output::Output;
use crate::acd::queue;
use crate::acd::queue::Queue;
use crate::acd::queue::roster;
use crate::acd::view::Milestone;
use crate::base::id::CallId;
use crate::base::id::LegId;
use crate::base::id::QueueId;

/// How often rules may send one caller on: more than any sensible chain of queues.
const HOPS_MAX: u8 = 5;

/// The configured rule of this name.
pub(in crate::acd) fn rule_of(config: &QueueConfig, rule: OverflowRule) -> &Overflow {
    match rule {
        OverflowRule::Full => &config.overflow.full,
        OverflowRule::TooLong => &config.overflow.too_long,
        OverflowRule::NoAgents => &config.overflow.no_agents,
        OverflowRule::Closed => &config.overflow.closed,
    }
}

/// The rule that keeps a caller from entering a queue now, if any.
pub(in crate::acd) fn rule_at_door(state: &State, id: &QueueId) -> Option<OverflowRule> {
    let queue = state.queues.get(id)?;
    if !queue.config.open || queue.draining {
        Some(OverflowRule::Closed)
    } else if lacks_agents(state, id) {
        Some(OverflowRule::NoAgents)
    } else if queue.is_full() {
        Some(OverflowRule::Full)
    } else {
        None
    }
}

/// Tells whether nobody is logged in and the queue's rule has something to say to that.
fn lacks_agents(state: &State, id: &QueueId) -> bool {
    let Some(queue) = state.queues.get(id) else {
        return false;
    };
    let rule = &queue.config.overflow.no_agents;
    let just_waits = rule.play.is_none() && rule.action == OverflowAction::Wait;
    (!just_waits || queue.draining) && !roster::is_staffed(state, id)
}

/// The rule for those who wait where nobody is logged in. In a queue that is being removed nobody
/// will come any more, so that waiting is no rule for it.
fn rule_without_agents(state: &State, id: &QueueId) -> OverflowRule {
    let waits = |queue: &Queue| {
        queue.draining && queue.config.overflow.no_agents.action == OverflowAction::Wait
    };
    match state.queues.get(id).is_some_and(waits) {
        true => OverflowRule::Closed,
        false => OverflowRule::NoAgents,
    }
}

/// Lets a call into a queue, or carries out the rule that keeps it from waiting there.
pub(in crate::acd) fn enter_queue(
    state: &mut State,
    id: CallId,
    queue_id: &QueueId,
    out: &mut Output,
) {
    let rule = rule_at_door(state, queue_id);
    let (Some(call), Some(queue)) = (state.calls.to_mut(&id), state.queues.get_mut(queue_id))
    else {
        return; // The callers have looked both up in this very entry.
    };
    call.queue = queue_id.clone();
    call.entered = state.now;
    call.welcomed = false;
    call.wait_until = queue.config.limits.wait_max.map(|max| state.now + max);
    call.counted = true;
    call.note(state.now, Milestone::Entered(queue_id.clone()));
    queue.calls.insert(call.arrival, id);
    queue.file(call.place(id), call.state.name());
    queue.totals.entered = queue.totals.entered.saturating_add(1);
    match rule {
        Some(rule) => apply_rule(state, id, rule, out),
        None => wait(state, id, out),
    }
}

/// Takes a call out of its queue by a rule, to enter another.
fn leave_queue(state: &mut State, id: CallId, rule: OverflowRule, out: &mut Output) {
    call::enter(state, id, CallState::Waiting);
    let Some(mut call) = state.calls.remove(&id) else {
        return;
    };
    if let Some(deadline) = call.deadline(id) {
        state.deadlines.clear(&deadline);
    }
    if let Some(queue) = state.queues.get_mut(&call.queue) {
        queue.strike(call.place(id), call.state.name());
        queue.calls.remove(&call.arrival);
    }
    end::count_out(state, &mut call, &CallEnd::Overflowed(rule));
    queue::drop_if_drained(state, &call.queue, out);
    call.wait_until = None;
    call.hops = call.hops.saturating_add(1);
    state.calls.insert(id, call);
}

/// Gives a call its place in its queue, and the caller what the queue lets them hear.
pub(in crate::acd) fn wait(state: &mut State, id: CallId, out: &mut Output) {
    call::enter(state, id, CallState::Waiting);
    let Some(call) = state.calls.to_mut(&id) else {
        return;
    };
    let Some(queue) = state.queues.get(&call.queue) else {
        return;
    };
    let leg = LegId::of_caller(id);
    let (queue, mut treatment) = (queue.config.id.clone(), queue.config.caller.clone());
    if std::mem::replace(&mut call.welcomed, true) {
        treatment.welcome = None;
    }
    legs::order(state, leg, Effect::HoldCaller { leg, queue, treatment }, out);
}

/// Gives a call its old place back, unless everybody has gone meanwhile.
pub(in crate::acd) fn wait_again(state: &mut State, id: CallId, out: &mut Output) {
    let Some(queue) = state.calls.get(&id).map(|call| call.queue.clone()) else {
        return;
    };
    if lacks_agents(state, &queue) {
        apply_rule(state, id, rule_without_agents(state, &queue), out);
    } else {
        wait(state, id, out);
    }
}

/// Carries out a rule: its prompt first, then its action.
pub(in crate::acd) fn apply_rule(
    state: &mut State,
    id: CallId,
    rule: OverflowRule,
    out: &mut Output,
) {
    let Some(queue) = state.calls.get(&id).and_then(|call| state.queues.get(&call.queue)) else {
        return;
    };
    let Overflow { play, action } = rule_of(&queue.config, rule).clone();
    let music = queue.config.caller.music.clone();
    // While no node lives, nobody can hear a prompt, or tell that it has ended.
    match play.filter(|_| state.nodes.is_any_live()) {
        Some(prompt) => {
            call::enter(state, id, CallState::Arriving { rule, action });
            let leg = LegId::of_caller(id);
            legs::order(state, leg, Effect::PlayPrompt { leg, prompt, music }, out);
        }
        None => act(state, id, rule, action, out),
    }
}

fn act(
    state: &mut State,
    id: CallId,
    rule: OverflowRule,
    action: OverflowAction,
    out: &mut Output,
) {
    match action {
        OverflowAction::Reject { status } => reject(state, id, rule, status, out),
        OverflowAction::Queue { queue } => send_on(state, id, rule, &queue, out),
        OverflowAction::Transfer { to } => {
            transfer::send(state, id, Origin::Rule(rule), (&to, &by_ourselves()), out);
        }
        OverflowAction::HangUp => {
            let why = CallEnd::Overflowed(rule);
            let caller = Cause::TurnedAway(TEMPORARILY_UNAVAILABLE);
            end::end(state, id, Ending { why, caller, agent: Cause::CallerGone }, out);
        }
        OverflowAction::Wait if rule == OverflowRule::NoAgents => await_agents(state, id, out),
        // No other rule can be configured so: it would hold what it is there to let go.
        OverflowAction::Wait => reject(state, id, rule, TEMPORARILY_UNAVAILABLE, out),
    }
}

/// Lets a caller wait for agents to log in, unless the queue was removed while its prompt played.
fn await_agents(state: &mut State, id: CallId, out: &mut Output) {
    let queue = state.calls.get(&id).and_then(|call| state.queues.get(&call.queue));
    let abandoned = |queue: &Queue| queue.draining && !roster::is_staffed(state, &queue.config.id);
    if queue.is_some_and(abandoned) {
        apply_rule(state, id, OverflowRule::Closed, out);
    } else {
        wait(state, id, out);
    }
}

/// Turns a caller away who is in a queue already.
pub(in crate::acd) fn reject(
    state: &mut State,
    id: CallId,
    rule: OverflowRule,
    status: u16,
    out: &mut Output,
) {
    if let Some(mut call) = state.calls.remove(&id) {
        end::count_out(state, &mut call, &CallEnd::Overflowed(rule));
        state.calls.insert(id, call);
    }
    let (why, caller) = (CallEnd::Rejected(status), Cause::TurnedAway(status));
    end::end(state, id, Ending { why, caller, agent: Cause::CallerGone }, out);
}

fn send_on(state: &mut State, id: CallId, rule: OverflowRule, to: &QueueId, out: &mut Output) {
    let Some(call) = state.calls.get(&id) else {
        return;
    };
    let exists = state.queues.get(to).is_some_and(|queue| !queue.draining);
    if !exists || call.hops >= HOPS_MAX {
        return reject(state, id, rule, TEMPORARILY_UNAVAILABLE, out);
    }
    let from = call.queue.clone();
    leave_queue(state, id, rule, out);
    out.fact(Fact::CallOverflowed { call: id, from, to: to.clone(), rule });
    enter_queue(state, id, to, out);
}

/// The caller has waited as long as the queue lets them.
pub(in crate::acd) fn end_wait(state: &mut State, id: CallId, out: &mut Output) {
    apply_rule(state, id, OverflowRule::TooLong, out);
}

/// The caller's time was over while a phone rang, and the phone has stopped.
pub(in crate::acd) fn end_overdue_wait(state: &mut State, id: CallId, out: &mut Output) {
    let until = state.calls.get(&id).and_then(|call| call.wait_until);
    if until.is_some_and(|until| until <= state.now) {
        state.deadlines.clear(&Deadline::EndWait(id));
        end_wait(state, id, out);
    }
}

/// The last agent of a queue has logged out: those who wait leave by the rule, the first first.
pub(in crate::acd) fn leave_unstaffed(state: &mut State, id: &QueueId, out: &mut Output) {
    if !lacks_agents(state, id) {
        return; // Somebody is back, or the rule is to wait.
    }
    let waiting = state.queues.get(id).map(|queue| queue.waiting.clone());
    let rule = rule_without_agents(state, id);
    for place in waiting.unwrap_or_default() {
        apply_rule(state, place.call, rule, out);
    }
}

/// The caller has heard the rule's prompt to its end.
pub(in crate::acd) fn finish_prompt(
    state: &mut State,
    leg: LegId,
    out: &mut Output,
) -> Result<(), Refusal> {
    if !leg.is_caller() || legs::find(state, leg).is_none() {
        return Err(Refusal::UnknownLeg(leg));
    }
    let call = call::find(state, leg.call)?;
    let CallState::Arriving { rule, action } = call.state.clone() else {
        return Err(call::refuse(leg.call, call));
    };
    act(state, leg.call, rule, action, out);
    Ok(())
}

/// The report that a prompt was heard never came: the rule goes on without it.
pub(in crate::acd) fn end_prompt(state: &mut State, id: CallId, out: &mut Output) {
    if let Some(CallState::Arriving { rule, action }) = state.calls.get(&id).map(|call| &call.state)
    {
        act(state, id, *rule, action.clone(), out);
    }
}
