//! Strangers at the transactions: nothing is kept for them, and of what there is they are heard
//! only from the address the other side has.

use carillon::sip::Flow;
use carillon::sip::Message;
use carillon::sip::Transport;
use carillon::sip::transaction::Output;

use crate::letters::Bench;
use crate::letters::Letter;
use crate::letters::address;
use crate::letters::at;
use crate::letters::flow;
use crate::letters::host;
use crate::letters::lines;
use crate::letters::ours;
use crate::letters::response;

fn from(peer: &str) -> Flow {
    Flow { peer: address(peer), ..flow(Transport::Udp) }
}

/// Hands a stranger's message over; what became of it.
fn stranger(bench: &mut Bench, message: &Message, peer: &str) -> Vec<String> {
    bench.layer.handle_passing(at(bench.now), message.clone(), from(peer));
    lines(&bench.outputs())
}

/// An INVITE of ours that is under way, as it went out.
fn ringing(bench: &mut Bench) -> Message {
    let (now, name) = (at(bench.now), host("192.0.2.1:5060"));
    let invite = ours("INVITE", "");
    bench.layer.send_request(now, &invite, "z9hG4bK-a", &name, flow(Transport::Udp));
    let outputs = bench.outputs();
    let Some(Output::Transmit { bytes, .. }) = outputs.first() else { panic!("{outputs:?}") };
    Message::parse(bytes.clone()).expect("ours")
}

#[test]
fn a_strangers_response_counts_from_where_the_request_went() {
    for status in [100, 180, 200, 302, 486, 603] {
        let mut bench = Bench::new();
        let invite = ringing(&mut bench);
        let forged = response(&invite, status, "bob");
        let heard = stranger(&mut bench, &forged, "203.0.113.9:5070");
        // A 2xx may be that of a fork whose transaction is over; its user judges that.
        let expected = if status == 200 { "stray 200 INVITE" } else { "discarded Unmatched" };
        assert_eq!(heard, [expected], "{status}");
        // A NAT may have changed the port.
        let heard = stranger(&mut bench, &forged, "192.0.2.9:7777");
        assert_eq!(heard.last(), Some(&format!("response {status} INVITE")));
    }
}

#[test]
fn a_known_peer_may_answer_from_another_address() {
    let mut bench = Bench::new();
    let invite = ringing(&mut bench);
    let busy = response(&invite, 486, "bob");
    bench.layer.handle_message(at(bench.now), busy, from("203.0.113.9:5070"));
    assert_eq!(lines(&bench.outputs())[1], "response 486 INVITE");
}

#[test]
fn a_strangers_cancel_counts_from_where_the_invite_came() {
    let mut bench = Bench::new();
    bench.receive(&Letter::INVITE.build(), Transport::Udp);
    let cancel = Letter { method: "CANCEL", ..Letter::INVITE }.build();
    let kept = bench.layer.len();
    let heard = stranger(&mut bench, &cancel, "203.0.113.9:5070");
    assert_eq!(heard, ["send 481 CANCEL to 203.0.113.9:5070"]);
    assert_eq!(bench.layer.len(), kept);
    let heard = stranger(&mut bench, &cancel, "192.0.2.9:7777");
    assert_eq!(heard, ["send 200 CANCEL to 192.0.2.9:5070", "cancelled"]);
}

#[test]
fn a_strangers_repeat_and_ack_are_none() {
    let mut bench = Bench::new();
    let invite = Letter::INVITE.build();
    let told = bench.receive(&invite, Transport::Udp);
    let Some(Output::Request { key, message, .. }) = told.last() else { panic!("{told:?}") };
    assert_eq!(stranger(&mut bench, &invite, "203.0.113.9:5070"), ["discarded Elsewhere"]);
    let refusal = response(message, 486, "us");
    bench.layer.respond(at(bench.now), key, &refusal);
    bench.outputs();
    let ack = Letter { method: "ACK", to_tag: "us", ..Letter::INVITE }.build();
    assert_eq!(stranger(&mut bench, &ack, "203.0.113.9:5070"), ["discarded Elsewhere"]);
    bench.pass(600);
    let again = stranger(&mut bench, &invite, "192.0.2.9:5070");
    assert_eq!(again, ["send 486 INVITE to 192.0.2.9:5070"], "it is not acknowledged yet");
    assert!(stranger(&mut bench, &ack, "192.0.2.9:5070").is_empty());
    let rest = bench.pass(60_000);
    assert!(rest.is_empty(), "{rest:?}");
}
