//! First come, first served, on the wire: INVITEs to agents leave in the order in which callers
//! came, also when many agents become free in the same moment.
//!
//! The phones of all agents are one socket, so the order of arrival is the order of sending.
//!
//! Not here: who is served first by the core's rules (`tests/sim/invariants`).

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use crate::carillon::Carillon;
use crate::wait::until;

const DEADLINE: Duration = Duration::from_secs(30);

/// More than one commit takes, spread over all shards.
const CALLERS: usize = 120;

/// So many ask at once for agents to become ready.
const SUPERVISORS: usize = 8;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                   m=audio 9 RTP/AVP 0\r\n";

fn resources(phones: u16) -> String {
    let queue = "kind: Queue\nmetadata: {name: sales}\n\
                 spec: {overflow: {noAgents: {wait: {}}}, ringSeconds: 60}\n"
        .to_owned();
    let agent = |nth| {
        format!(
            "---\nkind: Agent\nmetadata: {{name: a{nth}}}\n\
             spec: {{queues: [sales], device: {{address: \"sip:a{nth}@127.0.0.1:{phones}\"}}}}\n"
        )
    };
    queue + &(0..CALLERS).map(agent).collect::<String>()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a deadline");
    // A burst of a hundred INVITEs; the kernel may grant less and is enough then, too.
    let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(4 << 20);
    socket
}

fn invite(socket: &UdpSocket, node: u16, nth: usize) {
    let me = socket.local_addr().expect("bound");
    let text = format!(
        "INVITE sip:sales@127.0.0.1:{node} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{nth}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:c{nth}@{me}>;tag=1\r\nTo: <sip:sales@127.0.0.1>\r\n\
         Call-ID: order-{nth}\r\nCSeq: 1 INVITE\r\nContact: <sip:c{nth}@{me}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    );
    socket.send_to(text.as_bytes(), ("127.0.0.1", node)).expect("sent");
}

/// Every agent is asked the same, many in the same moment.
fn all_at_once(node: &Carillon, wish: &str) {
    thread::scope(|scope| {
        for first in 0..SUPERVISORS {
            scope.spawn(move || {
                for nth in (first..CALLERS).step_by(SUPERVISORS) {
                    node.wish(&format!("a{nth}"), wish);
                }
            });
        }
    });
}

/// The caller an INVITE tells of.
fn caller_in(invite: &str) -> usize {
    let from = invite.lines().find(|line| line.starts_with("From:")).expect("a From");
    let number = from.split("sip:c").nth(1).and_then(|rest| rest.split('@').next());
    number.and_then(|number| number.parse().ok()).expect("a caller's number")
}

/// The callers of all INVITEs, each once, in the order they came in.
fn rung(phones: &UdpSocket) -> Vec<usize> {
    let (mut rung, mut buffer) = (Vec::new(), [0; 4000]);
    until("every agent is rung", DEADLINE, || {
        while let Ok(length) = phones.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            let caller = text.starts_with("INVITE ").then(|| caller_in(&text));
            rung.extend(caller.filter(|caller| !rung.contains(caller)));
            if rung.len() == CALLERS {
                return Some(());
            }
        }
        None
    });
    rung
}

#[test]
fn agents_who_become_free_together_are_rung_in_the_callers_order() {
    let (phones, callers) = (socket(), socket());
    let node = Carillon::start(&resources(phones.local_addr().expect("bound").port()));
    for nth in 0..CALLERS {
        invite(&callers, node.sip, nth);
        node.wait_for_queue("sales", "/waiting", nth as u64 + 1);
    }
    all_at_once(&node, "login");
    all_at_once(&node, "ready");
    let rung = rung(&phones);
    assert!(rung.is_sorted(), "{rung:?}");
}
