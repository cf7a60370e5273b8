//! What one core can do for callers' ears: streams a core, beside what the kernel alone costs.
//!
//! ```text
//! cargo bench --bench media                 all figures
//! cargo bench --bench media -- 1000 5000    with these many streams
//! ```
//!
//! | figure | what is done | over real sockets on loopback |
//! |---|---|---|
//! | raw | packets of 172 bytes, 64 a system call, as fast as it goes | system calls alone |
//! | music | every stream is sent music, 50 packets a second | to an address of its own |
//! | relay | pairs talk, 50 packets a second each way | from and to a socket of its own |
//!
//! The media thread and the raw loops are pinned to one core, the phones to another. A figure is
//! the thread's own CPU time, as the kernel counts it, for a packet sent; what other programs do
//! to the machine is not in it, but for the caches.
//!
//! Not here: latency under load, which needs a machine of one's own.

#![expect(clippy::unwrap_used, reason = "a figure that cannot be taken is no figure")]

use std::net::SocketAddr;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use carillon::base::id::CallId;
use carillon::base::id::LegId;
use carillon::base::id::PromptId;
use carillon::media::counters::Counters;
use carillon::media::order::Order;
use carillon::media::order::Program;
use carillon::media::prompt::Prompt;
use carillon::media::prompt::PromptSet;
use carillon::media::rtp;
use carillon::media::rtp::Header;
use carillon::node::rtp::MediaThreads;
use carillon::sdp::Agreed;
use carillon::sdp::Codec;
use carillon::sdp::Direction;

use crate::jsonl::Jsonl;

#[path = "cpu.rs"]
mod cpu;
#[path = "jsonl.rs"]
mod jsonl;
#[path = "raw.rs"]
mod raw;
#[path = "../support/wait.rs"]
mod wait;

/// A packet of 20 ms of G.711.
const PACKET: usize = 172;
/// How many packets a system call moves.
const BATCH: usize = 64;
/// Packets a second of one stream.
const RATE: f64 = 50.0;
/// For how many seconds of sound a figure is taken.
const SECONDS: u64 = 4;
/// Longer than a figure takes on a machine that can do it at all.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where all phones listen that only listen: every address of 127.0.0.0/8 leads there.
const SINK: &str = "0.0.0.0:0";

fn main() {
    let asked: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1000, 5000, 10_000] } else { asked };
    let mut figures = Jsonl::create("media");
    let raw = raw::measure();
    say(&mut figures, "raw_send", raw.sent, "us/packet");
    say(&mut figures, "raw_receive", raw.received, "us/packet");
    for streams in &sizes {
        music(*streams).say(&mut figures, "music", *streams, raw.sent);
    }
    // More phones than this need more sockets than a process may have.
    let mut talking: Vec<u32> = sizes.iter().map(|streams| (*streams).min(5000)).collect();
    talking.dedup();
    for streams in talking {
        relay(streams).say(&mut figures, "relay", streams, raw.sent + raw.received);
    }
}

fn say(figures: &mut Jsonl, name: &str, value: f64, unit: &str) {
    println!("{name:<28} {value:>10.3} {unit}");
    figures.add(name, value, unit);
}

/// What a thread did, and what it cost.
struct Cost {
    /// Seconds of its CPU time.
    busy: f64,
    /// Seconds that passed.
    wall: f64,
    before: Counters,
    after: Counters,
}

impl Cost {
    fn say(&self, figures: &mut Jsonl, name: &str, streams: u32, raw: f64) {
        let sent = (self.after.sent - self.before.sent) as f64;
        let late = (self.after.late - self.before.late) as f64;
        let per_packet = self.busy * 1e6 / sent;
        let due = f64::from(streams) * RATE * self.wall;
        for (what, value, unit) in [
            ("cost", per_packet, "us/packet"),
            ("against_raw", per_packet / raw, "ratio"),
            ("busy", 100.0 * self.busy / self.wall, "percent of a core"),
            ("streams_per_core", 1e6 / (per_packet * RATE), "streams"),
            ("sent", 100.0 * sent / due, "percent of due"),
            ("late", 100.0 * late / sent, "percent later than 10 ms"),
        ] {
            say(figures, &format!("{name}_{streams}_{what}"), value, unit);
        }
    }
}

/// Every stream hears music at an address of its own; one socket behind them all throws it away.
fn music(streams: u32) -> Cost {
    let media = start();
    let sink = Sink::start();
    for nth in 0..streams {
        let [high, low] = (nth as u16).to_be_bytes();
        open(&media, nth, SocketAddr::from(([127, 1, high, low], sink.port)));
        let music = Some(PromptId::new("music"));
        let program = Program { first: Vec::new(), music, announcement: None };
        media.order(0, Order::Play { stream: leg(nth), program, token: 1 });
    }
    let cost = take(&media, streams);
    media.stop();
    sink.stop();
    cost
}

/// Phones in pairs, each with a socket of its own, send and hear speech.
fn relay(streams: u32) -> Cost {
    let media = start();
    let to = SocketAddr::from(([127, 0, 0, 1], media.ports(0)[0]));
    let phones: Vec<UdpSocket> = (0..streams).map(|_| raw::socket("127.0.0.1:0")).collect();
    for (nth, phone) in phones.iter().enumerate() {
        phone.connect(to).unwrap();
        open(&media, nth as u32, phone.local_addr().unwrap());
    }
    for nth in (0..streams & !1).step_by(2) {
        media.order(0, Order::Join { a: leg(nth), b: leg(nth + 1) });
    }
    let talking = Talking::start(phones);
    let cost = take(&media, streams);
    talking.stop();
    media.stop();
    cost
}

fn start() -> MediaThreads {
    // Ten seconds of a ramp: what it sounds like costs nothing.
    let ramp: Vec<i16> = (0..80_000).map(|nth| (nth % 30_000) as i16).collect();
    let mut prompts = PromptSet::default();
    prompts.insert(PromptId::new("music"), Arc::new(Prompt::from_samples(&ramp).unwrap()));
    let media = MediaThreads::start(&[0], prompts, |_| ()).unwrap();
    cpu::pin(cpu::thread("media-0"), cpu::MEDIA);
    media
}

fn leg(nth: u32) -> LegId {
    LegId { call: CallId(u64::from(nth)), nth: 0 }
}

fn open(media: &MediaThreads, nth: u32, remote: SocketAddr) {
    let agreed = Agreed {
        remote,
        codec: Codec::Pcmu,
        payload: 0,
        dtmf: Some(101),
        dtmf_received: Some(101),
        direction: Direction::SendRecv,
        ptime_ms: 20,
        rtcp: Some(remote),
        rtcp_mux: true,
        slot: 0,
        slots: 1,
    };
    let port = media.ports(0)[0];
    media.order(0, Order::Open { stream: leg(nth), port, agreed, signalled_by: None });
}

/// Lets the streams run in, then takes the figures of some seconds.
fn take(media: &MediaThreads, streams: u32) -> Cost {
    let counters = || media.counters().next().unwrap();
    let second = u64::from(streams) * RATE as u64;
    let thread = cpu::thread("media-0");
    let sent = |wanted: u64| {
        wait::until("packets sent", PATIENCE, || (counters().sent >= wanted).then_some(()));
    };
    sent(second);
    let (before, busy, begun) = (counters(), cpu::used(thread), Instant::now());
    sent(before.sent + SECONDS * second);
    let (busy, wall) = (cpu::used(thread) - busy, begun.elapsed().as_secs_f64());
    Cost { busy, wall, before, after: counters() }
}

/// Hears everything and keeps nothing.
struct Sink {
    port: u16,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Sink {
    fn start() -> Self {
        let socket = raw::socket(SINK);
        let port = socket.local_addr().unwrap().port();
        let over = Arc::new(AtomicBool::new(false));
        let (ends, heard) = (Arc::clone(&over), AtomicU64::new(0));
        let thread = std::thread::spawn(move || {
            cpu::pin(cpu::own(), cpu::PHONES);
            raw::drain(&socket, &ends, &heard);
        });
        Self { port, over, thread }
    }

    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Phones that speak every 20 ms, spread evenly over that time, and hear what comes.
struct Talking {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Talking {
    fn start(phones: Vec<UdpSocket>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            cpu::pin(cpu::own(), cpu::PHONES);
            talk(&phones, &ends);
        });
        Self { over, thread }
    }

    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

fn talk(phones: &[UdpSocket], over: &AtomicBool) {
    let mut heard = [0; 2048];
    let begun = Instant::now();
    for slot in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        for phone in phones.iter().skip(slot as usize % 20).step_by(20) {
            let ssrc = u32::from(phone.local_addr().unwrap().port());
            phone.send(&speech(ssrc, slot / 20)).unwrap_or_default();
            while phone.recv(&mut heard).is_ok() {}
        }
        let due = begun + Duration::from_millis(u64::from(slot) + 1);
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
    }
}

fn speech(ssrc: u32, nth: u32) -> [u8; PACKET] {
    let (sequence, timestamp) = (nth as u16, nth.wrapping_mul(160));
    let mut packet = [0x55; PACKET];
    rtp::write(&Header { marker: false, payload: 0, sequence, timestamp, ssrc }, &mut packet);
    packet
}
