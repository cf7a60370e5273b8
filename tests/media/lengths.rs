//! Packets of 10, 20, 30 and 40 ms: what is made here is as long as its receiver asked, what is
//! relayed as long as its sender made it, and the peer hears one source all the same.

use carillon::media::g711;
use carillon::media::order::Order;
use carillon::media::order::Program;
use carillon::media::rtp::Header;
use carillon::sdp::Agreed;
use carillon::sdp::Codec;

use carillon::base::id::PromptId;

use crate::peer::*;

const CALLER: &str = "198.51.100.7:4000";
const AGENT: &str = "198.51.100.8:5000";
const LENGTHS: [u8; 4] = [10, 20, 30, 40];
const SPOKEN: i16 = 2000;

fn agreed_at(remote: &str, codec: Codec, ptime_ms: u8) -> Agreed {
    Agreed { ptime_ms, ..agreed(remote, codec) }
}

/// The packet number `nth` of a caller whose packets are this long.
fn said(length_ms: u8, nth: u32) -> Vec<u8> {
    let samples = u32::from(length_ms) * 8;
    let header = Header {
        marker: nth == 0,
        payload: Codec::Pcmu.payload(),
        sequence: 65_530_u16.wrapping_add(nth as u16),
        timestamp: 0xffff_fc00_u32.wrapping_add(nth * samples),
        ssrc: 70,
    };
    packet(header, &vec![g711::encode(Codec::Pcmu, SPOKEN); samples as usize])
}

/// An agent hears music, then for 1.2 s a caller, then nobody: what left for the agent.
fn heard(caller_ms: u8, agent_ms: u8, codec: Codec) -> Vec<Left> {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed_at(CALLER, Codec::Pcmu, caller_ms));
    open(&mut engine, 0, 1, agreed_at(AGENT, codec, agent_ms));
    let program = Program { music: Some(PromptId::new("music")), ..Program::default() };
    engine.handle_order(millis(0), Order::Play { stream: leg(1), program, token: 1 });
    let mut left = run(&mut engine, 0, 600);
    engine.handle_order(millis(600), Order::Join { a: leg(0), b: leg(1) });
    for at in 600..1800 {
        if at % u64::from(caller_ms) == 0 {
            let nth = ((at - 600) / u64::from(caller_ms)) as u32;
            let port = 0;
            engine.handle_packet(millis(at), port, address(CALLER), &said(caller_ms, nth));
        }
        engine.handle_tick(millis(at));
        left.extend(taken(&mut engine, at));
    }
    left.extend(run(&mut engine, 1800, 5000));
    left.retain(|packet| packet.to == address(AGENT));
    left
}

#[test]
fn what_is_made_is_as_asked_and_what_is_relayed_as_it_came() {
    for (caller_ms, agent_ms) in LENGTHS.into_iter().flat_map(|a| LENGTHS.map(|b| (a, b))) {
        let lengths = (caller_ms, agent_ms);
        let left = heard(caller_ms, agent_ms, Codec::Pcmu);
        let relayed: Vec<&Left> =
            left.iter().filter(|packet| packet.level() == SPOKEN_AS).collect();
        assert_eq!(relayed.len(), 1200 / usize::from(caller_ms), "{lengths:?}");
        for packet in &left {
            let made_ms = if packet.level() == SPOKEN_AS { caller_ms } else { agent_ms };
            assert_eq!(packet.audio.len(), usize::from(made_ms) * 8, "{lengths:?}");
        }
    }
}

/// 2000 as µ-law gives it back.
const SPOKEN_AS: i16 = 1980;

#[test]
fn a_source_goes_on_whatever_the_lengths() {
    for (caller_ms, agent_ms) in LENGTHS.into_iter().flat_map(|a| LENGTHS.map(|b| (a, b))) {
        let lengths = (caller_ms, agent_ms);
        for pair in heard(caller_ms, agent_ms, Codec::Pcma).windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            assert_eq!(before.header.ssrc, after.header.ssrc);
            assert_eq!(after.header.sequence.wrapping_sub(before.header.sequence), 1);
            let step = after.header.timestamp.wrapping_sub(before.header.timestamp);
            assert!(step as usize >= before.audio.len(), "{lengths:?}: two at once, {step}");
            let passed = (after.at - before.at) as u32 * 8;
            let apart = step.abs_diff(passed);
            assert!(apart <= 480, "{lengths:?} at {} ms: {step} for {passed}", after.at);
        }
    }
}

#[test]
fn packet_lengths_are_met_where_they_make_sense() {
    for (attribute, expected) in [
        ("", 20),
        ("a=ptime:10\r\n", 10),
        ("a=ptime:20\r\n", 20),
        ("a=ptime:30\r\n", 30),
        ("a=ptime:40\r\n", 40),
        ("a=ptime:20.0\r\n", 20),
        ("a=ptime:5\r\n", 20),
        ("a=ptime:120\r\n", 20),
        ("a=ptime:nonsense\r\n", 20),
        ("a=ptime:40\r\na=maxptime:30\r\n", 30),
        ("a=maxptime:10\r\n", 10),
        ("a=maxptime:150\r\n", 20),
    ] {
        let got = crate::sdp::agreed(&format!("m=audio 4000 RTP/AVP 0\r\n{attribute}"));
        assert_eq!(got.ptime_ms, expected, "{attribute:?}");
    }
}
