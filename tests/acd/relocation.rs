//! Rows of thousands who are to take each other's desks cost one entry no more than who goes.
//!
//! Every replica applies every entry, so the work of one is counted ([`Output::walked`]), not
//! timed: nothing for who waits elsewhere, and a small number of looks at each agent who goes.
//!
//! Not here: what moves when (`scripts/config_agent_device_*.txt`).

use carillon::acd::apply::Output;
use carillon::acd::check::broken_invariants;
use carillon::acd::command::Command;
use carillon::acd::command::Outcome;
use carillon::acd::command::Role;
use carillon::acd::config::DeviceConfig;
use carillon::acd::fact::Fact;

use crate::center;
use crate::center::Center;
use crate::center::agent_id;
use crate::center::by;
use crate::center::log_in;
use crate::center::put_agent;

const AGENTS: usize = 2_000;
/// A look at who waits, one at who is to go, and both again at an agent who cannot go yet.
const LOOKS_AT_EACH: usize = 4;
const CALL: u64 = 1;

/// Applies a command that must be done; looking whether all is sound would take longer.
fn give(center: &mut Center, command: Command) -> Output {
    let text = format!("{command:?}");
    assert_eq!(center.take(command), Outcome::Done, "{text}");
    std::mem::take(&mut center.out)
}

/// All agents sit at the desk of their number, and one more who has nothing to do with them.
fn seated() -> Center {
    let mut center = Center::new();
    give(&mut center, center::put_queue(center::queue("sales")));
    for nth in 0..=AGENTS {
        send(&mut center, nth, nth);
        give(&mut center, log_in(&name(nth)));
    }
    center
}

/// Everybody is to sit one desk further on, where nobody sits behind the last; who talks.
fn blocked_row() -> Center {
    let mut center = seated();
    force_out(&mut center, AGENTS);
    let last = name(AGENTS - 1);
    let talk = [center::set_ready(&last), center::enqueue(CALL, "sales"), center::answer(CALL, 1)];
    talk.into_iter().for_each(|command| _ = give(&mut center, command));
    for nth in 0..AGENTS {
        send(&mut center, nth, nth + 1);
    }
    is_sound(&center);
    center
}

/// Configures an agent to the desk of this number.
fn send(center: &mut Center, nth: usize, desk: usize) -> Output {
    let device = DeviceConfig { address: format!("sip:desk-{desk:05}@pbx"), trunk: None };
    let mut agent = center::agent(&name(nth), &["sales"]);
    agent.device = Some(device);
    give(center, put_agent(agent))
}

fn force_out(center: &mut Center, nth: usize) -> Output {
    let agent = agent_id(&name(nth));
    give(center, Command::ForceLogOut { agent, by: by(Role::Supervisor) })
}

fn is_sound(center: &Center) {
    assert_eq!(broken_invariants(&center.state), []);
}

fn name(nth: usize) -> String {
    format!("agent-{nth:05}")
}

fn moved(out: &Output) -> usize {
    out.facts.iter().filter(|fact| matches!(fact, Fact::AgentMoved { .. })).count()
}

#[test]
fn a_blocked_row_costs_nothing_when_others_leave() {
    let mut center = blocked_row();
    send(&mut center, AGENTS + 1, AGENTS + 1);
    give(&mut center, log_in(&name(AGENTS + 1)));
    let out = force_out(&mut center, AGENTS + 1);
    assert_eq!((moved(&out), out.walked), (0, 0));
    is_sound(&center);
}

#[test]
fn a_row_set_free_is_walked_once() {
    let mut center = blocked_row();
    let out = give(&mut center, center::hang_up(center::caller_leg(CALL)));
    assert_eq!(moved(&out), AGENTS);
    assert!(out.walked <= LOOKS_AT_EACH * AGENTS, "{} looks", out.walked);
    is_sound(&center);
}

#[test]
fn a_ring_is_walked_once() {
    let mut center = seated();
    for nth in 0..AGENTS {
        let out = send(&mut center, nth, (nth + 1) % AGENTS);
        let goes = if nth + 1 == AGENTS { AGENTS } else { 0 };
        assert_eq!(moved(&out), goes, "at {nth}");
        assert!(out.walked <= LOOKS_AT_EACH * goes.max(1), "{} looks at {nth}", out.walked);
    }
    is_sound(&center);
}

#[test]
fn a_ring_goes_without_the_row_that_leads_to_it() {
    let mut center = seated();
    for nth in (1..AGENTS).rev().take(100) {
        let out = send(&mut center, nth - 1, nth);
        assert_eq!((moved(&out), out.walked), (0, AGENTS + 1 - nth), "at {nth}");
    }
    let (last, before) = (AGENTS - 1, AGENTS - 2);
    let out = send(&mut center, last, before);
    assert_eq!((moved(&out), out.walked), (2, 2));
    is_sound(&center);
}
