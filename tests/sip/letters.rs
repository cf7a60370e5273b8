//! Messages for the tests of transactions and dialogs, and a layer driven by hand.

use std::net::SocketAddr;

use bytes::Bytes;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::sip::Flow;
use carillon::sip::HostPort;
use carillon::sip::Message;
use carillon::sip::Method;
use carillon::sip::RequestBuilder;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::transaction::Layer;
use carillon::sip::transaction::Output;
use carillon::sip::transaction::timer::Timers;

/// A body that counts as a session description.
pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// The flow between us (192.0.2.1) and them (192.0.2.9).
pub(crate) fn flow(transport: Transport) -> Flow {
    let (local, peer) = (address("192.0.2.1:5060"), address("192.0.2.9:5070"));
    Flow { transport, local, peer }
}

pub(crate) fn host(text: &str) -> HostPort {
    text.parse().expect("host and port")
}

pub(crate) fn at(milliseconds: u64) -> LocalTime {
    LocalTime(0) + Millis(milliseconds)
}

pub(crate) fn message(text: &str) -> Message {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    Message::parse(Bytes::from(text)).expect("a message")
}

/// A request to us. `extra` are whole header lines, each with its line end.
pub(crate) struct Letter<'a> {
    pub(crate) method: &'a str,
    pub(crate) branch: &'a str,
    pub(crate) cseq: u32,
    pub(crate) to_tag: &'a str,
    pub(crate) extra: &'a str,
    pub(crate) body: &'a str,
}

impl Letter<'_> {
    pub(crate) const INVITE: Self = Letter {
        method: "INVITE",
        branch: "z9hG4bK-1",
        cseq: 1,
        to_tag: "",
        extra: "Contact: <sip:ann@192.0.2.9:5070>\r\n",
        body: "",
    };

    pub(crate) fn build(&self) -> Message {
        let Self { method, branch, cseq, to_tag, extra, body } = self;
        let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let length = body.len();
        message(&format!(
            "{method} sip:sales@192.0.2.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9:5070;branch={branch}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:ann@192.0.2.9>;tag=ann\r\n\
             To: <sip:sales@192.0.2.1>{tag}\r\n\
             Call-ID: one@192.0.2.9\r\n\
             CSeq: {cseq} {method}\r\n\
             {extra}{kind}Content-Length: {length}\r\n\r\n{body}"
        ))
    }
}

/// A request of ours, as a dialog would write it: without Via.
pub(crate) fn ours(method: &str, extra: &str) -> Message {
    let lines = format!(
        "Max-Forwards: 70\r\n\
         From: <sip:acd@192.0.2.1>;tag=us\r\n\
         To: <sip:bob@192.0.2.9>\r\n\
         Call-ID: two@192.0.2.1\r\n\
         CSeq: 7 {method}\r\n\
         Contact: <sip:acd@192.0.2.1:5060>\r\n{extra}"
    );
    let target = "sip:bob@192.0.2.9".parse().expect("a URI");
    let lines = lines.lines().filter_map(|line| line.split_once(": "));
    let request = RequestBuilder::new(Method::from(method), &target);
    lines.fold(request, |request, (name, value)| request.raw(name, value)).build()
}

pub(crate) fn response(request: &Message, status: u16, tag: &str) -> Message {
    ResponseBuilder::to(request, status).to_tag(tag).build()
}

/// A layer with what it has put out, and a clock that only tests move.
pub(crate) struct Bench {
    pub(crate) layer: Layer,
    pub(crate) now: u64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Timers::default())
    }

    pub(crate) fn with(timers: Timers) -> Self {
        Self { layer: Layer::new(timers), now: 0 }
    }

    pub(crate) fn receive(&mut self, message: &Message, transport: Transport) -> Vec<Output> {
        self.layer.handle_message(at(self.now), message.clone(), flow(transport));
        self.outputs()
    }

    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.layer.poll_output()).collect()
    }

    /// Lets time pass up to `until`; answers when each output came, in milliseconds.
    pub(crate) fn pass(&mut self, until: u64) -> Vec<(u64, Output)> {
        let mut all = Vec::new();
        while let Some(due) = self.layer.next_deadline().filter(|due| *due <= at(until)) {
            self.now = due.0 / 1000;
            self.layer.handle_deadline(due);
            all.extend(self.outputs().into_iter().map(|output| (self.now, output)));
        }
        self.now = until;
        all
    }
}

/// One line for an output: what tests compare.
pub(crate) fn line(output: &Output) -> String {
    match output {
        Output::Transmit { bytes, flow } => {
            let sent = Message::parse(bytes.clone()).expect("what we send parses");
            format!("send {} to {}", title(&sent), flow.peer)
        }
        Output::Request { message, .. } => format!("request {}", title(message)),
        Output::Ack { .. } => "ack".to_owned(),
        Output::Cancelled { .. } => "cancelled".to_owned(),
        Output::Response { message, .. } => format!("response {}", title(message)),
        Output::StrayResponse { message, .. } => format!("stray {}", title(message)),
        Output::TimedOut { .. } => "timed out".to_owned(),
        Output::TransportFailed { .. } => "transport failed".to_owned(),
        Output::ResponseUndelivered { .. } => "undelivered".to_owned(),
        Output::Discarded { why } => format!("discarded {why:?}"),
    }
}

pub(crate) fn lines(outputs: &[Output]) -> Vec<String> {
    outputs.iter().map(line).collect()
}

pub(crate) fn timed(outputs: &[(u64, Output)]) -> Vec<String> {
    outputs.iter().map(|(at, output)| format!("{at} {}", line(output))).collect()
}

fn title(message: &Message) -> String {
    match message.status() {
        Some(status) => format!("{status} {}", message.method()),
        None => message.method().to_string(),
    }
}
