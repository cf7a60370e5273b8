//! Whose packet it is: announced addresses, NAT, strangers, and several streams on one port.

use std::net::IpAddr;

use carillon::base::time::LocalTime;
use carillon::media::latch::Found;
use carillon::media::latch::Table;
use carillon::media::latch::WINDOW;

use crate::peer::address;

const NOW: LocalTime = LocalTime(1_000_000);

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn the_announced_address_is_known_on_its_own_port_only() {
    let mut table = Table::new(2);
    let announced = address("198.51.100.7:4000");
    table.open(NOW, 0, 1, announced, None);
    assert_eq!(table.find(NOW, 1, announced, 9), Found::Known(0));
    assert_eq!(table.find(NOW, 0, announced, 9), Found::Stranger);
    assert_eq!(table.find(NOW, 1, address("203.0.113.1:4000"), 9), Found::Stranger);
    table.remove(0);
    assert_eq!(table.find(NOW, 1, announced, 9), Found::Stranger);
}

#[test]
fn a_nat_that_changes_the_port_is_latched_once() {
    let mut table = Table::new(1);
    table.open(NOW, 0, 0, address("198.51.100.7:4000"), None);
    let mapped = address("198.51.100.7:61000");
    assert_eq!(table.find(NOW, 0, mapped, 9), Found::Latched(0));
    assert_eq!(table.remote(0), Some(mapped));
    assert_eq!(table.find(NOW, 0, mapped, 9), Found::Known(0));
    let thief = address("198.51.100.7:62000");
    assert_eq!(table.find(NOW, 0, thief, 10), Found::Stranger, "once is enough");
    assert_eq!(table.remote(0), Some(mapped));
}

#[test]
fn a_private_address_is_latched_where_the_signalling_comes_from() {
    let mut table = Table::new(1);
    table.open(NOW, 0, 0, address("10.0.0.5:4000"), ip("203.0.113.9"));
    assert_eq!(table.find(NOW, 0, address("203.0.113.8:999"), 1), Found::Stranger);
    assert_eq!(table.find(NOW, 0, address("203.0.113.9:999"), 1), Found::Latched(0));
}

#[test]
fn the_announced_address_takes_its_stream_back() {
    let mut table = Table::new(1);
    let (announced, thief) = (address("198.51.100.7:4000"), address("198.51.100.7:666"));
    table.open(NOW, 0, 0, announced, None);
    assert_eq!(table.find(NOW, 0, thief, 6), Found::Latched(0), "it was there first");
    assert_eq!(table.find(NOW, 0, announced, 9), Found::Known(0));
    assert_eq!(table.remote(0), Some(announced));
    assert_eq!(table.find(NOW, 0, thief, 6), Found::Stranger);
    assert_eq!(table.find(NOW, 0, thief, 9), Found::Stranger);
    assert_eq!(table.find_reporter(0, thief, 6), None);
    assert_eq!(table.find_reporter(0, thief, 9), Some(0), "a report moves nothing");
    table.remove(0);
    for from in [announced, thief] {
        assert_eq!(table.find(NOW, 0, from, 9), Found::Stranger);
    }
}

#[test]
fn who_announced_the_address_of_another_and_is_elsewhere_is_no_riddle() {
    let mut table = Table::new(1);
    let private = address("10.0.0.5:4000");
    table.open(NOW, 0, 0, private, ip("203.0.113.9"));
    let mapped = address("203.0.113.9:999");
    assert_eq!(table.find(NOW, 0, mapped, 1), Found::Latched(0));
    table.open(NOW, 1, 0, private, None);
    for ssrc in [2, 3] {
        assert_eq!(table.find(NOW, 0, private, ssrc), Found::Known(1), "it is there");
        assert_eq!(table.find(NOW, 0, mapped, 1), Found::Known(0));
    }
}

#[test]
fn who_has_been_heard_is_not_moved() {
    let mut table = Table::new(1);
    let announced = address("198.51.100.7:4000");
    table.open(NOW, 0, 0, announced, None);
    assert_eq!(table.find(NOW, 0, announced, 9), Found::Known(0));
    assert_eq!(table.find(NOW, 0, address("198.51.100.7:4002"), 9), Found::Stranger);
    assert_eq!(table.find(NOW, 0, announced, 10), Found::Known(0), "a new SSRC from there is fine");
}

#[test]
fn the_window_closes() {
    let mut table = Table::new(1);
    table.open(NOW, 0, 0, address("198.51.100.7:4000"), None);
    let late = NOW + WINDOW;
    assert_eq!(table.find(late, 0, address("198.51.100.7:61000"), 9), Found::Stranger);
    assert_eq!(table.find(late, 0, address("198.51.100.7:4000"), 9), Found::Known(0));
}

#[test]
fn a_re_invite_opens_the_window_again() {
    let mut table = Table::new(1);
    let (before, after) = (address("198.51.100.7:4000"), address("198.51.100.8:5000"));
    table.open(NOW, 0, 0, before, None);
    table.find(NOW, 0, before, 9);
    table.update(NOW, 0, before, before);
    assert_eq!(table.find(NOW, 0, address("198.51.100.7:1"), 9), Found::Stranger);
    table.update(NOW, 0, before, after);
    assert_eq!(table.find(NOW, 0, before, 9), Found::Stranger);
    assert_eq!(table.find(NOW, 0, address("198.51.100.8:61000"), 9), Found::Latched(0));
}

#[test]
fn an_unchanged_announcement_keeps_the_latch() {
    let mut table = Table::new(1);
    let (announced, mapped) = (address("198.51.100.7:4000"), address("198.51.100.7:61000"));
    table.open(NOW, 0, 0, announced, None);
    table.find(NOW, 0, mapped, 9);
    table.update(NOW, 0, announced, announced);
    assert_eq!(table.remote(0), Some(mapped));
}

#[test]
fn two_that_wait_behind_one_nat_are_not_guessed() {
    let mut table = Table::new(1);
    table.open(NOW, 0, 0, address("10.0.0.5:4000"), ip("203.0.113.9"));
    table.open(NOW, 1, 0, address("10.0.0.6:4000"), ip("203.0.113.9"));
    assert_eq!(table.find(NOW, 0, address("203.0.113.9:999"), 1), Found::Ambiguous);
    table.remove(1);
    assert_eq!(table.find(NOW, 0, address("203.0.113.9:999"), 1), Found::Latched(0));
}

#[test]
fn a_nat_that_keeps_ports_tells_two_apart() {
    let mut table = Table::new(1);
    table.open(NOW, 0, 0, address("10.0.0.5:4000"), ip("203.0.113.9"));
    table.open(NOW, 1, 0, address("10.0.0.6:4002"), ip("203.0.113.9"));
    assert_eq!(table.find(NOW, 0, address("203.0.113.9:999"), 1), Found::Ambiguous);
    assert_eq!(table.find(NOW, 0, address("203.0.113.9:4002"), 1), Found::Latched(1));
    assert_eq!(table.find(NOW, 0, address("203.0.113.9:999"), 2), Found::Latched(0), "the other");
    table.open(NOW, 2, 0, address("10.0.0.7:4004"), ip("203.0.113.9"));
    table.open(NOW, 3, 0, address("10.0.0.8:4004"), ip("203.0.113.9"));
    assert_eq!(
        table.find(NOW, 0, address("203.0.113.9:4004"), 3),
        Found::Ambiguous,
        "both said it"
    );
}

#[test]
fn two_behind_one_nat_on_two_local_ports_are_no_riddle() {
    let mut table = Table::new(2);
    table.open(NOW, 0, 0, address("10.0.0.5:4000"), ip("203.0.113.9"));
    table.open(NOW, 1, 1, address("10.0.0.6:4000"), ip("203.0.113.9"));
    assert_eq!(table.find(NOW, 1, address("203.0.113.9:998"), 1), Found::Latched(1));
    assert_eq!(table.find(NOW, 0, address("203.0.113.9:999"), 2), Found::Latched(0));
}

#[test]
fn one_announced_address_for_several_streams_is_told_apart_by_ssrc() {
    let mut table = Table::new(1);
    let shared = address("198.51.100.7:4000");
    for stream in 0..3 {
        table.open(NOW, stream, 0, shared, None);
    }
    assert_eq!(table.find(NOW, 0, shared, 70), Found::Known(0), "in the order they were opened");
    assert_eq!(table.find(NOW, 0, shared, 71), Found::Known(1));
    assert_eq!(table.find(NOW, 0, shared, 70), Found::Known(0));
    assert_eq!(table.find(NOW, 0, shared, 72), Found::Known(2));
    assert_eq!(table.find(NOW, 0, shared, 73), Found::Ambiguous, "nobody is left to take it");
    table.remove(1);
    assert_eq!(table.find(NOW, 0, shared, 71), Found::Ambiguous);
    table.remove(0);
    assert_eq!(table.find(NOW, 0, shared, 73), Found::Known(2), "alone, it may change its SSRC");
}
