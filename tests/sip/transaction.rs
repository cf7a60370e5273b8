//! The transaction layer in virtual time: who hears what, and what is on the wire when.

use carillon::sip::Flow;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::Transport;
use carillon::sip::transaction::Cancelling;
use carillon::sip::transaction::Output;
use carillon::sip::transaction::key::ClientKey;
use carillon::sip::transaction::key::ServerKey;
use carillon::sip::transaction::timer::Timers;

use crate::letters::Bench;
use crate::letters::Letter;
use crate::letters::address;
use crate::letters::at;
use crate::letters::flow;
use crate::letters::host;
use crate::letters::line;
use crate::letters::lines;
use crate::letters::message;
use crate::letters::ours;
use crate::letters::response;
use crate::letters::timed;

const PEER: &str = "192.0.2.9:5070";

fn sent_by_us(bench: &mut Bench, method: &str, transport: Transport) -> ClientKey {
    let request = ours(method, "Route: <sip:edge@192.0.2.9;lr>\r\n");
    let (now, name) = (at(bench.now), host("192.0.2.1:5060"));
    bench.layer.send_request(now, &request, "z9hG4bK-a", &name, flow(transport))
}

fn transmitted(outputs: &[Output]) -> Vec<Message> {
    let mut sent = Vec::new();
    for output in outputs {
        if let Output::Transmit { bytes, .. } = output {
            sent.push(Message::parse(bytes.clone()).expect("what we send parses"));
        }
    }
    sent
}

fn key_of(outputs: &[Output]) -> (ServerKey, Message) {
    for output in outputs {
        if let Output::Request { key, message, .. } = output {
            return (key.clone(), message.clone());
        }
    }
    panic!("no request was told");
}

#[test]
fn an_invite_nobody_answers_is_repeated_and_given_up() {
    let mut bench = Bench::new();
    sent_by_us(&mut bench, "INVITE", Transport::Udp);
    assert_eq!(lines(&bench.outputs()), ["send INVITE to 192.0.2.9:5070"]);
    let rest = timed(&bench.pass(60_000));
    let times = ["500", "1500", "3500", "7500", "15500", "31500"];
    let mut expected: Vec<String> =
        times.iter().map(|time| format!("{time} send INVITE to {PEER}")).collect();
    expected.push("32000 timed out".to_owned());
    assert_eq!(rest, expected);
    assert_eq!(bench.layer.len(), 0);
    assert_eq!(bench.layer.next_deadline(), None);
}

#[test]
fn over_tcp_nothing_is_repeated() {
    let mut bench = Bench::new();
    sent_by_us(&mut bench, "INVITE", Transport::Tcp);
    bench.outputs();
    assert_eq!(timed(&bench.pass(60_000)), ["32000 timed out"]);
    sent_by_us(&mut bench, "OPTIONS", Transport::Tcp);
    bench.outputs();
    assert_eq!(timed(&bench.pass(120_000)), ["92000 timed out"]);
}

#[test]
fn another_request_is_repeated_up_to_t2() {
    let mut bench = Bench::new();
    sent_by_us(&mut bench, "OPTIONS", Transport::Udp);
    bench.outputs();
    let rest = timed(&bench.pass(60_000));
    let times: Vec<&str> = rest.iter().filter_map(|line| line.split(' ').next()).collect();
    let expected = "500 1500 3500 7500 11500 15500 19500 23500 27500 31500 32000"
        .split(' ')
        .collect::<Vec<_>>();
    assert_eq!(times, expected);
    assert_eq!(rest.last().map(String::as_str), Some("32000 timed out"));
}

#[test]
fn a_provisional_response_slows_the_repeats_of_a_request_and_stops_those_of_an_invite() {
    for (method, times) in [("OPTIONS", vec![500, 4500, 8500]), ("INVITE", vec![])] {
        let mut bench = Bench::new();
        sent_by_us(&mut bench, method, Transport::Udp);
        let request = transmitted(&bench.outputs()).remove(0);
        let outputs = bench.receive(&response(&request, 100, ""), Transport::Udp);
        assert_eq!(lines(&outputs), [format!("response 100 {method}")]);
        let sent: Vec<u64> = bench.pass(10_000).iter().map(|(at, _)| *at).collect();
        assert_eq!(sent, times, "{method}");
    }
}

#[test]
fn a_failure_is_acknowledged_each_time_and_told_once() {
    let mut bench = Bench::new();
    sent_by_us(&mut bench, "INVITE", Transport::Udp);
    let invite = transmitted(&bench.outputs()).remove(0);
    let busy = response(&invite, 486, "bob");
    let first = bench.receive(&busy, Transport::Udp);
    assert_eq!(lines(&first), [&format!("send ACK to {PEER}"), "response 486 INVITE"]);
    let ack = transmitted(&first).remove(0);
    // RFC 3261 §17.1.1.3: same Via and Route, the To of the response, the number of the INVITE.
    for name in [Name::Via, Name::Route, Name::From, Name::CallId] {
        assert_eq!(ack.header(name), invite.header(name), "{name}");
    }
    assert_eq!(ack.header(Name::To), busy.header(Name::To));
    assert_eq!(ack.header(Name::CSeq).as_deref(), Some("7 ACK"));
    assert_eq!(ack.request_uri_text(), invite.request_uri_text());
    assert_eq!(ack.vias().map(|vias| vias.len()), Ok(1));

    bench.pass(10_000);
    let again = bench.receive(&busy, Transport::Udp);
    assert_eq!(lines(&again), [format!("send ACK to {PEER}")]);
    assert_eq!(transmitted(&again)[0].as_bytes(), ack.as_bytes());
    bench.pass(32_000);
    assert_eq!(bench.layer.len(), 0);
    let late = bench.receive(&busy, Transport::Udp);
    assert_eq!(lines(&late), ["discarded Unmatched"]);
}

#[test]
fn every_2xx_is_told_while_accepted_and_is_a_stray_after() {
    let mut bench = Bench::new();
    sent_by_us(&mut bench, "INVITE", Transport::Udp);
    let invite = transmitted(&bench.outputs()).remove(0);
    for tag in ["bob", "bob", "fork"] {
        let outputs = bench.receive(&response(&invite, 200, tag), Transport::Udp);
        assert_eq!(lines(&outputs), ["response 200 INVITE"]);
    }
    assert_eq!(lines(&bench.receive(&response(&invite, 486, "x"), Transport::Udp)), [""; 0]);
    assert_eq!(timed(&bench.pass(32_000)), [""; 0]);
    assert_eq!(bench.layer.len(), 0);
    let outputs = bench.receive(&response(&invite, 200, "bob"), Transport::Udp);
    assert_eq!(lines(&outputs), ["stray 200 INVITE"]);
}

#[test]
fn over_tcp_finished_transactions_go_at_once() {
    let mut bench = Bench::new();
    for (method, status) in [("INVITE", 486), ("OPTIONS", 200)] {
        sent_by_us(&mut bench, method, Transport::Tcp);
        let request = transmitted(&bench.outputs()).remove(0);
        bench.receive(&response(&request, status, "bob"), Transport::Tcp);
        assert_eq!(bench.layer.len(), 0, "{method}");
    }
}

#[test]
fn a_response_with_a_foreign_or_second_via_is_dropped() {
    let mut bench = Bench::new();
    sent_by_us(&mut bench, "OPTIONS", Transport::Udp);
    let request = transmitted(&bench.outputs()).remove(0);
    let good = response(&request, 200, "bob");
    let foreign = good.with_header(Name::Via, "SIP/2.0/UDP 203.0.113.1;branch=z9hG4bK-a");
    let double = good.with_top(Name::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-a");
    for wrong in [foreign, double] {
        let outputs = bench.receive(&wrong, Transport::Udp);
        assert_eq!(lines(&outputs), ["discarded NotOurs"]);
    }
    assert_eq!(lines(&bench.receive(&good, Transport::Udp)), ["response 200 OPTIONS"]);
}

#[test]
fn a_broken_flow_fails_what_waits_on_it_and_nothing_else() {
    let mut bench = Bench::new();
    sent_by_us(&mut bench, "OPTIONS", Transport::Tcp);
    bench.outputs();
    let other = Flow { peer: address("192.0.2.10:5060"), ..flow(Transport::Tcp) };
    bench.layer.handle_transport_error(at(1), other);
    assert_eq!(lines(&bench.outputs()), [""; 0]);
    bench.layer.handle_transport_error(at(2), flow(Transport::Tcp));
    assert_eq!(lines(&bench.outputs()), ["transport failed"]);
    assert_eq!(bench.layer.len(), 0);
}

#[test]
fn an_invite_is_answered_100_at_once_and_told_once() {
    let mut bench = Bench::new();
    let invite = Letter::INVITE.build();
    let first = bench.receive(&invite, Transport::Udp);
    assert_eq!(lines(&first), [&format!("send 100 INVITE to {PEER}"), "request INVITE"]);
    let again = bench.receive(&invite, Transport::Udp);
    assert_eq!(lines(&again), [format!("send 100 INVITE to {PEER}")]);
    let (key, request) = key_of(&first);
    bench.layer.respond(at(5), &key, &response(&request, 180, "us"));
    assert_eq!(lines(&bench.outputs()), [format!("send 180 INVITE to {PEER}")]);
    let again = bench.receive(&invite, Transport::Udp);
    assert_eq!(lines(&again), [format!("send 180 INVITE to {PEER}")]);
}

#[test]
fn a_refused_invite_is_repeated_until_the_ack() {
    let mut bench = Bench::new();
    let (key, request) = key_of(&bench.receive(&Letter::INVITE.build(), Transport::Udp));
    bench.layer.respond(at(0), &key, &response(&request, 486, "us"));
    bench.outputs();
    let sent: Vec<u64> = bench.pass(12_000).iter().map(|(at, _)| *at).collect();
    assert_eq!(sent, [500, 1500, 3500, 7500, 11_500]);
    let ack = Letter { method: "ACK", to_tag: "us", ..Letter::INVITE }.build();
    assert_eq!(lines(&bench.receive(&ack, Transport::Udp)), [""; 0]);
    assert_eq!(lines(&bench.receive(&ack, Transport::Udp)), [""; 0]);
    assert_eq!(bench.layer.len(), 1, "repeats of the ACK are absorbed for T4");
    assert_eq!(timed(&bench.pass(17_000)), [""; 0]);
    assert_eq!(bench.layer.len(), 0);
}

#[test]
fn a_refused_invite_without_an_ack_is_reported() {
    let mut bench = Bench::new();
    let (key, request) = key_of(&bench.receive(&Letter::INVITE.build(), Transport::Udp));
    bench.layer.respond(at(0), &key, &response(&request, 486, "us"));
    let last = bench.pass(60_000);
    assert_eq!(timed(&last[last.len() - 1..]), ["32000 undelivered"]);
    assert_eq!(bench.layer.len(), 0);
}

#[test]
fn an_accepted_invite_absorbs_repeats_and_lets_the_user_repeat_the_2xx() {
    let mut bench = Bench::new();
    let invite = Letter::INVITE.build();
    let (key, request) = key_of(&bench.receive(&invite, Transport::Udp));
    let ok = response(&request, 200, "us");
    for _ in 0..2 {
        bench.layer.respond(at(bench.now), &key, &ok);
        assert_eq!(lines(&bench.outputs()), [format!("send 200 INVITE to {PEER}")]);
    }
    assert_eq!(lines(&bench.receive(&invite, Transport::Udp)), [""; 0]);
    let ack = Letter { method: "ACK", branch: "z9hG4bK-2", to_tag: "us", ..Letter::INVITE }.build();
    assert_eq!(lines(&bench.receive(&ack, Transport::Udp)), ["ack"]);
    bench.pass(32_000);
    assert_eq!(bench.layer.len(), 0);
    bench.layer.respond(at(bench.now), &key, &ok);
    assert_eq!(lines(&bench.outputs()), ["discarded TooLate"]);
}

#[test]
fn another_request_is_answered_again_for_each_repeat() {
    let mut bench = Bench::new();
    let bye = Letter { method: "BYE", to_tag: "us", extra: "", ..Letter::INVITE }.build();
    let first = bench.receive(&bye, Transport::Udp);
    assert_eq!(lines(&first), ["request BYE"]);
    assert_eq!(lines(&bench.receive(&bye, Transport::Udp)), [""; 0]);
    let (key, request) = key_of(&first);
    bench.layer.respond(at(10), &key, &response(&request, 200, ""));
    bench.outputs();
    assert_eq!(lines(&bench.receive(&bye, Transport::Udp)), [format!("send 200 BYE to {PEER}")]);
    bench.pass(31_999);
    assert_eq!(bench.layer.len(), 1);
    bench.pass(32_010);
    assert_eq!(bench.layer.len(), 0);
}

#[test]
fn a_request_nobody_answers_is_forgotten_when_its_client_has_given_up() {
    let mut bench = Bench::new();
    let info = Letter { method: "INFO", to_tag: "us", extra: "", ..Letter::INVITE }.build();
    let (key, request) = key_of(&bench.receive(&info, Transport::Udp));
    assert_eq!(timed(&bench.pass(32_000)), [""; 0]);
    assert_eq!(bench.layer.len(), 0);
    bench.layer.respond(at(bench.now), &key, &response(&request, 200, ""));
    assert_eq!(lines(&bench.outputs()), ["discarded TooLate"]);
}

#[test]
fn a_cancel_is_answered_and_reported_once() {
    let mut bench = Bench::new();
    let (key, request) = key_of(&bench.receive(&Letter::INVITE.build(), Transport::Udp));
    bench.layer.respond(at(0), &key, &response(&request, 180, "us"));
    bench.outputs();
    let cancel = Letter { method: "CANCEL", extra: "", ..Letter::INVITE }.build();
    let first = bench.receive(&cancel, Transport::Udp);
    assert_eq!(lines(&first), [&format!("send 200 CANCEL to {PEER}"), "cancelled"]);
    // RFC 3261 §9.2: the tag is that of the responses to the INVITE.
    assert_eq!(
        transmitted(&first)[0].to().map(|to| to.tag().map(str::to_owned)),
        Ok(Some("us".to_owned()))
    );
    let again = bench.receive(&cancel, Transport::Udp);
    assert_eq!(lines(&again), [format!("send 200 CANCEL to {PEER}")]);
    bench.layer.respond(at(1), &key, &response(&request, 487, "us"));
    assert_eq!(lines(&bench.outputs()), [format!("send 487 INVITE to {PEER}")]);
}

#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    let mut bench = Bench::new();
    let (key, request) = key_of(&bench.receive(&Letter::INVITE.build(), Transport::Udp));
    bench.layer.respond(at(0), &key, &response(&request, 200, "us"));
    bench.outputs();
    let cancel = Letter { method: "CANCEL", extra: "", ..Letter::INVITE }.build();
    let outputs = bench.receive(&cancel, Transport::Udp);
    assert_eq!(lines(&outputs), [format!("send 200 CANCEL to {PEER}")]);
}

#[test]
fn a_cancel_for_nothing_gets_481() {
    let mut bench = Bench::new();
    let cancel = Letter { method: "CANCEL", extra: "", ..Letter::INVITE }.build();
    let outputs = bench.receive(&cancel, Transport::Udp);
    assert_eq!(lines(&outputs), [format!("send 481 CANCEL to {PEER}")]);
}

#[test]
fn our_cancel_waits_for_a_provisional_response() {
    let mut bench = Bench::new();
    let key = sent_by_us(&mut bench, "INVITE", Transport::Udp);
    let invite = transmitted(&bench.outputs()).remove(0);
    let reason = Some("SIP;cause=200");
    assert_eq!(bench.layer.cancel(at(1), &key, reason), Cancelling::Held);
    assert_eq!(lines(&bench.outputs()), [""; 0]);
    let outputs = bench.receive(&response(&invite, 180, "bob"), Transport::Udp);
    assert_eq!(lines(&outputs), ["response 180 INVITE", &format!("send CANCEL to {PEER}")]);
    let cancel = transmitted(&outputs).remove(0);
    for name in [Name::Via, Name::Route, Name::From, Name::To, Name::CallId] {
        assert_eq!(cancel.header(name), invite.header(name), "{name}");
    }
    assert_eq!(cancel.header(Name::Reason).as_deref(), reason);
    assert_eq!(cancel.header(Name::CSeq).as_deref(), Some("7 CANCEL"));
    assert_eq!(bench.layer.cancel(at(2), &key, None), Cancelling::Sent);
    // The answer to the CANCEL is nobody's business.
    assert_eq!(lines(&bench.receive(&response(&cancel, 200, "x"), Transport::Udp)), [""; 0]);
    let end = bench.receive(&response(&invite, 487, "bob"), Transport::Udp);
    assert_eq!(lines(&end), [&format!("send ACK to {PEER}"), "response 487 INVITE"]);
    assert_eq!(bench.layer.cancel(at(3), &key, None), Cancelling::TooLate);
}

#[test]
fn a_2xx_that_crosses_our_cancel_is_reported_like_any_other() {
    let mut bench = Bench::new();
    let key = sent_by_us(&mut bench, "INVITE", Transport::Udp);
    let invite = transmitted(&bench.outputs()).remove(0);
    bench.receive(&response(&invite, 180, "bob"), Transport::Udp);
    assert_eq!(bench.layer.cancel(at(1), &key, None), Cancelling::Sent);
    bench.outputs();
    let outputs = bench.receive(&response(&invite, 200, "bob"), Transport::Udp);
    assert_eq!(lines(&outputs), ["response 200 INVITE"]);
}

#[test]
fn a_cancelled_invite_nobody_ends_is_given_up() {
    let mut bench = Bench::new();
    let key = sent_by_us(&mut bench, "INVITE", Transport::Tcp);
    let invite = transmitted(&bench.outputs()).remove(0);
    bench.receive(&response(&invite, 180, "bob"), Transport::Tcp);
    bench.pass(100_000);
    assert_eq!(bench.layer.len(), 1, "it may ring as long as its user likes");
    assert_eq!(bench.layer.cancel(at(100_000), &key, None), Cancelling::Sent);
    bench.outputs();
    assert_eq!(timed(&bench.pass(200_000)), ["132000 timed out"]);
    assert_eq!(bench.layer.len(), 0);
}

#[test]
fn beyond_the_limit_requests_are_refused_and_cancels_still_work() {
    let mut bench = Bench::with(Timers { transactions_max: 1, ..Timers::default() });
    bench.receive(&Letter::INVITE.build(), Transport::Udp);
    let other = Letter { branch: "z9hG4bK-2", ..Letter::INVITE }.build();
    let outputs = bench.receive(&other, Transport::Udp);
    assert_eq!(lines(&outputs), [&format!("send 503 INVITE to {PEER}"), "discarded Full"]);
    assert_eq!(transmitted(&outputs)[0].retry_after(), Ok(Some(5)));
    assert_eq!(bench.layer.counts().refused_full, 1);
    let ack = Letter { method: "ACK", branch: "z9hG4bK-2", ..Letter::INVITE }.build();
    assert_eq!(lines(&bench.receive(&ack, Transport::Udp)), ["ack"]);
    let cancel = Letter { method: "CANCEL", ..Letter::INVITE }.build();
    let outputs = bench.receive(&cancel, Transport::Udp);
    assert_eq!(lines(&outputs), [&format!("send 200 CANCEL to {PEER}"), "cancelled"]);
    sent_by_us(&mut bench, "OPTIONS", Transport::Udp);
    assert_eq!(lines(&bench.outputs()), ["discarded Unsendable", "transport failed"]);
}

#[test]
fn responses_go_where_the_via_says() {
    let cases = [
        ("192.0.2.9:5080;branch=z9hG4bK-1", "192.0.2.9:5080", None, None),
        ("192.0.2.9;branch=z9hG4bK-1", "192.0.2.9:5060", None, None),
        ("pbx.example;branch=z9hG4bK-1", "192.0.2.9:5060", Some("192.0.2.9"), None),
        ("10.0.0.1:5080;branch=z9hG4bK-1;rport", PEER, Some("192.0.2.9"), Some(5070)),
        (
            "10.0.0.1;branch=z9hG4bK-1;received=203.0.113.9;rport=1",
            PEER,
            Some("192.0.2.9"),
            Some(5070),
        ),
    ];
    for (via, peer, received, rport) in cases {
        let mut bench = Bench::new();
        let request = Letter::INVITE.build().with_header(Name::Via, format!("SIP/2.0/UDP {via}"));
        let outputs = bench.receive(&request, Transport::Udp);
        assert_eq!(line(&outputs[0]), format!("send 100 INVITE to {peer}"), "{via}");
        let stamped = key_of(&outputs).1.top_via().expect("a Via");
        assert_eq!(
            stamped.received(),
            received.map(|ip: &str| ip.parse().expect("an IP")),
            "{via}"
        );
        assert_eq!(stamped.rport().flatten(), rport, "{via}");
    }
}

#[test]
fn a_response_whose_stream_is_gone_tries_the_address_in_the_via() {
    let mut bench = Bench::new();
    let request =
        Letter::INVITE.build().with_header(Name::Via, "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK-1");
    let (key, request) = key_of(&bench.receive(&request, Transport::Tcp));
    bench.layer.handle_transport_error(at(1), flow(Transport::Tcp));
    assert_eq!(lines(&bench.outputs()), ["send 100 INVITE to 192.0.2.9:5060"]);
    bench.layer.respond(at(2), &key, &response(&request, 486, "us"));
    assert_eq!(lines(&bench.outputs()), ["send 486 INVITE to 192.0.2.9:5060"]);
    let fallback = Flow { peer: address("192.0.2.9:5060"), ..flow(Transport::Tcp) };
    bench.layer.handle_transport_error(at(3), fallback);
    assert_eq!(lines(&bench.outputs()), ["undelivered"]);
}

#[test]
fn a_peer_of_rfc_2543_is_matched_without_a_branch() {
    let mut bench = Bench::new();
    let old = |method: &str, tag: &str| {
        let via = "SIP/2.0/UDP 192.0.2.9:5070";
        Letter { method, to_tag: tag, ..Letter::INVITE }.build().with_header(Name::Via, via)
    };
    let (key, request) = key_of(&bench.receive(&old("INVITE", ""), Transport::Udp));
    let again = bench.receive(&old("INVITE", ""), Transport::Udp);
    assert_eq!(lines(&again), [format!("send 100 INVITE to {PEER}")]);
    let outputs = bench.receive(&old("CANCEL", ""), Transport::Udp);
    assert_eq!(lines(&outputs), [&format!("send 200 CANCEL to {PEER}"), "cancelled"]);
    bench.layer.respond(at(1), &key, &response(&request, 487, "us"));
    bench.outputs();
    assert_eq!(lines(&bench.receive(&old("ACK", "us"), Transport::Udp)), [""; 0]);
    assert!(timed(&bench.pass(1_000)).is_empty(), "the ACK has stopped the 487");
}

#[test]
fn the_ack_of_a_2xx_goes_out_with_a_via_of_its_own() {
    let mut bench = Bench::new();
    let name = host("192.0.2.1:5060");
    bench.layer.send_ack(&ours("ACK", ""), "z9hG4bK-k", &name, flow(Transport::Udp));
    let sent = transmitted(&bench.outputs()).remove(0);
    let via = sent.header(Name::Via).map(|via| via.into_owned());
    assert_eq!(via.as_deref(), Some("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-k;rport"));
    assert!(bench.layer.is_empty());
}

#[test]
fn a_stored_request_fed_in_again_makes_its_transaction_anew() {
    let mut first = Bench::new();
    let request = Letter::INVITE
        .build()
        .with_header(Name::Via, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-1;rport");
    let (key, stored) = key_of(&first.receive(&request, Transport::Udp));
    let mut second = Bench::new();
    let stored = message(std::str::from_utf8(stored.as_bytes()).expect("text"));
    let (restored, _) = key_of(&second.receive(&stored, Transport::Udp));
    assert_eq!(restored, key);
    second.layer.respond(at(1), &restored, &response(&stored, 200, "us"));
    assert_eq!(lines(&second.outputs()), [format!("send 200 INVITE to {PEER}")]);
}

#[test]
fn what_is_over_costs_less_than_a_kilobyte() {
    let mut bench = Bench::new();
    for nth in 0..50 {
        let branch = format!("z9hG4bK-a-rather-long-branch-of-some-proxy-{nth}");
        for (method, status) in [("INVITE", 486), ("INVITE", 200), ("BYE", 200)] {
            let branch = format!("{branch}-{method}-{status}");
            let letter =
                Letter { method, branch: &branch, body: crate::letters::SDP, ..Letter::INVITE };
            let (key, request) = key_of(&bench.receive(&letter.build(), Transport::Udp));
            bench.layer.respond(at(0), &key, &response(&request, status, "us"));
            bench.outputs();
        }
        for (method, status) in [("INVITE", 486), ("INVITE", 200), ("BYE", 200)] {
            let (request, name) = (ours(method, ""), host("192.0.2.1:5060"));
            let branch = format!("{branch}-{method}-{status}");
            bench.layer.send_request(at(0), &request, &branch, &name, flow(Transport::Udp));
            let sent = transmitted(&bench.outputs()).remove(0);
            bench.receive(&response(&sent, status, "bob"), Transport::Udp);
        }
    }
    assert_eq!(bench.layer.len(), 300);
    let each = bench.layer.kept_bytes() / bench.layer.len();
    assert!(each < 1_024, "{each} bytes each");
}
