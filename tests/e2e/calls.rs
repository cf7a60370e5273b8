//! Two hundred calls through one queue, each counted by the callers, by the phones, by REST and in
//! the metrics, over UDP and over TCP.
//!
//! Not here: what happens to calls that do not go well (`agents.rs`, `leaving.rs`).

use crate::carillon::Carillon;
use crate::sipp::Over;
use crate::sipp::Plan;

const CALLS: u32 = 200;

#[test]
fn two_hundred_calls_over_udp() {
    carry_calls(Over::Udp);
}

#[test]
fn two_hundred_calls_over_tcp() {
    carry_calls(Over::Tcp);
}

fn carry_calls(over: Over) {
    let mut node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    let phones = Plan { scenario: "agent", over, calls: CALLS, rate: 0, hold_ms: 200 };
    let phones = phones.answer(&node);
    let transport = if over == Over::Tcp { ";transport=tcp" } else { "" };
    let agents: String = (1..=8)
        .map(|n| {
            format!(
                "kind: Agent\nmetadata: {{name: \"10{n}\"}}\nspec: {{queues: [sales], device: \
                 {{address: \"sip:10{n}@127.0.0.1:{}{transport}\"}}}}\n---\n",
                phones.port
            )
        })
        .collect();
    node.write("agents.yaml", &agents);
    for n in 1..=8 {
        node.wait_for_agent(&format!("10{n}"), "LoggedOut");
        node.put_to_work(&format!("10{n}"));
    }

    let callers = Plan { scenario: "caller", over, calls: CALLS, rate: 25, hold_ms: 0 };
    let callers = callers.call(&node, "sales");
    callers.finish();
    phones.finish();

    node.wait_for_queue("sales", "/waiting", 0);
    node.wait_for_queue("sales", "/talking", 0);
    let queue = node.read("/api/v1/queues/sales");
    assert_eq!(queue["totals"]["entered"], CALLS, "{queue}");
    assert_eq!(queue["totals"]["answered"], CALLS, "{queue}");
    assert_eq!(queue["totals"]["abandoned"], 0, "{queue}");
    let answered = node.metric("carillon_queue_calls_total", "outcome=\"answered\"");
    assert_eq!(answered, f64::from(CALLS), "the metrics count the same");
    for n in 1..=8 {
        node.wait_for_agent(&format!("10{n}"), "Ready");
    }
    node.kill();
}
