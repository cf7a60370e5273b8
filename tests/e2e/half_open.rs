//! Ten thousand INVITEs that are never acknowledged: they cost a bounded amount while they are
//! open, they are gone when their timers are, and others call meanwhile.
//!
//! Not here: INVITEs as fast as they can be sent (`flood.rs`).

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::time::Duration;

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

/// Begins that many calls to `pit`, none faster than the node says 100 to it; never says ACK.
fn begin_calls(siege: &Siege, from: &UdpSocket) {
    let mut waiting: BTreeSet<u32> = BTreeSet::new();
    let mut next = 0..CALLS;
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
fn ten_thousand_unacknowledged_calls_cost_little_and_go_away() {
    let siege = Siege::begin(
        "{trunks: {invitesPerSecond: 100000, messagesPerSecond: 1000000, halfOpenCalls: 10000}}",
    );
    let before = siege.memory();
    let wrong = socket(WRONG);
    begin_calls(&siege, &wrong);
    until("all are open", Duration::from_secs(20), || {
        let open = siege.node.metric("carillon_sip_half_open_calls", "");
        (open >= f64::from(CALLS)).then_some(())
    });
    let grown = siege.memory().saturating_sub(before);
    println!("half open: {grown} KiB more than {before}");
    assert!(grown <= CALLS as usize * KIB_EACH + KIB_BESIDE, "{grown} KiB more than {before}");
    // One more is one too many; of that address, not of others.
    let one_more = request("INVITE", "pit", &wrong, CALLS + 1);
    until("one more is refused", Duration::from_secs(20), || {
        let _ = wrong.send_to(one_more.as_bytes(), ("127.0.0.1", siege.node.sip));
        (siege.rejected("half_open") >= 1.0).then_some(())
    });
    siege.calls_go_through(Over::Udp);
    siege.falls("carillon_sip_half_open_calls", 0.0);
    siege.node.wait_for_queue("pit", "/waiting", 0);
    // The two who talk are left, and what was asked last.
    siege.falls("carillon_legs", 2.0);
    siege.falls("carillon_sip_transactions", 0.0);
    let after = siege.memory().saturating_sub(before);
    println!("gone: {after} KiB more than {before}");
    assert!(after <= CALLS as usize * KIB_EACH + KIB_BESIDE, "{after} KiB more than {before}");
    siege.end();
}

#[test]
fn of_ten_thousand_strangers_nothing_is_kept() {
    let siege = Siege::begin("{strangers: {messagesPerSecondInAll: 100000}}");
    let before = siege.memory();
    let calls = siege.rejected("source");
    for nth in 0..CALLS {
        let from = socket(stranger(nth));
        let invite = request("INVITE", "pit", &from, nth);
        let _ = from.send_to(invite.as_bytes(), ("127.0.0.1", siege.node.sip));
        if nth % 500 == 0 {
            // Not faster than they are read, so that they are.
            until("strangers are read", Duration::from_secs(20), || {
                (siege.rejected("source") - calls >= f64::from(nth) * 0.9).then_some(())
            });
            let kept = siege.node.metric("carillon_sip_transactions", "");
            assert!(kept < 50.0, "{kept} transactions");
        }
    }
    siege.calls_go_through(Over::Udp);
    assert!(siege.node.metric("carillon_sip_half_open_calls", "") < 1.0);
    let grown = siege.memory().saturating_sub(before);
    println!("strangers: {grown} KiB more than {before}");
    assert!(grown <= KIB_BESIDE, "{grown} KiB more than {before}");
    // A line a minute for each address would be a flood of its own.
    let lines = siege.node.log().matches("no Trunk allows calls").count();
    assert!(lines <= 1000, "{lines} lines");
    siege.end();
}
