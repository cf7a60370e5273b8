//! The dialing side: one connection for one purpose, made when first needed and again when lost.
//!
//! A task owns the connection. Calls wait for it in a channel and are written together when they
//! come together; answers find their calls by number.
//!
//! Always holds: a call ends by its deadline. [`LinkError::Unreachable`] means that it was never
//! written; after anything else nobody knows whether the other side has carried it out.
//!
//! Not here: what is asked ([`super::frame`]).

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::cluster::identity::Identity;
use crate::cluster::peer::frame;
use crate::cluster::peer::frame::Answer;
use crate::cluster::peer::frame::Ask;
use crate::cluster::peer::frame::Call;
use crate::cluster::peer::frame::Frames;
use crate::cluster::peer::frame::Greeting;
use crate::cluster::peer::frame::Hello;
use crate::cluster::peer::frame::Purpose;
use crate::cluster::peer::frame::Return;

/// Calls that may wait for the connection.
const QUEUE: usize = 4096;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nothing was sent.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The connection was lost after the call was written.
    #[error("the connection was lost")]
    Lost,
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
}

/// Whom to dial, and for what.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Who dials.
    pub me: Identity,
    /// Whom.
    pub target: u64,
    /// Where: `host:port`, resolved each time.
    pub address: String,
    /// What for.
    pub purpose: Purpose,
    /// How long connecting and greeting may take.
    pub patience: Duration,
}

/// The way to one other node for one purpose.
#[derive(Clone, Debug)]
pub struct Link {
    calls: mpsc::Sender<Waiting>,
}

#[derive(Debug)]
enum Waiting {
    Call(Ask, oneshot::Sender<Result<Answer, LinkError>>),
    /// The connection has missed a deadline: make a new one.
    Renew,
}

impl Link {
    /// Makes the link; it dials with the first call and ends with its last clone.
    pub fn new(dial: Dial) -> Self {
        let (calls, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(dial, waiting));
        Self { calls }
    }

    /// Asks and waits; a missed deadline ends the connection.
    pub async fn call(&self, ask: Ask, deadline: Duration) -> Result<Answer, LinkError> {
        let answer = self.ask(ask, deadline).await;
        if answer == Err(LinkError::TimedOut) {
            // A full queue renews the connection just as well: nothing moves in it.
            let _ = self.calls.try_send(Waiting::Renew);
        }
        answer
    }

    /// Asks and waits; a missed deadline is the other side's affair, not the connection's.
    pub async fn ask(&self, ask: Ask, deadline: Duration) -> Result<Answer, LinkError> {
        let (answered, answer) = oneshot::channel();
        let asked = async {
            let call = Waiting::Call(ask, answered);
            self.calls.send(call).await.map_err(|_| LinkError::Lost)?;
            answer.await.unwrap_or(Err(LinkError::Lost))
        };
        timeout(deadline, asked).await.unwrap_or(Err(LinkError::TimedOut))
    }
}

async fn run(dial: Dial, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(first) = waiting.recv().await {
        let Waiting::Call(ask, answered) = first else { continue };
        match timeout(dial.patience, connect(&dial)).await {
            Ok(Ok(frames)) => {
                let mut open = Open { frames, pending: BTreeMap::new(), next: 0 };
                let end = open.serve((ask, answered), &mut waiting).await;
                open.close();
                if end.is_none() {
                    return;
                }
            }
            Ok(Err(why)) => refuse_all(&why, answered, &mut waiting),
            Err(_) => refuse_all("no answer to the greeting", answered, &mut waiting),
        }
    }
}

/// Everybody who waits has the same answer, at once.
fn refuse_all(
    why: &str,
    first: oneshot::Sender<Result<Answer, LinkError>>,
    waiting: &mut mpsc::Receiver<Waiting>,
) {
    let error = LinkError::Unreachable(why.to_owned());
    // Whoever has given up waiting needs no answer, here and below.
    let _ = first.send(Err(error.clone()));
    while let Ok(next) = waiting.try_recv() {
        if let Waiting::Call(_, answered) = next {
            let _ = answered.send(Err(error.clone()));
        }
    }
}

async fn connect(dial: &Dial) -> Result<Frames, String> {
    let stream = TcpStream::connect(&dial.address).await.map_err(|error| error.to_string())?;
    let mut frames = Frames::new(stream).map_err(|error| error.to_string())?;
    let hello = Hello {
        cluster: dial.me.cluster,
        from: dial.me.owner.node.0,
        incarnation: dial.me.owner.incarnation.0,
        to: dial.target,
        purpose: dial.purpose,
    };
    frames.send(frame::write_hello(&hello)).await.map_err(|error| error.to_string())?;
    let Some(Ok(first)) = frames.next().await else {
        return Err("closed during the greeting".to_owned());
    };
    match frame::read(&first) {
        Ok(Greeting::Welcome { node, .. }) if node == dial.target => {
            frames.trust();
            Ok(frames)
        }
        Ok(Greeting::Welcome { node, .. }) => Err(format!("node {node} answered")),
        Ok(Greeting::Refused(why)) => {
            tracing::warn!(node = dial.target, address = dial.address, %why, "refused by a node");
            Err(why.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

struct Open {
    frames: Frames,
    pending: BTreeMap<u64, oneshot::Sender<Result<Answer, LinkError>>>,
    next: u64,
}

/// The connection is over, the link is not.
struct Over;

impl Open {
    /// Serves until the connection is over, or (`None`) the link is given up.
    async fn serve(
        &mut self,
        first: (Ask, oneshot::Sender<Result<Answer, LinkError>>),
        waiting: &mut mpsc::Receiver<Waiting>,
    ) -> Option<Over> {
        if self.write(Waiting::Call(first.0, first.1), waiting).await.is_err() {
            return Some(Over);
        }
        loop {
            tokio::select! {
                next = waiting.recv() => {
                    if self.write(next?, waiting).await.is_err() {
                        return Some(Over);
                    }
                }
                next = self.frames.next() => {
                    let Some(Ok(bytes)) = next else { return Some(Over) };
                    let Ok(Return { id, answer }) = frame::read(&bytes) else { return Some(Over) };
                    if let Some(answered) = self.pending.remove(&id) {
                        // As above: whoever has given up needs no answer.
                        let _ = answered.send(Ok(answer));
                    }
                }
            }
        }
    }

    /// Writes this call and all that wait behind it, then flushes once.
    async fn write(
        &mut self,
        first: Waiting,
        waiting: &mut mpsc::Receiver<Waiting>,
    ) -> Result<(), Over> {
        let mut next = Some(first);
        while let Some(Waiting::Call(ask, answered)) = next {
            let id = self.next;
            self.next += 1;
            self.pending.insert(id, answered);
            let bytes = frame::write(&Call { id, ask });
            self.frames.feed(bytes).map_err(|_| Over)?;
            next = waiting.try_recv().ok();
        }
        if next.is_some() {
            return Err(Over);
        }
        self.pending.retain(|_, answered| !answered.is_closed());
        self.frames.flush().await.map_err(|_| Over)
    }

    fn close(self) {
        for answered in self.pending.into_values() {
            let _ = answered.send(Err(LinkError::Lost));
        }
    }
}
