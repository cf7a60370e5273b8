//! Keys: as RFC 4733 events both ways, and in the bodies of SIP INFO.

use carillon::base::time::Millis;
use carillon::media::dtmf::Digit;
use carillon::media::dtmf::Event;
use carillon::media::dtmf::Receiver;
use carillon::media::dtmf::Sender;
use carillon::media::dtmf::Sending;
use carillon::media::dtmf::read_info;
use carillon::media::dtmf::write_relay;
use proptest::prelude::*;

fn key(sign: char) -> Digit {
    Digit::from_char(sign).unwrap()
}

/// Everything a sender sends, in 20 ms steps; none for a pause.
fn sent(sender: &mut Sender) -> Vec<Option<Sending>> {
    let mut all = Vec::new();
    while !sender.is_done() {
        all.push(sender.next(20));
        assert!(all.len() < 10_000);
    }
    all
}

#[test]
fn every_key_has_a_sign_and_a_code() {
    for (code, sign) in "0123456789*#ABCD!".chars().enumerate() {
        let digit = key(sign);
        assert_eq!(usize::from(digit.event()), code);
        assert_eq!(digit.as_char(), sign);
        assert_eq!(Digit::from_event(code as u8), Some(digit));
    }
    assert_eq!(Digit::from_event(17), None);
    assert_eq!(Digit::from_char('e'), None);
    assert_eq!(Digit::from_char('a'), Some(key('A')));
}

#[test]
fn a_key_is_sent_with_three_ends() {
    let mut sender = Sender::default();
    assert!(sender.press(key('5'), Millis(100)));
    let all: Vec<_> = sent(&mut sender).into_iter().flatten().collect();
    let durations: Vec<u16> = all.iter().map(|packet| packet.event.duration).collect();
    assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
    let ends: Vec<bool> = all.iter().map(|packet| packet.event.end).collect();
    assert_eq!(ends, [false, false, false, false, true, true, true]);
    assert!(all[0].marker && all[0].begins);
    assert!(all[1..].iter().all(|packet| !packet.marker && !packet.begins && packet.offset == 0));
}

#[test]
fn keys_follow_each_other_after_a_pause() {
    let mut sender = Sender::default();
    sender.press(key('4'), Millis(60));
    sender.press(key('4'), Millis(60));
    let all = sent(&mut sender);
    let begins = |packet: &&Option<Sending>| packet.is_some_and(|packet| packet.begins);
    assert_eq!(all.iter().filter(begins).count(), 2);
    let pause = all.iter().skip(1).position(|packet| packet.is_none()).unwrap();
    assert!(all[pause + 1..pause + 4].iter().all(Option::is_none));
}

#[test]
fn a_queue_of_keys_has_an_end() {
    let mut sender = Sender::default();
    let taken = (0..100).filter(|_| sender.press(key('1'), Millis(100))).count();
    assert_eq!(taken, 32);
}

#[test]
fn a_key_held_for_long_is_sent_in_segments_and_heard_once() {
    let mut sender = Sender::default();
    sender.press(key('#'), Millis(20_000));
    let mut receiver = Receiver::default();
    let mut heard = Vec::new();
    let mut last_offset = 0;
    for packet in sent(&mut sender).into_iter().flatten() {
        assert!(packet.offset == last_offset || packet.offset == last_offset + 0xffff);
        last_offset = packet.offset;
        let event = Event::parse(&packet.event.write()).unwrap();
        assert_eq!(event, packet.event);
        heard.extend(receiver.handle(1, 5000 + packet.offset, event));
    }
    assert_eq!(last_offset, 2 * 0xffff, "160,000 samples are two full segments and a rest");
    assert_eq!(heard, [key('#')]);
}

#[test]
fn repeats_and_latecomers_are_not_heard_again() {
    let mut receiver = Receiver::default();
    let event = |sign, end| Event { digit: key(sign), end, duration: 800 };
    assert_eq!(receiver.handle(1, 1000, event('1', false)), Some(key('1')));
    assert_eq!(receiver.handle(1, 1000, event('1', true)), None);
    assert_eq!(receiver.handle(1, 1000, event('1', true)), None);
    assert_eq!(receiver.handle(1, 3000, event('1', true)), Some(key('1')), "only its end arrived");
    assert_eq!(receiver.handle(1, 1000, event('1', true)), None, "late");
    assert_eq!(receiver.handle(1, 3000, event('1', true)), None);
    assert_eq!(receiver.handle(2, 100, event('1', false)), Some(key('1')), "another source");
}

#[test]
fn the_same_key_again_just_where_a_segment_would_begin_is_another_key_once_it_ended() {
    let mut receiver = Receiver::default();
    let event = |end| Event { digit: key('7'), end, duration: 400 };
    assert!(receiver.handle(1, 0, event(true)).is_some());
    assert!(receiver.handle(1, 0xffff, event(false)).is_some());
    assert!(receiver.handle(1, 2 * 0xffff, event(false)).is_none(), "the next segment");
}

#[test]
fn info_bodies_are_read_as_phones_write_them() {
    let relay = "application/dtmf-relay";
    let cases = [
        (relay, "Signal=5\r\nDuration=160\r\n", Some(('5', 160))),
        (relay, "Signal= 5\r\nDuration= 200", Some(('5', 200))),
        (relay, "signal=*\nduration=100\n", Some(('*', 100))),
        (relay, "Signal=10\r\n", Some(('*', 160))),
        (relay, "Signal=11\r\nDuration=x\r\n", Some(('#', 160))),
        (relay, "Duration=250\r\nSignal=d\r\n", Some(('D', 250))),
        (relay, "Signal=16\r\n", Some(('!', 160))),
        (relay, "Signal=17\r\n", None),
        (relay, "Signal=\r\n", None),
        (relay, "", None),
        ("Application/DTMF-Relay; charset=utf-8", "Signal=1\r\n", Some(('1', 160))),
        ("application/dtmf", "9", Some(('9', 160))),
        ("application/dtmf", " 12\r\n", Some(('A', 160))),
        ("application/dtmf", "#", Some(('#', 160))),
        ("application/dtmf", "", None),
        ("text/plain", "Signal=5", None),
    ];
    for (kind, body, expected) in cases {
        let expected = expected.map(|(sign, millis)| (key(sign), Millis(millis)));
        assert_eq!(read_info(kind, body.as_bytes()), expected, "{kind}: {body:?}");
    }
}

#[test]
fn info_bodies_we_write_are_read_again() {
    for code in 0..=16 {
        let digit = Digit::from_event(code).unwrap();
        let relay = write_relay(digit, Millis(120));
        let read = read_info("application/dtmf-relay", relay.as_bytes());
        assert_eq!(read, Some((digit, Millis(120))), "{relay:?}");
        let plain = digit.to_string();
        assert_eq!(read_info("application/dtmf", plain.as_bytes()).unwrap().0, digit);
    }
}

proptest! {
    #[test]
    fn reading_never_panics(
        payload in prop::collection::vec(any::<u8>(), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let _ = Event::parse(&payload);
        let _ = read_info("application/dtmf-relay", &body);
        let _ = read_info("application/dtmf", &body);
    }

    #[test]
    fn keys_are_heard_in_order_however_many_packets_are_lost(
        signs in prop::collection::vec(0_u8..16, 1..12),
        lost in prop::collection::vec(any::<bool>(), 200),
        start in any::<u32>(),
    ) {
        let mut sender = Sender::default();
        for code in &signs {
            sender.press(Digit::from_event(*code).unwrap(), Millis(80));
        }
        let (mut receiver, mut heard, mut arrived) = (Receiver::default(), vec![], vec![]);
        let (mut clock, mut begun) = (start, 0);
        for (packet, lost) in sent(&mut sender).into_iter().zip(lost.iter().cycle()) {
            clock = clock.wrapping_add(160);
            let Some(packet) = packet else { continue };
            if packet.begins {
                begun = clock;
            }
            if *lost {
                continue;
            }
            if arrived.last() != Some(&begun) {
                arrived.push(begun);
            }
            heard.extend(receiver.handle(3, begun.wrapping_add(packet.offset), packet.event));
        }
        prop_assert_eq!(heard.len(), arrived.len());
    }
}
