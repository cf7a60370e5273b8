//! A state that makes no sense is put right: the call is taken out of service, nothing else.
//!
//! No command can break a state, so one is damaged as a faulty disk would: the caller's leg is cut
//! out of the bytes of a snapshot.
//!
//! Not here: what is nonsense (`acd::quarantine`).

use std::collections::BTreeMap;
use std::sync::Arc;

use carillon::acd::State;
use carillon::acd::apply::Output;
use carillon::acd::apply::apply;
use carillon::acd::check::broken_invariants;
use carillon::acd::command::Actor;
use carillon::acd::command::Arrival;
use carillon::acd::command::Caller;
use carillon::acd::command::Command;
use carillon::acd::command::Dialog;
use carillon::acd::command::Entry;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::Source;
use carillon::acd::fact::CallEnd;
use carillon::acd::fact::Fact;
use carillon::acd::view::View;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::LogIndex;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::QueueId;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;

use crate::notation;
use crate::notation::Options;

const OWNER: Owner = Owner { node: NodeId(1), incarnation: Incarnation(1) };
const CALL: CallId = CallId(777_777_777);

fn give(state: &mut State, nth: u64, command: Command) -> Output {
    let (request, proposed_at) = (RequestId(u128::from(nth) << 32), ClusterTime(1_000_000));
    let mut out = Output::default();
    let entry = Entry { proposed_at, request, command };
    assert_eq!(apply(state, LogIndex(nth), &entry, &mut out), Outcome::Done);
    out
}

fn by() -> Actor {
    Actor { role: Role::Agent, name: "ann".to_owned() }
}

/// A caller waits in `sales`, and ann is logged in and not ready.
fn waiting(dialog: &Dialog) -> State {
    let mut state = State::new();
    let (sales, ann) = (QueueId::new("sales"), AgentId::new("ann"));
    let queue = notation::queue("sales", &mut Options::of(&[])).expect("a queue");
    let agent = notation::agent("ann", &mut Options::of(&[]), &[sales]).expect("an agent");
    let kind = LoginKind::Callback;
    let login = LogIn { agent: ann, pin: None, device: None, kind, by: by() };
    let arrival = Arrival {
        call: CALL,
        owner: OWNER,
        to: notation::address("sales"),
        caller: Arc::new(Caller::default()),
        priority: None,
        dialog: dialog.clone(),
    };
    let source = Source::Folder;
    let commands = [
        Command::StartNode { owner: OWNER },
        Command::PutQueue { queue: Box::new(queue), source },
        Command::PutAgent { agent: Box::new(agent), source },
        Command::LogIn(Box::new(login)),
        Command::EnqueueCall(Box::new(arrival)),
    ];
    for (nth, command) in (1..).zip(commands) {
        give(&mut state, nth, command);
    }
    state
}

fn bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("it can be written")
}

/// The state without the caller's leg, as if it had never been written.
fn without_leg(state: &State, dialog: &Dialog) -> State {
    let of_caller = 0_u32; // The first variant of whose leg it is.
    let no_agents = BTreeMap::<u32, ()>::new();
    let legs = bytes(&(OWNER, Some((of_caller, Some(dialog))), &no_agents));
    let whole = bytes(state);
    let at = whole.windows(legs.len()).position(|part| part == legs).expect("the leg is there");
    let none = bytes(&(OWNER, None::<()>, &no_agents));
    let cut = [&whole[..at], &none[..], &whole[at + legs.len()..]].concat();
    postcard::from_bytes(&cut).expect("a state without a leg is still a state")
}

#[test]
fn a_waiting_call_without_a_leg_is_taken_out_of_service() {
    let dialog = Dialog::from(b"the dialog of a caller".to_vec());
    let whole = waiting(&dialog);
    assert_eq!(broken_invariants(&whole), []);
    let mut state = without_leg(&whole, &dialog);
    assert_ne!(broken_invariants(&state), [], "the damage is seen");

    let out = give(&mut state, 6, Command::SetReady { agent: AgentId::new("ann"), by: by() });
    assert_eq!(broken_invariants(&state), [], "the state is sound again");
    let quarantined = |fact: &Fact| matches!(fact, Fact::CallQuarantined { call: CALL, .. });
    assert!(out.facts.iter().any(quarantined), "{:?}", out.facts);
    assert_eq!(out.orders, [], "nobody is rung for it");
    let picture = View::new(&state).call(CALL).expect("it is remembered");
    assert_eq!(picture.ended.map(|(_, why)| why), Some(CallEnd::Rejected(480)));
    let agent = View::new(&state).agent(&AgentId::new("ann")).expect("ann");
    assert_eq!(agent.call, None);
    assert_eq!(View::new(&state).queues()[0].waiting, 0);
}
