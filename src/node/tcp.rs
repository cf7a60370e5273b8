//! SIP over TCP: connections taken and made, framed strictly, written through bounded queues.
//!
//! A connection is known by its peer's address, so that a response finds the connection its
//! request came by, and a request to a peer uses the connection that is open.
//!
//! | a peer | is known | its connection |
//! |---|---|---|
//! | some trunk names, or a call of whom was taken, or we called | yes | may be idle for long |
//! | anybody else | no | is closed soon after its last message, keep-alives or not |
//!
//! Strangers have few places ([`Limits`]), so that all others are kept for those who are known.
//!
//! Always holds: a broken stream is closed, never resynchronised; a connection holds at most one
//! unfinished message, for a bounded time, and a bounded queue; when one ends, every shard is told.
//! The last request of a stream that cannot be read is answered before it is closed.
//!
//! Not here: framing itself (`sip::stream`), who finds a place ([`super::port::places`]).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
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
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::base::time::Millis;
use crate::node::clock;
use crate::node::port::crowd::Full;
use crate::node::port::places::Limits;
use crate::node::port::places::Places;
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
    places: Places,
}

struct Peer {
    queue: mpsc::Sender<Bytes>,
    is_known: bool,
    /// Dropped with the entry; the connection ends with it, however much is under way.
    _alive: oneshot::Sender<Infallible>,
}

/// Resolves when the entry of a connection is dropped.
type Ended = oneshot::Receiver<Infallible>;

impl Peers {
    fn enter(&mut self, address: SocketAddr, peer: Peer, limits: &Limits) -> Result<(), Full> {
        self.places.take(address.ip(), peer.is_known, limits)?;
        if let Some(gone) = self.by_address.insert(address, peer) {
            self.places.leave(address.ip(), gone.is_known);
        }
        Ok(())
    }

    fn remove(&mut self, address: SocketAddr) {
        if let Some(gone) = self.by_address.remove(&address) {
            self.places.leave(address.ip(), gone.is_known);
        }
    }

    fn let_in(&mut self, address: SocketAddr) {
        let Some(peer) = self.by_address.get_mut(&address) else { return };
        if !std::mem::replace(&mut peer.is_known, true) {
            self.places.let_in(address.ip());
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
        let (_alive, ended) = oneshot::channel();
        if !self.enter(flow.peer, Peer { queue: sender, is_known: true, _alive }) {
            self.shards.transport_failed(flow);
            return;
        }
        let table = self.clone();
        tokio::spawn(async move {
            match timeout(CONNECT_WITHIN, TcpStream::connect(flow.peer)).await {
                Ok(Ok(stream)) => table.run(stream, flow, (queue, ended)),
                Ok(Err(_)) | Err(_) => table.close(flow),
            }
        });
    }

    fn adopt(&self, stream: TcpStream, flow: Flow) {
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let is_known = self.shards.is_named(flow.peer.ip());
        let (_alive, ended) = oneshot::channel();
        if self.enter(flow.peer, Peer { queue: sender, is_known, _alive }) {
            self.run(stream, flow, (queue, ended));
        }
    }

    fn enter(&self, address: SocketAddr, peer: Peer) -> bool {
        let known = peer.is_known;
        let entered = self.lock().enter(address, peer, &self.limits);
        let Err(full) = entered else { return true };
        self.shards.count_refused(full);
        if let Some(left_out) = self.refusals.due(clock::local()) {
            let (peer, why) = (address, full.word());
            tracing::warn!(%peer, known, why, left_out, "a SIP connection was refused: too many");
        }
        false
    }

    fn run(&self, stream: TcpStream, flow: Flow, (queue, ended): (mpsc::Receiver<Bytes>, Ended)) {
        let _ = stream.set_nodelay(true);
        let (mut reader, writer) = stream.into_split();
        let (table, shards) = (self.clone(), self.shards.clone());
        tokio::spawn(async move {
            let over = Notify::new();
            let mut writing = pin!(write_stream(writer, queue, &over));
            tokio::select! {
                _ = ended => {}
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

    /// Forgets the connection, and so ends it.
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
        while let Some(frame) = next_frame(&mut framer, flow, table)? {
            whole += usize::from(!matches!(frame, Frame::KeepAlive));
            known |= matches!(frame, Frame::Message(_));
            let Some(standing) = shards.admit(flow.peer.ip()) else { continue };
            match frame {
                Frame::Message(message) => shards.message(message, flow, standing).await,
                // RFC 5626 §4.4.1: a double CRLF is answered with a single one.
                Frame::KeepAlive => table.send(flow, Bytes::from_static(b"\r\n")),
                Frame::Refused(error) => answer(&error, flow, table),
            }
        }
        // A message that was begun before and is not complete yet has the time it had; line ends
        // alone give a stranger no more of it.
        let now = clock::local();
        match (known, framer.is_inside()) {
            (true, true) if inside && whole == 0 => {}
            (true, true) => (patience, idle_since) = (now + MESSAGE_WITHIN, None),
            (true, false) if whole == 0 && !table.is_known(flow.peer) => {}
            (true, false) => {
                (patience, idle_since) = (now + table.idle_max(flow.peer), Some(now));
            }
            (false, _) => {}
        }
    }
}

/// The next thing in the stream; what makes it unreadable is answered.
fn next_frame(
    framer: &mut Framer,
    flow: Flow,
    table: &TcpConnections,
) -> io::Result<Option<Frame>> {
    framer.poll_frame().map_err(|FrameError(error)| {
        answer(&error, flow, table);
        io::ErrorKind::InvalidData.into()
    })
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
