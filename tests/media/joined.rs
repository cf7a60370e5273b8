//! Two that are joined: what a hold, a re-INVITE, silence, and an endless packet change.

use carillon::base::time::LocalTime;
use carillon::media::dtmf::Digit;
use carillon::media::dtmf::Event;
use carillon::media::engine::Engine;
use carillon::media::g711;
use carillon::media::order::Order;
use carillon::media::rtp::Header;
use carillon::sdp::Agreed;
use carillon::sdp::Codec;
use carillon::sdp::Direction;

use crate::peer::*;

const CALLER: &str = "198.51.100.7:4000";
const AGENT: &str = "198.51.100.8:5000";
const SPOKEN: i16 = 2000;

fn joined() -> Engine {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    open(&mut engine, 0, 1, agreed(AGENT, Codec::Pcmu));
    engine.handle_order(millis(0), Order::Join { a: leg(0), b: leg(1) });
    engine
}

fn turn(engine: &mut Engine, now: u64, nth: u32, remote: &str, direction: Direction) {
    let agreed = Agreed { direction, ..agreed(remote, Codec::Pcmu) };
    engine.handle_order(millis(now), Order::Update { stream: leg(nth), agreed });
}

/// Lets the caller speak from one millisecond to another; returns what left for the agent.
fn spoken(engine: &mut Engine, from: u64, to: u64) -> Vec<Left> {
    let mut left = Vec::new();
    for at in from..to {
        if at % 20 == 3 {
            let packet = speech(Codec::Pcmu, 70, (at / 20) as u32, SPOKEN);
            engine.handle_packet(millis(at), 0, address(CALLER), &packet);
        }
        engine.handle_tick(millis(at));
        left.extend(taken(engine, at));
    }
    for_agent(left)
}

fn silent(engine: &mut Engine, from: u64, to: u64) -> Vec<Left> {
    for_agent(run(engine, from, to))
}

fn for_agent(left: Vec<Left>) -> Vec<Left> {
    left.into_iter().filter(|packet| packet.to == address(AGENT)).collect()
}

fn is_silence(packet: &Left) -> bool {
    packet.audio.iter().all(|byte| *byte == g711::silence(Codec::Pcmu))
}

fn steps(left: &[Left]) -> Vec<u16> {
    let step = |pair: &[Left]| pair[1].header.sequence.wrapping_sub(pair[0].header.sequence);
    left.windows(2).map(step).collect()
}

#[test]
fn who_may_not_send_is_not_heard() {
    for direction in [Direction::SendOnly, Direction::Inactive] {
        let mut engine = joined();
        turn(&mut engine, 0, 0, CALLER, direction);
        let left = spoken(&mut engine, 0, 400);
        assert!(left.len() >= 3 && left.iter().all(is_silence), "{direction:?}");
        let event = Event { digit: Digit::FLASH, end: true, duration: 160 };
        let header =
            Header { marker: true, payload: 101, sequence: 65_020, timestamp: 0, ssrc: 70 };
        let key = packet(header, &event.write());
        engine.handle_packet(millis(400), 0, address(CALLER), &key);
        assert_eq!(taken(&mut engine, 400).len(), 0, "nor are the keys");
        assert_eq!(reports(&mut engine), []);
        turn(&mut engine, 400, 0, CALLER, Direction::SendRecv);
        let left = spoken(&mut engine, 401, 600);
        assert!(!is_silence(left.last().unwrap()), "it is heard again");
    }
}

#[test]
fn what_was_said_during_a_hold_is_not_missing_after_it() {
    let mut engine = joined();
    let mut left = spoken(&mut engine, 0, 200);
    let before = left.last().unwrap().header;
    turn(&mut engine, 200, 1, AGENT, Direction::Inactive);
    assert_eq!(spoken(&mut engine, 200, 500).len(), 0);
    turn(&mut engine, 500, 1, AGENT, Direction::SendRecv);
    let after = spoken(&mut engine, 500, 700);
    assert!(after[0].header.marker);
    let step = after[0].header.timestamp.wrapping_sub(before.timestamp);
    assert!((300 * 8..=340 * 8).contains(&step), "{step}");
    left.extend(after);
    assert!(steps(&left).iter().all(|step| *step == 1), "{:?}", steps(&left));
    assert!(!left.iter().skip(1).any(is_silence));
}

#[test]
fn who_hears_nothing_is_sent_silence_at_the_join_and_then_a_packet_a_second() {
    let mut engine = joined();
    let left = silent(&mut engine, 0, 5200);
    assert!(left.iter().all(is_silence));
    let fill = left.iter().take_while(|packet| packet.at < 60).count();
    assert_eq!(fill, 3, "the other party's first packet may be on its way");
    let pauses: Vec<_> = left[fill - 1..].windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert_eq!(pauses, [1000; 5]);
    assert!(steps(&left).iter().all(|step| *step == 1), "{:?}", steps(&left));
}

#[test]
fn a_party_that_falls_silent_is_quiet_and_comes_back_in_time() {
    let mut engine = joined();
    let mut left = spoken(&mut engine, 0, 300);
    let before = left.last().cloned().unwrap();
    let meanwhile = silent(&mut engine, 300, 2500);
    assert_eq!(meanwhile.len(), 2, "one a second, and nothing for what a network lost");
    assert!(meanwhile.iter().all(is_silence));
    assert!((1000..=1020).contains(&(meanwhile[0].at - before.at)));
    let again = spoken(&mut engine, 2500, 2800);
    let back = again[0].clone();
    assert!(back.header.marker && !again.iter().any(is_silence), "the party is back");
    let played = u64::from(back.header.timestamp.wrapping_sub(before.header.timestamp)) / 8;
    let passed = back.at - before.at;
    assert!(played.abs_diff(passed) <= 40, "{played} ms of audio in {passed} ms");
    left.extend(meanwhile);
    left.extend(again);
    assert!(steps(&left).iter().all(|step| *step == 1), "{:?}", steps(&left));
}

#[test]
fn a_short_pause_is_left_to_the_receiver() {
    let mut engine = joined();
    let mut left = spoken(&mut engine, 0, 300);
    assert_eq!(silent(&mut engine, 300, 800).len(), 0);
    left.extend(spoken(&mut engine, 800, 1000));
    assert!(!left.iter().skip(1).any(is_silence));
    let gap =
        left.windows(2).map(|pair| pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp));
    assert_eq!(gap.max(), Some(26 * 160), "what was not said is as long as it was");
}

#[test]
fn a_packet_is_200_ms_long_at_most() {
    let mut engine = joined();
    let long = |samples, sequence| {
        let header = Header { marker: false, payload: 0, sequence, timestamp: 0, ssrc: 70 };
        packet(header, &vec![0; samples])
    };
    engine.handle_packet(millis(1), 0, address(CALLER), &long(1600, 1));
    assert_eq!(taken(&mut engine, 1)[0].audio.len(), 1600);
    engine.handle_packet(millis(2), 0, address(CALLER), &long(1601, 2));
    assert_eq!(taken(&mut engine, 2).len(), 0);
    assert_eq!(engine.counters().malformed, 1);
}

/// A thread that is a little late takes what has come in before it looks at what was due.
#[test]
fn nothing_is_added_to_what_is_relayed_when_a_tick_is_late() {
    let mut engine = joined();
    spoken(&mut engine, 0, 1000);
    for nth in 50..100 {
        let due = u64::from(nth) * 20_000;
        let packet = speech(Codec::Pcmu, 70, nth, SPOKEN);
        engine.handle_packet(LocalTime(due + 300), 0, address(CALLER), &packet);
        engine.handle_tick(LocalTime(due + 400));
        let left = for_agent(taken(&mut engine, due / 1000));
        assert_eq!(left.len(), 1, "at {due} µs");
        assert!(!is_silence(&left[0]));
    }
}
