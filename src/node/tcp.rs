//! SIP over TCP: connections taken and made, framed strictly, written through bounded queues.
//!
//! A connection is known by its peer's address, so that a response finds the connection its
//! request came by, and a request to a peer uses the connection that is open.
//!
//! | a peer | is known | its connection |
//! |---|---|---|
//! | some trunk names, or a call of whom was taken, or we called | yes | may be idle for long |
//! | anybody else | no | is closed soon after its last message |
//!
//! Strangers have few places ([`Limits`]), so that all others are kept for those who are known.
//!
//! Always holds: a broken stream is closed, never resynchronised; a connection holds at most one
//! unfinished message, for a bounded time, and a bounded queue; when one ends, every shard is told.
//! The last request of a stream that cannot be read is answered before it is closed.
//!
//! Not here: framing itself (`sip::stream`).

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::base::time::Millis;
use crate::node::clock;
use crate::node::port::crowd::Full;
use crate::node::port::seldom::Seldom;
use crate::node::pulse::Pulse;
use crate::node::shard::Shards;
use crate::node::shard::refusal;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::parse::ParseError;
use crate::sip::stream::Frame;
use crate::sip::stream::FrameError;
use crate::sip::stream::Framer;

const QUEUE_MAX: usize = 1024;
const CONNECT_WITHIN: Duration = Duration::from_secs(4);
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A peer that has sent nothing, not even a keep-alive, for this long is taken for gone.
const IDLE_MAX: Millis = Millis::from_secs(2 * 3600);
/// A message that was begun is whole by then: any network is quicker, and who drips it in byte by
/// byte only wants the connection (RFC 3261 gives a transaction 32 s in all).
const MESSAGE_WITHIN: Millis = Millis::from_secs(15);
/// How long a peer may go on sending into a stream that is over, so that it reads our answer:
/// closing on unread bytes would take the answer back.
const LINGER: Duration = Duration::from_secs(1);

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub all: usize,
    /// Of one address that is known; a PBX needs a few.
    pub of_one: usize,
    /// Of all strangers.
    pub strangers: usize,
    /// Of one stranger; phones behind one address that call with a password begin as one.
    pub of_one_stranger: usize,
    /// A peer that has not sent one whole message by then has nothing to say to us.
    pub first_within: Millis,
    /// How long a stranger may be idle: enough to be asked for a password and to answer.
    pub stranger_idle: Millis,
}

impl Limits {
    /// Shares `all` places out: one address has half of them at most, strangers a sixteenth.
    pub fn of(all: usize) -> Self {
        let strangers = (all / 16).max(4);
        Self {
            all,
            of_one: all / 2,
            strangers,
            of_one_stranger: (strangers / 8).max(2),
            first_within: Millis::from_secs(10),
            stranger_idle: Millis::from_secs(30),
        }
    }
}

/// The open connections by peer.
#[derive(Clone)]
pub struct TcpConnections {
    peers: Arc<Mutex<Peers>>,
    limits: Limits,
    refusals: Arc<Seldom>,
    shards: Shards,
}

/// The table behind it.
#[derive(Default)]
struct Peers {
    by_address: BTreeMap<SocketAddr, Peer>,
    strangers: usize,
}

struct Peer {
    queue: mpsc::Sender<Bytes>,
    is_known: bool,
}

impl Peers {
    /// How many connections of this address there are among the known, or among strangers.
    fn of_one(&self, address: IpAddr, known: bool) -> usize {
        let all = SocketAddr::new(address, 0)..=SocketAddr::new(address, u16::MAX);
        self.by_address.range(all).filter(|(_, peer)| peer.is_known == known).count()
    }

    fn has_room(&self, address: IpAddr, known: bool, limits: &Limits) -> Result<(), Full> {
        let (taken, places, most) = if known {
            (self.by_address.len(), limits.all, limits.of_one)
        } else {
            (self.strangers, limits.strangers, limits.of_one_stranger)
        };
        if taken >= places || self.by_address.len() >= limits.all {
            Err(Full::All)
        } else if self.of_one(address, known) >= most {
            Err(Full::Address)
        } else {
            Ok(())
        }
    }

    fn insert(&mut self, address: SocketAddr, peer: Peer) {
        self.remove(address);
        self.strangers += usize::from(!peer.is_known);
        self.by_address.insert(address, peer);
    }

    fn remove(&mut self, address: SocketAddr) {
        if let Some(gone) = self.by_address.remove(&address) {
            self.strangers = self.strangers.saturating_sub(usize::from(!gone.is_known));
        }
    }

    fn let_in(&mut self, address: SocketAddr) {
        if let Some(peer) = self.by_address.get_mut(&address) {
            self.strangers = self.strangers.saturating_sub(usize::from(!peer.is_known));
            peer.is_known = true;
        }
    }
}

impl TcpConnections {
    /// Prepares an empty table that hands messages to `shards`.
    pub fn new(shards: &Shards, limits: Limits) -> Self {
        let (peers, refusals) = (Arc::default(), Arc::default());
        Self { peers, limits, refusals, shards: shards.clone() }
    }

    /// Treats whoever is at the other end of `flow` as known from now on.
    pub fn let_in(&self, flow: Flow) {
        if flow.transport == Transport::Tcp {
            self.lock().let_in(flow.peer);
        }
    }

    fn is_known(&self, peer: SocketAddr) -> bool {
        self.lock().by_address.get(&peer).is_some_and(|peer| peer.is_known)
            || self.shards.is_named(peer.ip())
    }

    /// How long the peer may be idle.
    fn idle_max(&self, peer: SocketAddr) -> Millis {
        if self.is_known(peer) { IDLE_MAX } else { self.limits.stranger_idle }
    }

    /// Takes connections from `listener` until the runtime ends.
    pub fn listen(&self, listener: TcpListener, local: SocketAddr, pulse: &Pulse) {
        let table = self.clone();
        pulse.keep(format!("SIP over TCP at {local}"), async move {
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => {
                        table.adopt(stream, Flow { transport: Transport::Tcp, local, peer });
                    }
                    // Out of descriptors, most likely: let some be closed first.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
    }

    /// Queues one message for the flow's peer, connecting first if need be.
    ///
    /// What cannot be sent is told to the shards as a failed flow.
    pub fn send(&self, flow: Flow, bytes: Bytes) {
        let queue = self.lock().by_address.get(&flow.peer).map(|peer| peer.queue.clone());
        match queue {
            Some(queue) => {
                if queue.try_send(bytes).is_err() {
                    self.close(flow);
                }
            }
            // Who asks, hangs up and is nobody we know is not called back.
            None if bytes.starts_with(b"SIP/") && !self.is_known(flow.peer) => {
                self.shards.transport_failed(flow);
            }
            None => self.connect(flow, bytes),
        }
    }

    fn connect(&self, flow: Flow, first: Bytes) {
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let _ = sender.try_send(first);
        if !self.enter(flow.peer, Peer { queue: sender, is_known: true }) {
            self.shards.transport_failed(flow);
            return;
        }
        let table = self.clone();
        tokio::spawn(async move {
            match timeout(CONNECT_WITHIN, TcpStream::connect(flow.peer)).await {
                Ok(Ok(stream)) => table.run(stream, flow, queue),
                Ok(Err(_)) | Err(_) => table.close(flow),
            }
        });
    }

    fn adopt(&self, stream: TcpStream, flow: Flow) {
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let is_known = self.shards.is_named(flow.peer.ip());
        if self.enter(flow.peer, Peer { queue: sender, is_known }) {
            self.run(stream, flow, queue);
        }
    }

    fn enter(&self, address: SocketAddr, peer: Peer) -> bool {
        let mut peers = self.lock();
        let known = peer.is_known;
        let Err(full) = peers.has_room(address.ip(), known, &self.limits) else {
            peers.insert(address, peer);
            return true;
        };
        drop(peers);
        self.shards.count_refused(full);
        if let Some(left_out) = self.refusals.due(clock::local()) {
            let (peer, why) = (address, full.word());
            tracing::warn!(%peer, known, why, left_out, "a SIP connection was refused: too many");
        }
        false
    }

    fn run(&self, stream: TcpStream, flow: Flow, queue: mpsc::Receiver<Bytes>) {
        let _ = stream.set_nodelay(true);
        let (mut reader, writer) = stream.into_split();
        let (table, shards) = (self.clone(), self.shards.clone());
        tokio::spawn(async move {
            let over = Notify::new();
            let mut writing = pin!(write_stream(writer, queue, &over));
            tokio::select! {
                _ = read_stream(&mut reader, flow, &shards, &table) => {
                    let ending = async {
                        let _ = timeout(LINGER, discard(&mut reader)).await;
                        over.notify_one();
                    };
                    // What was asked before is still being answered.
                    let both = async { tokio::join!(ending, &mut writing) };
                    let _ = timeout(WRITE_WITHIN, both).await;
                }
                _ = &mut writing => {}
            }
            table.close(flow);
        });
    }

    /// Forgets the connection; dropping its queue ends its tasks.
    fn close(&self, flow: Flow) {
        self.lock().remove(flow.peer);
        self.shards.transport_failed(flow);
    }

    fn lock(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_stream(
    reader: &mut OwnedReadHalf,
    flow: Flow,
    shards: &Shards,
    table: &TcpConnections,
) -> io::Result<()> {
    let mut framer = Framer::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut known = false;
    // Since when nothing is begun, if nothing is.
    let mut idle_since = None;
    let mut patience = clock::local() + table.limits.first_within;
    loop {
        let read = match timeout(clock::until(patience), reader.read(&mut buffer)).await {
            Ok(read) => read?,
            Err(elapsed) => {
                // Who was let in meanwhile may be idle for longer.
                let until = idle_since.map(|since| since + table.idle_max(flow.peer));
                patience = until.filter(|until| *until > clock::local()).ok_or(elapsed)?;
                continue;
            }
        };
        if read == 0 {
            return Ok(());
        }
        let inside = framer.is_inside();
        framer.feed(&buffer[..read]);
        let mut whole = 0;
        loop {
            match framer.poll_frame() {
                Ok(Some(Frame::Message(message))) => {
                    whole += 1;
                    known = true;
                    shards.message(message, flow).await;
                }
                // RFC 5626 §4.4.1: a double CRLF is answered with a single one.
                Ok(Some(Frame::KeepAlive)) => table.send(flow, Bytes::from_static(b"\r\n")),
                Ok(Some(Frame::Refused(error))) => {
                    whole += 1;
                    answer(&error, flow, table);
                }
                Ok(None) => break,
                Err(FrameError(error)) => {
                    answer(&error, flow, table);
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        // A message that was begun before and is not complete yet has the time it had.
        let now = clock::local();
        match (known, framer.is_inside()) {
            (true, true) if inside && whole == 0 => {}
            (true, true) => (patience, idle_since) = (now + MESSAGE_WITHIN, None),
            (true, false) => {
                (patience, idle_since) = (now + table.idle_max(flow.peer), Some(now));
            }
            (false, _) => {}
        }
    }
}

/// Answers what cannot be taken, if it may be answered.
fn answer(error: &ParseError, flow: Flow, table: &TcpConnections) {
    if let Some(answer) = refusal(error) {
        table.send(flow, answer);
    }
}

/// Writes what is queued, and what is left in the queue when reading is over.
async fn write_stream(
    mut writer: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Bytes>,
    over: &Notify,
) -> io::Result<()> {
    loop {
        let next = tokio::select! {
            next = queue.recv() => next,
            () = over.notified() => {
                queue.close();
                continue;
            }
        };
        let Some(bytes) = next else { break };
        timeout(WRITE_WITHIN, writer.write_all(&bytes)).await??;
    }
    writer.shutdown().await
}

/// Reads what nobody will look at, until the peer stops.
async fn discard(reader: &mut OwnedReadHalf) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    while reader.read(&mut buffer).await? > 0 {}
    Ok(())
}
