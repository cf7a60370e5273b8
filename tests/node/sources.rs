//! What one address may take of SIP: rates, half-open calls, and tables that do not grow.
//!
//! Not here: what is answered over real sockets (`tests/e2e`), how limits are written
//! (`tests/resource`).

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use carillon::b2bua::counter::Rejected;
use carillon::base::rate::Bucket;
use carillon::base::rate::Rate;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::node::port::rates::Rates;
use carillon::node::port::sources::Flood;
use carillon::node::port::sources::Sources;
use carillon::node::port::sources::Standing;
use carillon::resource::SipLimits;
use carillon::resource::SourceLimits;

const START: LocalTime = LocalTime(7_000_000);
const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn limits() -> SipLimits {
    let of_one = |invites, messages, half_open| SourceLimits {
        invites_per_second: invites,
        messages_per_second: messages,
        half_open_calls: half_open,
    };
    SipLimits {
        trunks: of_one(10, 100, 5),
        strangers: of_one(2, 20, 1),
        strangers_messages_per_second: 50,
        ..SipLimits::default()
    }
}

fn nth(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))
}

/// How many of `asked` are let through.
fn passed<T, E>(asked: u32, mut ask: impl FnMut() -> Result<T, E>) -> usize {
    (0..asked).filter(|_| ask().is_ok()).count()
}

#[test]
fn a_bucket_gives_its_rate_however_often_it_is_asked() {
    let rate = Rate { per_second: 300, burst: 10 };
    for pause_us in [1, 999, 1001, 1999, 3333] {
        let mut bucket = Bucket::default();
        let mut now = START;
        let mut let_through = 0_u64;
        while now.0 < START.0 + 10_000_000 {
            let_through += u64::from(bucket.admit(rate, now).is_ok());
            now.0 += pause_us;
        }
        let asked = 10_000_000_u64.div_ceil(pause_us);
        assert!(let_through.abs_diff(asked.min(3010)) <= 1, "{let_through} at {pause_us}");
    }
    let mut bucket = Bucket::default();
    assert!((0..10).all(|_| bucket.admit(rate, START).is_ok()));
    assert!(bucket.admit(rate, START).is_err() && !bucket.is_full(rate, START));
    assert!(bucket.admit(rate, LocalTime(0)).is_err(), "time that goes back fills nothing");
    assert!(bucket.is_full(rate, START + Millis(34)));
}

#[test]
fn each_address_has_a_rate_of_its_own() {
    let sources = Sources::new(limits());
    assert_eq!(passed(500, || sources.admit(START, ONE, true)), 100);
    assert_eq!(sources.admit(START, ONE, true), Err(Flood::Source));
    assert_eq!(sources.admit(START, OTHER, true), Ok(Standing::Known));
    assert_eq!(passed(500, || sources.admit_invite(START, ONE, true)), 10);
    assert_eq!(sources.admit_invite(START, ONE, true), Err(Rejected::TooOften));
    assert_eq!(sources.admit_invite(START, OTHER, true), Ok(()));
    let later = START + Millis(500);
    assert_eq!(passed(500, || sources.admit_invite(later, ONE, true)), 5);
}

#[test]
fn strangers_have_less_and_share_it() {
    let sources = Sources::new(limits());
    assert_eq!(passed(500, || sources.admit(START, ONE, false)), 20);
    assert_eq!(passed(500, || sources.admit_invite(START, ONE, false)), 2);
    assert_eq!(passed(500, || sources.admit(START, OTHER, false)), 20);
    let mut spoofed = (0..1000).map(nth);
    let third = passed(1000, || sources.admit(START, spoofed.next().expect("enough"), false));
    assert_eq!(third, 10, "fifty in all");
    assert_eq!(sources.admit(START, nth(2000), false), Err(Flood::Strangers));
    assert_eq!(
        sources.admit(START, nth(2000), true),
        Ok(Standing::Known),
        "a trunk is no stranger"
    );
}

#[test]
fn one_host_has_a_whole_network_of_ipv6() {
    let sources = Sources::new(limits());
    let network = 0x2001_0db8_u128 << 96;
    let mut hosts = (0_u128..).map(|host| IpAddr::V6(Ipv6Addr::from_bits(network | host)));
    let taken = passed(100, || sources.admit(START, hosts.next().expect("enough"), false));
    assert_eq!(taken, 20);
    let next = IpAddr::V6(Ipv6Addr::from_bits(network | (1 << 64)));
    assert_eq!(sources.admit(START, next, false), Ok(Standing::Stranger));
}

#[test]
fn who_has_a_call_is_not_drowned_by_strangers() {
    let sources = Sources::new(limits());
    sources.let_in(START, ONE);
    let mut spoofed = (0..1000).map(nth);
    assert_eq!(passed(1000, || sources.admit(START, spoofed.next().expect("enough"), false)), 50);
    assert_eq!(sources.admit(START, OTHER, false), Err(Flood::Strangers));
    assert_eq!(passed(500, || sources.admit(START, ONE, false)), 100, "as much as a trunk");
    assert_eq!(sources.admit(START + Millis(100), ONE, false), Ok(Standing::Known));
    assert_eq!(passed(500, || sources.admit_invite(START, ONE, false)), 2, "and no more calls");
    let long_after = START + Millis::from_secs(2 * 3600);
    assert_eq!(sources.admit(long_after, ONE, false), Ok(Standing::Stranger));
}

#[test]
fn datagrams_take_nothing_from_streams() {
    let sources = Sources::new(limits());
    let mut spoofed = (0..1000).map(nth);
    assert_eq!(passed(1000, || sources.admit(START, spoofed.next().expect("enough"), false)), 50);
    assert_eq!(passed(500, || sources.admit(START, ONE, true)), 100);
    assert_eq!(passed(500, || sources.admit_from_stream(START, ONE, true)), 100, "a trunk");
    assert_eq!(passed(500, || sources.admit_from_stream(START, nth(1), false)), 20, "a stranger");
    let mut others = (0..1000).map(nth);
    let mut next = || others.next().expect("enough");
    assert_eq!(passed(1000, || sources.admit_from_stream(START, next(), false)), 30, "all");
    assert_eq!(sources.admit_from_stream(START, OTHER, false), Err(Flood::Strangers));
}

#[test]
fn guests_who_have_left_are_looked_for_now_and_then() {
    let sources = Sources::new(limits());
    let standing = |now, from| sources.admit(now, from, false);
    // As many as there may be; the last of them was heard of later than all others.
    (0..19_999).for_each(|number| sources.let_in(START, nth(number)));
    let full = START + Millis::from_secs(3600 - 1);
    sources.let_in(full, nth(19_999));
    sources.let_in(full + Millis(500), ONE);
    assert_eq!(standing(full + Millis(500), ONE), Ok(Standing::Stranger), "all are still here");
    let left = full + Millis(1100);
    sources.let_in(left, ONE);
    assert_eq!(standing(left, ONE), Ok(Standing::Stranger), "nobody has looked again");
    let looked = full + Millis(1500);
    sources.let_in(looked, ONE);
    assert_eq!(standing(looked, ONE), Ok(Standing::Known), "others have left");
    assert_eq!(standing(looked, nth(19_999)), Ok(Standing::Known), "this one has not");
}

#[test]
fn half_open_calls_are_limited_and_given_back() {
    let sources = Sources::new(limits());
    let mut open: Vec<_> = (0..5).map(|_| sources.half_open(ONE)).collect();
    assert_eq!(sources.admit_invite(START, ONE, true), Err(Rejected::HalfOpen));
    assert_eq!(sources.admit_invite(START, OTHER, true), Ok(()));
    assert_eq!(sources.half_open_calls(), 5);
    open.pop();
    assert_eq!(sources.admit_invite(START, ONE, true), Ok(()));
    assert_eq!(sources.admit_invite(START, ONE, false), Err(Rejected::HalfOpen), "a stranger: one");
}

#[test]
fn limits_are_those_of_now() {
    let sources = Sources::new(limits());
    assert_eq!(passed(500, || sources.admit_invite(START, ONE, true)), 10);
    let mut wanted = limits();
    wanted.trunks.invites_per_second = 30;
    sources.set_limits(wanted);
    assert_eq!(passed(500, || sources.admit_invite(START, ONE, true)), 20);
}

#[test]
fn a_table_of_rates_does_not_grow_and_forgets_who_is_silent() {
    let rate = Rate { per_second: 1, burst: 2 };
    let mut rates = Rates::new(100);
    let mut ask = |now, from| rates.admit(now, from, rate);
    let first: Vec<bool> = (0..1000).map(|number| ask(START, nth(number))).collect();
    assert!(first[..100].iter().all(|passed| *passed));
    assert_eq!(first[100..].iter().filter(|passed| **passed).count(), 2, "they share one bucket");
    // Those who are kept apart keep what is theirs.
    assert!(ask(START, nth(7)) && !ask(START, nth(7)));
    let later = START + Millis(1500);
    let again: Vec<bool> = (1000..2000).map(|number| ask(later, nth(number))).collect();
    assert_eq!(again.iter().filter(|passed| **passed).count(), 99 + 1, "all but one were silent");
    assert_eq!(rates.addresses(), 100);
}
