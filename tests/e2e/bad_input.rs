//! Bad input: refused with the right words, and everybody else is unaffected.
//!
//! Not here: every torture message (`tests/sip/torture`), every mistake in YAML
//! (`tests/resource`).

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::json;

use crate::carillon::Carillon;
use crate::sipp::Over;
use crate::sipp::Plan;

fn refused(node: &Carillon, scenario: &str, queue: &str) {
    Plan { scenario, over: Over::Udp, calls: 5, rate: 10, hold_ms: 0 }.call(node, queue).finish();
}

#[test]
fn callers_are_refused_with_the_right_status() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {overflow: {noAgents: {wait: {}}}}\n---\n\
         kind: Queue\nmetadata: {name: shut}\nspec: {open: false}\n---\n\
         kind: Queue\nmetadata: {name: full}\nspec: {limits: {callsMax: 1}, overflow: {noAgents: \
         {wait: {}}}}\n",
    );
    refused(&node, "caller_refused_404", "nobody");
    refused(&node, "caller_refused_480", "shut");
    let inside =
        Plan { scenario: "caller_leaves", over: Over::Udp, calls: 1, rate: 1, hold_ms: 4000 };
    let inside = inside.call(&node, "full");
    node.wait_for_queue("full", "/waiting", 1);
    refused(&node, "caller_refused_486", "full");
    inside.finish();
    refused(&node, "caller_refused_488", "sales");
}

/// Sends one datagram and returns the first line of the answer, if one comes; 100 is none yet.
fn exchange(node: &Carillon, datagram: &[u8]) -> Option<String> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(700))).expect("set");
    socket.send_to(datagram, ("127.0.0.1", node.sip)).expect("sent");
    let mut buffer = [0; 65_535];
    loop {
        let read = socket.recv(&mut buffer).ok()?;
        let first = String::from_utf8_lossy(&buffer[..read]).lines().next().map(str::to_owned);
        if first.as_deref() != Some("SIP/2.0 100 Trying") {
            return first;
        }
    }
}

fn invite(body: &str, extra: &str) -> Vec<u8> {
    format!(
        "INVITE sip:sales@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP \
         127.0.0.1:9;branch=z9hG4bK{len}{sum};rport\r\nFrom: <sip:c@127.0.0.1>;tag=t\r\nTo: \
         <sip:sales@127.0.0.1>\r\nCall-ID: {len}-{sum}@test\r\nCSeq: 1 INVITE\r\nContact: \
         <sip:c@127.0.0.1>\r\nMax-Forwards: 70\r\n{extra}Content-Type: \
         application/sdp\r\nContent-Length: {len}\r\n\r\n{body}",
        len = body.len(),
        sum = extra.len(),
    )
    .into_bytes()
}

#[test]
fn garbage_is_dropped_and_wrong_messages_are_answered() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {overflow: {noAgents: {wait: {}}}}\n",
    );
    let beside =
        Plan { scenario: "caller_leaves", over: Over::Udp, calls: 30, rate: 10, hold_ms: 1500 };
    let beside = beside.call(&node, "sales");

    assert_eq!(exchange(&node, b"\x00\x01\xff garbage"), None);
    assert_eq!(exchange(&node, b"INVITE sip:sales@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/U"), None);
    assert_eq!(exchange(&node, &vec![b'x'; 60_000]), None);
    let wrong = exchange(&node, &invite("v=0\r\nthis is no session description\r\n", ""));
    let wrong = wrong.expect("an answer");
    let status = wrong.split(' ').nth(1);
    assert!(matches!(status, Some("400" | "488")), "{wrong}");
    let options = invite("", "").iter().map(|b| *b as char).collect::<String>();
    let options = options.replace("INVITE", "OPTIONS").replace("-0@", "-options@");
    assert_eq!(exchange(&node, options.as_bytes()).as_deref(), Some("SIP/2.0 200 OK"));
    let unknown = options.replace("OPTIONS", "JUGGLE").replace("-options@", "-juggle@");
    let unknown = exchange(&node, unknown.as_bytes()).expect("an answer");
    assert!(unknown.contains("501") || unknown.contains("405"), "{unknown}");

    beside.finish();
    node.wait_for_queue("sales", "/waiting", 0);
    let queue = node.read("/api/v1/queues/sales");
    assert_eq!(queue["totals"]["entered"], 30, "{queue}");
}

#[test]
fn malformed_rest_bodies_name_the_field() {
    let node = Carillon::start(
        "kind: Queue\nmetadata: {name: sales}\nspec: {}\n---\nkind: Agent\nmetadata: {name: \
         \"101\"}\nspec: {queues: [sales], device: {address: \"sip:101@127.0.0.1:9\"}}\n",
    );
    node.wait_for_agent("101", "LoggedOut");
    let (status, problem) = node.ask("/api/v1/agents/101/login", &json!({"kind": 7}));
    assert_eq!(status, 422, "{problem}");
    assert!(problem.to_string().contains("/kind"), "{problem}");
    let (status, problem) = node.ask("/api/v1/agents/102/login", &json!({}));
    assert_eq!(status, 404, "{problem}");
    assert!(problem.to_string().contains("101"), "the near name is offered: {problem}");
}
