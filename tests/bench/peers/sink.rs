//! Where all RTP goes: counts packets, streams and the gaps between packets of a stream.
//!
//! A stream is a source port and an SSRC. Arrival times are the kernel's, so that a late reader
//! does not make a packet late. The reader looks every few milliseconds and never waits in the
//! kernel: waking it would be charged to the sender, whose listeners in life are elsewhere. It was
//! a third of the CPU time of music (`perf`), for either server.
//!
//! Always holds: somebody reads the port from the first call on; an unread port would answer every
//! packet with an ICMP error and change what is measured.
//!
//! Not here: what the packets carry.

use std::collections::BTreeMap;
use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::ControlMessageOwned;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::MultiHeaders;
use nix::sys::socket::SockaddrIn;
use nix::sys::socket::recvmmsg;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReceiveTimestampns;

use crate::machine::pause;

/// Packets read at once.
const BATCH: usize = 64;

/// Room for 25,000 packets a second while the reader waits for its turn on the core.
const BUFFER: usize = 16 << 20;

/// How often the port is looked at.
const LOOK: Duration = Duration::from_millis(4);

/// Gaps longer than this count as this.
const GAP_TENTHS_MAX: usize = 4000;

/// What came in since it was last asked.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) packets: u64,
    /// The newest packet's arrival, by source port and SSRC.
    streams: BTreeMap<(u16, u32), i64>,
    /// How many gaps had how many tenths of a millisecond.
    gaps: BTreeMap<usize, u64>,
}

impl Heard {
    /// How many streams there were.
    pub(crate) fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Which share of packets came 18 to 22 ms after the one before.
    pub(crate) fn on_time_percent(&self) -> f64 {
        let all: u64 = self.gaps.values().sum();
        let good: u64 = self.gaps.range(180..=220).map(|(_, count)| count).sum();
        100.0 * good as f64 / all.max(1) as f64
    }

    /// The gap that this share does not exceed, in milliseconds.
    pub(crate) fn gap_ms(&self, share: f64) -> f64 {
        let all: u64 = self.gaps.values().sum();
        let mut left = (all as f64 * share) as u64;
        for (tenths, count) in &self.gaps {
            if *count > left {
                return *tenths as f64 / 10.0;
            }
            left -= count;
        }
        f64::NAN
    }

    fn note(&mut self, port: u16, packet: &[u8], at: i64) {
        let ssrc = packet.get(8..12).and_then(|bytes| bytes.try_into().ok());
        let Some(ssrc) = ssrc.map(u32::from_be_bytes) else { return };
        // Version 2 and the payload types of audio; RTCP has 200 and above in this octet.
        if packet[0] >> 6 != 2 || packet[1] & 0x7f > 34 {
            return;
        }
        self.packets += 1;
        if let Some(before) = self.streams.insert((port, ssrc), at) {
            let tenths = usize::try_from((at - before) / 100_000).unwrap_or(0);
            *self.gaps.entry(tenths.min(GAP_TENTHS_MAX)).or_default() += 1;
        }
    }
}

/// A port that is read until it is dropped.
pub(crate) struct Sink {
    /// Where RTP is to be sent.
    pub(crate) port: u16,
    heard: Arc<Mutex<Heard>>,
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Sink {
    /// Begins to read.
    pub(crate) fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER).expect("a large buffer");
        setsockopt(&socket, ReceiveTimestampns, &true).expect("time stamps of the kernel");
        let heard = Arc::<Mutex<Heard>>::default();
        let over = Arc::<AtomicBool>::default();
        let (into, until) = (Arc::clone(&heard), Arc::clone(&over));
        let reader = std::thread::spawn(move || read(&socket, &into, &until));
        Self { port, heard, over, reader: Some(reader) }
    }

    /// What came in since this was last asked.
    pub(crate) fn take(&self) -> Heard {
        std::mem::take(&mut *locked(&self.heard))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.reader.take().map(JoinHandle::join);
    }
}

fn locked(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(socket: &UdpSocket, heard: &Mutex<Heard>, over: &AtomicBool) {
    let mut buffers = vec![[0u8; 2048]; BATCH];
    let space = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, Some(space));
    while !over.load(Ordering::Relaxed) {
        let mut slices: Vec<_> =
            buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        let batch = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), flags, None);
        let Ok(batch) = batch else {
            pause(LOOK);
            continue;
        };
        let mut heard = locked(heard);
        for packet in batch {
            let stamp =
                packet.cmsgs().ok().and_then(|mut all| all.find_map(|message| arrival(&message)));
            let (Some(at), Some(from)) = (stamp, packet.address) else { continue };
            for bytes in packet.iovs() {
                heard.note(from.port(), bytes, at);
            }
        }
    }
}

/// The kernel's time of arrival in nanoseconds.
fn arrival(message: &ControlMessageOwned) -> Option<i64> {
    let ControlMessageOwned::ScmTimestampns(at) = message else { return None };
    Some(at.tv_sec() * 1_000_000_000 + at.tv_nsec())
}
