//! Anything in any order: the layer never panics, and in the end holds nothing.

use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::sip::Name;
use carillon::sip::ResponseBuilder;
use carillon::sip::Transport;
use carillon::sip::transaction::Layer;
use carillon::sip::transaction::Output;
use carillon::sip::transaction::key::ClientKey;
use carillon::sip::transaction::key::ServerKey;
use carillon::sip::transaction::timer::Timers;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

use crate::letters::Letter;
use crate::letters::flow;
use crate::letters::host;
use crate::letters::ours;
use crate::letters::response;

const METHODS: [&str; 6] = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "NEWS"];
const STATUSES: [u16; 7] = [100, 180, 200, 202, 302, 486, 603];

/// One thing that happens. Numbers choose among few, so that things meet.
#[derive(Clone, Debug)]
enum Happening {
    Receive { method: usize, branch: u8, old: bool },
    Hear { nth: usize, status: usize, method: usize },
    Send { method: usize, branch: u8 },
    Respond { nth: usize, status: usize },
    Cancel { nth: usize },
    Break,
    Pass { ms: u64 },
}

fn happening() -> impl Strategy<Value = (Happening, bool)> {
    let happening = prop_oneof![
        4 => (0..6_usize, 0..4_u8, any::<bool>())
            .prop_map(|(method, branch, old)| Happening::Receive { method, branch, old }),
        4 => (0..8_usize, 0..7_usize, 0..6_usize)
            .prop_map(|(nth, status, method)| Happening::Hear { nth, status, method }),
        3 => (0..6_usize, 0..4_u8).prop_map(|(method, branch)| Happening::Send { method, branch }),
        4 => (0..8_usize, 0..7_usize)
            .prop_map(|(nth, status)| Happening::Respond { nth, status }),
        2 => (0..8_usize).prop_map(|nth| Happening::Cancel { nth }),
        1 => Just(Happening::Break),
        3 => (0..40_000_u64).prop_map(|ms| Happening::Pass { ms }),
    ];
    (happening, any::<bool>())
}

struct Chaos {
    layer: Layer,
    now: LocalTime,
    requests: Vec<(ServerKey, carillon::sip::Message)>,
    sent: Vec<ClientKey>,
}

impl Chaos {
    fn happen(&mut self, happening: &Happening, transport: Transport) {
        let now = self.now;
        match *happening {
            Happening::Receive { method, branch, old } => {
                let branch = if old { format!("old{branch}") } else { format!("z9hG4bK{branch}") };
                let letter = Letter { method: METHODS[method], branch: &branch, ..Letter::INVITE };
                self.layer.handle_message(now, letter.build(), flow(transport));
            }
            Happening::Hear { nth, status, method } => {
                let branch = self.sent.get(nth).map_or("z9hG4bK0", ClientKey::branch);
                let via = format!("SIP/2.0/UDP 192.0.2.1:5060;branch={branch}");
                let request = ours(METHODS[method], "").with_top(Name::Via, via);
                let response = ResponseBuilder::to(&request, STATUSES[status]).to_tag("x").build();
                self.layer.handle_message(now, response, flow(transport));
            }
            Happening::Send { method, branch } => {
                let (request, branch) = (ours(METHODS[method], ""), format!("z9hG4bK{branch}"));
                let (name, flow) = (host("192.0.2.1:5060"), flow(transport));
                self.sent.push(self.layer.send_request(now, &request, &branch, &name, flow));
            }
            Happening::Respond { nth, status } => {
                if let Some((key, request)) = self.requests.get(nth) {
                    let response = response(request, STATUSES[status], "us");
                    self.layer.respond(now, key, &response);
                }
            }
            Happening::Cancel { nth } => {
                if let Some(key) = self.sent.get(nth) {
                    self.layer.cancel(now, key, None);
                }
            }
            Happening::Break => self.layer.handle_transport_error(now, flow(transport)),
            Happening::Pass { ms } => self.pass(ms),
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.layer.poll_output() {
            if let Output::Request { key, message, .. } = output {
                self.requests.push((key, message));
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now = self.now + Millis(ms);
        self.layer.handle_deadline(self.now);
        self.drain();
    }

    /// What the layer asks of its user: answer every INVITE, cancel what is not wanted.
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

proptest! {
    #[test]
    fn the_layer_never_panics_and_ends_empty(
        happenings in proptest::collection::vec(happening(), 0..60),
        transactions_max in 1..10_usize,
    ) {
        let timers = Timers { transactions_max, ..Timers::default() };
        let mut chaos = Chaos {
            layer: Layer::new(timers),
            now: LocalTime(0),
            requests: Vec::new(),
            sent: Vec::new(),
        };
        for (happening, stream) in &happenings {
            let transport = if *stream { Transport::Tcp } else { Transport::Udp };
            chaos.happen(happening, transport);
            // A CANCEL finds room beyond the limit, one for each INVITE within it.
            prop_assert!(chaos.layer.len() <= 2 * transactions_max);
        }
        chaos.finish();
        prop_assert_eq!(chaos.layer.len(), 0);
        prop_assert_eq!(chaos.layer.kept_bytes(), 0);
    }
}
