//! The whole of one media thread: orders and packets in, packets and reports out.
//!
//! ```text
//! handle_order ─┐                            ┌─► outgoing(): one batch a port
//! handle_packet ┼─► streams · table · wheel ─┼─► poll_report()
//! handle_tick  ─┘                            └─► next_deadline()
//! ```
//!
//! After each call, or a run of calls, whoever drives the engine sends what is in the batches and
//! empties them, takes the reports, and comes back at the deadline.
//!
//! Always holds: two joined streams name each other; a stream's number is in use once; an order for
//! a stream that does not exist changes nothing.
//!
//! Not here: sockets and the clock (`node::rtp`), one stream's turn ([`super::stream`]).

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::prng::Prng;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::media::counters::Counters;
use crate::media::dtmf;
use crate::media::dtmf::Digit;
use crate::media::g711;
use crate::media::latch::Found;
use crate::media::latch::Table;
use crate::media::order::Order;
use crate::media::order::Program;
use crate::media::order::Report;
use crate::media::order::StreamId;
use crate::media::outgoing::Batch;
use crate::media::program::Player;
use crate::media::prompt::PromptSet;
use crate::media::relay::Outbound;
use crate::media::rtcp;
use crate::media::rtp;
use crate::media::rtp::Header;
use crate::media::stream::JOIN_FILL;
use crate::media::stream::Keys;
use crate::media::stream::Stream;
use crate::media::stream::Ticked;
use crate::media::stream::packet;
use crate::media::wheel::Due;
use crate::media::wheel::Wheel;
use crate::sdp::negotiate::Agreed;
use crate::sdp::negotiate::Codec;

/// A packet that leaves later than this after it was due is counted.
const LATE: Millis = Millis(10);
/// Longer payloads are nobody's G.711: 200 ms.
const PAYLOAD_MAX: usize = 1600;

/// All streams of one media thread.
#[derive(Debug)]
pub struct Engine {
    ports: Vec<u16>,
    prompts: Arc<PromptSet>,
    prng: Prng,
    cname: String,
    streams: Vec<Option<Box<Stream>>>,
    free: Vec<u32>,
    by_name: BTreeMap<StreamId, u32>,
    opened: u32,
    table: Table,
    wheel: Wheel,
    due: Vec<Due>,
    outgoing: Vec<Batch>,
    reports: VecDeque<Report>,
    counters: Counters,
}

impl Engine {
    /// Makes an engine for these local ports; `seed` is from the machine's entropy, because SSRCs
    /// and sequence numbers must not be guessed.
    pub fn new(ports: Vec<u16>, prompts: Arc<PromptSet>, seed: u64, now: LocalTime) -> Self {
        let mut prng = Prng::from_seed(seed);
        let cname = format!("{:016x}", prng.next_u64());
        Self {
            table: Table::new(ports.len()),
            outgoing: ports.iter().map(|_| Batch::default()).collect(),
            ports,
            prompts,
            prng,
            cname,
            streams: Vec::new(),
            free: Vec::new(),
            by_name: BTreeMap::new(),
            opened: 0,
            wheel: Wheel::new(millis(now)),
            due: Vec::new(),
            reports: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Replaces the prompts; what is being played goes on with the old ones.
    pub fn set_prompts(&mut self, prompts: Arc<PromptSet>) {
        self.prompts = prompts;
    }

    /// Carries out an order.
    pub fn handle_order(&mut self, now: LocalTime, order: Order) {
        match order {
            Order::Open { stream, port, agreed, signalled_by } => {
                self.open(now, stream, port, agreed, signalled_by);
            }
            Order::Update { stream, agreed } => self.update(now, stream, agreed),
            Order::Play { stream, program, token } => self.play(stream, &program, token),
            Order::StopPlaying { stream } => self.with(stream, |stream| stream.player = None),
            Order::Join { a, b } => self.join(now, a, b),
            Order::Part { stream } => {
                if let Some(nth) = self.by_name.get(&stream).copied() {
                    self.part(nth);
                }
            }
            Order::SendDigit { stream, digit, duration } => {
                self.with(stream, |stream| send_digit(stream, digit, duration));
            }
            Order::Watch { stream, silence } => self.with(stream, |stream| {
                stream.watch = silence;
                stream.watch_from = now;
            }),
            Order::Close { stream } => self.close(now, stream),
        }
    }

    /// Takes a packet that arrived at the port of this index.
    pub fn handle_packet(&mut self, now: LocalTime, port: usize, from: SocketAddr, bytes: &[u8]) {
        self.counters.received += 1;
        if rtcp::is_rtcp(bytes) {
            self.handle_report(now, port, from, bytes);
            return;
        }
        let Some((header, payload)) =
            rtp::parse(bytes).filter(|(_, audio)| audio.len() <= PAYLOAD_MAX)
        else {
            self.counters.malformed += 1;
            return;
        };
        let nth = match self.table.find(now, port, from, header.ssrc) {
            Found::Known(nth) => nth,
            Found::Latched(nth) => {
                self.counters.latched += 1;
                nth
            }
            Found::Ambiguous => {
                self.counters.ambiguous += 1;
                return;
            }
            Found::Stranger => {
                self.counters.strangers += 1;
                return;
            }
        };
        self.hear(now, nth, &header, payload);
    }

    /// Sends what is due by now.
    pub fn handle_tick(&mut self, now: LocalTime) {
        let mut due = std::mem::take(&mut self.due);
        while let Some(at_ms) = self.wheel.take(millis(now), &mut due) {
            let at = LocalTime(at_ms * 1000);
            let late = now.since(at) > LATE;
            for entry in due.drain(..) {
                self.tick(at, at_ms, late, entry);
            }
        }
        self.due = due;
    }

    /// When [`Engine::handle_tick`] has work next; none while no stream is open.
    pub fn next_deadline(&self) -> Option<LocalTime> {
        self.wheel.next_due_ms().map(|at| LocalTime(at * 1000))
    }

    /// The packets to send, one batch for each port in the order given.
    pub fn outgoing(&self) -> &[Batch] {
        &self.outgoing
    }

    /// Forgets the packets; they are sent.
    pub fn clear_outgoing(&mut self) {
        self.outgoing.iter_mut().for_each(Batch::clear);
    }

    /// The next report.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        Counters { streams: self.by_name.len() as u64, ..self.counters }
    }

    fn open(
        &mut self,
        now: LocalTime,
        name: StreamId,
        port: u16,
        agreed: Agreed,
        signalled_by: Option<IpAddr>,
    ) {
        self.close(now, name);
        let Some(port) = self.ports.iter().position(|known| *known == port) else {
            self.counters.misdirected += 1;
            return;
        };
        let drawn = self.prng.next_u64();
        let timestamp = self.prng.next_u64() as u32;
        let out = Outbound::new(drawn as u32, (drawn >> 32) as u16, timestamp, now.0);
        let mut stream = Stream::new(name, port, agreed, out);
        let nth = self.free.pop().unwrap_or_else(|| {
            self.streams.push(None);
            (self.streams.len() - 1) as u32
        });
        self.opened = self.opened.wrapping_add(1);
        stream.generation = self.opened;
        let due = Due { stream: nth, generation: self.opened };
        stream.phase = self.wheel.join(millis(now), due);
        self.table.open(now, nth, port, agreed.remote, signalled_by);
        self.by_name.insert(name, nth);
        self.streams[nth as usize] = Some(Box::new(stream));
    }

    fn update(&mut self, now: LocalTime, name: StreamId, agreed: Agreed) {
        let Some(nth) = self.by_name.get(&name).copied() else { return };
        let Some(stream) = slot(&mut self.streams, nth) else { return };
        let before = std::mem::replace(&mut stream.agreed, agreed);
        stream.watch_from = now;
        // What comes next may be in another codec; its source is joined anew.
        stream.out.leave_source();
        self.table.update(now, nth, before.remote, agreed.remote);
    }

    fn play(&mut self, name: StreamId, program: &Program, token: u64) {
        let Some(nth) = self.by_name.get(&name).copied() else { return };
        let reports = &mut self.reports;
        let player = Player::new(program, token, &self.prompts, |prompt| {
            reports.push_back(Report::NoPrompt { stream: name, prompt: prompt.clone() });
        });
        let over = player.is_over();
        if over {
            reports.push_back(Report::Finished { stream: name, token });
        }
        if let Some(stream) = slot(&mut self.streams, nth) {
            stream.player = (!over).then(|| Box::new(player));
        }
    }

    fn join(&mut self, now: LocalTime, a: StreamId, b: StreamId) {
        let (Some(a), Some(b)) = (self.by_name.get(&a).copied(), self.by_name.get(&b).copied())
        else {
            return;
        };
        if a == b {
            return;
        }
        for (nth, other) in [(a, b), (b, a)] {
            self.part(nth);
            let Some(stream) = slot(&mut self.streams, nth) else { continue };
            stream.player = None;
            stream.filled_until = now + JOIN_FILL;
            stream.out.leave_source();
            stream.joined = Some(other);
            self.counters.joined += 1;
        }
    }

    fn part(&mut self, nth: u32) {
        let joined = slot(&mut self.streams, nth).and_then(|stream| stream.joined);
        // The second of a pair that is being joined may name the first already.
        let Some(other) = joined else { return };
        for nth in [nth, other] {
            let Some(stream) = slot(&mut self.streams, nth) else { continue };
            if stream.joined.take().is_some() {
                self.counters.joined -= 1;
            }
            stream.out.leave_source();
        }
    }

    fn close(&mut self, now: LocalTime, name: StreamId) {
        let Some(nth) = self.by_name.remove(&name) else { return };
        self.part(nth);
        let Some(mut stream) = self.streams.get_mut(nth as usize).and_then(Option::take) else {
            return;
        };
        if let Some(to) = self.table.remote(nth) {
            let batch = &mut self.outgoing[stream.port];
            self.counters.sent += u64::from(stream.report(now, to, &self.cname, batch, true));
        }
        self.wheel.leave(stream.phase);
        self.table.remove(nth);
        self.free.push(nth);
    }

    fn tick(&mut self, at: LocalTime, at_ms: u64, late: bool, due: Due) {
        let Some(stream) = slot(&mut self.streams, due.stream) else { return };
        let Some(to) = self.table.remote(due.stream) else { return };
        if stream.generation != due.generation {
            return;
        }
        let Ticked { packets, finished, lost } =
            stream.tick(at, to, &self.cname, &mut self.outgoing[stream.port]);
        self.wheel.put_back(at_ms, stream.agreed.ptime_ms, due);
        self.counters.sent += packets;
        self.counters.late += if late { packets } else { 0 };
        let stream = stream.name;
        if let Some(token) = finished {
            self.reports.push_back(Report::Finished { stream, token });
        }
        if lost {
            self.reports.push_back(Report::Lost { stream });
        }
    }

    /// A packet of a stream's peer: a key, or audio, or neither.
    fn hear(&mut self, now: LocalTime, nth: u32, header: &Header, payload: &[u8]) {
        let Some(stream) = slot(&mut self.streams, nth) else { return };
        let missing = stream.heard.note(now, header);
        self.counters.lost = self.counters.lost.saturating_add_signed(missing);
        let agreed = &stream.agreed;
        if !agreed.direction.receives() {
            return;
        }
        let kind = Some(header.payload);
        if kind == agreed.dtmf_received || kind == agreed.dtmf {
            let Some(event) = dtmf::Event::parse(payload) else { return };
            if let Some(digit) = stream.keys_heard.handle(header.ssrc, header.timestamp, event) {
                self.counters.digits += 1;
                self.reports.push_back(Report::Digit { stream: stream.name, digit });
            }
            let joined = stream.joined;
            self.relay(now, joined, header, &Relayed::Key(event));
        } else if header.payload == agreed.payload {
            let relayed = Relayed::Audio(agreed.codec, payload);
            let joined = stream.joined;
            self.relay(now, joined, header, &relayed);
        } else {
            self.counters.malformed += 1;
        }
    }

    /// Sends a packet of one party out through the stream of the other.
    fn relay(&mut self, now: LocalTime, to: Option<u32>, header: &Header, what: &Relayed<'_>) {
        let Some(nth) = to else { return };
        let Some(remote) = self.table.remote(nth) else { return };
        let Some(stream) = slot(&mut self.streams, nth).filter(|other| other.takes_relay()) else {
            return;
        };
        let (kind, samples) = match what {
            Relayed::Audio(_, audio) => (Some(stream.agreed.payload), audio.len() as u32),
            Relayed::Key(event) => (stream.agreed.dtmf, u32::from(event.duration)),
        };
        let Some(kind) = kind else { return };
        stream.note_relayed(now);
        let Some(header) = stream.out.relayed(now.0, header, kind, samples) else { return };
        let batch = &mut self.outgoing[stream.port];
        match what {
            Relayed::Audio(codec, audio) => {
                let out = packet(batch, remote, &header, audio.len());
                g711::transcode(*codec, stream.agreed.codec, audio, out);
            }
            Relayed::Key(event) => {
                let out = packet(batch, remote, &header, dtmf::EVENT_LEN);
                out.copy_from_slice(&event.write());
            }
        }
        self.counters.sent += 1;
    }

    /// A peer's report: what it says of our packets is counted, and that it lives is noted. Its
    /// BYE ends its source here; the call ends by SIP alone.
    fn handle_report(&mut self, now: LocalTime, port: usize, from: SocketAddr, bytes: &[u8]) {
        let Some(report) = rtcp::read(bytes) else {
            self.counters.malformed += 1;
            return;
        };
        let found = self.table.find_reporter(port, from, report.ssrc);
        let Some(stream) = found.and_then(|nth| slot(&mut self.streams, nth)) else {
            self.counters.strangers += 1;
            return;
        };
        self.counters.reports += 1;
        stream.heard.note_report(now, &report);
        // Nobody can miss more than was sent to him.
        let told = report.lost_of(stream.out.ssrc()).unwrap_or(0).min(stream.out.sent().0);
        let more = told.saturating_sub(stream.undelivered);
        stream.undelivered += more;
        self.counters.undelivered += u64::from(more);
    }

    fn with(&mut self, name: StreamId, change: impl FnOnce(&mut Stream)) {
        let Some(nth) = self.by_name.get(&name).copied() else { return };
        if let Some(stream) = slot(&mut self.streams, nth) {
            change(stream);
        }
    }
}

/// What goes from one party to the other.
enum Relayed<'a> {
    Audio(Codec, &'a [u8]),
    Key(dtmf::Event),
}

fn slot(streams: &mut [Option<Box<Stream>>], nth: u32) -> Option<&mut Stream> {
    streams.get_mut(nth as usize)?.as_deref_mut()
}

fn send_digit(stream: &mut Stream, digit: Digit, duration: Millis) {
    if stream.agreed.dtmf.is_some() {
        stream.keys.get_or_insert_with(Box::<Keys>::default).sender.press(digit, duration);
    }
}

fn millis(now: LocalTime) -> u64 {
    now.0 / 1000
}
