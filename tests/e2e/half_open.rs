//! Ten thousand INVITEs that are never acknowledged: they cost a bounded amount while they are
//! open, they are gone when their timers are and leave nothing, and others call meanwhile.
//!
//! Not here: INVITEs as fast as they can be sent, and one more than may be open (`flood.rs`).

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::time::Duration;
use std::time::Instant;

use crate::siege::Siege;
use crate::siege::WRONG;
use crate::siege::request;
use crate::siege::socket;
use crate::siege::stranger;
use crate::sipp::Over;
use crate::wait::until;

const CALLS: u32 = 10_000;

/// What one half-open call may cost, all told: leg, dialog, stream, transactions, and its part of
/// the state and of the log.
const KIB_EACH: usize = 16;

/// What may come and go whatever happens.
const KIB_BESIDE: usize = 16 * 1024;

/// What ten thousand more may leave: the stories of calls that ended and the outcomes of their
/// requests are kept for a while. A call that is still there takes four times as much.
const KIB_LEFT: usize = 24 * 1024;

/// Begins that many calls to `pit`, none faster than the node says 100 to it; never says ACK.
fn begin_calls(siege: &Siege, from: &UdpSocket, first: u32) {
    let mut waiting: BTreeSet<u32> = BTreeSet::new();
    let mut next = first..first + CALLS;
    until("every INVITE is taken", Duration::from_secs(90), || {
        let more = 100_usize.saturating_sub(waiting.len());
        waiting.extend(next.by_ref().take(more));
        for nth in &waiting {
            let invite = request("INVITE", "pit", from, *nth);
            let _ = from.send_to(invite.as_bytes(), ("127.0.0.1", siege.node.sip));
        }
        for _ in 0..50 {
            hear_trying(from, &mut waiting);
            if waiting.is_empty() {
                break;
            }
            std::thread::yield_now();
        }
        (waiting.is_empty() && next.is_empty()).then_some(())
    });
    siege.node.wait_for_queue("pit", "/totals/entered", u64::from(first + CALLS));
}

/// Waits until their timers are over, and all of them gone.
fn see_them_go(siege: &Siege) {
    siege.falls("carillon_sip_half_open_calls", 0.0);
    siege.node.wait_for_queue("pit", "/waiting", 0);
    // The two who talk are left, and what was asked last.
    siege.falls("carillon_legs", 2.0);
    siege.falls("carillon_sip_transactions", 0.0);
}

/// How many lost calls the log tells of, and in how many lines.
fn told(siege: &Siege) -> (u32, usize) {
    let log = siege.node.log();
    let alone = log.matches("The call was lost").count();
    let counts = log.lines().filter(|line| line.contains("More calls were lost"));
    let counts: Vec<u32> = counts
        .filter_map(|line| line.split("calls=").nth(1)?.split(' ').next()?.parse().ok())
        .collect();
    (alone as u32 + counts.iter().sum::<u32>(), alone + counts.len())
}

/// Takes away who was answered.
fn hear_trying(at: &UdpSocket, waiting: &mut BTreeSet<u32>) {
    let mut buffer = [0; 4096];
    while let Ok(read) = at.recv(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..read]);
        let call = text.lines().find_map(|line| line.strip_prefix("Call-ID: ")?.split('@').next());
        if let Some(nth) = call.and_then(|call| call.parse().ok()) {
            waiting.remove(&nth);
        }
    }
}

#[test]
fn ten_thousand_unacknowledged_calls_cost_little_and_leave_nothing() {
    let siege = Siege::begin("{trunks: {invitesPerSecond: 100000, messagesPerSecond: 1000000}}");
    let (before, begun) = (siege.memory(), Instant::now());
    let wrong = socket(WRONG);
    begin_calls(&siege, &wrong, 0);
    // Where it takes more than half a minute to begin them, the first ones are gone by now.
    let open = siege.node.metric("carillon_sip_half_open_calls", "");
    let grown = siege.memory().saturating_sub(before);
    println!("half open: {open}, {grown} KiB more than {before}");
    assert!(grown <= CALLS as usize * KIB_EACH + KIB_BESIDE, "{grown} KiB more than {before}");
    siege.calls_go_through(Over::Udp);
    see_them_go(&siege);
    let once = siege.memory();
    begin_calls(&siege, &wrong, CALLS);
    see_them_go(&siege);
    let left = siege.memory().saturating_sub(once);
    println!("gone: {once} KiB, and {left} KiB more when as many were there again");
    assert!(left <= KIB_LEFT, "{left} KiB more than {once} are left of {CALLS} calls");
    let lines = until("every one is told of", Duration::from_secs(30), || {
        let (calls, lines) = told(&siege);
        (calls == 2 * CALLS).then_some(lines)
    });
    // Twenty in ten seconds, and a count.
    let most = 21 * (begun.elapsed().as_secs() as usize / 10 + 2);
    assert!(lines <= most, "{lines} lines tell of lost calls, {most} at most");
    siege.end();
}

#[test]
fn of_ten_thousand_strangers_nothing_is_kept() {
    let siege = Siege::begin("{strangers: {messagesPerSecondInAll: 100000}}");
    let before = siege.memory();
    let calls = siege.rejected("source");
    let callers = siege.callers(Over::Udp);
    for nth in 0..CALLS {
        let from = socket(stranger(nth));
        let invite = request("INVITE", "pit", &from, nth);
        let _ = from.send_to(invite.as_bytes(), ("127.0.0.1", siege.node.sip));
        if nth % 500 == 0 {
            // Not faster than they are read, so that they are.
            until("strangers are read", Duration::from_secs(20), || {
                (siege.rejected("source") - calls >= f64::from(nth) * 0.9).then_some(())
            });
            // Those of the callers are a few.
            let kept = siege.node.metric("carillon_sip_transactions", "");
            assert!(kept < 200.0, "{kept} transactions");
        }
    }
    callers.finish_at_once();
    assert!(siege.node.metric("carillon_sip_half_open_calls", "") < 1.0);
    let grown = siege.memory().saturating_sub(before);
    println!("strangers: {grown} KiB more than {before}");
    assert!(grown <= KIB_BESIDE, "{grown} KiB more than {before}");
    // A line a minute for each address would be a flood of its own.
    let lines = siege.node.log().matches("no Trunk allows calls").count();
    assert!(lines <= 1000, "{lines} lines");
    siege.end();
}
