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

use serde_json::json;

use crate::carillon::Carillon;
use crate::phone::Heard;
use crate::phone::Phone;
use crate::sipp::Over;
use crate::sipp::Plan;
use crate::sipp::Sipp;
use crate::wait::until;

/// The PBX that is let in and attacks all the same.
pub(crate) const WRONG: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// As many packets of the talk in a row may be missing: half a second on a machine that is busy
/// with being attacked.
const HOLE_MAX: u16 = 25;

/// Callers who call while the attack lasts.
const CALLERS: u32 = 20;

const CENTRE: &str = "
kind: Queue
metadata: {name: talk}
---
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
    caller: Phone,
    agent: Phone,
    desk: Sipp,
    before: [usize; 2],
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
        let (mut caller, mut agent) = (Phone::new(), Phone::new());
        let desk =
            Plan { scenario: "agent", over: Over::Udp, calls: CALLERS, rate: 0, hold_ms: 500 };
        let desk = desk.answer(&node);
        node.write("agents.yaml", &agents(agent.port(), desk.port));
        node.launch();
        for name in ["101", "201", "202", "203", "204"] {
            node.wait_for_agent(name, "LoggedOut");
            node.put_to_work(name);
        }
        caller.call("talk", node.sip);
        caller.hum(700.0);
        agent.answer();
        agent.hum(1100.0);
        node.wait_for_queue("talk", "/talking", 1);
        let siege = Self { node, caller, agent, desk, before: [0, 0] };
        siege.talk_goes_on();
        let before = siege.heard().map(|heard| heard.len());
        Self { before, ..siege }
    }

    /// Memory of the node, in KiB.
    pub(crate) fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.node.pid()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let figure = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        figure.expect("the kernel says so")
    }

    /// People call, reach an agent, talk and are hung up on, each without a failed transaction.
    pub(crate) fn calls_go_through(&self, over: Over) {
        let callers = Plan { scenario: "caller", over, calls: CALLERS, rate: 5, hold_ms: 0 };
        callers.call(&self.node, "sales").finish();
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

    /// Ends the attack: those who talk have heard each other all the time, and hang up in order.
    pub(crate) fn end(self) {
        self.desk.finish();
        self.node.wait_for_queue("sales", "/totals/answered", CALLERS.into());
        self.node.wait_for_queue("talk", "/talking", 1);
        talk_goes_on([&self.caller, &self.agent]);
        for (phone, before) in [&self.caller, &self.agent].into_iter().zip(self.before) {
            assert_whole(&phone.heard()[before..]);
        }
        let calls = self.node.read("/api/v1/queues/talk/calls");
        let call = calls["items"][0]["id"].as_str().expect("the talk").to_owned();
        let (status, answer) = self.node.ask(&format!("/api/v1/calls/{call}/hang-up"), &json!({}));
        assert_eq!(status, 200, "{answer}");
        self.caller.released();
        self.agent.released();
    }

    fn talk_goes_on(&self) {
        talk_goes_on([&self.caller, &self.agent]);
    }

    fn heard(&self) -> [Vec<Heard>; 2] {
        [self.caller.heard(), self.agent.heard()]
    }
}

fn agents(talks: u16, desk: u16) -> String {
    let agent = |name: &str, queue: &str, port: u16| {
        format!(
            "kind: Agent\nmetadata: {{name: \"{name}\"}}\nspec: {{queues: [{queue}], device: \
             {{address: \"sip:{name}@127.0.0.1:{port}\"}}}}\n---\n"
        )
    };
    let desks = ["201", "202", "203", "204"].map(|name| agent(name, "sales", desk));
    agent("101", "talk", talks) + &desks.concat()
}

/// Waits until both have heard half a second more.
fn talk_goes_on(phones: [&Phone; 2]) {
    let before = phones.map(|phone| phone.heard().len());
    until("they hear each other", Duration::from_secs(20), || {
        let now = phones.map(|phone| phone.heard().len());
        now.iter().zip(before).all(|(now, before)| *now > before + 25).then_some(())
    });
}

/// What was heard has no hole that anybody would notice.
fn assert_whole(heard: &[Heard]) {
    let voice = heard.iter().filter(|packet| packet.payload_type == 0);
    let numbers: Vec<u16> = voice.map(|packet| packet.sequence).collect();
    let steps = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
    let missing = steps.clone().map(|step| usize::from(step.wrapping_sub(1))).sum::<usize>();
    let widest = steps.max().expect("they talked");
    let of = numbers.len();
    assert!(widest <= HOLE_MAX, "{widest} packets in a row of {of}");
    assert!(missing * 50 <= of, "{missing} packets are missing of {of}");
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
