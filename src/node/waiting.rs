//! What the network leaves waiting at a shard: four bounded queues that take turns.
//!
//! | from | datagrams | streams |
//! |---|---|---|
//! | who is known | dropped when full, and sent again | the stream waits, and its peer with it |
//! | a stranger | the same | the same |
//!
//! Each has a queue of its own. A stream that waits is given the next place that is free, so in a
//! queue with datagrams there would be none left for those; and each stream waits with one message
//! at a time, so that many are served one after another, however much each of them sends. The
//! datagrams of those who are known are served address by address, so that nobody waits for all
//! that one trunk has sent; those of strangers are not: one has as many addresses as it likes.
//!
//! Always holds: of queues that are not empty, none is served twice before each of the others once;
//! what waits is bounded.
//!
//! Not here: who is known ([`super::port::sources`]), whose turn it is among them
//! ([`super::port::turns`]), what Carillon itself says ([`super::shard::Input`]).

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::node::port::crowd::Full;
use crate::node::port::sources::Standing;
use crate::node::port::turns::Turns;
use crate::sip::flow::Flow;
use crate::sip::message::Message;

/// Datagrams of who is known: they come in bursts, and nobody waits with them.
const DATAGRAMS_MAX: usize = 8192;
/// How many of these are of one address.
const OF_ONE_MAX: usize = 4096;
/// Datagrams of strangers.
const STRANGERS_MAX: usize = 1024;
/// How many messages are served in a row: giving way costs a tenth of what a message does.
const IN_A_ROW_MAX: usize = 4;
/// Messages of streams, which can wait where they are.
const STREAMS_MAX: usize = 256;

/// What the network tells a shard.
pub enum Arrived {
    /// One message, not read yet.
    Datagram(Bytes, Flow),
    /// One message that was cut out of a stream.
    Message(Message, Flow),
}

/// Where the network puts what arrives.
pub struct Intake {
    known: Arc<Turns<Arrived>>,
    strangers: mpsc::Sender<Arrived>,
    known_streams: mpsc::Sender<Arrived>,
    strangers_streams: mpsc::Sender<Arrived>,
}

/// Where the shard takes it from.
pub struct Waiting {
    known: Arc<Turns<Arrived>>,
    others: [mpsc::Receiver<Arrived>; 3],
    /// Which was served last.
    last: usize,
    /// How many were served since the others of the thread had their turn.
    in_a_row: usize,
}

/// Makes the queues of one shard.
pub fn queues() -> (Intake, Waiting) {
    let known = Arc::new(Turns::new(DATAGRAMS_MAX, OF_ONE_MAX));
    let (strangers, strangers_out) = mpsc::channel(STRANGERS_MAX);
    let (known_streams, known_streams_out) = mpsc::channel(STREAMS_MAX);
    let (strangers_streams, strangers_streams_out) = mpsc::channel(STREAMS_MAX);
    let others = [strangers_out, known_streams_out, strangers_streams_out];
    let waiting = Waiting { known: Arc::clone(&known), others, last: 0, in_a_row: 0 };
    (Intake { known, strangers, known_streams, strangers_streams }, waiting)
}

impl Intake {
    /// Takes a datagram, unless too many wait already, in all or of its address.
    pub fn datagram(&self, bytes: Bytes, flow: Flow, standing: Standing) -> Result<(), Full> {
        let arrived = Arrived::Datagram(bytes, flow);
        match standing {
            Standing::Known => self.known.put(flow.peer.ip(), arrived),
            Standing::Stranger => self.strangers.try_send(arrived).map_err(|_| Full::All),
        }
    }

    /// Takes a message of a stream, when there is room.
    pub async fn message(&self, message: Message, flow: Flow, standing: Standing) {
        let queue = match standing {
            Standing::Known => &self.known_streams,
            Standing::Stranger => &self.strangers_streams,
        };
        // A closed queue means that the node is stopping.
        let _ = queue.send(Arrived::Message(message, flow)).await;
    }
}

impl Waiting {
    /// The next message, from each queue in turn; none when the node is stopping.
    ///
    /// After some messages other tasks of the thread have their turn, above all who reads the
    /// sockets: what is not read in time the kernel drops, and asks nobody whose it is.
    pub async fn next(&mut self) -> Option<Arrived> {
        if self.in_a_row >= IN_A_ROW_MAX {
            self.in_a_row = 0;
            tokio::task::yield_now().await;
        }
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Arrived>> {
        let count = 1 + self.others.len();
        for turn in (1..=count).map(|step| (self.last + step) % count) {
            let arrived = match turn.checked_sub(1) {
                None => self.known.poll_take(context).map(Some),
                Some(other) => self.others[other].poll_recv(context),
            };
            if arrived.is_ready() {
                self.last = turn;
                self.in_a_row += 1;
                return arrived;
            }
        }
        Poll::Pending
    }
}
