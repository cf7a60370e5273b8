//! What the layer keeps of requests: a bounded number of bytes, and of strangers' nothing.

use carillon::sip::Message;
use carillon::sip::Transport;
use carillon::sip::transaction::Output;
use carillon::sip::transaction::key::ServerKey;
use carillon::sip::transaction::timer::Timers;

use crate::letters::Bench;
use crate::letters::Letter;
use crate::letters::at;
use crate::letters::flow;
use crate::letters::lines;
use crate::letters::response;

const PEER: &str = "192.0.2.9:5070";

/// Hands over a request as of a stranger.
fn pass_by(bench: &mut Bench, message: &Message) -> Vec<Output> {
    bench.layer.handle_passing(at(bench.now), message.clone(), flow(Transport::Udp));
    bench.outputs()
}

fn asked(outputs: &[Output]) -> (ServerKey, Message) {
    let told = outputs.iter().find_map(|output| {
        let Output::Request { key, message, .. } = output else { return None };
        Some((key.clone(), message.clone()))
    });
    told.expect("a request is told")
}

#[test]
fn bytes_are_limited_like_transactions() {
    let mut bench = Bench::with(Timers { bytes_max: 100_000, ..Timers::default() });
    let mut refused = 0;
    for nth in 0..200 {
        let branch = format!("z9hG4bK-{nth}-{}", "x".repeat(1000));
        let options = Letter { method: "OPTIONS", branch: &branch, ..Letter::INVITE }.build();
        let outputs = bench.receive(&options, Transport::Udp);
        if lines(&outputs).iter().any(|line| line == "discarded Full") {
            refused += 1;
            continue;
        }
        let (key, request) = asked(&outputs);
        bench.layer.respond(at(bench.now), &key, &response(&request, 200, "us"));
        bench.outputs();
    }
    let kept = bench.layer.kept_bytes();
    assert!((100_000..104_000).contains(&kept), "{kept}");
    assert!(refused > 100, "{refused}");
    bench.pass(40_000);
    assert_eq!((bench.layer.len(), bench.layer.kept_bytes()), (0, 0));
    let outputs = bench.receive(&Letter::INVITE.build(), Transport::Udp);
    assert!(lines(&outputs).contains(&"request INVITE".to_owned()), "there is room again");
}

#[test]
fn a_name_longer_than_any_need_is_refused() {
    let mut bench = Bench::new();
    let branch = format!("z9hG4bK-{}", "x".repeat(6000));
    let options = Letter { method: "OPTIONS", branch: &branch, ..Letter::INVITE }.build();
    let outputs = bench.receive(&options, Transport::Udp);
    assert_eq!(lines(&outputs), [&format!("send 400 OPTIONS to {PEER}"), "discarded Unreadable"]);
    let ack = Letter { method: "ACK", branch: &branch, ..Letter::INVITE }.build();
    assert_eq!(lines(&bench.receive(&ack, Transport::Udp)), ["ack"]);
    assert_eq!(bench.layer.len(), 0);
}

#[test]
fn of_a_passing_request_nothing_is_kept() {
    let mut bench = Bench::new();
    for method in ["OPTIONS", "INVITE", "BYE"] {
        let letter = Letter { method, ..Letter::INVITE }.build();
        // A repeat is told and answered like the first.
        for _ in 0..2 {
            let outputs = pass_by(&mut bench, &letter);
            assert_eq!(lines(&outputs), [format!("request {method}")], "no 100 either");
            let (key, request) = asked(&outputs);
            bench.layer.respond(at(0), &key, &response(&request, 403, "us"));
            assert_eq!(lines(&bench.outputs()), [format!("send 403 {method} to {PEER}")]);
            bench.layer.respond(at(0), &key, &response(&request, 403, "us"));
            assert_eq!(lines(&bench.outputs()), ["discarded TooLate"], "answered once");
        }
    }
    let ack = Letter { method: "ACK", to_tag: "us", ..Letter::INVITE }.build();
    assert_eq!(lines(&pass_by(&mut bench, &ack)), ["ack"]);
    let cancel = Letter { method: "CANCEL", ..Letter::INVITE }.build();
    assert_eq!(lines(&pass_by(&mut bench, &cancel)), [format!("send 481 CANCEL to {PEER}")]);
    assert_eq!((bench.layer.len(), bench.layer.kept_bytes()), (0, 0));
    assert_eq!(bench.layer.next_deadline(), None);
}

#[test]
fn a_passing_invite_may_be_kept_and_is_then_like_any_other() {
    let mut bench = Bench::new();
    let invite = Letter::INVITE.build();
    let (key, request) = asked(&pass_by(&mut bench, &invite));
    assert!(bench.layer.keep(at(0), &key));
    assert!(bench.layer.keep(at(0), &key), "it is kept already");
    assert_eq!(lines(&bench.outputs()), [format!("send 100 INVITE to {PEER}")]);
    assert_eq!(lines(&pass_by(&mut bench, &invite)), [format!("send 100 INVITE to {PEER}")]);
    let cancel = Letter { method: "CANCEL", ..Letter::INVITE }.build();
    let outputs = pass_by(&mut bench, &cancel);
    assert_eq!(lines(&outputs), [&format!("send 200 CANCEL to {PEER}"), "cancelled"]);
    bench.layer.respond(at(0), &key, &response(&request, 487, "us"));
    assert_eq!(lines(&bench.outputs()), [format!("send 487 INVITE to {PEER}")]);
    bench.pass(40_000);
    assert_eq!((bench.layer.len(), bench.layer.kept_bytes()), (0, 0));
}

#[test]
fn beyond_the_limits_no_passing_invite_is_kept() {
    let mut bench = Bench::with(Timers { transactions_max: 0, ..Timers::default() });
    let (key, request) = asked(&pass_by(&mut bench, &Letter::INVITE.build()));
    assert!(!bench.layer.keep(at(0), &key));
    bench.layer.respond(at(0), &key, &response(&request, 503, "us"));
    assert_eq!(lines(&bench.outputs()), [format!("send 503 INVITE to {PEER}")]);
    // The next message is another matter.
    let (old, _) = asked(&pass_by(&mut bench, &Letter::INVITE.build()));
    let other = Letter { branch: "z9hG4bK-2", ..Letter::INVITE }.build();
    pass_by(&mut bench, &other);
    bench.layer.respond(at(0), &old, &response(&request, 503, "us"));
    assert_eq!(lines(&bench.outputs()), ["discarded TooLate"]);
}
