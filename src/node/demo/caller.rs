//! A caller of the demo: dials a queue, listens, talks, leaves.
//!
//! | ends as | because |
//! |---|---|
//! | [`End::Talked`] | an agent answered, and one of the two hung up |
//! | [`End::GaveUp`] | the caller's patience was over |
//! | [`End::Refused`] | the queue turned the caller away by its rule |
//! | [`End::Lost`] | anything else: this must not happen; [`Loss`] says what it was |
//!
//! Not here: how often callers arrive ([`super::traffic`]).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::base::time::Millis;
use crate::node::clock;
use crate::node::demo::book::Book;
use crate::node::demo::line::Heard;
use crate::node::demo::line::Line;
use crate::node::demo::line::tag;
use crate::node::demo::voice::Voice;
use crate::sdp;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::flow::Transport;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::message::Message;
use crate::sip::method::Method;

/// How often a caller asks themselves whether to wait on.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How a caller's call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// Was joined with an agent, and the conversation ended.
    Talked,
    /// Hung up while waiting.
    GaveUp,
    /// Turned away with a final status.
    Refused,
    /// Ended in a way nobody wanted.
    Lost(Loss),
}

/// How a call was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loss {
    /// The phone could not open a socket.
    NoSocket,
    /// The INVITE got no final answer.
    NotAnswered,
    /// The 200 made no dialog.
    NoDialog,
    /// Carillon hung up before an agent had answered.
    CutOff,
    /// An agent answered, and nothing was ever heard.
    Silence,
    /// Our BYE got no answer.
    ByeUnanswered,
}

/// A caller about to dial.
pub(super) struct Caller {
    /// Where Carillon listens.
    pub(super) node: SocketAddr,
    /// The caller's number.
    pub(super) number: String,
    /// The queue's address.
    pub(super) queue: String,
    /// How long the caller waits at most.
    pub(super) patience: Millis,
}

impl Caller {
    /// Makes the call; returns when it is over.
    ///
    /// When `closing` says so, a caller who still waits hangs up.
    pub(super) async fn call(self, book: &Book, closing: watch::Receiver<bool>) -> End {
        self.attempt(book, closing).await.unwrap_or(End::Lost(Loss::NoSocket))
    }

    async fn attempt(self, book: &Book, closing: watch::Receiver<bool>) -> io::Result<End> {
        let mut line = Line::open(self.node).await?;
        let mut voice = Voice::open().await?;
        let from = NameAddr::new(line.uri(&self.number)).with_param("tag", Some(&tag()));
        let offer = sdp::offer(&voice.local()?);
        let invite = line.invite(&self.queue, &from).body("application/sdp", offer).build();
        book.dialled(&self.number);
        let key = line.send(&invite);

        let answer = match answer_to(&mut line).await {
            Ok(answer) => answer,
            Err(end) => {
                line.cancel(&key);
                return Ok(end);
            }
        };
        let Some(mut dialog) = confirm(&mut line, &invite, &answer) else {
            return Ok(End::Lost(Loss::NoDialog));
        };
        let local = voice.local()?;
        let theirs = sdp::Session::parse(answer.body());
        if let Ok(agreed) = theirs.and_then(|theirs| sdp::accept(&theirs, &local)) {
            voice.begin(&agreed);
        }
        let patience = clock::local() + self.patience;
        loop {
            tokio::select! {
                heard = line.next() => match heard {
                    // Of the caller who had this port before.
                    Heard::Request { key, message } if !concerns(&dialog, &message) => {
                        line.respond(&key, &message, 481, "");
                    }
                    Heard::Request { key, message } if message.method() == Method::Bye => {
                        line.respond(&key, &message, 200, "");
                        return Ok(match (book.has_talked(&self.number), voice.heard()) {
                            (false, _) => End::Lost(Loss::CutOff),
                            (true, 0) => End::Lost(Loss::Silence),
                            (true, _) => End::Talked,
                        });
                    }
                    Heard::Request { key, message } => line.respond(&key, &message, 488, ""),
                    Heard::Response(again) if again.status() == Some(200) => {
                        line.acknowledge(&dialog);
                    }
                    Heard::Response(_)
                    | Heard::Cancelled(_)
                    | Heard::Acknowledged
                    | Heard::Unanswered => {}
                },
                () = sleep(LOOK_EVERY) => {
                    let fed_up = clock::local() >= patience || *closing.borrow();
                    if fed_up && !book.is_reserved(&self.number) {
                        break;
                    }
                }
            }
        }
        line.bye(&mut dialog);
        let answered = tokio::time::timeout(Duration::from_secs(5), async {
            while !matches!(line.next().await, Heard::Response(_)) {}
        });
        Ok(if answered.await.is_ok() { End::GaveUp } else { End::Lost(Loss::ByeUnanswered) })
    }
}

/// Waits for the 200 to the INVITE, or for how it ended otherwise.
async fn answer_to(line: &mut Line) -> Result<Message, End> {
    loop {
        match line.next().await {
            Heard::Response(response) if response.status() >= Some(300) => {
                return Err(End::Refused);
            }
            Heard::Response(response) if response.status() >= Some(200) => return Ok(response),
            Heard::Response(_) => {}
            Heard::Request { .. }
            | Heard::Cancelled(_)
            | Heard::Acknowledged
            | Heard::Unanswered => return Err(End::Lost(Loss::NotAnswered)),
        }
    }
}

/// Tells whether a request belongs to the call.
fn concerns(dialog: &Dialog, request: &Message) -> bool {
    request.call_id().is_ok_and(|call_id| call_id == dialog.id.call_id)
}

/// Acknowledges the 200 and returns the dialog it made.
fn confirm(line: &mut Line, invite: &Message, answer: &Message) -> Option<Dialog> {
    let flow = Flow { transport: Transport::Udp, local: line.local, peer: line.local };
    let mut dialog = Dialog::from_response(invite, answer, flow).ok()?;
    dialog.on_response(answer).ok()?;
    line.acknowledge(&dialog);
    Some(dialog)
}
