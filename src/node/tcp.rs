//! SIP over TCP: connections taken and made, framed strictly, written through bounded queues.
//!
//! A connection is known by its peer's address, so that a response finds the connection its
//! request came by, and a request to a peer uses the connection that is open.
//!
//! Always holds: a broken stream is closed, never resynchronised; a connection holds at most one
//! unfinished message and a bounded queue; when one ends, every shard is told.
//!
//! Not here: framing itself (`sip::stream`).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
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
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::node::shard::Shards;
use crate::node::shard::refusal;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::stream::Frame;
use crate::sip::stream::Framer;

const CONNECTIONS_MAX: usize = 4096;
/// A PBX needs a few; a site of phones behind one address some hundreds.
const CONNECTIONS_OF_ONE_ADDRESS_MAX: usize = 512;
const QUEUE_MAX: usize = 1024;
const CONNECT_WITHIN: Duration = Duration::from_secs(4);
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A peer that has sent nothing, not even a keep-alive, for this long is taken for gone.
const IDLE_MAX: Duration = Duration::from_secs(2 * 3600);
/// A peer that has not sent one whole message by then has nothing to say to us.
const FIRST_MESSAGE_WITHIN: Duration = Duration::from_secs(10);

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
        let (reader, writer) = stream.into_split();
        let (table, shards) = (self.clone(), self.shards.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = read_stream(reader, flow, &shards, &table) => {}
                _ = write_stream(writer, queue) => {}
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
    mut reader: OwnedReadHalf,
    flow: Flow,
    shards: &Shards,
    table: &TcpConnections,
) -> io::Result<()> {
    let mut framer = Framer::new();
    let mut buffer = vec![0; 16 * 1024];
    let mut known = false;
    loop {
        let patience = if known { IDLE_MAX } else { FIRST_MESSAGE_WITHIN };
        let read = timeout(patience, reader.read(&mut buffer)).await??;
        if read == 0 {
            return Ok(());
        }
        framer.feed(&buffer[..read]);
        loop {
            match framer.poll_frame() {
                Ok(Some(Frame::Message(message))) => {
                    known = true;
                    shards.message(message, flow).await;
                }
                // RFC 5626 §4.4.1: a double CRLF is answered with a single one.
                Ok(Some(Frame::KeepAlive)) => table.send(flow, Bytes::from_static(b"\r\n")),
                Ok(Some(Frame::Refused(error))) => {
                    if let Some(answer) = refusal(&error) {
                        table.send(flow, answer);
                    }
                }
                Ok(None) => break,
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
}

async fn write_stream(
    mut writer: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Bytes>,
) -> io::Result<()> {
    while let Some(bytes) = queue.recv().await {
        timeout(WRITE_WITHIN, writer.write_all(&bytes)).await??;
    }
    Ok(())
}
