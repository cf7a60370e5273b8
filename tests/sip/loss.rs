//! Two layers joined by a link that loses, doubles and reorders: both sides must agree in the end.
//!
//! Each seed draws how bad the link is and what the two users want. Afterwards no transaction is
//! left, each request was told once, and no side believes what the other did not say.

use std::collections::BTreeMap;

use bytes::Bytes;
use carillon::base::prng::Prng;
use carillon::base::time::LocalTime;
use carillon::base::time::Millis;
use carillon::sip::Flow;
use carillon::sip::Message;
use carillon::sip::Method;
use carillon::sip::Name;
use carillon::sip::Transport;
use carillon::sip::dialog::accepted::Nudge;
use carillon::sip::dialog::accepted::Repeating;
use carillon::sip::transaction::Layer;
use carillon::sip::transaction::Output;
use carillon::sip::transaction::key::ClientKey;
use carillon::sip::transaction::key::ServerKey;
use carillon::sip::transaction::timer::Timers;

use crate::letters::address;
use crate::letters::host;
use crate::letters::ours;
use crate::letters::response;

const REQUESTS: u64 = 12;

/// What a user plans to do later.
enum Plan {
    Arrive { at_server: bool, bytes: Bytes },
    Send(u64),
    Cancel(ClientKey),
    Answer(ServerKey, Message, u16),
    Repeat(ServerKey),
}

/// What each side believes about one request, by its branch.
#[derive(Debug, Default)]
struct Books {
    told: u32,
    cancelled: bool,
    answered: Option<u16>,
    acknowledged: bool,
    gave_up: bool,
    heard: Option<u16>,
    timed_out: bool,
}

struct World {
    prng: Prng,
    now: LocalTime,
    client: Layer,
    server: Layer,
    plans: BTreeMap<(LocalTime, u64), Plan>,
    serial: u64,
    books: BTreeMap<String, Books>,
    repeating: BTreeMap<ServerKey, (Repeating, Message)>,
    lost_percent: u64,
    doubled_percent: u64,
    delay_max: u64,
}

fn way(at_server: bool) -> Flow {
    let (ours, theirs) = (address("192.0.2.1:5060"), address("192.0.2.9:5070"));
    let (local, peer) = if at_server { (theirs, ours) } else { (ours, theirs) };
    Flow { transport: Transport::Udp, local, peer }
}

fn branch_of(message: &Message) -> String {
    message.top_via().expect("a Via").branch().expect("a branch").to_owned()
}

impl World {
    fn new(seed: u64) -> Self {
        let mut prng = Prng::from_seed(seed);
        let (lost_percent, doubled_percent) = (prng.below(40), prng.below(30));
        let delay_max = 1 + prng.below(2_000);
        let (client, server) = (Layer::new(Timers::default()), Layer::new(Timers::default()));
        let mut world = Self {
            prng,
            now: LocalTime(0),
            client,
            server,
            plans: BTreeMap::new(),
            serial: 0,
            books: BTreeMap::new(),
            repeating: BTreeMap::new(),
            lost_percent,
            doubled_percent,
            delay_max,
        };
        for nth in 0..REQUESTS {
            let after = world.prng.below(20_000);
            world.plan(after, Plan::Send(nth));
        }
        world
    }

    fn plan(&mut self, after_ms: u64, plan: Plan) {
        self.serial += 1;
        self.plans.insert((self.now + Millis(after_ms), self.serial), plan);
    }

    fn book(&mut self, branch: &str) -> &mut Books {
        self.books.entry(branch.to_owned()).or_default()
    }

    /// Lets everything happen, in the order of time, until nothing is left to happen.
    fn run(&mut self) {
        for _ in 0..200_000 {
            self.settle();
            let planned = self.plans.first_key_value().map(|((at, _), _)| *at);
            let next = [planned, self.client.next_deadline(), self.server.next_deadline()];
            let Some(next) = next.into_iter().flatten().min() else { return };
            self.now = next;
            if planned == Some(next) {
                let (_, plan) = self.plans.pop_first().expect("just seen");
                self.carry_out(plan);
            }
            self.client.handle_deadline(self.now);
            self.server.handle_deadline(self.now);
        }
        panic!("it never ends");
    }

    fn settle(&mut self) {
        while let Some(output) = self.client.poll_output() {
            self.at_client(output);
        }
        while let Some(output) = self.server.poll_output() {
            self.at_server(output);
        }
    }

    fn carry(&mut self, to_server: bool, bytes: &Bytes) {
        let copies = 1 + u64::from(self.prng.below(100) < self.doubled_percent);
        for _ in 0..copies {
            if self.prng.below(100) >= self.lost_percent {
                let after = self.prng.below(self.delay_max);
                self.plan(after, Plan::Arrive { at_server: to_server, bytes: bytes.clone() });
            }
        }
    }

    fn carry_out(&mut self, plan: Plan) {
        match plan {
            Plan::Arrive { at_server, bytes } => {
                let message = Message::parse(bytes).expect("what we send parses");
                let layer = if at_server { &mut self.server } else { &mut self.client };
                layer.handle_message(self.now, message, way(at_server));
            }
            Plan::Send(nth) => self.send(nth),
            Plan::Cancel(key) => {
                self.client.cancel(self.now, &key, None);
            }
            Plan::Answer(key, request, status) => self.answer(&key, &request, status),
            Plan::Repeat(key) => self.repeat(key),
        }
    }

    fn send(&mut self, nth: u64) {
        let method = if self.prng.below(3) == 0 { "OPTIONS" } else { "INVITE" };
        let request = ours(method, "").with_header(Name::CallId, format!("{nth}@192.0.2.1"));
        let (branch, name) = (format!("z9hG4bK-{nth}"), host("192.0.2.1:5060"));
        let key = self.client.send_request(self.now, &request, &branch, &name, way(false));
        self.book(&branch);
        // Whoever calls gives up one day; some do so early.
        if method == "INVITE" {
            let patience = if self.prng.below(3) == 0 { 3_000 } else { 90_000 };
            self.plan(patience, Plan::Cancel(key));
        }
    }

    fn at_client(&mut self, output: Output) {
        match output {
            Output::Transmit { bytes, .. } => self.carry(true, &bytes),
            Output::Response { key, message } => {
                let status = message.status().expect("a response");
                let book = self.book(key.branch());
                assert!(!book.timed_out, "a response after the end");
                if status >= 200 {
                    assert!(book.heard.is_none_or(|heard| heard == status), "two verdicts");
                    book.heard = Some(status);
                }
                self.acknowledge(&message);
            }
            Output::StrayResponse { message, .. } => self.acknowledge(&message),
            Output::TimedOut { key } => {
                let book = self.book(key.branch());
                assert_eq!(book.heard, None);
                book.timed_out = true;
            }
            Output::Discarded { .. } => {}
            other @ (Output::Request { .. }
            | Output::Ack { .. }
            | Output::Cancelled { .. }
            | Output::TransportFailed { .. }
            | Output::ResponseUndelivered { .. }) => panic!("not at a client: {other:?}"),
        }
    }

    fn acknowledge(&mut self, message: &Message) {
        if message.method() == Method::Invite && (200..300).contains(&message.status().unwrap_or(0))
        {
            let branch = branch_of(message);
            let ack = ours("ACK", "").with_header(Name::CallId, &branch);
            let name = host("192.0.2.1:5060");
            self.client.send_ack(&ack, &format!("{branch}-ack"), &name, way(false));
        }
    }

    fn at_server(&mut self, output: Output) {
        match output {
            Output::Transmit { bytes, .. } => self.carry(false, &bytes),
            Output::Request { key, message, .. } => {
                self.book(&branch_of(&message)).told += 1;
                let status = if self.prng.below(2) == 0 { 200 } else { 486 };
                let after = self.prng.below(6_000);
                if message.method() == Method::Invite && self.prng.below(2) == 0 {
                    self.server.respond(self.now, &key, &response(&message, 180, "them"));
                }
                self.plan(after, Plan::Answer(key, message, status));
            }
            Output::Cancelled { cancel, .. } => {
                self.book(&branch_of(&cancel)).cancelled = true;
            }
            Output::Ack { message, .. } => {
                let branch = message.call_id().expect("Call-ID").to_owned();
                self.book(&branch).acknowledged = true;
                self.repeating.retain(|_, (_, kept)| branch_of(kept) != branch);
            }
            Output::ResponseUndelivered { key } => {
                let branch = format!("{key:?}").split(' ').nth(1).expect("a branch").to_owned();
                self.book(&branch).gave_up = true;
            }
            Output::Discarded { .. } => {}
            other @ (Output::Response { .. }
            | Output::StrayResponse { .. }
            | Output::TimedOut { .. }
            | Output::TransportFailed { .. }) => panic!("not at a server: {other:?}"),
        }
    }

    fn answer(&mut self, key: &ServerKey, request: &Message, status: u16) {
        let cancelled = self.book(&branch_of(request)).cancelled;
        let status = if cancelled { 487 } else { status };
        self.book(&branch_of(request)).answered = Some(status);
        let answer = response(request, status, "them");
        self.server.respond(self.now, key, &answer);
        if status == 200 && request.method() == Method::Invite {
            let waiting = Repeating::success(self.now, &Timers::default());
            self.repeating.insert(key.clone(), (waiting, answer));
            self.plan(500, Plan::Repeat(key.clone()));
        }
    }

    fn repeat(&mut self, key: ServerKey) {
        let Some((waiting, answer)) = self.repeating.get_mut(&key) else { return };
        let nudge = waiting.on_deadline(self.now);
        let (next, answer) = (waiting.next_deadline(), answer.clone());
        match nudge {
            Nudge::Resend => self.server.respond(self.now, &key, &answer),
            Nudge::Wait => {}
            Nudge::GiveUp => {
                self.repeating.remove(&key);
                self.book(&branch_of(&answer)).gave_up = true;
                return;
            }
        }
        self.plan(next.since(self.now).0.max(1), Plan::Repeat(key));
    }

    fn judge(&self, seed: u64) {
        assert_eq!((self.client.len(), self.server.len()), (0, 0), "seed {seed}");
        for (branch, book) in &self.books {
            let case = format!("seed {seed}, {branch}: {book:?}");
            assert!(book.told <= 1, "told twice: {case}");
            assert!(book.heard.is_some() || book.timed_out, "the client never heard: {case}");
            if book.heard.is_some() {
                assert_eq!(book.heard, book.answered, "they disagree: {case}");
            }
            if book.acknowledged {
                assert_eq!((book.heard, book.answered), (Some(200), Some(200)), "{case}");
            }
            if book.answered == Some(200) && book.timed_out && book.told == 1 {
                assert!(!book.acknowledged, "nobody to acknowledge: {case}");
            }
        }
    }
}

#[test]
fn both_sides_agree_over_a_bad_link() {
    let (mut heard, mut unconfirmed) = (0, 0);
    for seed in 0..300 {
        let mut world = World::new(seed);
        world.run();
        world.judge(seed);
        heard += world.books.values().filter(|book| book.heard.is_some()).count() as u64;
        unconfirmed += world.books.values().filter(|book| book.gave_up).count() as u64;
    }
    let all = 300 * REQUESTS;
    assert!(heard > all * 98 / 100, "nearly all get through: {heard} of {all}");
    assert!(unconfirmed < all / 100, "nearly all get confirmed: {unconfirmed} of {all} do not");
}
