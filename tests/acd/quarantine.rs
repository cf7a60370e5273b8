//! A state that makes no sense is put right: the call is taken out of service, nothing else.
//!
//! No command can break a state, so one is damaged as a faulty disk would: the caller's leg is cut
//! out of the bytes of a snapshot.
//!
//! Not here: what is nonsense (`acd::quarantine`).

use std::collections::BTreeMap;

use carillon::acd::State;
use carillon::acd::check::broken_invariants;
use carillon::acd::fact::CallEnd;
use carillon::acd::fact::Fact;
use carillon::acd::view::View;
use carillon::base::id::CallId;

use crate::center;
use crate::center::Center;
use crate::center::agent_id;
use crate::center::dialog;
use crate::center::owner;

const CALL: u64 = 777_777_777;

/// A caller waits in `sales`, and ann is logged in and not ready.
fn waiting() -> Center {
    let mut center = Center::new();
    center.done(center::put_queue(center::queue("sales")));
    center.done(center::put_agent(center::agent("ann", &["sales"])));
    center.done(center::log_in("ann"));
    center.done(center::enqueue(CALL, "sales"));
    center
}

fn bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("it can be written")
}

/// The state without the caller's leg, as if it had never been written.
fn without_leg(state: &State) -> State {
    let of_caller = 0_u32; // The first variant of whose leg it is.
    let no_agents = BTreeMap::<u32, ()>::new();
    let legs = bytes(&(owner(1, 1), Some((of_caller, Some(dialog()))), &no_agents));
    let whole = bytes(state);
    let at = whole.windows(legs.len()).position(|part| part == legs).expect("the leg is there");
    let none = bytes(&(owner(1, 1), None::<()>, &no_agents));
    let cut = [&whole[..at], &none[..], &whole[at + legs.len()..]].concat();
    postcard::from_bytes(&cut).expect("a state without a leg is still a state")
}

#[test]
fn a_waiting_call_without_a_leg_is_taken_out_of_service() {
    let mut center = waiting();
    center.state = without_leg(&center.state);
    assert_ne!(broken_invariants(&center.state), [], "the damage is seen");

    // The state is sound again after the next command, whichever it is.
    center.done(center::set_ready("ann"));
    let out = &center.out;
    let quarantined =
        |fact: &Fact| matches!(fact, Fact::CallQuarantined { call: CallId(CALL), .. });
    assert!(out.facts.iter().any(quarantined), "{:?}", out.facts);
    assert_eq!(out.orders, [], "nobody is rung for it");
    let view = View::new(&center.state);
    let picture = view.call(CallId(CALL)).expect("it is remembered");
    assert_eq!(picture.ended.map(|(_, why)| why), Some(CallEnd::Rejected(480)));
    assert_eq!(view.agent(&agent_id("ann")).expect("ann").call, None);
    assert_eq!(view.queues()[0].waiting, 0);
}
