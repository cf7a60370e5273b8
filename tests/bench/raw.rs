//! What the kernel alone costs: `sendmmsg` and `recvmmsg` in a tight loop, nothing in between.
//!
//! The sender writes to [`PEERS`] addresses in turn, as media does; loopback hands a packet to its
//! receiver's socket within the sender's call.

use std::io::IoSlice;
use std::io::IoSliceMut;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use nix::sys::socket::MsgFlags;
use nix::sys::socket::MultiHeaders;
use nix::sys::socket::SockaddrStorage;
use nix::sys::socket::recvmmsg;
use nix::sys::socket::sendmmsg;
use socket2::SockRef;

use crate::BATCH;
use crate::PACKET;
use crate::cpu;

/// How many addresses are written to.
const PEERS: usize = 5000;
/// How many packets are sent.
const PACKETS: usize = 1_000_000;

/// Microseconds of CPU time for a packet.
pub(crate) struct Raw {
    pub(crate) sent: f64,
    pub(crate) received: f64,
}

/// A socket with room for a burst, that never waits.
pub(crate) fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    // The kernel may grant less.
    let _ = SockRef::from(&socket).set_recv_buffer_size(4 << 20);
    socket.set_nonblocking(true).unwrap();
    socket
}

/// Sends as fast as it goes and receives what comes of it, each thread on its core.
pub(crate) fn measure() -> Raw {
    let sink = socket(crate::SINK);
    let port = sink.local_addr().unwrap().port();
    let over = Arc::new(AtomicBool::new(false));
    let heard = Arc::new(AtomicU64::new(0));
    let (ends, hears) = (Arc::clone(&over), Arc::clone(&heard));
    let receiver = std::thread::spawn(move || {
        cpu::pin(cpu::own(), cpu::PHONES);
        let begun = cpu::used(cpu::own());
        drain(&sink, &ends, &hears);
        cpu::used(cpu::own()) - begun
    });
    let sender = std::thread::spawn(move || {
        cpu::pin(cpu::own(), cpu::MEDIA);
        let begun = cpu::used(cpu::own());
        send_all(port);
        cpu::used(cpu::own()) - begun
    });
    let sending = sender.join().unwrap();
    over.store(true, Ordering::Relaxed);
    let receiving = receiver.join().unwrap();
    Raw {
        sent: sending * 1e6 / PACKETS as f64,
        received: receiving * 1e6 / heard.load(Ordering::Relaxed) as f64,
    }
}

fn send_all(port: u16) {
    let socket = socket("0.0.0.0:0");
    let peers: Vec<Option<SockaddrStorage>> = (0..PEERS)
        .map(|nth| {
            let [high, low] = (nth as u16).to_be_bytes();
            Some(SocketAddr::from(([127, 1, high, low], port)).into())
        })
        .collect();
    let packet = [0x55; PACKET];
    let packets = [[IoSlice::new(&packet)]; BATCH];
    let mut headers = MultiHeaders::preallocate(BATCH, None);
    let mut sent = 0;
    for batch in peers.chunks_exact(BATCH).cycle() {
        let flags = MsgFlags::MSG_DONTWAIT;
        let result = sendmmsg(socket.as_raw_fd(), &mut headers, &packets, batch, [], flags)
            .map(Iterator::count);
        sent += result.unwrap_or_default();
        if sent >= PACKETS {
            return;
        }
    }
}

/// Receives until it is over, and counts; waits in the kernel while there is nothing.
pub(crate) fn drain(socket: &UdpSocket, over: &AtomicBool, heard: &AtomicU64) {
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    let mut space = vec![[0; 2048]; BATCH];
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, None);
    while !over.load(Ordering::Relaxed) {
        let mut parts: Vec<_> =
            space.iter_mut().map(|part| [IoSliceMut::new(part.as_mut_slice())]).collect();
        let flags = MsgFlags::MSG_WAITFORONE;
        let got = recvmmsg(socket.as_raw_fd(), &mut headers, parts.iter_mut(), flags, None);
        let count = got.map(Iterator::count).unwrap_or_default();
        heard.fetch_add(count as u64, Ordering::Relaxed);
    }
}
