//! Every torture message as a datagram to a running node, and an OPTIONS after each.
//!
//! A node answers where RFC 3261 §18.2.2 says: the address a message came from, at the port its
//! top Via names. So the sender is an address of its own on the loopback interface, with a socket
//! on each port the messages name.
//!
//! Not here: what the codec makes of them (`tests/sip/torture.rs`), what each is to be answered
//! with (`tests/sip/torture/required.md`).

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::Ipv4Addr;
use std::net::UdpSocket;
use std::time::Duration;

use carillon::sip::peek_call_id;

use crate::carillon::Carillon;
use crate::corpus::Sample;
use crate::corpus::corpus;
use crate::wait::until;

/// The ports the top Vias of the corpus name; the first is that of messages that name none.
const PORTS: [u16; 5] = [5060, 5050, 5070, 6050, 19823];

/// Far more than an answer takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// A socket on each port, at an address drawn anew until it is nobody else's.
fn sockets() -> Option<Vec<UdpSocket>> {
    let drawn = RandomState::new().hash_one(0).to_be_bytes();
    let address = Ipv4Addr::new(127, drawn[0] | 1, drawn[1], drawn[2] | 1);
    let bind = |port: &u16| {
        let socket = UdpSocket::bind((address, *port)).ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(socket)
    };
    PORTS.iter().map(bind).collect()
}

struct Sender {
    node: (Ipv4Addr, u16),
    sockets: Vec<UdpSocket>,
    /// The INVITEs' final responses so far, which come again and again as nobody acknowledges.
    repeated: HashSet<Vec<u8>>,
    probes: u32,
}

impl Sender {
    fn new(node: &Carillon) -> Self {
        Self {
            node: (Ipv4Addr::LOCALHOST, node.sip),
            sockets: until("an address of our own", DEADLINE, sockets),
            repeated: HashSet::new(),
            probes: 0,
        }
    }

    fn send(&self, bytes: &[u8]) {
        self.sockets[0].send_to(bytes, self.node).expect("sent");
    }

    /// The next response that is final and not a repetition.
    fn heard(&mut self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 65_535];
        for socket in &self.sockets {
            while let Ok(length) = socket.recv(&mut buffer) {
                let response = buffer[..length].to_vec();
                let text = String::from_utf8_lossy(&response);
                // Of the lines that are copied from a request, folded or not, only CSeq ends so.
                let invite = text.lines().any(|line| line.ends_with(" INVITE"));
                let provisional = response.starts_with(b"SIP/2.0 1");
                let new = !invite || self.repeated.insert(response.clone());
                if new && !provisional {
                    return Some(response);
                }
            }
        }
        None
    }

    /// Asks whether the node is well; fails if anything but the answer to that is heard.
    fn probe(&mut self, after: &str) {
        self.probes += 1;
        let (nth, host) = (self.probes, self.sockets[0].local_addr().expect("bound"));
        let call_id = format!("probe-{nth}@tests");
        let probe = format!(
            "OPTIONS sip:{}:{} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bKprobe{nth}\r\n\
             From: <sip:probe@{host}>;tag=1\r\nTo: <sip:probe@{host}>\r\nCall-ID: {call_id}\r\n\
             CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            self.node.0, self.node.1,
        );
        self.send(probe.as_bytes());
        let answer = until(&format!("an answer after {after}"), DEADLINE, || self.heard());
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(peek_call_id(&answer), Some(call_id.as_bytes()), "after {after}: {text}");
        assert!(text.starts_with("SIP/2.0 200 "), "after {after}: {text}");
    }
}

fn expect(sender: &mut Sender, sample: &Sample) {
    sender.send(&sample.bytes);
    if sample.udp != "silence" {
        let what = format!("{} ({}) is answered {}", sample.name, sample.section, sample.udp);
        let answer = until(&what, DEADLINE, || sender.heard());
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with(&format!("SIP/2.0 {} ", sample.udp)), "{what}, not\n{text}");
        assert_eq!(peek_call_id(&answer), peek_call_id(&sample.bytes), "{what}, not\n{text}");
    }
    // A message that is to be dropped must not be answered later either: every answer heard
    // from here on is that of the next probe or sample, or the test fails.
    sender.probe(&sample.name);
}

#[test]
fn every_torture_message_is_answered_as_its_rfc_asks() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    let mut sender = Sender::new(&node);
    for sample in corpus() {
        expect(&mut sender, &sample);
    }
    // As the archive has it, with LF for CRLF: nobody's message, and nobody's harm.
    for sample in corpus().iter().filter(|sample| sample.archived != sample.bytes) {
        sender.send(&sample.archived);
        let what = format!("{} with bare line feeds is answered 400", sample.name);
        let answer = until(&what, DEADLINE, || sender.heard());
        assert!(answer.starts_with(b"SIP/2.0 400 "), "{what}");
        sender.probe(&sample.name);
    }
}

#[test]
fn refusals_say_what_is_lacking() {
    let node = Carillon::start("kind: Queue\nmetadata: {name: sales}\nspec: {}\n");
    let mut sender = Sender::new(&node);
    let said = [
        ("bext01", "\r\nUnsupported: nothingSupportsThis, nothingSupportsThisEither\r\n"),
        ("intmeth", "\r\nAllow: INVITE,"),
        ("regaut01", "\r\nAllow: INVITE,"),
        ("invut", "\r\nAccept: application/sdp\r\n"),
        ("sdp01", "\r\nWarning: 399 "),
    ];
    for sample in corpus() {
        let Some((name, header)) = said.iter().find(|(name, _)| *name == sample.name) else {
            continue;
        };
        sender.send(&sample.bytes);
        let answer = until(name, DEADLINE, || sender.heard());
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains(header), "{name}: no {header:?} in\n{text}");
    }
}
