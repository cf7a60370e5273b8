//! Callers who leave, in every state of a call, and callers who are sent away by REST.
//!
//! Not here: the races between a CANCEL and an answer (`tests/b2bua`), which need virtual time.

use serde_json::json;

use crate::carillon::Carillon;
use crate::sipp::Over;
use crate::sipp::Plan;
use crate::sipp::Sipp;

const LATE: &str =
    "kind: Queue\nmetadata: {name: sales}\nspec: {caller: {answer: OnAgent}, ringSeconds: 30}\n";

fn run(node: &Carillon, scenario: &str, calls: u32, hold_ms: u32) -> Sipp {
    Plan { scenario, over: Over::Udp, calls, rate: 20, hold_ms }.call(node, "sales")
}

fn with_agent(node: &Carillon, scenario: &str, hold_ms: u32) -> Sipp {
    let phone = Plan { scenario, over: Over::Udp, calls: 1, rate: 0, hold_ms }.answer(node);
    node.hire("101", phone.port);
    node.wish("101", "ready");
    phone
}

/// An agent who is logged in but never ready, so that callers wait.
fn with_absent_agent(node: &Carillon) {
    node.hire("101", 9);
}

fn the_call(node: &Carillon) -> String {
    node.wait_for_queue("sales", "/waiting", 1);
    let calls = node.read("/api/v1/queues/sales/calls");
    calls["items"][0]["id"].as_str().expect("a call's name").to_owned()
}

#[test]
fn callers_cancel_while_they_wait() {
    let node = Carillon::start(LATE);
    with_absent_agent(&node);
    run(&node, "caller_cancels", 20, 300).finish();
    node.wait_for_queue("sales", "/waiting", 0);
    node.wait_for_queue("sales", "/totals/shortAbandoned", 20);
}

#[test]
fn a_caller_cancels_while_the_agent_is_rung() {
    let node = Carillon::start(LATE);
    let phone = with_agent(&node, "agent_silent", 0);
    run(&node, "caller_cancels", 1, 1000).finish();
    phone.finish();
    node.wait_for_agent("101", "Ready");
}

#[test]
fn callers_hang_up_while_they_hear_music() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    with_absent_agent(&node);
    run(&node, "caller_leaves", 20, 500).finish();
    node.wait_for_queue("sales", "/totals/shortAbandoned", 20);
    node.wait_for_queue("sales", "/waiting", 0);
}

#[test]
fn a_caller_hangs_up_while_talking() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {wrapUpSeconds: 600, ringSeconds: 30}\n",
    );
    let phone = with_agent(&node, "agent_waits", 20);
    run(&node, "caller_leaves", 1, 2000).finish();
    phone.finish();
    node.wait_for_agent("101", "WrapUp");
    let (status, answer) = node.ask("/api/v1/agents/101/end-wrap-up", &json!({}));
    assert_eq!(status, 200, "{answer}");
    node.wait_for_agent("101", "Ready");
}

#[test]
fn a_waiting_caller_is_transferred() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    with_absent_agent(&node);
    let caller = run(&node, "caller_transferred", 1, 0);
    let call = the_call(&node);
    let (status, answer) = node
        .ask(&format!("/api/v1/calls/{call}/transfer"), &json!({"to": "sip:voicemail@127.0.0.1"}));
    assert_eq!(status, 202, "{answer}");
    caller.finish();
    let call = node.read(&format!("/api/v1/calls/{call}"));
    assert_eq!(call["state"], "Ended", "{call}");
}

#[test]
fn a_waiting_caller_is_hung_up() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    with_absent_agent(&node);
    let caller = run(&node, "caller", 1, 0);
    let call = the_call(&node);
    let (status, answer) = node.ask(&format!("/api/v1/calls/{call}/hang-up"), &json!({}));
    assert_eq!(status, 200, "{answer}");
    caller.finish();
    node.wait_for_queue("sales", "/waiting", 0);
}

#[test]
fn a_node_that_is_told_to_stop_hangs_up() {
    let mut node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    let phone = with_agent(&node, "agent_waits", 20);
    let talking = run(&node, "caller", 1, 0);
    node.wait_for_queue("sales", "/talking", 1);
    let waiting = run(&node, "caller", 1, 0);
    node.wait_for_queue("sales", "/waiting", 1);
    node.terminate();
    talking.finish();
    phone.finish();
    waiting.finish();
}
