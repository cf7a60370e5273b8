//! What people hear: the welcome, the music, then each other, without a hole at the join; and keys
//! pressed on one side arrive at the other.
//!
//! The phones hum at pitches of their own, and a Goertzel filter finds them in what the other side
//! heard. The welcome and the music are found sample by sample: pieces of the files that come with
//! the program.
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
pub(crate) fn strength(packet: &Heard, hertz: f64) -> f64 {
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

/// The sound of a built-in file, in the µ-law it is kept in.
fn sound_of(file: &str) -> Vec<u8> {
    let path = format!("{}/src/media/audio/{file}", env!("CARGO_MANIFEST_DIR"));
    let wav = std::fs::read(path).expect("the file is there");
    let data = wav.windows(4).position(|four| four == b"data").expect("a data chunk");
    wav[data + 8..].to_vec()
}

/// Whether the phone has heard a fifth of a second of the sound, a second after its beginning.
///
/// The sound begins `lag` bytes into a packet: where the sound before it ended.
fn found(phone: &Phone, sound: &[u8], lag: usize) -> Option<usize> {
    let piece = &sound[8_000..9_600];
    let heard = phone.heard();
    let voice = heard.iter().filter(|packet| packet.payload_type == 0);
    let bytes: Vec<u8> = voice.flat_map(|packet| packet.payload.iter().copied()).collect();
    let starts = (lag % 160..bytes.len().saturating_sub(piece.len())).step_by(160);
    starts.into_iter().find(|start| likeness(bytes[*start..].iter(), piece.iter()) > 0.99)
}

/// The correlation of two sounds, 1 when they are the same.
fn likeness<'a>(a: impl Iterator<Item = &'a u8>, b: impl Iterator<Item = &'a u8>) -> f64 {
    let (mut of_a, mut of_b, mut of_both) = (0.0, 0.0, 0.0);
    for (a, b) in a.zip(b) {
        let (a, b) = (decode(*a), decode(*b));
        of_a += a * a;
        of_b += b * b;
        of_both += a * b;
    }
    if of_a == 0.0 || of_b == 0.0 { 0.0 } else { of_both / f64::sqrt(of_a * of_b) }
}

/// Whether the phone has heard this pitch for the last fifth of a second.
pub(crate) fn hears(phone: &Phone, hertz: f64) -> bool {
    let heard = phone.heard();
    let last: Vec<&Heard> = heard.iter().rev().filter(|p| p.payload_type == 0).take(10).collect();
    last.len() == 10 && last.iter().all(|packet| strength(packet, hertz) > 0.5)
}

#[test]
fn caller_and_agent_hear_what_they_should() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {displayName: Sales, ringSeconds: 30, caller: \
         {welcome: welcome}}\n",
    );
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    node.hire("101", agent.port());

    caller.call("sales", node.sip);
    caller.hum(CALLER_HUMS);
    let (welcome, music) = (sound_of("welcome.wav"), sound_of("music.wav"));
    let welcomed = until("the welcome", Duration::from_secs(20), || found(&caller, &welcome, 0));
    let entertained =
        until("the music", Duration::from_secs(20), || found(&caller, &music, welcome.len()));
    assert!(welcomed < entertained, "the welcome comes first");
    let before_join = caller.heard();
    assert!(before_join.iter().all(|packet| strength(packet, AGENT_HUMS) < 0.9), "not yet joined");

    node.wish("101", "ready");
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
