//! The listening side: greets, refuses strangers, and passes on what is asked.
//!
//! Entries, votes and parts of snapshots are answered one after another, in order; proposals and
//! read points run side by side, because each waits for a commit of its own.
//!
//! Always holds: nothing is read from a dialer of another cluster, for another node, or in a former
//! life, beyond its greeting.
//!
//! Not here: what the answers mean ([`crate::cluster::network`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cluster::handle::Handle;
use crate::cluster::network::Receiver;
use crate::cluster::peer::frame;
use crate::cluster::peer::frame::Answer;
use crate::cluster::peer::frame::Ask;
use crate::cluster::peer::frame::Call;
use crate::cluster::peer::frame::Frames;
use crate::cluster::peer::frame::Greeting;
use crate::cluster::peer::frame::Hello;
use crate::cluster::peer::frame::Return;
use crate::cluster::peer::frame::Stranger;

/// How long a dialer may take to say who it is.
const GREETING: Duration = Duration::from_secs(2);
/// Proposals of one connection that may be under way at once.
const SIDE_BY_SIDE: usize = 4096;

/// Serves other nodes until dropped.
pub async fn serve(listener: TcpListener, handle: Handle) {
    let server = Arc::new(Server { handle, lives: Mutex::new(BTreeMap::new()) });
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let server = Arc::clone(&server);
                    connections.spawn(async move {
                        if let Err(why) = server.serve(stream).await {
                            tracing::debug!(%peer, %why, "a connection from a node has ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a node's connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

struct Server {
    handle: Handle,
    /// The newest life seen of each node.
    lives: Mutex<BTreeMap<u64, u64>>,
}

#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("no greeting")]
    NoGreeting,
    #[error(transparent)]
    Refused(#[from] Stranger),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Codec(#[from] crate::cluster::codec::CodecError),
}

impl Server {
    async fn serve(&self, stream: TcpStream) -> Result<(), Ended> {
        let mut frames = Frames::new(stream)?;
        let first = timeout(GREETING, frames.next()).await.map_err(|_| Ended::NoGreeting)?;
        let hello = frame::read_hello(&first.ok_or(Ended::NoGreeting)??)?;
        let greeting = match self.judge(&hello) {
            Ok(()) => {
                let owner = self.handle.identity().owner;
                Greeting::Welcome { node: owner.node.0, incarnation: owner.incarnation.0 }
            }
            Err(stranger) => Greeting::Refused(stranger),
        };
        frames.send(frame::write(&greeting)).await?;
        if let Greeting::Refused(stranger) = greeting {
            tracing::warn!(node = hello.from, %stranger, "a node was refused");
            return Err(stranger.into());
        }
        frames.trust();
        self.answer(frames).await
    }

    fn judge(&self, hello: &Hello) -> Result<(), Stranger> {
        let me = self.handle.identity();
        if hello.cluster != me.cluster {
            return Err(Stranger::OtherCluster(me.cluster));
        }
        if hello.to != me.owner.node.0 {
            return Err(Stranger::OtherNode(me.owner.node.0));
        }
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = lives.entry(hello.from).or_default();
        if hello.incarnation < *newest {
            return Err(Stranger::FormerLife(*newest));
        }
        if hello.incarnation > *newest {
            *newest = hello.incarnation;
            self.handle.retry_soon(hello.from);
        }
        Ok(())
    }

    async fn answer(&self, mut frames: Frames) -> Result<(), Ended> {
        let (returns, mut returned) = mpsc::channel::<Return>(SIDE_BY_SIDE);
        let mut side_by_side = JoinSet::new();
        let mut receiver = Receiver::new(self.handle.clone());
        loop {
            tokio::select! {
                Some(first) = returned.recv() => {
                    let mut next = Some(first);
                    while let Some(done) = next {
                        frames.feed(frame::write(&done))?;
                        next = returned.try_recv().ok();
                    }
                    frames.flush().await?;
                }
                Some(_) = side_by_side.join_next() => {}
                next = frames.next() => {
                    let Some(bytes) = next else { return Ok(()) };
                    let Call { id, ask } = frame::read(&bytes?.freeze())?;
                    match ask {
                        Ask::Propose { .. } | Ask::ReadPoint => {
                            let (handle, returns) = (self.handle.clone(), returns.clone());
                            side_by_side.spawn(async move {
                                let answer = forwarded(&handle, ask).await;
                                // The connection is gone; the dialer asks again elsewhere.
                                let _ = returns.send(Return { id, answer }).await;
                            });
                        }
                        Ask::Append { .. } | Ask::Vote { .. } | Ask::PreVote { .. }
                        | Ask::HandOver { .. } | Ask::SnapshotPart { .. } => {
                            let answer = receiver.answer(ask).await;
                            let bytes: Bytes = frame::write(&Return { id, answer });
                            frames.send(bytes).await?;
                        }
                    }
                }
            }
        }
    }
}

async fn forwarded(handle: &Handle, ask: Ask) -> Answer {
    match ask {
        Ask::Propose { request, command } => handle.propose_as_leader(request, *command).await,
        Ask::ReadPoint => handle.read_point_as_leader().await,
        Ask::Append { .. }
        | Ask::Vote { .. }
        | Ask::PreVote { .. }
        | Ask::HandOver { .. }
        | Ask::SnapshotPart { .. } => Answer::NotLeader,
    }
}
