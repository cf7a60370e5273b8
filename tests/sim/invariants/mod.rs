//! The rules, one a file; each says in its name what must hold.
//!
//! | checked | rules |
//! |---|---|
//! | after every entry, of what was said | repeats, effects, nodes, time, [`at_fact`] |
//! | often, of what can be seen | [`after_entry`] |
//! | now and then, of whole states | replicas, snapshot |
//! | at the end | every call ends, everybody rests, replay, nothing grows |
//!
//! A broken rule is one sentence. Not here: the books compared with ([`super::auditor`]).

use carillon::acd::State;
use carillon::acd::check::broken_invariants;
use carillon::acd::fact::Fact;
use carillon::acd::view::AgentPicture;
use carillon::acd::view::CallPicture;
use carillon::acd::view::QueuePicture;
use carillon::acd::view::View;

use crate::auditor::Auditor;

pub(crate) mod a_call_is_in_one_place;
pub(crate) mod a_repeat_changes_nothing;
pub(crate) mod an_agent_holds_one_call;
pub(crate) mod books_agree;
pub(crate) mod effects_have_one_owner;
pub(crate) mod every_call_ends;
pub(crate) mod every_timed_state_ends;
pub(crate) mod everybody_rests;
pub(crate) mod first_come_first_served;
pub(crate) mod legs_belong_to_calls;
pub(crate) mod most_idle_is_chosen;
pub(crate) mod no_call_ends_with_its_node;
pub(crate) mod nobody_unready_is_rung;
pub(crate) mod nobody_waits_in_vain;
pub(crate) mod nothing_grows;
pub(crate) mod replay_is_equal;
pub(crate) mod replicas_are_equal;
pub(crate) mod snapshot_is_whole;
pub(crate) mod time_never_goes_back;

/// What a rule comes to: nothing, or what is wrong.
pub(crate) type Rule = Result<(), String>;

/// Everything to be seen after an entry, and what the auditor believes.
pub(crate) struct Moment<'a> {
    pub(crate) state: &'a State,
    pub(crate) view: View<'a>,
    pub(crate) queues: Vec<QueuePicture>,
    pub(crate) agents: Vec<AgentPicture>,
    pub(crate) calls: Vec<CallPicture>,
    pub(crate) books: &'a Auditor,
}

impl<'a> Moment<'a> {
    /// Looks at the state.
    pub(crate) fn of(state: &'a State, books: &'a Auditor) -> Self {
        let view = View::new(state);
        let (queues, agents, calls) = (view.queues(), view.agents(), view.calls());
        Self { state, view, queues, agents, calls, books }
    }
}

/// The rules a decision must keep, checked with the books as they were just before it.
pub(crate) fn at_fact(books: &Auditor, fact: &Fact) -> Rule {
    nobody_unready_is_rung::check(books, fact)?;
    first_come_first_served::check(books, fact)?;
    most_idle_is_chosen::check(books, fact)?;
    match fact {
        Fact::CallQuarantined { broken, .. } | Fact::AgentQuarantined { broken, .. } => {
            Err(format!("the core put itself right: {broken}"))
        }
        _ => Ok(()),
    }
}

/// The rules for what can be seen between two entries.
pub(crate) fn after_entry(moment: &Moment<'_>) -> Rule {
    let broken = broken_invariants(moment.state);
    if !broken.is_empty() {
        return Err(format!("the core finds itself broken: {broken:?}"));
    }
    an_agent_holds_one_call::check(moment)?;
    a_call_is_in_one_place::check(moment)?;
    legs_belong_to_calls::check(moment)?;
    nobody_waits_in_vain::check(moment)?;
    every_timed_state_ends::check(moment)?;
    books_agree::check(moment)
}
