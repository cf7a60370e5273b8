//! An agent's phone that does not take the call: each way has its own reason, and the caller goes
//! on to the next agent. Ring-all: the first has it, the others are told it was taken elsewhere.
//!
//! Not here: every combination of policy (`tests/acd/scripts`).

use crate::carillon::Carillon;
use crate::carillon::free_port;
use crate::sipp::Over;
use crate::sipp::Plan;
use crate::sipp::Sipp;

fn phone(node: &Carillon, scenario: &str, hold_ms: u32) -> Sipp {
    Plan { scenario, over: Over::Udp, calls: 1, rate: 0, hold_ms }.answer(node)
}

fn caller(node: &Carillon, queue: &str) -> Sipp {
    Plan { scenario: "caller", over: Over::Udp, calls: 1, rate: 1, hold_ms: 0 }.call(node, queue)
}

fn agent(name: &str, port: u16) -> String {
    format!(
        "kind: Agent\nmetadata: {{name: \"{name}\"}}\nspec: {{queues: [sales], device: {{address: \
         \"sip:{name}@127.0.0.1:{port}\"}}, onUnreachable: {{action: NotReady, afterSeconds: \
         1}}}}\n---\n"
    )
}

/// The first agent's phone fails in this way; the second takes the call.
fn fails_then_next(first: u16, node: &Carillon, reason: &str, finish: impl FnOnce()) {
    let second = phone(node, "agent", 100);
    node.write("agents.yaml", &format!("{}{}", agent("101", first), agent("102", second.port)));
    for name in ["101", "102"] {
        node.wait_for_agent(name, "LoggedOut");
        node.put_to_work(name); // 101 is idle longer, so it is rung first.
    }
    let caller = caller(node, "sales");
    caller.finish();
    second.finish();
    finish();
    let first = node.wait_for_agent("101", "NotReady");
    assert_eq!(first["reason"], reason, "{first}");
    node.wait_for_agent("102", "Ready");
    let queue = node.read("/api/v1/queues/sales");
    assert_eq!(queue["totals"]["answered"], 1, "{queue}");
}

fn sales() -> Carillon {
    Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {ringSeconds: 6}\n")
}

#[test]
fn a_phone_that_is_not_answered() {
    let node = sales();
    let silent = phone(&node, "agent_silent", 0);
    fails_then_next(silent.port, &node, "RingOut", || ());
    silent.finish();
}

#[test]
fn a_phone_that_declines() {
    let node = sales();
    let declines = phone(&node, "agent_declines", 0);
    fails_then_next(declines.port, &node, "Declined", || ());
    declines.finish();
}

#[test]
fn a_phone_that_is_busy() {
    let node = sales();
    let busy = phone(&node, "agent_busy", 0);
    fails_then_next(busy.port, &node, "Busy", || ());
    busy.finish();
}

#[test]
fn a_phone_that_is_not_there() {
    let node = sales();
    fails_then_next(free_port(), &node, "Unreachable", || ());
}

#[test]
fn ring_all_stops_the_others_when_one_answers() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {strategy: RingAll, ringSeconds: 30}\n",
    );
    let losers = [phone(&node, "agent_loses", 0), phone(&node, "agent_loses", 0)];
    let winner = phone(&node, "agent", 100);
    let agents: String = [("101", losers[0].port), ("102", losers[1].port), ("103", winner.port)]
        .iter()
        .map(|(name, port)| agent(name, *port))
        .collect();
    node.write("agents.yaml", &agents);
    for name in ["101", "102", "103"] {
        node.wait_for_agent(name, "LoggedOut");
        node.put_to_work(name);
    }
    let caller = caller(&node, "sales");
    caller.finish();
    winner.finish();
    for loser in losers {
        loser.finish();
    }
    for name in ["101", "102", "103"] {
        node.wait_for_agent(name, "Ready");
    }
}
