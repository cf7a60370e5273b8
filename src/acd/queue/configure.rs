//! Queues made, changed and removed while callers wait.
//!
//! A change takes effect for the next decision: order of agents, ring time, limits. Callers who
//! wait keep their place and age; what they hear stays until they enter another queue.
//!
//! A removed queue lets nobody in and is *draining*: the agents it has keep serving those inside,
//! even when the configuration says no more that they belong to it, and it is forgotten with the
//! last caller. When none of those agents is logged in, nobody will come: the callers leave by the
//! `noAgents` rule, or by `closed` if that one is to wait.
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
use crate::acd::fact::Fact;
use crate::acd::output::Output;
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
            queue::dismiss(state, id);
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
pub(in crate::acd) fn remove(state: &mut State, id: &QueueId, out: &mut Output) {
    forget_addresses(state, id);
    let Some(queue) = state.queues.get_mut(id) else {
        return;
    };
    queue.draining = true;
    if queue.calls.is_empty() {
        return queue::drop_if_drained(state, id, out);
    }
    let calls = u32::try_from(queue.calls.len()).unwrap_or(u32::MAX);
    out.fact(Fact::QueueDraining { queue: id.clone(), calls });
    state.unsettled.unstaffed.insert(id.clone());
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
    for call_id in queue.calls.values() {
        let Some(call) = state.calls.to_mut(call_id) else {
            continue;
        };
        call.wait_until = wait_max.map(|max| call.entered + max);
        if call.state == CallState::Waiting {
            state.deadlines.set_or_clear(Deadline::EndWait(*call_id), call.wait_until);
        }
    }
}
