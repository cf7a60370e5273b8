//! Where a message came from and how one is sent back: transport and both addresses.
//!
//! A flow stands for a UDP address pair or a TCP connection. The drivers in `node` map it to a
//! socket; nothing on this floor opens one.
//!
//! Always holds: a reply on the flow a request came by reaches the sender (RFC 3581 §4), as long
//! as this process lives and, for a stream, the connection does.
//!
//! Not here: choosing a flow for a new request (`b2bua`) and sockets (`node`).

use std::fmt;
use std::net::SocketAddr;

use serde::Deserialize;
use serde::Serialize;

/// A way to carry SIP that Carillon itself can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    /// Datagrams: one message each, retransmitted by the transactions.
    Udp,
    /// A stream: framed by Content-Length, not retransmitted (RFC 3261 §18.3).
    Tcp,
}

impl Transport {
    /// The name that stands in Via: `UDP`, `TCP`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }

    /// Tells whether the transport delivers by itself, so that nothing is retransmitted.
    pub fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp => true,
        }
    }

    /// Finds the transport called `name` in a Via or a `transport=` parameter, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One path messages travel: ours, theirs, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// By what.
    pub transport: Transport,
    /// Our address, which names the listening socket.
    pub local: SocketAddr,
    /// The other side's address as the socket saw it.
    pub peer: SocketAddr,
}

impl Flow {
    /// Tells whether both lead to one address; ports change where a NAT or a stream is between.
    pub fn is_same_host(self, other: Self) -> bool {
        self.peer.ip().to_canonical() == other.peer.ip().to_canonical()
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} - {}", self.transport, self.local, self.peer)
    }
}
