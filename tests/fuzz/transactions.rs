//! Anything in any order to the transactions of one shard, and time passing.
//!
//! The input is a row of happenings, two bytes each: what, and which.
//!
//! Always holds: the layer stays within its limit, leaves no deadline behind, and holds nothing
//! once its user has answered every request and all time has passed.

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

const METHODS: [&str; 8] = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "PRACK", "UPDATE", "NEWS"];
const STATUSES: [u16; 8] = [100, 180, 183, 200, 202, 302, 486, 603];
const PAUSES: [u64; 8] = [0, 1, 499, 500, 4_000, 5_000, 32_000, 64_001];
const TRANSACTIONS_MAX: usize = 6;
/// So long does one row go on.
const HAPPENINGS_MAX: usize = 120;

struct Chaos {
    layer: Layer,
    now: LocalTime,
    requests: Vec<(ServerKey, Message)>,
    sent: Vec<ClientKey>,
}

/// Takes a row of happenings.
pub(crate) fn run(input: &[u8]) {
    let timers = Timers { transactions_max: TRANSACTIONS_MAX, ..Timers::default() };
    let mut chaos = Chaos {
        layer: Layer::new(timers),
        now: LocalTime(0),
        requests: Vec::new(),
        sent: Vec::new(),
    };
    for pair in input.chunks_exact(2).take(HAPPENINGS_MAX) {
        chaos.happen(pair[0], pair[1]);
        // A CANCEL finds room beyond the limit, one for each INVITE within it.
        assert!(chaos.layer.len() <= 2 * TRANSACTIONS_MAX);
    }
    chaos.finish();
    assert_eq!((chaos.layer.len(), chaos.layer.kept_bytes()), (0, 0));
}

impl Chaos {
    fn happen(&mut self, what: u8, which: u8) {
        let transport = if what & 8 == 0 { Transport::Udp } else { Transport::Tcp };
        let (low, high) = (usize::from(which & 7), usize::from(which >> 3));
        match what & 7 {
            0 | 1 => self.receive(METHODS[low], high, transport),
            2 => self.hear(STATUSES[low], high, METHODS[usize::from(what >> 4) & 7], transport),
            3 => {
                let branch = format!("z9hG4bK{high}");
                let (request, name) = (ours(METHODS[low], ""), host("192.0.2.1:5060"));
                let way = flow(transport);
                self.sent.push(self.layer.send_request(self.now, &request, &branch, &name, way));
            }
            4 => {
                if let Some((key, request)) = self.requests.get(high) {
                    self.layer.respond(self.now, key, &response(request, STATUSES[low], "us"));
                }
            }
            5 => {
                if let Some(key) = self.sent.get(high) {
                    self.layer.cancel(self.now, key, None);
                }
            }
            6 if which & 0xf0 == 0 => self.layer.handle_transport_error(self.now, flow(transport)),
            _ => {
                self.now = self.now + Millis(PAUSES[low]);
                self.layer.handle_deadline(self.now);
            }
        }
        self.drain();
    }

    fn receive(&mut self, method: &str, which: usize, transport: Transport) {
        let old = if which & 4 == 0 { "z9hG4bK" } else { "old" };
        let branch = format!("{old}{}", which & 3);
        let letter = Letter { method, branch: &branch, ..Letter::INVITE };
        self.layer.handle_message(self.now, letter.build(), flow(transport));
    }

    fn hear(&mut self, status: u16, nth: usize, method: &str, transport: Transport) {
        let branch = self.sent.get(nth).map_or("z9hG4bK0", ClientKey::branch);
        let via = format!("SIP/2.0/UDP 192.0.2.1:5060;branch={branch}");
        let request = ours(method, "").with_top(Name::Via, via);
        let response = ResponseBuilder::to(&request, status).to_tag("x").build();
        self.layer.handle_message(self.now, response, flow(transport));
    }

    fn drain(&mut self) {
        while let Some(output) = self.layer.poll_output() {
            if let Output::Request { key, message, .. } = output {
                self.requests.push((key, message));
            }
        }
    }

    /// What the layer asks of its user: answer every request, cancel what is not wanted.
    fn finish(&mut self) {
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
}
