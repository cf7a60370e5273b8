//! A bad link: a UDP proxy that loses, doubles and delays what goes through it, both ways.
//!
//! The near side names the link's port in its Via and Contact, so that all of both sides passes
//! here. What becomes of a packet is drawn from a seed; when it comes is the machine's affair.
//!
//! Not here: who talks over it (`stubborn.rs`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use carillon::base::prng::Prng;

/// Of a hundred packets each way, how many are lost.
const LOST_PERCENT: u64 = 10;
/// How many of the others arrive twice.
const DOUBLED_PERCENT: u64 = 5;
/// How many of all copies are overtaken by others.
const DELAYED_PERCENT: u64 = 10;
/// By how much at most.
const DELAY_MS_MAX: u64 = 300;

/// What a link did to packets.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    pub(crate) lost: AtomicU64,
    pub(crate) doubled: AtomicU64,
    pub(crate) delayed: AtomicU64,
}

/// A running proxy; it ends when dropped.
pub(crate) struct Link {
    /// Where both sides send to.
    pub(crate) at: SocketAddr,
    pub(crate) damage: Arc<Damage>,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Proxy {
    socket: UdpSocket,
    near: SocketAddr,
    far: SocketAddr,
    prng: Prng,
    damage: Arc<Damage>,
    /// Packets that are on their way, by when they arrive.
    delayed: BTreeMap<(Instant, u64), (Vec<u8>, SocketAddr)>,
    count: u64,
}

impl Link {
    /// A link between `near` and `far`.
    pub(crate) fn new(seed: u64, near: SocketAddr, far: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let at = socket.local_addr().expect("bound");
        let (damage, over) = (Arc::<Damage>::default(), Arc::<AtomicBool>::default());
        let mut proxy = Proxy {
            socket,
            near,
            far,
            prng: Prng::from_seed(seed),
            damage: Arc::clone(&damage),
            delayed: BTreeMap::new(),
            count: 0,
        };
        let ended = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                proxy.step();
            }
        });
        Self { at, damage, over, thread: Some(thread) }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Proxy {
    /// Takes one packet, if one comes, and delivers those that are due.
    fn step(&mut self) {
        let now = Instant::now();
        let due = self.delayed.keys().next().map(|(at, _)| at.saturating_duration_since(now));
        let pause = due.unwrap_or(Duration::from_millis(50)).min(Duration::from_millis(50));
        let pause = pause.max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(pause)).expect("set");
        let mut buffer = [0; 65_535];
        if let Ok((read, from)) = self.socket.recv_from(&mut buffer) {
            let to = if from == self.far { self.near } else { self.far };
            self.carry(&buffer[..read], to);
        }
        while let Some(first) = self.delayed.first_entry() {
            if first.key().0 > Instant::now() {
                return;
            }
            let (bytes, to) = first.remove();
            let _ = self.socket.send_to(&bytes, to);
        }
    }

    fn carry(&mut self, bytes: &[u8], to: SocketAddr) {
        if self.prng.below(100) < LOST_PERCENT {
            self.damage.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let doubled = self.prng.below(100) < DOUBLED_PERCENT;
        self.damage.doubled.fetch_add(u64::from(doubled), Ordering::Relaxed);
        for _ in 0..=u64::from(doubled) {
            if self.prng.below(100) < DELAYED_PERCENT {
                self.damage.delayed.fetch_add(1, Ordering::Relaxed);
                let after = Duration::from_millis(1 + self.prng.below(DELAY_MS_MAX));
                self.count += 1;
                let arrives = (Instant::now() + after, self.count);
                self.delayed.insert(arrives, (bytes.to_vec(), to));
            } else {
                let _ = self.socket.send_to(bytes, to);
            }
        }
    }
}
