//! A softphone's line: one SIP socket, its transactions, and at most one dialog at a time.
//!
//! Always holds: what the phone says goes through the same transactions and dialogs as Carillon's
//! own messages, so lost datagrams are sent again; the line ends with its owner.
//!
//! Not here: what the phone does with a call ([`super::caller`], [`super::agent`]), sound
//! ([`super::voice`]).

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::time::sleep;

use crate::node::clock;
use crate::node::entropy;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::Layer;
use crate::sip::transaction::Output;
use crate::sip::transaction::key::ClientKey;
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::timer::Timers;
use crate::sip::uri::HostPort;
use crate::sip::uri::Uri;
use crate::sip::write::RequestBuilder;
use crate::sip::write::ResponseBuilder;

/// What comes up from the transactions.
pub(super) enum Heard {
    /// A request to answer.
    Request { key: ServerKey, message: Message },
    /// A response to a request of ours.
    Response(Message),
    /// The INVITE of this transaction was taken back.
    Cancelled(ServerKey),
    /// A 2xx of ours was acknowledged.
    Acknowledged,
    /// A request of ours had no answer.
    Unanswered,
}

/// A line at work.
pub(super) struct Line {
    socket: UdpSocket,
    layer: Layer,
    /// Where the line is reached.
    pub(super) local: SocketAddr,
    /// The other end: Carillon.
    node: SocketAddr,
    buffer: Vec<u8>,
}

impl Line {
    /// Opens a line on the loopback interface.
    pub(super) async fn open(node: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let local = socket.local_addr()?;
        let buffer = vec![0; 65_535];
        Ok(Self { socket, layer: Layer::new(Timers::default()), local, node, buffer })
    }

    fn flow(&self) -> Flow {
        Flow { transport: Transport::Udp, local: self.local, peer: self.node }
    }

    /// Our address as a SIP URI.
    pub(super) fn uri(&self, user: &str) -> Uri {
        Uri::sip(Some(user), HostPort::from(self.local))
    }

    /// Begins an INVITE to `user` at Carillon.
    pub(super) fn invite(&self, user: &str, from: &NameAddr) -> RequestBuilder {
        let target = Uri::sip(Some(user), HostPort::from(self.node));
        let call_id = format!("{:016x}@{}", entropy::number(), self.local.ip());
        RequestBuilder::new(Method::Invite, &target)
            .header(Name::MaxForwards, 70)
            .header(Name::From, from)
            .header(Name::To, NameAddr::new(target.clone()))
            .header(Name::CallId, call_id)
            .header(Name::CSeq, "1 INVITE")
            .header(Name::Contact, NameAddr::new(from.uri.clone()))
    }

    /// Sends a request.
    pub(super) fn send(&mut self, request: &Message) -> ClientKey {
        let (flow, sent_by) = (self.flow(), HostPort::from(self.local));
        self.layer.send_request(clock::local(), request, &branch(), &sent_by, flow)
    }

    /// Takes an INVITE back.
    pub(super) fn cancel(&mut self, invite: &ClientKey) {
        self.layer.cancel(clock::local(), invite, None);
    }

    /// Acknowledges the 2xx to our INVITE.
    pub(super) fn acknowledge(&mut self, dialog: &Dialog) {
        let (flow, sent_by) = (self.flow(), HostPort::from(self.local));
        let ack = dialog.ack(dialog.first_cseq).build();
        self.layer.send_ack(&ack, &branch(), &sent_by, flow);
    }

    /// Ends the dialog.
    pub(super) fn bye(&mut self, dialog: &mut Dialog) {
        let bye = dialog.request(Method::Bye).build();
        dialog.on_sent(&bye);
        self.send(&bye);
    }

    /// Answers a request with a status and nothing more.
    pub(super) fn respond(&mut self, key: &ServerKey, request: &Message, status: u16, tag: &str) {
        let response = ResponseBuilder::to(request, status).to_tag(tag).build();
        self.answer(key, &response);
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, key: &ServerKey, response: &Message) {
        self.layer.respond(clock::local(), key, response);
    }

    /// Waits for the next thing that concerns the phone.
    ///
    /// Cancel safe: what was not returned yet is returned by the next call.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            while let Some(output) = self.layer.poll_output() {
                if let Output::Transmit { bytes, flow } = output {
                    // A datagram that cannot be sent is as good as lost: it is sent again.
                    let _ = self.socket.send_to(&bytes, flow.peer).await;
                } else if let Some(heard) = rise(output) {
                    return heard;
                }
            }
            let wait = self.layer.next_deadline().map(clock::until);
            tokio::select! {
                received = self.socket.recv_from(&mut self.buffer) => {
                    if let Ok((length, peer)) = received {
                        self.receive(length, peer);
                    }
                }
                () = sleep(wait.unwrap_or(Duration::from_secs(3600))) => {
                    self.layer.handle_deadline(clock::local());
                }
            }
        }
    }

    fn receive(&mut self, length: usize, peer: SocketAddr) {
        let bytes = Bytes::copy_from_slice(&self.buffer[..length]);
        if let Ok(message) = Message::parse(bytes) {
            let flow = Flow { peer, ..self.flow() };
            self.layer.handle_message(clock::local(), message, flow);
        }
    }
}

/// What of the transactions' outputs concerns the phone.
fn rise(output: Output) -> Option<Heard> {
    match output {
        Output::Request { key, message, .. } => Some(Heard::Request { key, message }),
        Output::Ack { .. } => Some(Heard::Acknowledged),
        Output::Cancelled { invite, .. } => Some(Heard::Cancelled(invite)),
        Output::Response { message, .. } => Some(Heard::Response(message)),
        Output::TimedOut { .. } | Output::TransportFailed { .. } => Some(Heard::Unanswered),
        Output::Transmit { .. }
        | Output::StrayResponse { .. }
        | Output::ResponseUndelivered { .. }
        | Output::Discarded { .. } => None,
    }
}

/// A tag nobody has used.
pub(super) fn tag() -> String {
    format!("{:016x}", entropy::number())
}

fn branch() -> String {
    format!("z9hG4bK{:016x}", entropy::number())
}
