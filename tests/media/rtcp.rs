//! Reports: what we tell of what we hear, whose report it is, and what it changes.

use std::net::SocketAddr;

use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::media::engine::Engine;
use carillon::media::heard::Heard;
use carillon::media::order::Order;
use carillon::media::order::Report;
use carillon::media::rtcp;
use carillon::media::rtp::Header;
use carillon::sdp::Agreed;
use carillon::sdp::Codec;
use carillon::sdp::Direction;

use crate::peer::*;

const PHONE: &str = "198.51.100.7:4000";
const PHONE_RTCP: &str = "198.51.100.7:4001";
const SSRC: u32 = 70;

fn at(nth: u32) -> Header {
    Header {
        marker: false,
        payload: 0,
        sequence: 65_000_u16.wrapping_add(nth as u16),
        timestamp: nth * 160,
        ssrc: SSRC,
    }
}

fn opened(agreed: Agreed) -> Engine {
    let mut engine = engine();
    open(&mut engine, 0, 0, agreed);
    engine
}

fn plain() -> Agreed {
    Agreed { rtcp: Some(address(PHONE_RTCP)), ..agreed(PHONE, Codec::Pcmu) }
}

/// A report of the phone's.
fn told(sent: bool, heard: Option<rtcp::Heard>, bye: bool, now: u64) -> Vec<u8> {
    let sent = sent.then_some(rtcp::Sent { timestamp: 1, packets: 1, octets: 160 });
    let compound = rtcp::Compound { ssrc: SSRC, sent, heard, cname: "phone", bye };
    let mut bytes = [0; rtcp::LEN_MAX];
    let len = rtcp::write(&compound, millis(now), &mut bytes);
    bytes[..len].to_vec()
}

/// The reports that leave within this time: when, to whom, and what.
fn reported(engine: &mut Engine, from: u64, to: u64) -> Vec<(u64, SocketAddr, Vec<u8>)> {
    let mut all = Vec::new();
    for at in from..to {
        engine.handle_tick(millis(at));
        for (to, bytes) in engine.outgoing()[0].iter().filter(|(_, bytes)| rtcp::is_rtcp(bytes)) {
            all.push((at, to, bytes.to_vec()));
        }
        engine.clear_outgoing();
    }
    all
}

fn word(report: &[u8], nth: usize) -> u32 {
    u32::from_be_bytes(report[4 * nth..4 * nth + 4].try_into().unwrap())
}

#[test]
fn reports_come_every_five_seconds_and_a_bye_at_the_end() {
    let mut engine = opened(plain());
    let reports = reported(&mut engine, 0, 20_000);
    assert_eq!(reports.len(), 4);
    assert!(reports.iter().all(|(_, to, _)| *to == address(PHONE_RTCP)));
    assert!(reports.iter().all(|(.., report)| !rtcp::read(report).unwrap().leaves));
    assert_eq!(reports[1].0 - reports[0].0, 5000);
    engine.handle_order(millis(20_000), Order::Close { stream: leg(0) });
    let last: Vec<_> = engine.outgoing()[0].iter().collect();
    assert!(rtcp::read(last[0].1).unwrap().leaves);
    engine.clear_outgoing();
    assert_eq!(run(&mut engine, 20_000, 20_100).len(), 0);
    assert_eq!(engine.counters().streams, 0);
    assert_eq!(engine.next_deadline(), None, "an engine without streams sleeps");
}

#[test]
fn who_sends_nothing_reports_as_a_receiver() {
    let mut engine = opened(Agreed { direction: Direction::RecvOnly, ..plain() });
    let reports = reported(&mut engine, 0, 6000);
    assert_eq!(reports[0].2[1], 201);
    let mut engine = opened(plain());
    assert_eq!(reported(&mut engine, 0, 6000)[0].2[1], 200);
    let agreed = Agreed { direction: Direction::Inactive, ..plain() };
    engine.handle_order(millis(6000), Order::Update { stream: leg(0), agreed });
    let kinds: Vec<u8> =
        reported(&mut engine, 6000, 16_000).iter().map(|(.., report)| report[1]).collect();
    assert_eq!(kinds, [200, 201], "the first still tells of what was sent before");
}

#[test]
fn a_block_tells_loss_and_the_age_of_the_peers_report() {
    let mut engine = opened(plain());
    let packet = |nth| speech(Codec::Pcmu, SSRC, nth, 1000);
    for nth in (0..100).filter(|nth| nth % 4 != 3) {
        engine.handle_packet(millis(0), 0, address(PHONE), &packet(nth));
    }
    engine.handle_packet(millis(100), 0, address(PHONE_RTCP), &told(true, None, false, 1500));
    assert_eq!(engine.counters().reports, 1);
    let reports = reported(&mut engine, 0, 11_000);
    let (when, _, first) = &reports[0];
    assert_eq!(word(first, 7), SSRC);
    // The last of the hundred is missing, which nobody can know.
    assert_eq!(word(first, 8) >> 24, 24 * 256 / 99);
    assert_eq!(word(first, 8) & 0xff_ffff, 24);
    assert_eq!(word(first, 9), 65_000 + 98);
    assert_eq!(word(first, 11), 0x0001_8000, "the middle of one and a half seconds");
    let waited = (when - 100) * 65_536 / 1000;
    assert!(u64::from(word(first, 12)).abs_diff(waited) < 100, "{} {waited}", word(first, 12));
    assert_eq!(word(&reports[1].2, 8), 24, "nothing was lost since");
}

#[test]
fn jitter_is_the_smoothed_difference_of_distances() {
    let mut heard = Heard::default();
    for nth in 0..400 {
        // Every other packet 10 ms late: 80 samples of difference each time.
        let late = u64::from(nth % 2) * 10_000;
        heard.note(LocalTime(1_000_000 + u64::from(nth) * 20_000 + late), &at(nth));
    }
    let block = heard.block(LocalTime(0)).unwrap();
    assert!((78..=80).contains(&block.jitter), "{}", block.jitter);
    assert_eq!((block.lost, block.fraction), (0, 0));
    let mut even = Heard::default();
    for nth in 0..400 {
        even.note(LocalTime(u64::from(nth) * 20_000), &at(nth));
    }
    assert_eq!(even.block(LocalTime(0)).unwrap().jitter, 0);
}

#[test]
fn late_repeated_and_leaping_packets_are_counted_for_what_they_are() {
    let mut heard = Heard::default();
    let now = LocalTime(0);
    assert_eq!(heard.note(now, &at(0)), 0);
    assert_eq!(heard.note(now, &at(3)), 2);
    assert_eq!(heard.note(now, &at(2)), -1, "it was only late");
    assert_eq!(heard.note(now, &at(1)), -1);
    assert_eq!(heard.note(now, &at(1)), 0, "a repeat");
    let block = heard.block(now).unwrap();
    assert_eq!((block.lost, block.highest), (-1, 65_003));
    assert_eq!(heard.note(now, &at(600)), 595, "the repeat hides one");
    assert_eq!(heard.block(now).unwrap().highest, 65_536 + 64, "it wrapped once");
    assert_eq!(heard.note(now, &at(3600)), 2999, "a minute of packets is missing");
    assert_eq!(heard.note(now, &at(6601)), 0, "a leap is another beginning");
    assert_eq!(heard.block(now).unwrap().lost, 0);
    assert_eq!(heard.note(now, &at(0)), 0, "and so is a leap back");
    assert_eq!(heard.block(now).unwrap().highest, 65_000);
}

#[test]
fn the_age_of_a_report_is_in_65536ths_of_a_second() {
    let mut heard = Heard::default();
    heard.note(millis(0), &at(0));
    let bytes = told(true, None, false, 1500);
    heard.note_report(millis(1000), &rtcp::read(&bytes).unwrap());
    let block = heard.block(millis(3500)).unwrap();
    assert_eq!((block.last_report, block.delay), (0x0001_8000, 163_840));
}

#[test]
fn a_bye_ends_the_source_and_the_next_begins_anew() {
    let mut heard = Heard::default();
    heard.note(millis(0), &at(0));
    heard.note(millis(0), &at(9));
    let bytes = told(false, None, true, 0);
    heard.note_report(millis(1), &rtcp::read(&bytes).unwrap());
    assert_eq!((heard.ssrc(), heard.block(millis(1))), (None, None));
    heard.note(millis(2), &at(20));
    assert_eq!(heard.block(millis(2)).unwrap().lost, 0);
}

#[test]
fn what_the_peer_misses_is_counted_and_cannot_exceed_what_was_sent() {
    let mut engine = opened(plain());
    let ours = run(&mut engine, 0, 1000)[0].header.ssrc;
    let block = |lost| rtcp::Heard {
        ssrc: ours,
        fraction: 0,
        lost,
        highest: 1,
        jitter: 0,
        last_report: 0,
        delay: 0,
    };
    engine.handle_packet(millis(1000), 0, address(PHONE), &speech(Codec::Pcmu, SSRC, 0, 9));
    for (lost, counted) in [(3, 3), (3, 3), (2, 3), (10, 10), (7_000_000, 50)] {
        let report = told(false, Some(block(lost)), false, 0);
        engine.handle_packet(millis(1000), 0, address(PHONE_RTCP), &report);
        assert_eq!(engine.counters().undelivered, counted, "{lost}");
    }
}

#[test]
fn reports_are_known_by_address_or_by_ip_and_ssrc_and_move_nobody() {
    let mut engine = opened(plain());
    let report = told(false, None, false, 0);
    let counts = |engine: &Engine| {
        let counters = engine.counters();
        (counters.reports, counters.strangers)
    };
    engine.handle_packet(millis(0), 0, address(PHONE_RTCP), &report);
    assert_eq!(counts(&engine), (0, 1), "nobody was heard under this SSRC yet");
    engine.handle_packet(millis(0), 0, address(PHONE), &report);
    assert_eq!(counts(&engine), (1, 1), "multiplexed, from the address of the audio");
    engine.handle_packet(millis(0), 0, address(PHONE), &speech(Codec::Pcmu, SSRC, 0, 9));
    engine.handle_packet(millis(0), 0, address(PHONE_RTCP), &report);
    engine.handle_packet(millis(0), 1, address("198.51.100.7:60000"), &report);
    assert_eq!(counts(&engine), (3, 1), "a NAT changed the port; it came to the port beside");
    engine.handle_packet(millis(0), 0, address("203.0.113.1:4001"), &report);
    assert_eq!(counts(&engine), (3, 2), "another machine's");
    let left = run(&mut engine, 0, 20);
    assert_eq!(left[0].to, address(PHONE), "audio goes where it went before");
    engine.handle_packet(millis(0), 0, address(PHONE_RTCP), &report[..20]);
    assert_eq!(engine.counters().malformed, 1);
    engine.handle_order(millis(20), Order::Close { stream: leg(0) });
    engine.handle_packet(millis(20), 0, address(PHONE_RTCP), &report);
    assert_eq!(counts(&engine), (3, 3), "it is gone");
}

#[test]
fn two_of_one_ip_and_ssrc_are_not_guessed() {
    let mut engine = opened(plain());
    open(&mut engine, 0, 1, agreed("198.51.100.7:4002", Codec::Pcmu));
    for phone in [PHONE, "198.51.100.7:4002"] {
        engine.handle_packet(millis(0), 0, address(phone), &speech(Codec::Pcmu, SSRC, 0, 9));
    }
    let report = told(false, None, false, 0);
    engine.handle_packet(millis(0), 0, address(PHONE_RTCP), &report);
    assert_eq!(engine.counters().reports, 0);
    assert_eq!(engine.counters().strangers, 1);
}

#[test]
fn reports_keep_a_silent_peer_alive_for_the_watch() {
    let mut engine = opened(plain());
    let silence = Some(Millis(1000));
    engine.handle_packet(millis(0), 0, address(PHONE), &speech(Codec::Pcmu, SSRC, 0, 9));
    engine.handle_order(millis(0), Order::Watch { stream: leg(0), silence });
    let report = told(false, None, false, 0);
    for second in 0..5 {
        engine.handle_packet(millis(second * 900), 0, address(PHONE_RTCP), &report);
        run(&mut engine, second * 900, (second + 1) * 900);
    }
    assert_eq!(reports(&mut engine), []);
    run(&mut engine, 4500, 5500);
    assert_eq!(reports(&mut engine), [Report::Lost { stream: leg(0) }]);
}
