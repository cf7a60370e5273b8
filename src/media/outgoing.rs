//! Packets on their way out, one batch a local port.
//!
//! A batch is one run of bytes and a list of who gets which part of it. Both keep their space when
//! they are emptied, so a steady load allocates nothing.
//!
//! Always holds: packets leave in the order they were written.
//!
//! Not here: the system call that sends a batch (`node::rtp`).

use std::net::SocketAddr;

/// The packets of one local port.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    packets: Vec<(SocketAddr, u32, u32)>,
}

impl Batch {
    /// Adds a packet of `len` zero bytes for `to` and lends it to be filled.
    pub fn push(&mut self, to: SocketAddr, len: usize) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        self.packets.push((to, start as u32, len as u32));
        &mut self.bytes[start..]
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// The packets in order: to whom, and what.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SocketAddr, &[u8])> {
        self.packets
            .iter()
            .map(|(to, start, len)| (*to, &self.bytes[*start as usize..(*start + *len) as usize]))
    }

    /// Forgets the packets and keeps the space.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
    }
}
