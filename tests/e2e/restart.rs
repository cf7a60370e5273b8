//! kill -9 in the middle of load, and the same data folder started again: agents and configuration
//! are as they were, the log is sound, calls flow without help, and who was on the line still is.
//!
//! Not here: the death of one of several nodes (`death.rs`).

use std::time::Duration;

use crate::carillon::Carillon;
use crate::people::CENTRE;
use crate::people::People;
use crate::people::waiting_call;
use crate::people::waits_on;
use crate::sipp::Over;
use crate::sipp::Plan;
use crate::wait::until;

#[test]
fn logged_in_agents_survive_a_crash_under_load() {
    let mut node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {}\n---\nkind: Queue\nmetadata: {name: \
         quiet}\nspec: {}\n",
    );
    let phones = Plan { scenario: "agent", over: Over::Udp, calls: 100_000, rate: 0, hold_ms: 100 };
    let phones = phones.answer(&node);
    let agents: String = (1..=6)
        .map(|n| {
            let queue = if n <= 4 { "sales" } else { "quiet" };
            format!(
                "kind: Agent\nmetadata: {{name: \"10{n}\"}}\nspec: {{queues: [{queue}], device: \
                 {{address: \"sip:10{n}@127.0.0.1:{}\"}}}}\n---\n",
                phones.port
            )
        })
        .collect();
    node.write("agents.yaml", &agents);
    for n in 1..=6 {
        node.wait_for_agent(&format!("10{n}"), "LoggedOut");
        node.put_to_work(&format!("10{n}"));
    }
    let reason = serde_json::json!({"reason": "Lunch"});
    let (status, answer) = node.ask("/api/v1/agents/106/not-ready", &reason);
    assert_eq!(status, 200, "{answer}");

    let load = Plan { scenario: "caller", over: Over::Udp, calls: 100_000, rate: 30, hold_ms: 0 };
    let load = load.call(&node, "sales");
    until("calls flow", Duration::from_secs(30), || {
        (node.read("/api/v1/queues/sales")["totals"]["answered"].as_u64() > Some(30)).then_some(())
    });
    let before = node.read("/api/v1/agents/105");
    node.kill();
    drop(load);
    node.launch();

    let after = node.read("/api/v1/agents/105");
    assert_eq!(after["state"], "Ready", "{after}");
    assert_eq!(after["since"], before["since"], "idle since the same moment");
    let lunch = node.read("/api/v1/agents/106");
    assert_eq!((&lunch["state"], &lunch["reason"]), (&"NotReady".into(), &"Lunch".into()));
    assert_eq!(node.read("/api/v1/agents")["items"].as_array().map(Vec::len), Some(6));
    for n in 1..=4 {
        node.wait_for_agent(&format!("10{n}"), "Ready");
    }
    node.wait_for_queue("sales", "/talking", 0);
    let answered = |node: &Carillon| {
        node.read("/api/v1/queues/sales")["totals"]["answered"].as_u64().unwrap_or_default()
    };
    let so_far = answered(&node);

    let again = Plan { scenario: "caller", over: Over::Udp, calls: 20, rate: 10, hold_ms: 0 };
    again.call(&node, "sales").finish();
    assert_eq!(answered(&node), so_far + 20);
    drop(phones);
}

#[test]
fn who_waits_and_who_talks_stays_on_the_line() {
    let mut node = Carillon::start(CENTRE);
    let people = People::call(std::slice::from_ref(&node), &node);
    let before = waiting_call(&node);
    node.kill();
    node.launch();

    people.move_on();
    node.wait_for_queue("sales", "/talking", 1);
    waits_on(&node, &before);
    people.end_talk(&node);
    node.kill();
}
