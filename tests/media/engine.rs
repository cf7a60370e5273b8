//! The engine: what each order does to what is sent, and what is reported.

use carillon::base::id::PromptId;
use carillon::base::time::Millis;
use carillon::media::dtmf::Digit;
use carillon::media::dtmf::Event;
use carillon::media::engine::Engine;
use carillon::media::g711;
use carillon::media::order::Announcement;
use carillon::media::order::Order;
use carillon::media::order::Program;
use carillon::media::order::Report;
use carillon::media::rtp::Header;
use carillon::sdp::Codec;
use carillon::sdp::Direction;

use crate::peer::*;

const CALLER: &str = "198.51.100.7:4000";
const AGENT: &str = "198.51.100.8:5000";

fn near(level: i16, expected: i16) -> bool {
    (i32::from(level) - i32::from(expected)).abs() < i32::from(expected) / 20 + 40
}

fn program() -> Program {
    Program {
        first: vec![PromptId::new("welcome")],
        music: Some(PromptId::new("music")),
        announcement: Some(Announcement {
            prompts: vec![PromptId::new("please-hold")],
            every: Millis(200),
        }),
    }
}

fn play(engine: &mut Engine, nth: u32, program: Program, token: u64) {
    engine.handle_order(millis(0), Order::Play { stream: leg(nth), program, token });
}

#[test]
fn welcome_then_music_with_announcements_for_ever() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    play(&mut engine, 0, program(), 1);
    let left = run(&mut engine, 0, 1000);
    assert_eq!(left.len(), 50);
    let heard: Vec<char> = left
        .iter()
        .map(|packet| match packet.level() {
            level if near(level, WELCOME) => 'w',
            level if near(level, MUSIC) => 'm',
            level if near(level, PLEASE_HOLD) => 'p',
            _ => '?',
        })
        .collect();
    let heard: String = heard.iter().collect();
    assert!(heard.starts_with("wwwwwmmmmmmmmmmpppmmmmmmmmmmppp"), "{heard}");
    assert!(!heard.contains('?'), "{heard}");
    assert_eq!(reports(&mut engine), [], "it has no end");
}

#[test]
fn music_goes_on_where_it_was_interrupted() {
    // A music whose every sample is its own: a slow ramp.
    let ramp: Vec<i16> = (0..8000).map(|nth| nth * 4).collect();
    let mut prompts = carillon::media::prompt::PromptSet::clone(&prompts());
    let ramp = carillon::media::prompt::Prompt::from_samples(&ramp).unwrap();
    prompts.insert(PromptId::new("music"), std::sync::Arc::new(ramp));
    let mut engine = engine();
    engine.set_prompts(std::sync::Arc::new(prompts));
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    play(&mut engine, 0, Program { first: vec![], ..program() }, 1);
    let left = run(&mut engine, 0, 500);
    let hold = |packet: &&Left| near(packet.level(), PLEASE_HOLD);
    let before = left.iter().take_while(|packet| !hold(packet)).last().unwrap();
    let after =
        left.iter().skip_while(|packet| !hold(packet)).find(|packet| !hold(packet)).unwrap();
    let end = g711::decode(Codec::Pcmu, before.audio[159]);
    assert!((after.level() - end).abs() < 300, "{end} is followed by {}", after.level());
}

#[test]
fn a_program_that_ends_is_reported_and_silence_follows() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcma));
    play(&mut engine, 0, Program::once(vec![PromptId::new("welcome")]), 77);
    let left = run(&mut engine, 0, 200);
    assert_eq!(reports(&mut engine), [Report::Finished { stream: leg(0), token: 77 }]);
    assert_eq!(left.len(), 10, "silence keeps the line alive");
    assert!(left[4].audio.iter().all(|byte| *byte == g711::encode(Codec::Pcma, WELCOME)));
    assert!(left[5].audio.iter().all(|byte| *byte == g711::silence(Codec::Pcma)));
}

#[test]
fn a_prompt_nobody_has_is_reported_and_passed_over() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    let (missing, welcome) = (PromptId::new("missing"), PromptId::new("welcome"));
    play(&mut engine, 0, Program::once(vec![missing.clone(), welcome]), 1);
    play(&mut engine, 0, Program::once(vec![missing.clone()]), 2);
    let expected = Report::NoPrompt { stream: leg(0), prompt: missing };
    let finished = Report::Finished { stream: leg(0), token: 2 };
    assert_eq!(reports(&mut engine), [expected.clone(), expected, finished]);
}

#[test]
fn packets_are_as_long_as_was_agreed() {
    for ptime_ms in [10, 20, 30, 40] {
        let mut engine = engine();
        open(&mut engine, 0, 0, carillon::sdp::Agreed { ptime_ms, ..agreed(CALLER, Codec::Pcmu) });
        play(&mut engine, 0, program(), 1);
        let left = run(&mut engine, 0, 1200);
        assert_eq!(left.len(), 1200 / usize::from(ptime_ms));
        for pair in left.windows(2) {
            assert_eq!(pair[1].at - pair[0].at, u64::from(ptime_ms));
            let step = pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
            assert_eq!(step, u32::from(ptime_ms) * 8);
            assert_eq!(pair[1].audio.len(), usize::from(ptime_ms) * 8);
        }
    }
}

/// Two streams, each with a phone that speaks; returns what left in `from..to`.
fn talk(engine: &mut Engine, from: u64, to: u64, codecs: [Codec; 2]) -> Vec<Left> {
    let mut left = Vec::new();
    for at in from..to {
        if at % 20 == 3 {
            let nth = (at / 20) as u32;
            let caller = speech(codecs[0], 70, nth, 2000);
            engine.handle_packet(millis(at), 0, address(CALLER), &caller);
            let agent = speech(codecs[1], 80, nth, 6000);
            engine.handle_packet(millis(at), 0, address(AGENT), &agent);
        }
        engine.handle_tick(millis(at));
        left.extend(taken(engine, at));
    }
    left
}

fn to(left: &[Left], whom: &str) -> Vec<Left> {
    left.iter().filter(|packet| packet.to == address(whom)).cloned().collect()
}

/// Checks that a peer hears one source without a gap or a step back.
fn smooth(left: &[Left]) {
    for pair in left.windows(2) {
        let (before, after) = (&pair[0].header, &pair[1].header);
        assert_eq!(before.ssrc, after.ssrc);
        assert_eq!(after.sequence.wrapping_sub(before.sequence), 1);
        let step = after.timestamp.wrapping_sub(before.timestamp);
        assert!((160..=480).contains(&step), "a gap of {step} samples at {} ms", pair[1].at);
        assert!(pair[1].at - pair[0].at <= 60, "nothing for long before {} ms", pair[1].at);
    }
}

#[test]
fn a_join_lets_two_hear_each_other_without_a_gap() {
    for codecs in [[Codec::Pcmu, Codec::Pcmu], [Codec::Pcmu, Codec::Pcma]] {
        let mut engine = engine();
        open(&mut engine, 0, 0, agreed(CALLER, codecs[0]));
        open(&mut engine, 0, 1, agreed(AGENT, codecs[1]));
        play(&mut engine, 0, program(), 1);
        let mut left = talk(&mut engine, 0, 300, codecs);
        engine.handle_order(millis(300), Order::Join { a: leg(0), b: leg(1) });
        left.extend(talk(&mut engine, 300, 600, codecs));
        assert_eq!(engine.counters().joined, 2);
        let caller = to(&left, CALLER);
        smooth(&caller);
        smooth(&to(&left, AGENT));
        let heard = caller.last().unwrap().audio[0];
        assert!(near(g711::decode(codecs[0], heard), 6000), "the caller hears the agent");
        let heard = to(&left, AGENT).last().unwrap().audio[0];
        assert!(near(g711::decode(codecs[1], heard), 2000), "the agent hears the caller");
        engine.handle_order(millis(600), Order::Part { stream: leg(1) });
        let mut more = caller;
        more.extend(to(&talk(&mut engine, 600, 800, codecs), CALLER));
        smooth(&more);
        assert_eq!(more.last().unwrap().audio[0], g711::silence(codecs[0]));
        assert_eq!(engine.counters().joined, 0);
    }
}

#[test]
fn a_join_moves_from_one_partner_to_another() {
    let mut engine = engine();
    for (nth, remote) in [(0, CALLER), (1, AGENT), (2, "198.51.100.9:6000")] {
        open(&mut engine, 0, nth, agreed(remote, Codec::Pcmu));
    }
    engine.handle_order(millis(0), Order::Join { a: leg(0), b: leg(1) });
    engine.handle_order(millis(0), Order::Join { a: leg(0), b: leg(2) });
    engine.handle_order(millis(0), Order::Join { a: leg(2), b: leg(0) });
    assert_eq!(engine.counters().joined, 2);
    engine.handle_packet(millis(5), 0, address(CALLER), &speech(Codec::Pcmu, 70, 0, 2000));
    let left = taken(&mut engine, 5);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].to, address("198.51.100.9:6000"));
    engine.handle_order(millis(6), Order::Close { stream: leg(2) });
    assert_eq!(engine.counters().joined, 0);
    engine.handle_packet(millis(7), 0, address(CALLER), &speech(Codec::Pcmu, 70, 1, 2000));
    assert_eq!(taken(&mut engine, 7).len(), 0);
}

#[test]
fn strangers_are_dropped_and_counted() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    open(&mut engine, 0, 1, agreed(AGENT, Codec::Pcmu));
    engine.handle_order(millis(0), Order::Join { a: leg(0), b: leg(1) });
    let packet = speech(Codec::Pcmu, 5, 0, 100);
    engine.handle_packet(millis(1), 0, address("203.0.113.66:4000"), &packet);
    engine.handle_packet(millis(1), 0, address(CALLER), b"not RTP at all");
    engine.handle_packet(millis(1), 1, address(CALLER), &packet);
    assert_eq!(taken(&mut engine, 1).len(), 0);
    let counters = engine.counters();
    assert_eq!((counters.received, counters.strangers, counters.malformed), (3, 2, 1));
}

#[test]
fn a_latched_address_gets_the_audio() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    let mapped = address("198.51.100.7:61000");
    engine.handle_packet(millis(1), 0, mapped, &speech(Codec::Pcmu, 5, 0, 100));
    let left = run(&mut engine, 2, 60);
    assert!(!left.is_empty() && left.iter().all(|packet| packet.to == mapped));
    assert_eq!(engine.counters().latched, 1);
}

/// The packets of one key as a phone sends them.
fn key(payload: u8, nth: u32, sign: char) -> Vec<Vec<u8>> {
    let digit = Digit::from_char(sign).unwrap();
    (0..6_u16)
        .map(|part| {
            let event = Event { digit, end: part >= 3, duration: 160 * (1 + part.min(3)) };
            let header = Header {
                marker: part == 0,
                payload,
                sequence: (nth * 6) as u16 + part,
                timestamp: nth * 3200,
                ssrc: 70,
            };
            packet(header, &event.write())
        })
        .collect()
}

#[test]
fn keys_are_reported_once_and_cross_a_join_with_the_numbers_mapped() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    let mut other = agreed(AGENT, Codec::Pcma);
    (other.dtmf, other.dtmf_received) = (Some(96), Some(96));
    open(&mut engine, 0, 1, other);
    engine.handle_order(millis(0), Order::Join { a: leg(0), b: leg(1) });
    let mut left = Vec::new();
    for (nth, sign) in "1*".chars().enumerate() {
        for bytes in key(101, nth as u32, sign) {
            let at = millis(nth as u64 * 400 + 10);
            engine.handle_packet(at, 0, address(CALLER), &bytes);
            left.extend(taken(&mut engine, 0));
        }
    }
    let digit = |sign| Report::Digit { stream: leg(0), digit: Digit::from_char(sign).unwrap() };
    assert_eq!(reports(&mut engine), [digit('1'), digit('*')]);
    assert_eq!(left.len(), 12);
    assert!(left.iter().all(|packet| packet.header.payload == 96 && packet.to == address(AGENT)));
    let starts: Vec<u32> = left.iter().map(|packet| packet.header.timestamp).collect();
    assert!(starts[..6].iter().all(|start| *start == starts[0]), "{starts:?}");
    assert_eq!(starts[6].wrapping_sub(starts[0]), 3200);
    assert_eq!(engine.counters().digits, 2);
}

#[test]
fn a_key_is_sent_in_place_of_music_which_then_goes_on() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    play(&mut engine, 0, program(), 1);
    let mut left = run(&mut engine, 0, 100);
    let digit = Digit::from_char('7').unwrap();
    let order = Order::SendDigit { stream: leg(0), digit, duration: Millis(100) };
    engine.handle_order(millis(100), order);
    left.extend(run(&mut engine, 100, 500));
    let keys: Vec<&Left> = left.iter().filter(|packet| packet.header.payload == 101).collect();
    assert_eq!(keys.len(), 7);
    assert!(keys[0].header.marker && keys[1..].iter().all(|packet| !packet.header.marker));
    assert!(keys.iter().all(|packet| packet.header.timestamp == keys[0].header.timestamp));
    let events: Vec<Event> = keys.iter().map(|key| Event::parse(&key.audio).unwrap()).collect();
    assert!(events.iter().all(|event| event.digit == digit));
    assert_eq!(events.iter().filter(|event| event.end).count(), 3);
    for pair in left.windows(2) {
        let step = pair[1].header.sequence.wrapping_sub(pair[0].header.sequence);
        assert_eq!(step, 1);
    }
    assert_eq!(left.last().unwrap().header.payload, 0);
    let ahead = left.last().unwrap().header.timestamp.wrapping_sub(left[0].header.timestamp);
    assert!(ahead.abs_diff(480 * 8) <= 160, "{ahead}");
}

#[test]
fn on_hold_nothing_is_sent_and_the_program_waits() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    play(&mut engine, 0, Program::once(vec![PromptId::new("welcome")]), 5);
    let before = run(&mut engine, 0, 60);
    let held =
        carillon::sdp::Agreed { direction: Direction::RecvOnly, ..agreed(CALLER, Codec::Pcmu) };
    engine.handle_order(millis(60), Order::Update { stream: leg(0), agreed: held });
    assert_eq!(run(&mut engine, 60, 1060).len(), 0);
    let resumed = agreed(CALLER, Codec::Pcma);
    engine.handle_order(millis(1060), Order::Update { stream: leg(0), agreed: resumed });
    let after = run(&mut engine, 1060, 1160);
    assert_eq!(reports(&mut engine), [Report::Finished { stream: leg(0), token: 5 }]);
    let (last, first) = (&before.last().unwrap().header, &after[0].header);
    assert!(first.marker);
    assert_eq!(first.payload, 8, "the new codec");
    assert_eq!(first.sequence, last.sequence.wrapping_add(1));
    assert!(first.timestamp.wrapping_sub(last.timestamp) >= 8000);
}

#[test]
fn a_new_address_is_sent_to_at_once() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    run(&mut engine, 0, 50);
    let moved = agreed("203.0.113.5:7000", Codec::Pcmu);
    engine.handle_order(millis(50), Order::Update { stream: leg(0), agreed: moved });
    let left = run(&mut engine, 50, 100);
    assert!(left.iter().all(|packet| packet.to == address("203.0.113.5:7000")));
}

#[test]
fn silence_is_reported_only_when_asked_for() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    run(&mut engine, 0, 5000);
    assert_eq!(reports(&mut engine), []);
    let watch = |silence| Order::Watch { stream: leg(0), silence };
    engine.handle_order(millis(5000), watch(Some(Millis(1000))));
    run(&mut engine, 5000, 5900);
    engine.handle_packet(millis(5900), 0, address(CALLER), &speech(Codec::Pcmu, 70, 0, 1));
    run(&mut engine, 5900, 6850);
    assert_eq!(reports(&mut engine), []);
    run(&mut engine, 6850, 9000);
    assert_eq!(reports(&mut engine), [Report::Lost { stream: leg(0) }], "once");
    engine.handle_order(millis(9000), watch(Some(Millis(100))));
    engine.handle_order(millis(9000), watch(None));
    run(&mut engine, 9000, 9500);
    assert_eq!(reports(&mut engine), []);
}

#[test]
fn who_holds_or_is_held_is_not_watched() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    let silence = Some(Millis(1000));
    engine.handle_order(millis(0), Order::Watch { stream: leg(0), silence });
    let mut now = 0;
    for direction in [Direction::RecvOnly, Direction::SendOnly, Direction::Inactive] {
        let agreed = carillon::sdp::Agreed { direction, ..agreed(CALLER, Codec::Pcmu) };
        engine.handle_order(millis(now), Order::Update { stream: leg(0), agreed });
        run(&mut engine, now, now + 3000);
        now += 3000;
    }
    assert_eq!(reports(&mut engine), []);
    let agreed = agreed(CALLER, Codec::Pcmu);
    engine.handle_order(millis(now), Order::Update { stream: leg(0), agreed });
    run(&mut engine, now, now + 900);
    assert_eq!(reports(&mut engine), [], "the time begins when the hold ends");
    run(&mut engine, now + 900, now + 1100);
    assert_eq!(reports(&mut engine), [Report::Lost { stream: leg(0) }]);
}

#[test]
fn what_is_missing_is_counted_and_what_comes_late_taken_off() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    for nth in [0, 1, 4, 3, 8] {
        engine.handle_packet(millis(1), 0, address(CALLER), &speech(Codec::Pcmu, 70, nth, 1));
    }
    assert_eq!(engine.counters().lost, 4);
}

#[test]
fn orders_for_nobody_change_nothing() {
    let mut engine = engine();
    let stream = leg(9);
    let digit = Digit::FLASH;
    for order in [
        Order::Update { stream, agreed: agreed(CALLER, Codec::Pcmu) },
        Order::Play { stream, program: program(), token: 1 },
        Order::StopPlaying { stream },
        Order::Join { a: stream, b: leg(8) },
        Order::Part { stream },
        Order::SendDigit { stream, digit, duration: Millis(1) },
        Order::Watch { stream, silence: Some(Millis(1)) },
        Order::Close { stream },
    ] {
        engine.handle_order(millis(0), order);
    }
    let agreed = agreed(CALLER, Codec::Pcmu);
    let order = Order::Open { stream, port: 1, agreed, signalled_by: None };
    engine.handle_order(millis(0), order);
    assert_eq!(engine.counters().misdirected, 1);
    assert_eq!(engine.counters().streams, 0);
    open(&mut engine, 0, 0, agreed);
    engine.handle_order(millis(0), Order::Join { a: leg(0), b: leg(0) });
    assert_eq!(engine.counters().joined, 0);
    assert_eq!(run(&mut engine, 0, 100).len(), 5);
}

#[test]
fn a_stream_opened_again_begins_anew_and_is_due_once() {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed(CALLER, Codec::Pcmu));
    run(&mut engine, 0, 45);
    open(&mut engine, 45, 0, agreed(AGENT, Codec::Pcmu));
    let left = run(&mut engine, 45, 245);
    assert_eq!(left.len(), 10);
    assert!(left.iter().all(|packet| packet.to == address(AGENT)));
}
