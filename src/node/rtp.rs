//! The media threads: a fixed few, each with its RTP sockets and one engine.
//!
//! ```text
//! shard ── Order ──► channel ─► ┌ thread ──────────────────────────────┐
//!              (and a bell)     │ orders → engine → batches → sendmmsg │ ──► phones
//! phones ─────────────────────► │ recvmmsg → engine                    │
//!                               └ reports ─► whoever started it ───────┘
//! ```
//!
//! A thread sleeps in `poll` until a packet, an order that cannot wait ([`super::nap`]), or the
//! engine's next millisecond with work.
//! Packets cross the kernel's border in batches of [`BATCH`].
//!
//! A stream lives on one thread: shard and thread belong together, and so do the ports a shard may
//! write into its session descriptions ([`MediaThreads::ports`]). Ports that lie side by side are
//! of one thread, so that reports to the port above a stream's own are heard; shards of one thread
//! have no port in common, if there are enough, so that each can keep its streams apart.
//!
//! Always holds: orders of one shard are carried out in their order; after
//! [`MediaThreads::stop`] no thread is left.
//!
//! Not here: what packets mean (`media::engine`).

use std::io;
use std::io::IoSlice;
use std::io::IoSliceMut;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::MultiHeaders;
use nix::sys::socket::SockaddrStorage;
use nix::sys::socket::recvmmsg;
use nix::sys::socket::sendmmsg;
use rustix::net::sockopt::Ipv4PathMtuDiscovery;
use rustix::net::sockopt::set_ip_mtu_discover;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;

use crate::base::time::LocalTime;
use crate::media::counters::Counters;
use crate::media::engine::Engine;
use crate::media::order::Order;
use crate::media::order::Report;
use crate::media::outgoing::Batch;
use crate::media::prompt::PromptSet;
use crate::node::clock;
use crate::node::entropy;
use crate::node::nap::Bell;
use crate::node::nap::Nap;
use crate::node::nap::nap;
use crate::node::shard::SHARDS;

/// How many packets one system call moves.
const BATCH: usize = 64;
/// How many batches are taken from one socket before the clock is looked at again.
const BATCHES_MAX: usize = 8;
/// More than a network packet is long; what is longer is cut, and no RTP.
const PACKET_MAX: usize = 2048;
/// What the kernel keeps of packets while a thread is busy: a second of 500 phones.
const SOCKET_BUFFER: usize = 4 << 20;
/// One thread serves thousands of streams; more than this are never needed.
const THREADS_MAX: usize = 4;
/// Expedited forwarding (RFC 4594 4.1), in the upper six bits.
const EXPEDITED: u32 = 46 << 2;

/// All media threads; clones are the same threads.
#[derive(Clone)]
pub struct MediaThreads {
    lanes: Arc<[Lane]>,
    running: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// The way to one thread.
struct Lane {
    ports: Vec<u16>,
    asks: mpsc::Sender<Ask>,
    bell: Bell,
    counters: Arc<Mutex<Counters>>,
}

enum Ask {
    Order(Order),
    Prompts(Arc<PromptSet>),
    Stop,
}

impl MediaThreads {
    /// Binds the ports and starts the threads; `report` is called by them.
    ///
    /// Port 0 binds any free one.
    pub fn start(
        ports: &[u16],
        prompts: impl Into<Arc<PromptSet>>,
        report: impl Fn(Report) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        if ports.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no RTP port is given"));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = ports.len().min(cores).clamp(1, THREADS_MAX);
        let share = match ports.len().div_ceil(count) {
            0 | 1 => 1,
            share => share.next_multiple_of(2),
        };
        let prompts = prompts.into();
        let mut lanes = Vec::new();
        let mut running = Vec::new();
        for (nth, mine) in ports.chunks(share).enumerate() {
            let sockets =
                mine.iter().map(|port| bind(*port)).collect::<io::Result<Vec<UdpSocket>>>()?;
            let (lane, thread) = lane(sockets, Arc::clone(&prompts))?;
            let report = report.clone();
            let name = format!("media-{nth}");
            running.push(std::thread::Builder::new().name(name).spawn(move || thread.run(report))?);
            lanes.push(lane);
        }
        Ok(Self { lanes: lanes.into(), running: Arc::new(Mutex::new(running)) })
    }

    /// The ports the shard of this number writes into its session descriptions, even ones first.
    pub fn ports(&self, shard: usize) -> Vec<u16> {
        let all = &self.lane(shard).ports;
        let (threads, shards) = (self.lanes.len(), usize::from(SHARDS));
        let (nth, sharing) = (shard / threads, shards.saturating_sub(shard % threads));
        let sharing = sharing.div_ceil(threads).max(1);
        // Pairs if there are enough, else single ports, else all for everybody.
        let run = if all.len() >= 2 * sharing { 2 } else { 1 };
        let own = all.chunks(run).skip(nth % sharing).step_by(sharing).flatten();
        let mut ports: Vec<u16> =
            if all.len() < sharing { all.clone() } else { own.copied().collect() };
        ports.sort_by_key(|port| port % 2);
        ports
    }

    /// Orders something of the shard's thread.
    pub fn order(&self, shard: usize, order: Order) {
        self.lane(shard).ask(Ask::Order(order));
    }

    /// Replaces the prompts everywhere.
    pub fn set_prompts(&self, prompts: &Arc<PromptSet>) {
        for lane in self.lanes.iter() {
            lane.ask(Ask::Prompts(Arc::clone(prompts)));
        }
    }

    /// What each thread has counted, a few milliseconds ago at most.
    pub fn counters(&self) -> impl Iterator<Item = Counters> {
        self.lanes.iter().map(|lane| *lane.counters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the threads and waits for them; streams are not said goodbye to.
    pub fn stop(&self) {
        for lane in self.lanes.iter() {
            lane.ask(Ask::Stop);
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in running.drain(..) {
            // A thread that panicked has said so already, and is gone.
            let _ = thread.join();
        }
    }

    fn lane(&self, shard: usize) -> &Lane {
        &self.lanes[shard % self.lanes.len()]
    }
}

impl Lane {
    fn ask(&self, ask: Ask) {
        // A thread that is gone needs no orders.
        let _ = self.asks.send(ask);
        self.bell.ring();
    }
}

fn lane(sockets: Vec<UdpSocket>, prompts: Arc<PromptSet>) -> io::Result<(Lane, Thread)> {
    let number = |socket: &UdpSocket| socket.local_addr().map(|address| address.port());
    let ports = sockets.iter().map(number).collect::<io::Result<Vec<u16>>>()?;
    let (asks, asked) = mpsc::channel();
    let (bell, nap) = nap()?;
    let counters = Arc::new(Mutex::new(Counters::default()));
    let engine = Engine::new(ports.clone(), prompts, entropy::number(), clock::local());
    let thread = Thread { engine, sockets, asked, nap, counters: Arc::clone(&counters) };
    Ok((Lane { ports, asks, bell, counters }, thread))
}

/// What one thread owns.
struct Thread {
    engine: Engine,
    sockets: Vec<UdpSocket>,
    asked: mpsc::Receiver<Ask>,
    nap: Nap,
    counters: Arc<Mutex<Counters>>,
}

/// What [`Thread::take_orders`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Nothing,
    Orders,
    Stop,
}

impl Thread {
    fn run(mut self, report: impl Fn(Report)) {
        let mut space = vec![[0; PACKET_MAX]; BATCH];
        let mut ports: Vec<Port> = self.sockets.drain(..).map(Port::new).collect();
        while self.take_orders() != Taken::Stop {
            self.engine.handle_tick(clock::local());
            for (port, batch) in ports.iter_mut().zip(self.engine.outgoing()) {
                port.send(batch);
            }
            self.engine.clear_outgoing();
            while let Some(said) = self.engine.poll_report() {
                report(said);
            }
            *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = self.engine.counters();
            let Some(readable) = self.wait(&ports) else { return };
            let now = clock::local();
            for (nth, port) in ports.iter_mut().enumerate() {
                if readable & (1 << nth.min(63)) != 0 {
                    port.receive(&mut space, |from, packet| {
                        self.engine.handle_packet(now, nth, from, packet);
                    });
                }
            }
        }
    }

    /// Carries out what was ordered.
    fn take_orders(&mut self) -> Taken {
        let mut taken = Taken::Nothing;
        loop {
            match self.asked.try_recv() {
                Ok(Ask::Order(order)) => self.engine.handle_order(clock::local(), order),
                Ok(Ask::Prompts(prompts)) => self.engine.set_prompts(prompts),
                Ok(Ask::Stop) | Err(mpsc::TryRecvError::Disconnected) => return Taken::Stop,
                Err(mpsc::TryRecvError::Empty) => return taken,
            }
            taken = Taken::Orders;
        }
    }

    /// Sleeps until there is something to do; the bits of the sockets that have packets, or none
    /// when it is time to end.
    fn wait(&mut self, ports: &[Port]) -> Option<u64> {
        let deadline = self.engine.next_deadline();
        self.nap.announce(deadline);
        let timeout = match self.take_orders() {
            Taken::Nothing => timeout(deadline, clock::local()),
            // What was ordered may be due before the deadline.
            Taken::Orders => PollTimeout::ZERO,
            Taken::Stop => return None,
        };
        let mut watched = Vec::with_capacity(ports.len() + 1);
        watched.push(PollFd::new(self.nap.waker(), PollFlags::POLLIN));
        for port in ports {
            watched.push(PollFd::new(port.socket.as_fd(), PollFlags::POLLIN));
        }
        // After a signal nothing is ready, and the loop comes round again.
        let _ = nix::poll::poll(&mut watched, timeout);
        let mut ready = watched.iter().map(|watched| watched.any().unwrap_or(false));
        let rung = ready.next().unwrap_or(false);
        let bits = ready.enumerate().fold(0, |all, (nth, bit)| all | u64::from(bit) << nth.min(63));
        self.nap.rise(rung);
        Some(bits)
    }
}

/// Whole milliseconds, rounded up: waking early would only mean waiting again.
fn timeout(deadline: Option<LocalTime>, now: LocalTime) -> PollTimeout {
    let Some(deadline) = deadline else { return PollTimeout::NONE };
    let millis = deadline.0.saturating_sub(now.0).div_ceil(1000);
    PollTimeout::from(u16::try_from(millis).unwrap_or(u16::MAX))
}

/// One RTP socket with what its system calls need.
struct Port {
    socket: UdpSocket,
    /// Whether it is an IPv6 socket, which sees IPv4 addresses mapped.
    is_v6: bool,
    incoming: MultiHeaders<SockaddrStorage>,
    outgoing: MultiHeaders<SockaddrStorage>,
}

impl Port {
    /// Made on the thread that uses it: what system calls need does not move between threads.
    fn new(socket: UdpSocket) -> Self {
        let is_v6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
        let headers = || MultiHeaders::preallocate(BATCH, None);
        Self { socket, is_v6, incoming: headers(), outgoing: headers() }
    }

    /// Sends a batch; what the network does not take is lost, as packets are.
    fn send(&mut self, batch: &Batch) {
        let mut packets = batch.iter();
        let mut waiting = [[IoSlice::new(&[])]; BATCH];
        let mut addresses = [None; BATCH];
        loop {
            let mut count = 0;
            for (to, bytes) in packets.by_ref().take(BATCH) {
                waiting[count] = [IoSlice::new(bytes)];
                addresses[count] = Some(SockaddrStorage::from(self.seen(to)));
                count += 1;
            }
            if count == 0 {
                return;
            }
            let mut sent = 0;
            while sent < count {
                let result = sendmmsg(
                    self.socket.as_raw_fd(),
                    &mut self.outgoing,
                    &waiting[sent..count],
                    &addresses[sent..count],
                    [],
                    MsgFlags::MSG_DONTWAIT,
                );
                match result.map(Iterator::count) {
                    Ok(some) if some > 0 => sent += some,
                    // The socket is full: the rest is too late anyway.
                    Err(Errno::EAGAIN) => return,
                    // This one cannot be sent (no route, not permitted); the others may.
                    Ok(_) | Err(_) => sent += 1,
                }
            }
        }
    }

    /// Receives what is there, a bounded number of batches of it.
    fn receive(
        &mut self,
        space: &mut [[u8; PACKET_MAX]],
        mut handle: impl FnMut(SocketAddr, &[u8]),
    ) {
        for _ in 0..BATCHES_MAX {
            let mut parts = space.iter_mut();
            let mut slices: [[IoSliceMut<'_>; 1]; BATCH] = std::array::from_fn(|_| {
                [IoSliceMut::new(parts.next().map_or(&mut [], |part| part.as_mut_slice()))]
            });
            let received = recvmmsg(
                self.socket.as_raw_fd(),
                &mut self.incoming,
                slices.iter_mut(),
                MsgFlags::MSG_DONTWAIT,
                None,
            );
            let Ok(received) = received else { return };
            let mut count = 0;
            for message in received {
                count += 1;
                let from = message.address.as_ref().and_then(address_of);
                if let (Some(from), Some(bytes)) = (from, message.iovs().next()) {
                    handle(from, bytes);
                }
            }
            if count < BATCH {
                return;
            }
        }
    }

    /// An address as this socket's family writes it.
    fn seen(&self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(v4) if self.is_v6 => {
                SocketAddr::new(IpAddr::V6(v4.to_ipv6_mapped()), address.port())
            }
            IpAddr::V4(_) | IpAddr::V6(_) => address,
        }
    }
}

/// Binds for both families, or for IPv4 alone where there is no IPv6.
fn bind(port: u16) -> io::Result<UdpSocket> {
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
    let bound = bound(Domain::IPV6, v6).or_else(|_| bound(Domain::IPV4, v4));
    bound.map_err(|error| io::Error::new(error.kind(), format!("port {port}: {error}")))
}

fn bound(domain: Domain, address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(domain, Type::DGRAM, None)?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    // The kernel may grant less, or refuse the marking; sound works without.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_tos_v4(EXPEDITED);
    // Nothing of ours needs fragments; without them the kernel draws no number for each packet.
    let _ = set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE);
    if domain == Domain::IPV6 {
        let _ = socket.set_tclass_v6(EXPEDITED);
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// The sender's address, IPv4 as IPv4.
fn address_of(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = storage.as_sockaddr_in() {
        return Some(SocketAddr::new(IpAddr::V4(v4.ip()), v4.port()));
    }
    let v6 = storage.as_sockaddr_in6()?;
    Some(SocketAddr::new(IpAddr::V6(v6.ip()).to_canonical(), v6.port()))
}

/// A range of ports as it is written in `Settings`.
pub fn range(ports: &[u16]) -> String {
    match ports {
        [first, .., last] => format!("{first}-{last}"),
        [one] => one.to_string(),
        [] => String::new(),
    }
}
