//! Whose packet this is: streams by address, and symmetric RTP (RFC 4961) within limits.
//!
//! Many streams share one local port; a packet is known by where it comes from. A peer behind a NAT
//! announces an address it does not send from, so its stream may *latch* onto another one:
//!
//! | a packet from | belongs to |
//! |---|---|
//! | an address that is announced or latched | its stream; of several see below |
//! | the announced one after another was latched | its stream, which is no longer moved |
//! | elsewhere, the IP announced or of the leg's signalling | the one stream that waits there |
//! | the same, but several streams wait | the only one that announced the port it comes from |
//! | the same, and that is not one | nobody: it is dropped and counted, not guessed |
//! | anywhere else | nobody: a stranger |
//!
//! A stream waits for [`WINDOW`] after it was opened or updated, and no longer once it has heard
//! anything; then only a re-INVITE moves it, or the announced address when it is heard after all.
//! So a stranger can take a stream over only by sending from the right IP address before the peer
//! does, and keep it only if the peer never sends from where it said.
//!
//! So phones behind one NAT get different local ports for as long as there are some (`b2bua` sees
//! to that). What remains: when more of them start than a shard has local ports (`rtp.ports`), all
//! before their first packets, then those on one local port whose NAT does not keep their port, or
//! who announced the same one, are not heard until the others have ended or waited too long.
//!
//! Streams that announce one and the same address on the same local port (a peer that multiplexes)
//! are told apart by SSRC, in the order they were opened; a further SSRC is a stranger's as long as
//! there are several of them.
//!
//! A report (RTCP) from another port of the peer's than its audio is known by IP address and SSRC,
//! on whichever local port it comes in.
//!
//! Always holds: a packet belongs to one stream at most; an address is known only while a stream
//! has it.
//!
//! Not here: what the packet does ([`super::engine`]).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::net::SocketAddr;

use crate::base::time::LocalTime;
use crate::base::time::Millis;

/// How long a stream waits for its peer's first packet to come from an address nobody announced.
pub const WINDOW: Millis = Millis(10_000);

/// Whose packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This stream's.
    Known(u32),
    /// This stream's, which sends there from now on.
    Latched(u32),
    /// One of several streams'; not told which.
    Ambiguous,
    /// Nobody's.
    Stranger,
}

/// Where one stream sends and whom it hears.
#[derive(Clone, Copy, Debug)]
struct Entry {
    port: usize,
    /// Where the peer said it would be.
    announced: SocketAddr,
    /// Where it is: there, or latched.
    remote: SocketAddr,
    /// Where the signalling comes from.
    signalled_by: Option<IpAddr>,
    ssrc: Option<u32>,
    waits_until: LocalTime,
}

/// All streams' addresses.
#[derive(Debug)]
pub struct Table {
    entries: Vec<Option<Entry>>,
    known: BTreeMap<(usize, SocketAddr), Vec<u32>>,
    /// Who is heard from which IP address under which SSRC, for reports from another port of it.
    sources: BTreeSet<(IpAddr, u32, u32)>,
    /// The streams that may wait, by port, oldest first; those that no longer do are skipped.
    waiting: Vec<VecDeque<u32>>,
}

impl Table {
    /// Makes a table for this many local ports.
    pub fn new(ports: usize) -> Self {
        Self {
            entries: Vec::new(),
            known: BTreeMap::new(),
            sources: BTreeSet::new(),
            waiting: vec![VecDeque::new(); ports],
        }
    }

    /// Adds a stream; its number is not in use.
    pub fn open(
        &mut self,
        now: LocalTime,
        stream: u32,
        port: usize,
        announced: SocketAddr,
        signalled_by: Option<IpAddr>,
    ) {
        let nth = stream as usize;
        if self.entries.len() <= nth {
            self.entries.resize(nth + 1, None);
        }
        let waits_until = now + WINDOW;
        let (remote, ssrc) = (announced, None);
        self.entries[nth] =
            Some(Entry { port, announced, remote, signalled_by, ssrc, waits_until });
        self.known.entry((port, announced)).or_default().push(stream);
        self.drop_settled(now, port);
        if let Some(waiting) = self.waiting.get_mut(port) {
            waiting.push_back(stream);
        }
    }

    /// A re-INVITE announces an address. The same as before changes nothing.
    pub fn update(&mut self, now: LocalTime, stream: u32, before: SocketAddr, after: SocketAddr) {
        if before == after {
            return;
        }
        if let Some(entry) = self.close(stream) {
            self.open(now, stream, entry.port, after, entry.signalled_by);
        }
    }

    /// Takes a stream out.
    pub fn remove(&mut self, stream: u32) {
        self.close(stream);
    }

    /// Where the stream's packets go.
    pub fn remote(&self, stream: u32) -> Option<SocketAddr> {
        self.entry(stream).map(|entry| entry.remote)
    }

    /// Finds whose packet this is, and remembers what it teaches.
    pub fn find(&mut self, now: LocalTime, port: usize, from: SocketAddr, ssrc: u32) -> Found {
        if let Some(streams) = self.known.get(&(port, from)) {
            let found = match *streams.as_slice() {
                [stream] => Some(stream),
                _ => self.told_apart(streams, from, ssrc),
            };
            return found.map_or(Found::Ambiguous, |stream| self.heard(stream, from, ssrc));
        }
        self.drop_settled(now, port);
        let candidates = self.waiting.get(port).into_iter().flatten();
        let mut plausible = candidates
            .copied()
            .filter(|stream| self.entry(*stream).is_some_and(|entry| entry.may_hear(now, from)));
        match (plausible.next(), plausible.next()) {
            (Some(stream), None) => {
                self.latch(stream, port, from, ssrc);
                Found::Latched(stream)
            }
            (Some(_), Some(_)) => match self.of_same_port(now, port, from) {
                Some(stream) => {
                    self.latch(stream, port, from, ssrc);
                    Found::Latched(stream)
                }
                None => Found::Ambiguous,
            },
            (None, _) => Found::Stranger,
        }
    }

    /// The only one of those that wait which announced the port the packet comes from: a NAT keeps
    /// ports where it can (RFC 4787 4.2.1).
    fn of_same_port(&self, now: LocalTime, port: usize, from: SocketAddr) -> Option<u32> {
        let mut same = self.waiting.get(port)?.iter().copied().filter(|stream| {
            self.entry(*stream).is_some_and(|entry| {
                entry.may_hear(now, from) && entry.remote.port() == from.port()
            })
        });
        same.next().filter(|_| same.next().is_none())
    }

    /// Finds whose report it is: the stream of this very address, or the one heard from this IP
    /// address under this SSRC. A report moves no stream.
    pub fn find_reporter(&self, port: usize, from: SocketAddr, ssrc: u32) -> Option<u32> {
        if let Some([stream]) = self.known.get(&(port, from)).map(Vec::as_slice) {
            return Some(*stream);
        }
        let mut found = self.sources.range((from.ip(), ssrc, 0)..=(from.ip(), ssrc, u32::MAX));
        match (found.next(), found.next()) {
            (Some((.., stream)), None) => Some(*stream),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    fn entry(&self, stream: u32) -> Option<&Entry> {
        self.entries.get(stream as usize).and_then(Option::as_ref)
    }

    /// Among streams of one address, the only one that is there; else the one that knows the SSRC,
    /// or the oldest that knows none.
    fn told_apart(&self, streams: &[u32], from: SocketAddr, ssrc: u32) -> Option<u32> {
        let is_there = |stream: &u32| self.entry(*stream).is_some_and(|entry| entry.remote == from);
        let mut there = streams.iter().copied().filter(is_there);
        if let (Some(stream), None) = (there.next(), there.next()) {
            return Some(stream);
        }
        let with = |wanted: Option<u32>| {
            let has = |stream: &u32| self.entry(*stream).is_some_and(|entry| entry.ssrc == wanted);
            streams.iter().copied().find(has)
        };
        with(Some(ssrc)).or_else(|| with(None))
    }

    fn heard(&mut self, stream: u32, from: SocketAddr, ssrc: u32) -> Found {
        let Some(entry) = self.entry(stream) else { return Found::Stranger };
        if entry.remote != from {
            self.send_home(stream);
            self.name_source(stream, ssrc);
        } else if entry.ssrc != Some(ssrc) {
            self.name_source(stream, ssrc);
        }
        Found::Known(stream)
    }

    /// The peer is where it said: whoever was latched before was somebody else.
    fn send_home(&mut self, stream: u32) {
        let Some(Some(entry)) = self.entries.get_mut(stream as usize) else { return };
        let (port, latched) = (entry.port, std::mem::replace(&mut entry.remote, entry.announced));
        if let Some(ssrc) = entry.ssrc.take() {
            self.sources.remove(&(latched.ip(), ssrc, stream));
        }
        self.forget(port, latched, stream);
    }

    fn name_source(&mut self, stream: u32, ssrc: u32) {
        let Some(Some(entry)) = self.entries.get_mut(stream as usize) else { return };
        let ip = entry.remote.ip();
        if let Some(before) = entry.ssrc.replace(ssrc) {
            self.sources.remove(&(ip, before, stream));
        }
        self.sources.insert((ip, ssrc, stream));
    }

    fn latch(&mut self, stream: u32, port: usize, from: SocketAddr, ssrc: u32) {
        let Some(Some(entry)) = self.entries.get_mut(stream as usize) else { return };
        entry.remote = from;
        self.known.entry((port, from)).or_default().push(stream);
        self.name_source(stream, ssrc);
    }

    fn close(&mut self, stream: u32) -> Option<Entry> {
        let entry = self.entries.get_mut(stream as usize)?.take()?;
        self.forget(entry.port, entry.remote, stream);
        self.forget(entry.port, entry.announced, stream);
        if let Some(ssrc) = entry.ssrc {
            self.sources.remove(&(entry.remote.ip(), ssrc, stream));
        }
        if let Some(waiting) = self.waiting.get_mut(entry.port) {
            waiting.retain(|waits| *waits != stream);
        }
        Some(entry)
    }

    fn forget(&mut self, port: usize, address: SocketAddr, stream: u32) {
        if let Some(streams) = self.known.get_mut(&(port, address)) {
            streams.retain(|known| *known != stream);
            if streams.is_empty() {
                self.known.remove(&(port, address));
            }
        }
    }

    /// Drops from the front those that wait no longer, so that the queue stays short.
    fn drop_settled(&mut self, now: LocalTime, port: usize) {
        let Some(waiting) = self.waiting.get_mut(port) else { return };
        while let Some(stream) = waiting.front() {
            let entry = self.entries.get(*stream as usize).and_then(Option::as_ref);
            if entry.is_some_and(|entry| entry.waits(now)) {
                return;
            }
            waiting.pop_front();
        }
    }
}

impl Entry {
    fn waits(&self, now: LocalTime) -> bool {
        self.ssrc.is_none() && now < self.waits_until
    }

    fn may_hear(&self, now: LocalTime, from: SocketAddr) -> bool {
        let ip = from.ip();
        self.waits(now) && (self.remote.ip() == ip || self.signalled_by == Some(ip))
    }
}
