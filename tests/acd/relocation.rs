//! Rows of thousands who are to take each other's desks cost one entry no more than who goes.
//!
//! Every replica applies every entry, so the work of one is counted ([`Output::walked`]), not
//! timed: nothing for who waits elsewhere, and a small number of looks at each agent who goes.
//!
//! Not here: what moves when (`scripts/config_agent_device_*.txt`).

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
use carillon::acd::command::LegEnd;
use carillon::acd::command::LogIn;
use carillon::acd::command::LoginKind;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::Source;
use carillon::acd::fact::Fact;
use carillon::base::id::AgentId;
use carillon::base::id::CallId;
use carillon::base::id::Incarnation;
use carillon::base::id::LegId;
use carillon::base::id::LogIndex;
use carillon::base::id::NodeId;
use carillon::base::id::Owner;
use carillon::base::id::QueueId;
use carillon::base::id::RequestId;
use carillon::base::time::ClusterTime;

use crate::notation;
use crate::notation::Options;

const OWNER: Owner = Owner { node: NodeId(1), incarnation: Incarnation(1) };
const CALL: CallId = CallId(1);
const AGENTS: usize = 2_000;
/// A look at who waits, one at who is to go, and both again at an agent who cannot go yet.
const LOOKS_AT_EACH: usize = 4;

/// A center, and how many entries it was given.
struct Center {
    state: State,
    entries: u64,
}

impl Center {
    /// All agents sit at the desk of their number, and one more who has nothing to do with them.
    fn seated() -> Self {
        let mut center = Self { state: State::new(), entries: 0 };
        center.give(Command::StartNode { owner: OWNER });
        let queue = notation::queue("sales", &mut Options::of(&[])).expect("a queue");
        center.give(Command::PutQueue { queue: Box::new(queue), source: Source::Folder });
        for nth in 0..=AGENTS {
            center.send(nth, nth);
            let kind = LoginKind::Callback;
            let login = LogIn { agent: name(nth), pin: None, device: None, kind, by: by() };
            center.give(Command::LogIn(Box::new(login)));
        }
        center
    }

    fn give(&mut self, command: Command) -> Output {
        self.entries += 1;
        let request = RequestId(u128::from(self.entries) << 32);
        let entry = Entry { proposed_at: ClusterTime(1_000_000), request, command };
        let mut out = Output::default();
        let outcome = apply(&mut self.state, LogIndex(self.entries), &entry, &mut out);
        assert_eq!(outcome, Outcome::Done, "{entry:?}");
        out
    }

    /// Configures an agent to the desk of this number.
    fn send(&mut self, agent: usize, desk: usize) -> Output {
        let device = format!("device=sip:desk-{desk:05}@pbx");
        let options = &mut Options::of(&[device.as_str()]);
        let sales = [QueueId::new("sales")];
        let agent = notation::agent(name(agent).as_str(), options, &sales).expect("an agent");
        self.give(Command::PutAgent { agent: Box::new(agent), source: Source::Folder })
    }

    /// The only agent who is ready gets a caller and talks.
    fn talk(&mut self, agent: usize) {
        self.give(Command::SetReady { agent: name(agent), by: by() });
        let dialog = Dialog::from(b"a dialog".to_vec());
        let arrival = Arrival {
            call: CALL,
            owner: OWNER,
            to: notation::address("sales"),
            caller: Arc::new(Caller::default()),
            priority: None,
            dialog: dialog.clone(),
        };
        self.give(Command::EnqueueCall(Box::new(arrival)));
        self.give(Command::AnswerReservation { leg: LegId { call: CALL, nth: 1 }, dialog });
    }

    /// Everybody is to sit one desk further on, where nobody sits behind the last; who talks.
    fn blocked_row() -> Self {
        let mut center = Self::seated();
        center.give(Command::ForceLogOut { agent: name(AGENTS), by: by() });
        center.talk(AGENTS - 1);
        for nth in 0..AGENTS {
            center.send(nth, nth + 1);
        }
        center.is_sound();
        center
    }

    fn is_sound(&self) {
        assert_eq!(broken_invariants(&self.state), []);
    }
}

fn name(nth: usize) -> AgentId {
    AgentId::new(&format!("agent-{nth:05}"))
}

fn by() -> Actor {
    Actor { role: Role::Supervisor, name: "eve".to_owned() }
}

fn moved(out: &Output) -> usize {
    out.facts.iter().filter(|fact| matches!(fact, Fact::AgentMoved { .. })).count()
}

#[test]
fn a_blocked_row_costs_nothing_when_others_leave() {
    let mut center = Center::blocked_row();
    center.send(AGENTS + 1, AGENTS + 1);
    let kind = LoginKind::Callback;
    let login = LogIn { agent: name(AGENTS + 1), pin: None, device: None, kind, by: by() };
    center.give(Command::LogIn(Box::new(login)));
    let out = center.give(Command::ForceLogOut { agent: name(AGENTS + 1), by: by() });
    assert_eq!((moved(&out), out.walked), (0, 0));
    center.is_sound();
}

#[test]
fn a_row_set_free_is_walked_once() {
    let mut center = Center::blocked_row();
    let leg = LegId::of_caller(CALL);
    let out = center.give(Command::EndLeg { leg, why: LegEnd::HungUp });
    assert_eq!(moved(&out), AGENTS);
    assert!(out.walked <= LOOKS_AT_EACH * AGENTS, "{} looks", out.walked);
    center.is_sound();
}

#[test]
fn a_ring_is_walked_once() {
    let mut center = Center::seated();
    for nth in 0..AGENTS {
        let out = center.send(nth, (nth + 1) % AGENTS);
        let goes = if nth + 1 == AGENTS { AGENTS } else { 0 };
        assert_eq!(moved(&out), goes, "at {nth}");
        assert!(out.walked <= LOOKS_AT_EACH * goes.max(1), "{} looks at {nth}", out.walked);
    }
    center.is_sound();
}

#[test]
fn a_ring_goes_without_the_row_that_leads_to_it() {
    let mut center = Center::seated();
    for nth in (1..AGENTS).rev().take(100) {
        let out = center.send(nth - 1, nth);
        assert_eq!((moved(&out), out.walked), (0, AGENTS + 1 - nth), "at {nth}");
    }
    let (last, before) = (AGENTS - 1, AGENTS - 2);
    let out = center.send(last, before);
    assert_eq!((moved(&out), out.walked), (2, 2));
    center.is_sound();
}
