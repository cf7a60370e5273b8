//! Configuration changed while callers wait: what is new takes effect, nobody is disturbed, and a
//! bad file changes nothing.
//!
//! Not here: the sentences about mistakes (`tests/resource`).

use crate::carillon::Carillon;
use crate::sipp::Over;
use crate::sipp::Plan;

const SALES: &str =
    "kind: Queue\nmetadata: {name: sales}\nspec: {overflow: {noAgents: {wait: {}}}}\n";

#[test]
fn an_agent_added_while_callers_wait_gets_them() {
    let node = Carillon::start(SALES);
    let callers = Plan { scenario: "caller", over: Over::Udp, calls: 3, rate: 3, hold_ms: 0 };
    let callers = callers.call(&node, "sales");
    node.wait_for_queue("sales", "/waiting", 3);

    let phone = Plan { scenario: "agent", over: Over::Udp, calls: 3, rate: 0, hold_ms: 100 };
    let phone = phone.answer(&node);
    node.hire("101", phone.port);
    node.wish("101", "ready");
    callers.finish();
    phone.finish();
    node.wait_for_queue("sales", "/totals/answered", 3);
}

#[test]
fn a_bad_file_changes_nothing_and_is_reported() {
    let node = Carillon::start(SALES);
    let callers =
        Plan { scenario: "caller_leaves", over: Over::Udp, calls: 2, rate: 2, hold_ms: 4000 };
    let callers = callers.call(&node, "sales");
    node.wait_for_queue("sales", "/waiting", 2);
    node.write("more.yaml", "kind: Queue\nmetadata: {name: support}\nspec: {ringSeconds: 0}\n");
    crate::wait::until("the mistake is logged", std::time::Duration::from_secs(20), || {
        node.log().contains("ringSeconds").then_some(())
    });
    let queues = node.read("/api/v1/queues");
    assert_eq!(queues["items"].as_array().map(Vec::len), Some(1), "{queues}");
    node.write("more.yaml", "kind: Queue\nmetadata: {name: support}\nspec: {ringSeconds: 9}\n");
    node.wait_for_queue("support", "/waiting", 0);
    callers.finish();
}

#[test]
fn a_queue_removed_is_gone_and_one_changed_is_changed() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {}\n---\nkind: Queue\nmetadata: {name: \
         support}\nspec: {}\n",
    );
    node.wait_for_queue("support", "/waiting", 0);
    node.write(
        "centre.yaml",
        "kind: Queue\nmetadata: {name: sales}\nspec: {displayName: Big Sales}\n",
    );
    crate::wait::until("the change is in", std::time::Duration::from_secs(20), || {
        let queues = node.read("/api/v1/queues");
        let only_one = queues["items"].as_array().map(Vec::len) == Some(1);
        let renamed = queues["items"][0]["displayName"] == "Big Sales";
        (only_one && renamed).then_some(())
    });
}
