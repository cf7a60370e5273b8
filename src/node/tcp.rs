//! SIP over TCP: connections taken and made, framed strictly, written through bounded queues.
//!
//! A connection is known by its peer's address, so that a response finds the connection its
//! request came by, and a request to a peer uses the connection that is open.
//!
//! Always holds: a broken stream is closed, never resynchronised; a connection holds at most one
//! unfinished message, for a bounded time, and a bounded queue; when one ends, every shard is told.
//! The last request of a stream that cannot be read is answered before it is closed.
//!
//! Not here: framing itself (`sip::stream`).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
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
use crate::node::shard::Shards;
use crate::node::shard::refusal;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::parse::ParseError;
use crate::sip::stream::Frame;
use crate::sip::stream::FrameError;
use crate::sip::stream::Framer;

const CONNECTIONS_MAX: usize = 4096;
/// A PBX needs a few; a site of phones behind one address some hundreds.
const CONNECTIONS_OF_ONE_ADDRESS_MAX: usize = 512;
const QUEUE_MAX: usize = 1024;
const CONNECT_WITHIN: Duration = Duration::from_secs(4);
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A peer that has sent nothing, not even a keep-alive, for this long is taken for gone.
const IDLE_MAX: Millis = Millis::from_secs(2 * 3600);
/// A peer that has not sent one whole message by then has nothing to say to us.
const FIRST_MESSAGE_WITHIN: Millis = Millis::from_secs(10);
/// A message that was begun is whole by then: any network is quicker, and who drips it in byte by
/// byte only wants the connection (RFC 3261 gives a transaction 32 s in all).
const MESSAGE_WITHIN: Millis = Millis::from_secs(15);
/// How long a peer may go on sending into a stream that is over, so that it reads our answer:
/// closing on unread bytes would take the answer back.
const LINGER: Duration = Duration::from_secs(1);

/// The open connections by peer.
#[derive(Clone)]
pub struct TcpConnections {
    queues: Arc<Mutex<BTreeMap<SocketAddr, mpsc::Sender<Bytes>>>>,
    shards: Shards,
}

impl TcpConnections {
    /// Prepares an empty table that hands messages to `shards`.
    pub fn new(shards: &Shards) -> Self {
        Self { queues: Arc::default(), shards: shards.clone() }
    }

    /// Takes connections from `listener` until the runtime ends.
    pub fn listen(&self, listener: TcpListener, local: SocketAddr) {
        let table = self.clone();
        tokio::spawn(async move {
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
        let queue = self.lock().get(&flow.peer).cloned();
        match queue {
            Some(queue) => {
                if queue.try_send(bytes).is_err() {
                    self.close(flow);
                }
            }
            None => self.connect(flow, bytes),
        }
    }

    fn connect(&self, flow: Flow, first: Bytes) {
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let _ = sender.try_send(first);
        if !self.enter(flow.peer, sender) {
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
        if self.enter(flow.peer, sender) {
            self.run(stream, flow, queue);
        }
    }

    fn enter(&self, peer: SocketAddr, sender: mpsc::Sender<Bytes>) -> bool {
        let mut queues = self.lock();
        let of_one = SocketAddr::new(peer.ip(), 0)..=SocketAddr::new(peer.ip(), u16::MAX);
        let crowd = queues.range(of_one).take(CONNECTIONS_OF_ONE_ADDRESS_MAX).count();
        let room = queues.len() < CONNECTIONS_MAX && crowd < CONNECTIONS_OF_ONE_ADDRESS_MAX;
        if room {
            queues.insert(peer, sender);
        }
        room
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
        self.lock().remove(&flow.peer);
        self.shards.transport_failed(flow);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<SocketAddr, mpsc::Sender<Bytes>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
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
    let mut patience = clock::local() + FIRST_MESSAGE_WITHIN;
    loop {
        let read = timeout(clock::until(patience), reader.read(&mut buffer)).await??;
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
        match (known, framer.is_inside()) {
            (true, true) if inside && whole == 0 => {}
            (true, true) => patience = clock::local() + MESSAGE_WITHIN,
            (true, false) => patience = clock::local() + IDLE_MAX,
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
