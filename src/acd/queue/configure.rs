//! Queues made, changed and removed while callers wait.
//!
//! A change takes effect for the next decision: order of agents, ring time, limits. Callers who
//! wait keep their place and age; what they hear stays until they enter another queue. A removed
//! queue lets nobody in, serves those inside, and is forgotten with the last of them.
//!
//! Always holds: an address reaches one queue; a draining queue is reached by none.
//!
//! Not here: who may change what (`crate::acd::configure`).

use crate::acd::State;
use crate::acd::call::CallState;
use crate::acd::clock::Deadline;
use crate::acd::command::Refusal;
use crate::acd::config::QueueConfig;
use crate::acd::config::Source;
use crate::acd::queue;
use crate::acd::queue::Queue;
use crate::base::id::QueueId;

/// Makes a queue, or gives one another configuration.
pub(in crate::acd) fn put(
    state: &mut State,
    config: &QueueConfig,
    source: Source,
) -> Result<(), Refusal> {
    let id = &config.id;
    for address in &config.addresses {
        if let Some(other) = state.addresses.get(address).filter(|other| *other != id) {
            let (address, queue) = (address.clone(), other.clone());
            return Err(Refusal::AddressTaken { address, queue });
        }
    }
    forget_addresses(state, id);
    for address in &config.addresses {
        state.addresses.insert(address.clone(), id.clone());
    }
    match state.queues.get_mut(id) {
        Some(queue) => {
            queue.config = config.clone();
            queue.source = source;
            queue.draining = false;
        }
        None => {
            state.queues.insert(id.clone(), Queue::new(config.clone(), source));
        }
    }
    reset_waits(state, id);
    state.unsettled.to_match.insert(id.clone());
    Ok(())
}

/// Removes a queue: at once when empty, else with its last call.
pub(in crate::acd) fn remove(state: &mut State, id: &QueueId) {
    forget_addresses(state, id);
    if let Some(queue) = state.queues.get_mut(id) {
        queue.draining = true;
    }
    queue::drop_if_drained(state, id);
}

fn forget_addresses(state: &mut State, id: &QueueId) {
    if let Some(queue) = state.queues.get(id) {
        for address in &queue.config.addresses {
            // A draining queue has none left, and another may have taken them since.
            if state.addresses.get(address) == Some(id) {
                state.addresses.remove(address);
            }
        }
    }
}

/// Puts those who wait on a changed limit, counted from when they came in.
fn reset_waits(state: &mut State, id: &QueueId) {
    let Some(queue) = state.queues.get(id) else {
        return;
    };
    let wait_max = queue.config.limits.wait_max;
    for call_id in &queue.calls {
        let Some(call) = state.calls.get_mut(call_id) else {
            continue;
        };
        if call.asked_to_stay {
            continue;
        }
        call.wait_until = wait_max.map(|max| call.entered + max);
        if call.state == CallState::Waiting {
            match call.wait_until {
                Some(at) => state.deadlines.set(Deadline::EndWait(*call_id), at),
                None => state.deadlines.clear(&Deadline::EndWait(*call_id)),
            }
        }
    }
}
