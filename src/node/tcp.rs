//! SIP over TCP: connections taken and made, framed strictly, written through bounded queues.
//!
//! A connection is found by both its addresses, so that a response finds the connection its request
//! came by, and a request to a peer uses the connection that is open. Of two that have the same
//! (a peer connects anew while the last one is still ending) it is the newer one that is found.
//!
//! | a peer | is known | its connection |
//! |---|---|---|
//! | some trunk names, or a call of whom was taken, or we called | yes | may be idle for long |
//! | anybody else | no | is closed soon after its last message, keep-alives or not |
//!
//! Strangers have few places ([`Limits`]), so that all others are kept for those who are known.
//!
//! Always holds: a broken stream is closed, never resynchronised; a connection holds at most one
//! unfinished message, for a bounded time, and a bounded queue; when one ends or is found no more,
//! every shard is told, once; what comes too fast is read later, or the stream ends: no message in
//! the middle of one is left out, as nobody would send it again. A keep-alive now and then takes
//! nothing of what its address may send: phones behind one address keep their connections whoever
//! else there is too fast.
//! The last request of a stream that cannot be read is answered before it is closed.
//!
//! Not here: framing itself (`sip::stream`), who finds a place ([`super::port::places`]).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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

use crate::base::rate::Bucket;
use crate::base::rate::Rate;
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
/// RFC 5626 §4.4.1: a double CRLF is answered with a single one.
const PONG: Bytes = Bytes::from_static(b"\r\n");
/// How many keep-alives of one connection are no messages: that section wants one in some 100 s,
/// and who sends many more asks for something else.
const KEEP_ALIVES: Rate = Rate { per_second: 1, burst: 4 };
/// How long a peer may go on sending into a stream that is over, so that it reads our answer:
/// closing on unread bytes would take the answer back.
const LINGER: Duration = Duration::from_secs(1);

/// The open connections.
#[derive(Clone)]
pub struct TcpConnections {
    peers: Arc<Mutex<Peers>>,
    limits: Limits,
    /// Lines about connections that found no place, and about streams that broke.
    refusals: Arc<Seldom>,
    breaks: Arc<Seldom>,
    shards: Shards,
}

/// The table behind it.
#[derive(Default)]
struct Peers {
    by_flow: BTreeMap<Flow, Peer>,
    places: Places,
    /// How many connections there have been.
    serials: u64,
}

struct Peer {
    /// Tells it from others between the same addresses.
    serial: u64,
    queue: mpsc::Sender<Bytes>,
    is_known: bool,
    /// Dropped with the entry; the connection ends with it, however much is under way.
    _alive: oneshot::Sender<Infallible>,
}

/// What the connection of an entry works with.
struct Entered {
    flow: Flow,
    serial: u64,
    queue: mpsc::Receiver<Bytes>,
    /// Resolves when the entry is dropped.
    ended: oneshot::Receiver<Infallible>,
    /// An older connection between the same addresses is found no more.
    is_second: bool,
}

impl Peers {
    /// Enters a connection whose first message to be sent is this.
    fn enter(
        &mut self,
        flow: Flow,
        first: Option<Bytes>,
        is_known: bool,
        limits: &Limits,
    ) -> Result<Entered, Full> {
        self.places.take(flow.peer.ip(), is_known, limits)?;
        self.serials += 1;
        let serial = self.serials;
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let _ = first.map(|first| sender.try_send(first));
        let (_alive, ended) = oneshot::channel();
        let gone = self.by_flow.insert(flow, Peer { serial, queue: sender, is_known, _alive });
        let is_second = gone.is_some();
        if let Some(gone) = gone {
            self.places.leave(flow.peer.ip(), gone.is_known);
        }
        Ok(Entered { flow, serial, queue, ended, is_second })
    }

    /// Removes the entry of this very connection, if it is still there.
    fn remove(&mut self, flow: Flow, serial: u64) -> bool {
        let Entry::Occupied(entry) = self.by_flow.entry(flow) else { return false };
        let is_its_own = entry.get().serial == serial;
        if is_its_own {
            self.places.leave(flow.peer.ip(), entry.remove().is_known);
        }
        is_its_own
    }

    fn let_in(&mut self, flow: Flow) {
        let Some(peer) = self.by_flow.get_mut(&flow) else { return };
        if !std::mem::replace(&mut peer.is_known, true) {
            self.places.let_in(flow.peer.ip());
        }
    }
}

impl TcpConnections {
    /// Prepares an empty table that hands messages to `shards`.
    pub fn new(shards: &Shards, limits: Limits) -> Self {
        let (peers, refusals, breaks) = (Arc::default(), Arc::default(), Arc::default());
        Self { peers, limits, refusals, breaks, shards: shards.clone() }
    }

    /// Treats whoever is at the other end of `flow` as known from now on.
    pub fn let_in(&self, flow: Flow) {
        if flow.transport == Transport::Tcp {
            self.lock().let_in(flow);
        }
    }

    fn is_known(&self, flow: Flow) -> bool {
        self.lock().by_flow.get(&flow).is_some_and(|peer| peer.is_known)
            || self.shards.is_named(flow.peer.ip())
    }

    /// How long the peer may be idle.
    fn idle_max(&self, flow: Flow) -> Millis {
        if self.is_known(flow) { IDLE_MAX } else { self.limits.stranger_idle }
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
        let mut peers = self.lock();
        if let Some(peer) = peers.by_flow.get(&flow) {
            let (sent, serial) = (peer.queue.try_send(bytes), peer.serial);
            drop(peers);
            if sent.is_err() {
                self.close(flow, serial);
            }
            return;
        }
        // Who asks, hangs up and is nobody we know is not called back.
        if bytes.starts_with(b"SIP/") && !self.shards.is_named(flow.peer.ip()) {
            drop(peers);
            self.shards.transport_failed(flow);
            return;
        }
        // Entered before anybody else looks: another shard uses this connection, too.
        let entered = peers.enter(flow, Some(bytes), true, &self.limits);
        drop(peers);
        match entered {
            Ok(entered) => self.connect(entered),
            Err(full) => {
                self.refused(flow, true, full);
                self.shards.transport_failed(flow);
            }
        }
    }

    fn connect(&self, entered: Entered) {
        let table = self.clone();
        tokio::spawn(async move {
            let flow = entered.flow;
            match timeout(CONNECT_WITHIN, TcpStream::connect(flow.peer)).await {
                Ok(Ok(stream)) => table.run(stream, entered),
                Ok(Err(_)) | Err(_) => table.close(flow, entered.serial),
            }
        });
    }

    fn adopt(&self, stream: TcpStream, flow: Flow) {
        let is_known = self.shards.is_named(flow.peer.ip());
        let entered = self.lock().enter(flow, None, is_known, &self.limits);
        match entered {
            Ok(entered) => {
                if entered.is_second {
                    // What was asked on the older one is not answered there any more.
                    self.shards.transport_failed(flow);
                }
                self.run(stream, entered);
            }
            Err(full) => self.refused(flow, is_known, full),
        }
    }

    /// Counts a connection for which there is no place, and says so now and then.
    fn refused(&self, flow: Flow, known: bool, full: Full) {
        self.shards.counts().connection_refused("sip", full);
        if let Some(left_out) = self.refusals.due(clock::local()) {
            let (peer, why) = (flow.peer, full.word());
            tracing::warn!(%peer, known, why, left_out, "a SIP connection was refused: too many");
        }
    }

    /// Counts a stream that cannot be read any further, says so now and then, and answers.
    fn broken(&self, flow: Flow, error: &ParseError) {
        self.shards.counts().broken_stream();
        if let Some(left_out) = self.breaks.due(clock::local()) {
            let (peer, known) = (flow.peer, self.is_known(flow));
            let said = "a SIP stream could not be read and is closed";
            tracing::warn!(%peer, known, why = %error, left_out, "{said}");
        }
        self.answer(flow, error);
    }

    /// Answers what cannot be taken, if it may be answered.
    fn answer(&self, flow: Flow, error: &ParseError) {
        if let Some(answer) = refusal(error) {
            self.send(flow, answer);
        }
    }

    fn run(&self, stream: TcpStream, entered: Entered) {
        let Entered { flow, serial, queue, ended, .. } = entered;
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
            table.close(flow, serial);
        });
    }

    /// Forgets the connection, and so ends it.
    fn close(&self, flow: Flow, serial: u64) {
        let was_there = self.lock().remove(flow, serial);
        if was_there {
            self.shards.transport_failed(flow);
        }
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
    let mut keep_alives = Bucket::default();
    // Since when nothing is begun, if nothing is.
    let mut idle_since = None;
    let mut patience = clock::local() + table.limits.first_within;
    loop {
        let read = match timeout(clock::until(patience), reader.read(&mut buffer)).await {
            Ok(read) => read?,
            Err(elapsed) => {
                // Who was let in meanwhile may be idle for longer.
                let until = idle_since.map(|since| since + table.idle_max(flow));
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
            let is_free = matches!(frame, Frame::KeepAlive)
                && keep_alives.admit(KEEP_ALIVES, clock::local()).is_ok();
            if is_free {
                table.send(flow, PONG);
                continue;
            }
            let admitted = shards.admit_from_stream(flow.peer.ip(), table.limits.held_within);
            let standing = admitted.await.ok_or(io::ErrorKind::TimedOut)?;
            match frame {
                Frame::Message(message) => shards.message(message, flow, standing).await,
                Frame::KeepAlive => table.send(flow, PONG),
                Frame::Refused(error) => {
                    shards.counts().unreadable();
                    table.answer(flow, &error);
                }
            }
        }
        // A message that was begun before and is not complete yet has the time it had; line ends
        // alone give a stranger no more of it.
        let now = clock::local();
        match (known, framer.is_inside()) {
            (true, true) if inside && whole == 0 => {}
            (true, true) => (patience, idle_since) = (now + MESSAGE_WITHIN, None),
            (true, false) if whole == 0 && !table.is_known(flow) => {}
            (true, false) => {
                (patience, idle_since) = (now + table.idle_max(flow), Some(now));
            }
            (false, _) => {}
        }
    }
}

/// The next thing in the stream; what makes it unreadable is counted and answered.
fn next_frame(
    framer: &mut Framer,
    flow: Flow,
    table: &TcpConnections,
) -> io::Result<Option<Frame>> {
    framer.poll_frame().map_err(|FrameError(error)| {
        table.broken(flow, &error);
        io::ErrorKind::InvalidData.into()
    })
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
