//! What people hear: the welcome, the music, then each other, without a hole at the join; and keys
//! pressed on one side arrive at the other.
//!
//! The phones hum at pitches of their own, and a Goertzel filter finds them in what the other side
//! heard. The welcome and the music are recognised by being sound before anybody else can be heard.
//!
//! Not here: pacing and latching in detail (`tests/media`).

use std::time::Duration;

use serde_json::json;

use crate::carillon::Carillon;
use crate::phone::Heard;
use crate::phone::Phone;
use crate::phone::decode;
use crate::wait::until;

const CALLER_HUMS: f64 = 700.0;
const AGENT_HUMS: f64 = 1100.0;
const GAP_MAX: Duration = Duration::from_millis(60);

/// How strongly `hertz` sounds in a packet, 0 to about 1.
fn strength(packet: &Heard, hertz: f64) -> f64 {
    let samples: Vec<f64> = packet.payload.iter().map(|byte| decode(*byte)).collect();
    let total: f64 = samples.iter().map(|sample| sample * sample).sum();
    let turn = 2.0 * f64::cos(std::f64::consts::TAU * hertz / 8000.0);
    let (mut last, mut before) = (0.0, 0.0);
    for sample in &samples {
        (last, before) = (sample + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    if total < 1.0 { 0.0 } else { 2.0 * power / (total * samples.len() as f64) }
}

fn is_loud(packet: &Heard) -> bool {
    packet.payload_type == 0 && packet.payload.iter().any(|byte| decode(*byte).abs() > 500.0)
}

fn hears(phone: &Phone, hertz: f64) -> bool {
    let heard = phone.heard();
    let last: Vec<&Heard> = heard.iter().rev().filter(|p| p.payload_type == 0).take(10).collect();
    last.len() == 10 && last.iter().all(|packet| strength(packet, hertz) > 0.5)
}

#[test]
fn caller_and_agent_hear_what_they_should() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {displayName: Sales, ringSeconds: 30}\n",
    );
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    node.write(
        "agents.yaml",
        &format!(
            "kind: Agent\nmetadata: {{name: \"101\"}}\nspec: {{queues: [sales], device: \
             {{address: \"sip:101@127.0.0.1:{}\"}}}}\n",
            agent.port()
        ),
    );
    node.wait_for_agent("101", "LoggedOut");
    let (status, answer) = node.ask("/api/v1/agents/101/login", &json!({}));
    assert_eq!(status, 200, "{answer}");

    caller.call("sales", node.sip);
    caller.hum(CALLER_HUMS);
    until("the welcome and some music", Duration::from_secs(30), || {
        (caller.heard().iter().filter(|packet| is_loud(packet)).count() > 300).then_some(())
    });
    let before_join = caller.heard();
    assert!(before_join.iter().all(|packet| strength(packet, AGENT_HUMS) < 0.9), "not yet joined");

    let (status, answer) = node.ask("/api/v1/agents/101/ready", &json!({}));
    assert_eq!(status, 200, "{answer}");
    let invite = agent.answer();
    assert!(invite.header("from").starts_with("\"Sales/Test Caller\""), "{invite:?}");
    agent.hum(AGENT_HUMS);
    until("the caller hears the agent", Duration::from_secs(10), || {
        hears(&caller, AGENT_HUMS).then_some(())
    });
    until("the agent hears the caller", Duration::from_secs(10), || {
        hears(&agent, CALLER_HUMS).then_some(())
    });
    assert_no_gap(&caller.heard());
    assert_no_gap(&agent.heard());
    assert_no_gap_at_the_join(&caller.heard());

    caller.press(5, 1_000_000);
    let digit = until("the digit arrives", Duration::from_secs(5), || {
        agent.heard().into_iter().find(|packet| packet.payload_type == 101)
    });
    assert_eq!(digit.payload[0], 5);

    let calls = node.read("/api/v1/queues/sales/calls");
    let call = calls["items"][0]["id"].as_str().expect("a call").to_owned();
    let (status, answer) = node.ask(&format!("/api/v1/calls/{call}/hang-up"), &json!({}));
    assert_eq!(status, 200, "{answer}");
    caller.released();
    agent.released();
}

/// Half a second before and after the agent is first heard, not one packet is missing.
fn assert_no_gap_at_the_join(heard: &[Heard]) {
    let voice: Vec<&Heard> = heard.iter().filter(|packet| packet.payload_type == 0).collect();
    let join = voice
        .iter()
        .position(|packet| strength(packet, AGENT_HUMS) > 0.9)
        .expect("the agent is heard");
    let around = &voice[join.saturating_sub(25)..voice.len().min(join + 25)];
    let widest = |packets: &[&Heard]| packets.windows(2).map(|pair| pair[1].at - pair[0].at).max();
    // While nothing changed, the widest hole was the machine's own.
    let noise = widest(&voice[..join.saturating_sub(25)]).unwrap_or_default();
    let gap = widest(around).expect("packets around the join");
    assert!(gap <= GAP_MAX.max(noise), "{gap:?} without sound at the join, {noise:?} before");
}

/// RTP packets follow each other closely from the first to the last.
///
/// A machine under load may hold one back; what counts as a hole is more than one in a hundred.
fn assert_no_gap(heard: &[Heard]) {
    let voice: Vec<&Heard> = heard.iter().filter(|packet| packet.payload_type == 0).collect();
    let gaps: Vec<Duration> =
        voice.windows(2).map(|pair| pair[1].at - pair[0].at).filter(|gap| *gap > GAP_MAX).collect();
    assert!(gaps.len() * 100 <= voice.len(), "{gaps:?} in {} packets", voice.len());
}
