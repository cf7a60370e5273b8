//! How a call comes to be, and how it comes to stand elsewhere in the line.
//!
//! | at the door | then |
//! |---|---|
//! | the owner is not the newest life of its node | refused: StaleOwner |
//! | the call's name is known | refused: DuplicateCall |
//! | nobody is reached by the address | refused: UnknownAddress |
//! | a rule turns callers away at once (`reject` without a prompt) | refused: TurnedAway |
//! | any other rule applies | a call is made, and the rule carried out on it |
//! | otherwise | a call is made and waits |
//!
//! Always holds: of a refused caller nothing stays but a count; 200 or 180 is ordered only with
//! the call in the state.
//!
//! Not here: the rules (`queue::overflow`).

use crate::acd::State;
use crate::acd::call;
use crate::acd::call::Call;
use crate::acd::call::CallState;
use crate::acd::command::Actor;
use crate::acd::command::Arrival;
use crate::acd::command::Refusal;
use crate::acd::config::Address;
use crate::acd::config::OverflowAction;
use crate::acd::fact::Fact;
use crate::acd::legs::Legs;
use crate::acd::output::Output;
use crate::acd::queue::overflow;
use crate::acd::view::Milestone;
use crate::base::id::CallId;
use crate::base::id::QueueId;

/// The queue an address reaches: a whole AOR wins over a user part that matches any host.
pub(in crate::acd) fn queue_for<'a>(state: &'a State, to: &Address) -> Option<&'a QueueId> {
    let whole = state.addresses.get(to);
    whole.or_else(|| state.addresses.get(&Address { user: to.user.clone(), host: None }))
}

/// Takes a caller in, or turns them away.
pub(in crate::acd) fn enqueue(
    state: &mut State,
    arrival: &Arrival,
    out: &mut Output,
) -> Result<(), Refusal> {
    let id = arrival.call;
    if !state.nodes.is_live(arrival.owner) {
        return Err(Refusal::StaleOwner(arrival.owner));
    }
    if state.calls.contains_key(&id) || state.history.call(id).is_some() {
        return Err(Refusal::DuplicateCall(id));
    }
    let Some(queue) = queue_for(state, &arrival.to).cloned() else {
        return Err(Refusal::UnknownAddress(arrival.to.clone()));
    };
    turn_away(state, &queue, out)?;

    let priority = state.queues.get(&queue).map_or(0, |queue| queue.config.priority);
    let priority = arrival.priority.map_or(priority, |raised| raised.max(priority));
    state.calls.insert(id, new_call(state, arrival, queue.clone(), priority));
    let caller = arrival.caller.clone();
    out.fact(Fact::CallEnqueued { call: id, queue: queue.clone(), caller, priority });
    overflow::enter_queue(state, id, &queue, out);
    Ok(())
}

/// Refuses a caller whom the queue's rule rejects without a word.
fn turn_away(state: &mut State, id: &QueueId, out: &mut Output) -> Result<(), Refusal> {
    let Some(rule) = overflow::rule_at_door(state, id) else {
        return Ok(());
    };
    let Some(queue) = state.queues.get_mut(id) else {
        return Ok(());
    };
    let overflow = overflow::rule_of(&queue.config, rule);
    match (&overflow.play, &overflow.action) {
        (None, OverflowAction::Reject { status }) => {
            let status = *status;
            queue.totals.turned_away = queue.totals.turned_away.saturating_add(1);
            out.fact(Fact::CallTurnedAway { queue: id.clone(), rule, status });
            Err(Refusal::TurnedAway { queue: id.clone(), status, rule })
        }
        _ => Ok(()),
    }
}

fn new_call(state: &State, arrival: &Arrival, queue: QueueId, priority: i32) -> Call {
    Call {
        caller: arrival.caller.clone(),
        legs: Legs::of_caller(arrival.owner, arrival.dialog.clone()),
        arrived: state.now,
        arrival: state.index,
        queue,
        entered: state.now,
        welcomed: false,
        wait_until: None,
        priority,
        hops: 0,
        legs_made: 0,
        answered: None,
        counted: false,
        why: None,
        timeline: Default::default(),
        state: CallState::Waiting,
    }
}

/// Moves a call forward or back in the line.
pub(in crate::acd) fn prioritize(
    state: &mut State,
    id: CallId,
    priority: i32,
    by: &Actor,
    out: &mut Output,
) -> Result<(), Refusal> {
    call::find(state, id)?;
    let Some(call) = state.calls.to_mut(&id) else {
        return Err(Refusal::UnknownCall(id));
    };
    let former = call.place(id);
    call.priority = priority;
    call.note(state.now, Milestone::Prioritized(priority));
    if let Some(queue) = state.queues.get_mut(&call.queue) {
        queue.strike(former, call.state.name());
        queue.file(call.place(id), call.state.name());
    }
    out.fact(Fact::CallPrioritized { call: id, priority, by: by.clone() });
    Ok(())
}
