//! HTTP connections: how many there are, and how long each may keep us waiting.
//!
//! | a connection that | is |
//! |---|---|
//! | finds no place ([`super::crowd`]) | closed at once, counted, logged now and then |
//! | has not sent a whole request head in time, the first or a later one | closed |
//! | does not take what we send it | closed |
//! | sends more of a head than is ever needed | answered 431 and closed |
//!
//! Always holds: each port has places of its own; connections end with the task that serves them.
//!
//! Not here: how long a body may take (`api::request`), what is answered (`api`, `observe`).

use std::io;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Sleep;

use crate::node::clock;
use crate::node::port::crowd::Crowd;
use crate::node::port::seldom::Seldom;
use crate::observe::metrics::Metrics;

/// What a connection keeps of a request head; more than `api` reads of headers.
const HEAD_MAX: usize = 32 * 1024;

/// After a failed accept: out of descriptors, most likely, so that some are closed first.
const PAUSE: Duration = Duration::from_millis(100);

/// How much and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all.
    pub all: usize,
    /// Connections of one address.
    pub of_one: usize,
    /// A request head is whole by then; as long a connection may be idle before the next.
    pub head_within: Duration,
    /// What we send has gone on by then.
    pub taken_within: Duration,
}

impl Limits {
    /// So many connections, with the usual patience.
    pub fn new(all: usize, of_one: usize) -> Self {
        let patience = Duration::from_secs(20);
        Self { all, of_one, head_within: patience, taken_within: patience }
    }
}

/// Serves `router` to whoever connects; `port` is its name in metrics. Ends when dropped.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    (port, metrics): (&'static str, Arc<Metrics>),
) {
    let crowd = Crowd::new(limits.all, limits.of_one);
    let refusals = Seldom::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // Its end is all there is to know.
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        match crowd.enter(peer.ip()) {
            Ok(place) => {
                let served = answer(stream, router.clone(), limits);
                connections.spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(full) => {
                metrics.count_connection_refused(port, full.word());
                tell(&refusals, peer, port, full.word());
            }
        }
    }
}

/// One line about refused connections, now and then.
fn tell(refusals: &Seldom, peer: SocketAddr, port: &'static str, why: &'static str) {
    if let Some(left_out) = refusals.due(clock::local()) {
        tracing::warn!(%peer, port, why, left_out, "a connection was refused: too many");
    }
}

/// Answers the requests of one connection until it ends.
async fn answer(stream: TcpStream, router: Router, limits: Limits) {
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(Impatient::new(stream, limits.taken_within));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(HEAD_MAX)
        .serve_connection(stream, TowerToHyperService::new(router));
    // A broken or an idle connection is closed; there is nothing else to do about it.
    let _ = connection.await;
}

/// A stream that fails when the other side has taken nothing for a while.
struct Impatient {
    stream: TcpStream,
    within: Duration,
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    fn new(stream: TcpStream, within: Duration) -> Self {
        Self { stream, within, stuck: None }
    }

    /// Passes on what became of a write, unless none was taken for too long.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let within = self.within;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
