//! Pacing: packets leave evenly, exactly a packet length apart, and a stall makes no burst.

use carillon::media::engine::Engine;
use carillon::media::order::Order;
use carillon::sdp::Codec;

use crate::peer::*;

fn open_at(engine: &mut Engine, now: u64, nth: u32) {
    let remote = format!("198.51.{}.{}:4000", nth / 200, nth % 200 + 1);
    open(engine, now, nth, agreed(&remote, Codec::Pcmu));
}

/// How many packets leave in each millisecond of the second twenty, with so many streams.
fn spread(streams: u32) -> Vec<usize> {
    let mut engine = engine();
    for nth in 0..streams {
        open_at(&mut engine, 0, nth);
    }
    run(&mut engine, 0, 20);
    (20..40).map(|at| run(&mut engine, at, at + 1).len()).collect()
}

#[test]
fn many_streams_opened_at_once_are_spread_over_the_milliseconds() {
    assert_eq!(spread(4000), [200; 20]);
}

#[test]
fn few_streams_share_few_milliseconds() {
    let busy = |streams| spread(streams).into_iter().filter(|sent| *sent > 0).collect::<Vec<_>>();
    assert_eq!(busy(1), [1]);
    assert_eq!(busy(128), [128]);
    assert_eq!(busy(200), [128, 72]);
    assert_eq!(busy(512), [128; 4]);
    let apart: Vec<usize> = (0..20).filter(|at| spread(512)[*at] > 0).collect();
    assert!(apart.windows(2).all(|pair| pair[1] - pair[0] == 5), "{apart:?}");
}

#[test]
fn the_spread_stays_even_when_streams_come_and_go() {
    let mut engine = engine();
    let (mut now, mut oldest) = (0, 0);
    for nth in 0..3000 {
        open_at(&mut engine, now, nth);
        if nth % 3 != 0 {
            engine.handle_order(millis(now), Order::Close { stream: leg(oldest) });
            oldest += 1;
        }
        now += 1;
        run(&mut engine, now - 1, now);
    }
    let most = (now..now + 40).map(|at| run(&mut engine, at, at + 1).len()).max().unwrap();
    let streams = engine.counters().streams as usize;
    assert!(most <= 128.max(streams / 20 + 20), "{most} of {streams} in one millisecond");
}

#[test]
fn packets_of_one_stream_are_twenty_milliseconds_apart_for_long() {
    let mut engine = engine();
    open_at(&mut engine, 7, 0);
    let left = run(&mut engine, 7, 60_007);
    assert_eq!(left.len(), 3000);
    assert!(left.windows(2).all(|pair| pair[1].at - pair[0].at == 20));
    let passed = left[2999].header.timestamp.wrapping_sub(left[0].header.timestamp);
    assert_eq!(passed, 2999 * 160);
}

#[test]
fn the_next_deadline_is_when_something_is_due() {
    let mut engine = engine();
    assert_eq!(engine.next_deadline(), None);
    open_at(&mut engine, 5, 0);
    let mut at = 5;
    for _ in 0..50 {
        let next = engine.next_deadline().unwrap();
        engine.handle_tick(next);
        at = next.0 / 1000;
        assert_eq!(taken(&mut engine, at).len(), 1);
    }
    assert!((5 + 49 * 20..=5 + 51 * 20).contains(&at));
}

#[test]
fn a_short_delay_is_made_up_for() {
    let mut engine = engine();
    open_at(&mut engine, 0, 0);
    run(&mut engine, 0, 100);
    engine.handle_tick(millis(170));
    assert!((3..=4).contains(&taken(&mut engine, 170).len()));
    assert!(engine.counters().late >= 2);
}

#[test]
fn a_stall_is_skipped_not_caught_up() {
    let mut engine = engine();
    for nth in 0..100 {
        open_at(&mut engine, 0, nth);
    }
    let before = run(&mut engine, 0, 100);
    engine.handle_tick(millis(5000));
    let mut after = taken(&mut engine, 5000);
    assert!(after.len() <= 100, "no burst: one packet each at most");
    after.extend(run(&mut engine, 5001, 5100));
    assert!((480..=500).contains(&after.len()), "{}", after.len());
    let to = before[0].to;
    let last = before.iter().rfind(|packet| packet.to == to).unwrap();
    let first = after.iter().find(|packet| packet.to == to).unwrap();
    assert!(first.header.marker);
    let leap = first.header.timestamp.wrapping_sub(last.header.timestamp) / 8;
    let passed = first.at - last.at;
    assert!(u64::from(leap).abs_diff(passed) <= 40, "{leap} ms of audio for {passed} ms");
}
