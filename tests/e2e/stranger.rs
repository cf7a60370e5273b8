//! Somebody at another address who has overheard everything that was said in a call, and says it
//! again as it suits.
//!
//! Not here: what must come of it (`forged.rs`, `replayed.rs`).

use std::cell::Cell;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::time::Duration;
use std::time::Instant;

use crate::phone::Text;

/// A socket at an address no trunk names and no phone has.
pub(crate) struct Stranger {
    socket: UdpSocket,
    node: SocketAddr,
    count: Cell<u32>,
}

/// One side of a dialog, as its other side's requests name it.
#[derive(Clone, Debug)]
pub(crate) struct Overheard {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) call_id: String,
    pub(crate) target: String,
}

impl Overheard {
    /// What an INVITE to a queue says, before anything was answered.
    pub(crate) fn of_nothing(queue: &str, call: &str, node: u16) -> Self {
        let target = format!("sip:{queue}@127.0.0.1:{node}");
        Self {
            from: format!("<sip:{call}@127.0.0.1>;tag={call}"),
            to: format!("<{target}>"),
            call_id: format!("{call}@test"),
            target,
        }
    }

    /// What a caller's requests say, by the answer it got.
    pub(crate) fn of_caller(answer: &Text) -> Self {
        Self {
            from: answer.header("from").to_owned(),
            to: answer.header("to").to_owned(),
            call_id: answer.header("call-id").to_owned(),
            target: answer.contact(),
        }
    }

    /// What an agent's requests say, by the INVITE it got.
    pub(crate) fn of_agent(invite: &Text) -> Self {
        Self {
            from: format!("{};tag=agent", invite.header("to")),
            to: invite.header("from").to_owned(),
            call_id: invite.header("call-id").to_owned(),
            target: invite.contact(),
        }
    }
}

impl Stranger {
    /// A stranger at this address who speaks to the node.
    pub(crate) fn at(address: &str, node: u16) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("an address of the loopback interface");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("set");
        let node = SocketAddr::from(([127, 0, 0, 1], node));
        Self { socket, node, count: Cell::new(0) }
    }

    /// Where it is.
    pub(crate) fn here(&self) -> SocketAddr {
        self.socket.local_addr().expect("bound")
    }

    /// Says something, and waits for nothing.
    pub(crate) fn say(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.node).expect("sent");
    }

    /// Says a request; the final answer, if one comes within two seconds.
    pub(crate) fn ask(&self, text: &str) -> Option<Text> {
        while self.hear().is_some() {} // What was said before is no answer to this.
        self.say(text);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            let Some(heard) = self.hear() else { continue };
            if heard.first.starts_with("SIP/2.0 ") && !heard.first.starts_with("SIP/2.0 1") {
                return Some(heard);
            }
        }
        None
    }

    /// Sends an INVITE, with more header lines if some are given, and acknowledges the answer.
    pub(crate) fn call(&self, known: &Overheard, more: &str) -> Text {
        let invite = self.compose("INVITE", known, more, &self.description());
        let answer = self.ask(&invite).unwrap_or_else(|| panic!("no answer to {invite}"));
        let to = answer.header("to").to_owned();
        let ack = self.compose("ACK", &Overheard { to, ..known.clone() }, "", "");
        // An ACK has the number of its INVITE.
        let number = answer.header("cseq").split(' ').next().unwrap_or_default();
        let count = self.count.get();
        let own = format!("CSeq: {} ACK", 1000 + count);
        self.say(&ack.replace(&own, &format!("CSeq: {number} ACK")));
        answer
    }

    /// The next message that is there by now.
    pub(crate) fn hear(&self) -> Option<Text> {
        self.hear_bytes().map(|(text, _)| text)
    }

    /// The same, with its bytes.
    pub(crate) fn hear_bytes(&self) -> Option<(Text, Vec<u8>)> {
        let mut buffer = [0; 65_535];
        let read = self.socket.recv(&mut buffer).ok()?;
        let text = Text::read(&String::from_utf8_lossy(&buffer[..read]));
        Some((text, buffer[..read].to_vec()))
    }

    /// A request within a dialog, with a branch of its own; `more` are header lines.
    pub(crate) fn compose(
        &self,
        method: &str,
        known: &Overheard,
        more: &str,
        body: &str,
    ) -> String {
        self.count.set(self.count.get() + 1);
        let (nth, here) = (self.count.get(), self.here());
        let Overheard { from, to, call_id, target } = known;
        let kind =
            if body.starts_with("v=") { "application/sdp" } else { "application/dtmf-relay" };
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP \
             {here};branch=z9hG4bKs{nth};rport\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: \
             {to}\r\nCall-ID: {call_id}\r\nCSeq: {} {method}\r\nContact: \
             <sip:s@{here}>\r\n{more}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            1000 + nth,
            body.len()
        )
    }

    /// A session description that wants the audio here.
    pub(crate) fn description(&self) -> String {
        let here = self.here();
        format!(
            "v=0\r\no=s 1 9 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP \
             0\r\na=rtpmap:0 PCMU/8000\r\n",
            ip = here.ip(),
            port = here.port()
        )
    }
}

/// The status of an answer; 0 if there was none.
pub(crate) fn status(answer: Option<&Text>) -> u16 {
    let status = answer.and_then(|answer| answer.first.split(' ').nth(1)?.parse().ok());
    status.unwrap_or(0)
}
