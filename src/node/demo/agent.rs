//! An agent's phone of the demo: rings a while, is answered mostly, talks, hangs up.
//!
//! Always holds: the phone has one call at a time and answers 486 to a second one.
//!
//! Not here: logging the agent in and back to work ([`super::traffic`]).

use std::time::Duration;

use tokio::time::sleep;

use crate::base::prng::Prng;
use crate::base::time::LocalTime;
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
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ServerKey;
use crate::sip::write::ResponseBuilder;

/// One call in this many is left ringing.
const IGNORED_ONE_IN: u64 = 25;

/// What the phone is doing.
enum State {
    Idle,
    /// Rings; is answered at the time given, if at all.
    Ringing {
        key: ServerKey,
        invite: Message,
        tag: String,
        answer_at: Option<LocalTime>,
    },
    /// Talks until the time given; the voice sounds for as long as it is here.
    Talking {
        dialog: Box<Dialog>,
        _voice: Voice,
        until: LocalTime,
        caller: String,
    },
}

/// A phone on an agent's desk.
pub(super) struct AgentPhone {
    line: Line,
    name: String,
    prng: Prng,
    state: State,
}

impl AgentPhone {
    /// Puts the phone on its line.
    pub(super) fn new(line: Line, name: &str, seed: u64) -> Self {
        let prng = Prng::from_seed(seed);
        Self { line, name: name.to_owned(), prng, state: State::Idle }
    }

    /// Answers calls until aborted.
    pub(super) async fn run(mut self, book: Book) {
        loop {
            let due = match &self.state {
                State::Idle | State::Ringing { answer_at: None, .. } => None,
                State::Ringing { answer_at, .. } => *answer_at,
                State::Talking { until, .. } => Some(*until),
            };
            let asleep = sleep(due.map_or(Duration::from_secs(3600), clock::until));
            tokio::select! {
                heard = self.line.next() => self.hear(heard, &book),
                () = asleep => self.act(&book).await,
            }
        }
    }

    fn hear(&mut self, heard: Heard, book: &Book) {
        match heard {
            Heard::Request { key, message } if message.method() == Method::Invite => {
                self.ring(key, message, book);
            }
            Heard::Request { key, message } if message.method() == Method::Bye => {
                self.line.respond(&key, &message, 200, "");
                if let State::Talking { caller, .. } = &self.state {
                    book.finished(caller);
                }
                self.state = State::Idle;
            }
            Heard::Request { key, message } => self.line.respond(&key, &message, 488, ""),
            Heard::Cancelled(cancelled) => {
                if let State::Ringing { key, invite, tag, .. } = &self.state
                    && *key == cancelled
                {
                    let (key, invite, tag) = (key.clone(), invite.clone(), tag.clone());
                    book.ring_ended(&caller_of(&invite));
                    self.line.respond(&key, &invite, 487, &tag);
                    self.state = State::Idle;
                }
            }
            Heard::Response(_) | Heard::Acknowledged | Heard::Unanswered => {}
        }
    }

    fn ring(&mut self, key: ServerKey, invite: Message, book: &Book) {
        let tag = tag();
        if !matches!(self.state, State::Idle) {
            self.line.respond(&key, &invite, 486, &tag);
            return;
        }
        book.rung(&caller_of(&invite));
        self.line.respond(&key, &invite, 180, &tag);
        let ignored = self.prng.below(IGNORED_ONE_IN) == 0;
        let ringing = Millis(300 + self.prng.below(1200));
        let answer_at = (!ignored).then(|| clock::local() + ringing);
        self.state = State::Ringing { key, invite, tag, answer_at };
    }

    async fn act(&mut self, book: &Book) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Ringing { key, invite, tag, .. } => self.answer(&key, &invite, &tag, book).await,
            State::Talking { mut dialog, caller, .. } => {
                book.finished(&caller);
                self.line.bye(&mut dialog);
            }
        }
    }

    async fn answer(&mut self, key: &ServerKey, invite: &Message, tag: &str, book: &Book) {
        let Ok(mut voice) = Voice::open().await else {
            self.line.respond(key, invite, 500, tag);
            return;
        };
        let agreed = voice.local().map_err(|_| sdp::Refusal::NotReadable).and_then(|local| {
            sdp::Session::parse(invite.body()).and_then(|theirs| sdp::answer(&theirs, &local))
        });
        let Ok((body, agreed)) = agreed else {
            self.line.respond(key, invite, 488, tag);
            return;
        };
        let contact = self.line.uri(&self.name);
        let (transport, local) = (Transport::Udp, self.line.local);
        let flow = Flow { transport, local, peer: local };
        let Ok(mut dialog) = Dialog::from_invite_received(invite, tag, &contact, flow) else {
            self.line.respond(key, invite, 400, tag);
            return;
        };
        let response = ResponseBuilder::to(invite, 200)
            .to_tag(tag)
            .copy(Name::RecordRoute, invite)
            .header(Name::Contact, NameAddr::new(contact))
            .body("application/sdp", body)
            .build();
        dialog.on_answered(&response);
        self.line.answer(key, &response);
        voice.begin(&agreed);
        let caller = caller_of(invite);
        book.answered(&caller);
        let until = clock::local() + Millis(3000 + self.prng.below(6000));
        self.state = State::Talking { dialog: Box::new(dialog), _voice: voice, until, caller };
    }
}

/// The caller's number, as it is shown to the agent.
fn caller_of(invite: &Message) -> String {
    let from = invite.from().ok();
    let user = from.and_then(|from| from.uri.user_name().map(|user| user.into_owned()));
    user.unwrap_or_default()
}
