//! The user of the transactions of one shard (the TU of RFC 3261 §5), to whom anything may happen.
//!
//! Always holds: what the layer asks of its user is done in the end ([`TransactionUser::finish`]).
//!
//! Shared (`#[path]`); needs `letters` beside it. Not here: what happens, which each test chooses.

use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::sip::Message;
use carillon::sip::Name;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::transaction::Layer;
use carillon::sip::transaction::Output;
use carillon::sip::transaction::key::ClientKey;
use carillon::sip::transaction::key::ServerKey;
use carillon::sip::transaction::timer::Timers;

use crate::letters::Letter;
use crate::letters::flow;
use crate::letters::host;
use crate::letters::ours;
use crate::letters::response;

pub(crate) struct TransactionUser {
    pub(crate) layer: Layer,
    now: LocalTime,
    requests: Vec<(ServerKey, Message)>,
    sent: Vec<ClientKey>,
}

impl TransactionUser {
    pub(crate) fn new(transactions_max: usize) -> Self {
        let layer = Layer::new(Timers { transactions_max, ..Timers::default() });
        Self { layer, now: LocalTime(0), requests: Vec::new(), sent: Vec::new() }
    }

    pub(crate) fn receive(&mut self, method: &str, branch: &str, transport: Transport) {
        let letter = Letter { method, branch, ..Letter::INVITE };
        self.layer.handle_message(self.now, letter.build(), flow(transport));
        self.drain();
    }

    /// A response to the request that was sent as the `nth`.
    pub(crate) fn hear(&mut self, status: u16, nth: usize, method: &str, transport: Transport) {
        let branch = self.sent.get(nth).map_or("z9hG4bK0", ClientKey::branch);
        let via = format!("SIP/2.0/UDP 192.0.2.1:5060;branch={branch}");
        let request = ours(method, "").with_top(Name::Via, via);
        let response = ResponseBuilder::to(&request, status).to_tag("x").build();
        self.layer.handle_message(self.now, response, flow(transport));
        self.drain();
    }

    pub(crate) fn send(&mut self, method: &str, branch: &str, transport: Transport) {
        let (request, name) = (ours(method, ""), host("192.0.2.1:5060"));
        let way = flow(transport);
        self.sent.push(self.layer.send_request(self.now, &request, branch, &name, way));
        self.drain();
    }

    /// Answers the request that came as the `nth`.
    pub(crate) fn respond(&mut self, nth: usize, status: u16) {
        if let Some((key, request)) = self.requests.get(nth) {
            self.layer.respond(self.now, key, &response(request, status, "us"));
        }
        self.drain();
    }

    pub(crate) fn cancel(&mut self, nth: usize) {
        if let Some(key) = self.sent.get(nth) {
            self.layer.cancel(self.now, key, None);
        }
        self.drain();
    }

    /// The way to the other side is gone.
    pub(crate) fn lose(&mut self, transport: Transport) {
        self.layer.handle_transport_error(self.now, flow(transport));
        self.drain();
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now = self.now + Millis(ms);
        self.layer.handle_deadline(self.now);
        self.drain();
    }

    /// What the layer asks of its user: answer every request, cancel what is not wanted.
    pub(crate) fn finish(&mut self) {
        for (key, request) in std::mem::take(&mut self.requests) {
            self.layer.respond(self.now, &key, &response(&request, 500, "us"));
        }
        for key in std::mem::take(&mut self.sent) {
            self.layer.cancel(self.now, &key, None);
        }
        self.drain();
        while let Some(due) = self.layer.next_deadline() {
            assert!(due >= self.now, "a deadline was left behind");
            self.now = due;
            self.layer.handle_deadline(due);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.layer.poll_output() {
            if let Output::Request { key, message, .. } = output {
                self.requests.push((key, message));
            }
        }
    }
}
