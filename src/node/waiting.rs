//! What the network leaves waiting at a shard: four bounded queues that take turns.
//!
//! | from | datagrams | streams |
//! |---|---|---|
//! | who is known | dropped when full, and sent again | the stream waits, and its peer with it |
//! | a stranger | the same | the same |
//!
//! Each has a queue of its own. A stream that waits is given the next place that is free, so in a
//! queue with datagrams there would be none left for those; and each stream waits with one message
//! at a time, so that many are served one after another, however much each of them sends.
//!
//! Always holds: of queues that are not empty, none is served twice before each of the others once;
//! what waits is bounded.
//!
//! Not here: who is known ([`super::port::sources`]), what Carillon itself says
//! ([`super::shard::Input`]).

use std::future::poll_fn;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::node::port::sources::Standing;
use crate::sip::flow::Flow;
use crate::sip::message::Message;

/// Datagrams of who is known: they come in bursts, and nobody waits with them.
const DATAGRAMS_MAX: usize = 8192;
/// Datagrams of strangers.
const STRANGERS_MAX: usize = 1024;
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
    known: [mpsc::Sender<Arrived>; 2],
    strangers: [mpsc::Sender<Arrived>; 2],
}

/// Where the shard takes it from.
pub struct Waiting {
    queues: [mpsc::Receiver<Arrived>; 4],
    /// Which was served last.
    last: usize,
}

/// Makes the queues of one shard.
pub fn queues() -> (Intake, Waiting) {
    let (known_datagrams, datagrams) = mpsc::channel(DATAGRAMS_MAX);
    let (known_streams, streams) = mpsc::channel(STREAMS_MAX);
    let (strange_datagrams, strangers) = mpsc::channel(STRANGERS_MAX);
    let (strange_streams, strangers_streams) = mpsc::channel(STREAMS_MAX);
    let intake = Intake {
        known: [known_datagrams, known_streams],
        strangers: [strange_datagrams, strange_streams],
    };
    let queues = [datagrams, streams, strangers, strangers_streams];
    (intake, Waiting { queues, last: 0 })
}

impl Intake {
    /// Takes a datagram, unless too many wait already.
    pub fn datagram(&self, bytes: Bytes, flow: Flow, standing: Standing) -> bool {
        let [queue, _] = self.of(standing);
        queue.try_send(Arrived::Datagram(bytes, flow)).is_ok()
    }

    /// Takes a message of a stream, when there is room.
    pub async fn message(&self, message: Message, flow: Flow, standing: Standing) {
        let [_, queue] = self.of(standing);
        // A closed queue means that the node is stopping.
        let _ = queue.send(Arrived::Message(message, flow)).await;
    }

    fn of(&self, standing: Standing) -> &[mpsc::Sender<Arrived>; 2] {
        match standing {
            Standing::Known => &self.known,
            Standing::Stranger => &self.strangers,
        }
    }
}

impl Waiting {
    /// The next message, from each queue in turn; none when the node is stopping.
    pub async fn next(&mut self) -> Option<Arrived> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Arrived>> {
        let count = self.queues.len();
        for turn in (1..=count).map(|step| (self.last + step) % count) {
            if let Poll::Ready(arrived) = self.queues[turn].poll_recv(context) {
                self.last = turn;
                return Poll::Ready(arrived);
            }
        }
        Poll::Pending
    }
}
