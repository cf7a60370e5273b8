//! SIP over UDP: one socket a listener, read in bursts, handed to the shard of the Call-ID.
//!
//! ```text
//! socket ─► burst ─► too many? ─► dropped
//!                └─► keep-alive? ─► answered here
//!                └─► Call-ID peeked ─► shard
//! ```
//!
//! Always holds: a response leaves through the socket its request came to, because the flow names
//! the socket. A datagram whose shard is overrun is dropped and counted; SIP sends it again.
//!
//! Not here: reading messages (`sip`), who answers (`b2bua`).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use bytes::BytesMut;
use socket2::Domain;
use socket2::Protocol;
use socket2::Socket;
use socket2::Type;
use tokio::net::UdpSocket;

use crate::node::pulse::Pulse;
use crate::node::shard::Shards;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;

/// The kernel's default holds some ninety INVITEs; a burst needs more (measured).
const RECEIVE_BUFFER: usize = 4 << 20;

/// So many datagrams are read before the shards have their turn, however many have come.
const BURST: usize = 1024;

/// A datagram cannot be longer.
const DATAGRAM_MAX: usize = 65_535;

/// The node's UDP sockets by their local address.
#[derive(Clone, Default)]
pub struct UdpSockets {
    by_local: Arc<BTreeMap<SocketAddr, Arc<UdpSocket>>>,
}

impl UdpSockets {
    /// Opens a socket for each address, or says which cannot; port 0 takes a free one.
    pub fn bind(addresses: &[SocketAddr]) -> Result<Self, (SocketAddr, io::Error)> {
        let mut by_local = BTreeMap::new();
        for address in addresses {
            let opened = open(*address).and_then(|socket| Ok((socket.local_addr()?, socket)));
            let (local, socket) = opened.map_err(|error| (*address, error))?;
            by_local.insert(local, Arc::new(socket));
        }
        Ok(Self { by_local: Arc::new(by_local) })
    }

    /// The addresses really bound.
    pub fn locals(&self) -> impl Iterator<Item = SocketAddr> {
        self.by_local.keys().copied()
    }

    /// Starts reading every socket; ends with the runtime.
    pub fn listen(&self, shards: &Shards, pulse: &Pulse) {
        for (local, socket) in self.by_local.iter() {
            let read = read_socket(*local, Arc::clone(socket), shards.clone());
            pulse.keep(format!("SIP over UDP at {local}"), read);
        }
    }

    /// Sends one datagram by the socket the flow names.
    pub async fn send(&self, flow: Flow, bytes: &[u8]) -> io::Result<()> {
        let socket = self.by_local.get(&flow.local).ok_or(io::ErrorKind::AddrNotAvailable)?;
        match socket.try_send_to(bytes, flow.peer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.send_to(bytes, flow.peer).await.map(drop)
            }
            sent => sent.map(drop),
        }
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

async fn read_socket(local: SocketAddr, socket: Arc<UdpSocket>, shards: Shards) {
    let mut buffer = BytesMut::with_capacity(DATAGRAM_MAX);
    loop {
        if socket.readable().await.is_err() {
            return;
        }
        for nth in 1.. {
            let Some((bytes, peer)) = receive(&socket, &mut buffer) else { break };
            if nth % BURST == 0 {
                tokio::task::yield_now().await;
            }
            let flow = Flow { transport: Transport::Udp, local, peer };
            let Some(standing) = shards.admit(peer.ip()) else { continue };
            if is_keep_alive(&bytes) {
                // RFC 5626 §4.4.1 has CRLF answered on streams; phones send it on UDP as well.
                let _ = socket.try_send_to(b"\r\n", peer);
            } else {
                shards.datagram(bytes, flow, standing);
            }
        }
    }
}

/// The next datagram, if one is there; errors of former sends (ICMP) are passed over.
fn receive(socket: &UdpSocket, buffer: &mut BytesMut) -> Option<(Bytes, SocketAddr)> {
    for _ in 0..16 {
        buffer.clear();
        buffer.reserve(DATAGRAM_MAX);
        match socket.try_recv_buf_from(buffer) {
            Ok((_, peer)) => return Some((Bytes::copy_from_slice(buffer), peer)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(_) => {}
        }
    }
    None
}

fn is_keep_alive(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.len() <= 4 && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}
