//! A node under attack, and the people on it who must not notice.
//!
//! | who | from where | does |
//! |---|---|---|
//! | a caller and an agent | a trunk, 127.0.0.1 | talk, from before the attack until after it |
//! | callers of `sales` | the same | call while it lasts, are answered, talk, are hung up on |
//! | a PBX gone wrong | a trunk, 127.0.0.2 | attacks |
//! | strangers | elsewhere in 127.0.0.0/8 | attack |
//!
//! Always holds: an attack is over when its test is, and its threads end with it.
//!
//! Not here: the attacks (`half_open.rs`, `flood.rs`, `slow.rs`, `crowd.rs`).

use std::net::Ipv4Addr;
use std::net::UdpSocket;
use std::time::Duration;

use crate::carillon::Carillon;
use crate::sipp::Over;
use crate::sipp::Plan;
use crate::sipp::Sipp;
use crate::talk::Talk;
use crate::wait::until;

/// The PBX that is let in and attacks all the same.
pub(crate) const WRONG: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Callers who call while the attack lasts.
const CALLERS: u32 = 20;

/// The agents of `sales`.
const DESKS: [&str; 4] = ["201", "202", "203", "204"];

const CENTRE: &str = "
kind: Queue
metadata: {name: sales}
spec: {ringSeconds: 30}
---
kind: Queue
metadata: {name: pit}
spec: {caller: {music: none}, overflow: {noAgents: {wait: {}}}}
";

/// A node under attack.
pub(crate) struct Siege {
    pub(crate) node: Carillon,
    talk: Talk,
    desk: Sipp,
}

impl Siege {
    /// Starts a node with these limits, and lets two people talk.
    pub(crate) fn begin(limits: &str) -> Self {
        let mut node = Carillon::start(CENTRE);
        node.kill();
        let settings = std::fs::read_to_string(node.config().join("settings.yaml"));
        let settings = settings.expect("written before");
        let settings = settings
            .replace("  sip:\n", &format!("  sip:\n    limits: {limits}\n"))
            .replace("[127.0.0.0/8]", "[127.0.0.1/32, 127.0.0.2/32]");
        assert!(settings.contains(limits) && settings.contains("127.0.0.2"), "{settings}");
        node.write("settings.yaml", &settings);
        let mut talk = Talk::new();
        let desk =
            Plan { scenario: "agent", over: Over::Udp, calls: CALLERS, rate: 0, hold_ms: 500 };
        let desk = desk.answer(&node);
        node.write("agents.yaml", &(talk.resources() + &desks(desk.port)));
        node.launch();
        for name in DESKS {
            node.wait_for_agent(name, "LoggedOut");
            node.put_to_work(name);
        }
        talk.begin(&node);
        Self { node, talk, desk }
    }

    /// Memory of the node, in KiB.
    pub(crate) fn memory(&self) -> usize {
        self.node.memory_kib() as usize
    }

    /// People begin to call; each is to reach an agent, talk and be hung up on.
    pub(crate) fn callers(&self, over: Over) -> Sipp {
        let callers = Plan { scenario: "caller", over, calls: CALLERS, rate: 5, hold_ms: 0 };
        callers.call(&self.node, "sales")
    }

    /// People call, each without a failed transaction, and nobody has to ask twice.
    pub(crate) fn calls_go_through(&self, over: Over) {
        self.callers(over).finish_at_once();
    }

    /// Why messages were not taken so far.
    pub(crate) fn rejected(&self, why: &str) -> f64 {
        self.node.metric("carillon_sip_rejected_total", &format!("why=\"{why}\""))
    }

    /// Waits until a figure of the node is this much or less.
    pub(crate) fn falls(&self, metric: &str, to: f64) {
        until(&format!("{metric} falls to {to}"), Duration::from_secs(100), || {
            (self.node.metric(metric, "") <= to).then_some(())
        });
    }

    /// Ends the attack: nobody who talks or answers has noticed.
    pub(crate) fn end(self) {
        self.desk.finish_at_once();
        self.node.wait_for_queue("sales", "/totals/answered", CALLERS.into());
        self.talk.end(&self.node);
    }
}

fn desks(port: u16) -> String {
    let desk = |name| {
        format!(
            "kind: Agent\nmetadata: {{name: \"{name}\"}}\nspec: {{queues: [sales], device: \
             {{address: \"sip:{name}@127.0.0.1:{port}\"}}}}\n---\n"
        )
    };
    DESKS.map(desk).concat()
}

/// A socket at an address of an attacker.
pub(crate) fn socket(from: Ipv4Addr) -> UdpSocket {
    let socket = UdpSocket::bind((from, 0)).expect("an address of this machine");
    socket.set_nonblocking(true).expect("set");
    socket
}

/// The `nth` of many strangers.
pub(crate) fn stranger(nth: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x7f42_0000 + nth % 0xfffe + 1)
}

/// A request like any caller's; `nth` makes it another one.
pub(crate) fn request(method: &str, user: &str, from: &UdpSocket, nth: u32) -> String {
    let at = from.local_addr().expect("bound");
    let body = format!(
        "v=0\r\no=x 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n",
        ip = at.ip()
    );
    format!(
        "{method} sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{nth}\r\n\
         From: <sip:x{nth}@{at}>;tag=t{nth}\r\nTo: <sip:{user}@127.0.0.1>\r\nCall-ID: \
         {nth}@{at}\r\nCSeq: 1 {method}\r\nContact: <sip:x@{at}>\r\nMax-Forwards: 70\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
