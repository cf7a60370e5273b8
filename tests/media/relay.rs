//! One source for the peer, whatever is sent: numbers and times go on through every change.

use carillon::media::relay::Outbound;
use carillon::media::rtp::Header;
use proptest::prelude::*;

fn from(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
    Header { marker: false, payload: 0, sequence, timestamp, ssrc }
}

#[test]
fn packets_made_here_follow_each_other() {
    let mut out = Outbound::new(1, 65_535, u32::MAX - 100, 0);
    let first = out.made(0, 0, 160);
    assert!(first.marker);
    let second = out.made(20_000, 0, 160);
    assert!(!second.marker);
    assert_eq!(second.sequence, first.sequence.wrapping_add(1));
    assert_eq!(second.timestamp, first.timestamp.wrapping_add(160));
    assert_eq!(out.sent(), (2, 320));
}

#[test]
fn a_pause_is_a_leap_of_the_timestamp_and_a_mark() {
    let mut out = Outbound::new(1, 0, 0, 0);
    out.made(0, 0, 160);
    let after = out.made(1_000_000, 0, 160);
    assert!(after.marker);
    assert_eq!((after.sequence, after.timestamp), (1, 8000));
}

#[test]
fn a_relayed_source_joins_on_without_a_gap() {
    let mut out = Outbound::new(1, 100, 5000, 0);
    out.made(0, 0, 160);
    let first = out.relayed(20_000, &from(9, 7, 777), 0, 160).unwrap();
    assert_eq!((first.sequence, first.timestamp, first.ssrc), (101, 5160, 1));
    assert!(first.marker);
    let second = out.relayed(40_000, &from(9, 8, 937), 0, 160).unwrap();
    assert_eq!((second.sequence, second.timestamp, second.marker), (102, 5320, false));
    let made = out.made(60_000, 0, 160);
    assert_eq!((made.sequence, made.timestamp), (103, 5480));
}

#[test]
fn loss_and_reordering_stay_visible() {
    let mut out = Outbound::new(1, 0, 0, 0);
    let first = out.relayed(0, &from(9, 10, 1000), 0, 160).unwrap();
    let fourth = out.relayed(60_000, &from(9, 13, 1480), 0, 160).unwrap();
    assert_eq!(fourth.sequence.wrapping_sub(first.sequence), 3);
    assert_eq!(fourth.timestamp.wrapping_sub(first.timestamp), 480);
    let third = out.relayed(61_000, &from(9, 12, 1320), 0, 160).unwrap();
    assert_eq!(third.sequence.wrapping_sub(first.sequence), 2);
    let fifth = out.relayed(80_000, &from(9, 14, 1640), 0, 160).unwrap();
    assert_eq!(fifth.sequence.wrapping_sub(first.sequence), 4);
}

#[test]
fn a_packet_from_before_the_join_is_dropped() {
    let mut out = Outbound::new(1, 0, 0, 0);
    out.relayed(0, &from(9, 10, 1600), 0, 160).unwrap();
    assert_eq!(out.relayed(1000, &from(9, 9, 1440), 0, 160), None);
}

#[test]
fn a_new_source_or_a_leap_joins_on_anew() {
    let mut out = Outbound::new(1, 0, 0, 0);
    let first = out.relayed(0, &from(9, 10, 1000), 0, 160).unwrap();
    let other = out.relayed(20_000, &from(8, 50_000, 3_000_000_000), 0, 160).unwrap();
    assert_eq!(other.sequence, first.sequence.wrapping_add(1));
    assert_eq!(other.timestamp, first.timestamp.wrapping_add(160));
    let leapt = out.relayed(40_000, &from(8, 50_001, 1_000_000_000), 0, 160).unwrap();
    assert_eq!(leapt.sequence, other.sequence.wrapping_add(1));
    assert_eq!(leapt.timestamp, other.timestamp.wrapping_add(160));
    assert!(leapt.marker);
}

#[test]
fn a_leap_of_half_the_circle_is_one_whichever_way_it_goes() {
    for way in [(1 << 31) - 1, 1 << 31, (1 << 31) + 1_u32] {
        let mut out = Outbound::new(1, 0, 0, 0);
        let first = out.relayed(0, &from(9, 10, 1000), 0, 160).unwrap();
        let leapt = out.relayed(20_000, &from(9, 11, way.wrapping_add(1000)), 0, 160).unwrap();
        assert_eq!(leapt.timestamp, first.timestamp.wrapping_add(160), "{way}");
        assert!(leapt.marker, "{way}");
    }
}

#[test]
fn an_hour_of_one_source_wraps_its_sequence_and_goes_on() {
    let mut out = Outbound::new(1, 500, 0, 0);
    let mut last = 0_u16;
    for nth in 0..180_000_u32 {
        let header = from(9, nth as u16, nth.wrapping_mul(160));
        let got = out.relayed(u64::from(nth) * 20_000, &header, 0, 160).unwrap();
        assert!(nth == 0 || got.sequence == last.wrapping_add(1), "packet {nth}");
        last = got.sequence;
    }
}

#[test]
fn a_source_whose_clock_is_fast_does_not_run_away() {
    let mut out = Outbound::new(1, 0, 0, 0);
    for nth in 0..50_000_u32 {
        out.relayed(u64::from(nth) * 19_900, &from(9, nth as u16, nth * 160), 0, 160);
    }
    let now = 50_000 * 19_900;
    out.leave_source();
    let made = out.made(now + 500_000, 0, 160);
    assert!(made.marker, "half a second of nothing is still seen as a pause");
}

proptest! {
    /// Whatever is mixed, the packets made here never repeat a number nor go back in time.
    #[test]
    fn numbers_and_times_go_forward(
        steps in prop::collection::vec((any::<bool>(), 0_u64..200_000, 0_u32..3), 1..60),
        start in any::<(u32, u16, u32)>(),
    ) {
        let mut out = Outbound::new(start.0, start.1, start.2, 0);
        let mut now = 0;
        let mut last: Option<Header> = None;
        let mut nth = 0_u32;
        for (made, passed, source) in steps {
            now += passed;
            nth += 1;
            let got = if made {
                out.made(now, 0, 160)
            } else {
                let header = from(source, nth as u16, nth * 160);
                match out.relayed(now, &header, 0, 160) {
                    Some(header) => header,
                    None => continue,
                }
            };
            if let Some(last) = last {
                prop_assert!(got.sequence.wrapping_sub(last.sequence) as i16 > 0);
                prop_assert!(got.timestamp.wrapping_sub(last.timestamp) as i32 > 0);
            }
            last = Some(got);
        }
    }
}
