//! A phone that loses its power while talking: no BYE, only silence; the other party is released.
//!
//! Not here: hold and reports, which keep a silent phone alive (`tests/media`).

use std::time::Duration;

use serde_json::json;

use crate::carillon::Carillon;
use crate::phone::Phone;
use crate::wait::until;

const CALLER_HUMS: f64 = 700.0;
const AGENT_HUMS: f64 = 1100.0;

#[test]
fn a_talk_with_a_dead_phone_ends() {
    let mut node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    // What `rtp` says is read when the node starts.
    node.kill();
    let settings = node.config().join("settings.yaml");
    let text = std::fs::read_to_string(&settings).expect("written before");
    assert!(text.contains("rtp: {"), "{text}");
    node.write("settings.yaml", &text.replace("rtp: {", "rtp: {lostSeconds: 10, "));
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    let port = agent.port();
    let device = format!("{{queues: [sales], device: {{address: \"sip:101@127.0.0.1:{port}\"}}}}");
    node.write(
        "agents.yaml",
        &format!("kind: Agent\nmetadata: {{name: \"101\"}}\nspec: {device}\n"),
    );
    node.launch();
    node.wait_for_agent("101", "LoggedOut");
    node.put_to_work("101");

    caller.call("sales", node.sip);
    caller.hum(CALLER_HUMS);
    agent.answer();
    agent.hum(AGENT_HUMS);
    node.wait_for_queue("sales", "/talking", 1);
    let said = |phone: &Phone| phone.heard().len();
    let (before, heard) = (said(&agent), said(&caller));
    until("both are heard for a second", Duration::from_secs(20), || {
        (said(&agent) > before + 50 && said(&caller) > heard + 50).then_some(())
    });
    agent.hush();
    caller.released();
    node.wait_for_queue("sales", "/talking", 0);
    let lost = node.metric("carillon_sip_rejected_total", "why=\"media_lost\"");
    assert!((lost - 1.0).abs() < f64::EPSILON, "{lost}");
    let calls = node.read("/api/v1/queues/sales/calls");
    assert_eq!(calls["items"], json!([]), "{calls}");
    let ended = node.read("/api/v1/calls");
    assert_eq!(ended["items"][0]["ended"]["reason"], "AgentLost", "{ended}");
    node.kill();
}
