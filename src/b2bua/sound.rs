//! A leg's media: what we said in SDP, what was agreed, and what the party hears.
//!
//! | offer comes | answer goes | method |
//! |---|---|---|
//! | from them | in our response | [`Sound::answer`] |
//! | from us, in a request or a late 2xx | from them | [`Sound::offer`], [`Sound::accept`] |
//!
//! What the party hears is kept here and ordered of media as soon as there is a stream for it, so
//! a leg whose SDP comes late (in the ACK) misses nothing.
//!
//! Always holds: the version in `o=` grows when, and only when, our words change (RFC 3264 §8);
//! a stream that was opened is closed when its leg is dropped ([`Sound::close`]).
//!
//! Not here: who owes whom an offer (`sip::dialog::offer_answer`), packets (`media`).

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::acd::config::CallerTreatment;
use crate::base::id::LegId;
use crate::base::id::PromptId;
use crate::base::time::Millis;
use crate::media::order;
use crate::media::order::Order;
use crate::media::order::Program;
use crate::sdp;
use crate::sdp::Agreed;
use crate::sdp::CodecList;
use crate::sdp::Direction;
use crate::sdp::Local;
use crate::sdp::Refusal;
use crate::sdp::Session;
use crate::sdp::negotiate::PTIME_MS;
use crate::sip::message::Message;

/// What a party hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Silence.
    Nothing,
    /// A program; the number comes back when it has ended.
    Program(Program, u64),
    /// A prompt whose end the core waits for, the number that comes back then, and the music that
    /// follows.
    Prompt(Program, u64, Option<PromptId>),
    /// The other party.
    Partner(LegId),
}

/// The media of one leg.
pub(super) struct Sound {
    stream: LegId,
    local: Local,
    said: Vec<u8>,
    agreed: Option<Agreed>,
    signalled_by: Option<IpAddr>,
    offering: bool,
    open: bool,
    hearing: Hearing,
    /// What the queue lets the party hear while nobody talks with it.
    music: Option<PromptId>,
    joined: bool,
    watched: bool,
    orders: VecDeque<Order>,
}

impl Sound {
    /// A leg's media before anything was said.
    pub(super) fn new(stream: LegId, local: Local, signalled_by: Option<IpAddr>) -> Self {
        Self {
            stream,
            local,
            said: Vec::new(),
            agreed: None,
            signalled_by,
            offering: false,
            open: false,
            hearing: Hearing::Nothing,
            music: None,
            joined: false,
            watched: false,
            orders: VecDeque::new(),
        }
    }

    /// Carries on with what another process agreed.
    pub(super) fn resume(
        stream: LegId,
        local: Local,
        agreed: Option<Agreed>,
        signalled_by: IpAddr,
    ) -> Self {
        Self { agreed, ..Self::new(stream, local, Some(signalled_by)) }
    }

    /// Our side, for the record.
    pub(super) fn local(&self) -> &Local {
        &self.local
    }

    /// What was agreed, if anything was.
    pub(super) fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_ref()
    }

    /// Notes where the party's signalling comes from; behind a NAT its audio does, too. Tells
    /// whether it came from elsewhere before.
    pub(super) fn note_signalling(&mut self, address: IpAddr) -> bool {
        self.signalled_by.replace(address) != Some(address)
    }

    /// Chooses the port the next description names; before the stream is opened.
    pub(super) fn receive_at(&mut self, port: u16) {
        self.local.port = port;
    }

    /// Prefers what the other leg agreed on: its codec needs no transcoding, and packets of the
    /// length it asked for can be relayed as they come.
    pub(super) fn prefer(&mut self, other: &Agreed) {
        self.local.codecs = CodecList::preferring(other.codec);
        self.local.ptime_ms = other.ptime_ms;
    }

    /// Tells whether the party has us on hold.
    pub(super) fn is_held(&self) -> bool {
        self.agreed.is_some_and(|agreed| !agreed.direction.sends())
    }

    /// The words we said last; they answer an unchanged question again.
    pub(super) fn said(&self) -> Vec<u8> {
        self.said.clone()
    }

    /// Answers their offer.
    pub(super) fn answer(&mut self, theirs: &Session) -> Result<Vec<u8>, Refusal> {
        let (mut words, mut agreed) = sdp::answer(theirs, &self.local)?;
        if !self.said.is_empty() && words != self.said {
            self.local.version += 1;
            (words, agreed) = sdp::answer(theirs, &self.local)?;
        }
        self.said.clone_from(&words);
        self.settle(agreed);
        Ok(words)
    }

    /// Makes an offer: the first one, or one that keeps what is agreed.
    pub(super) fn offer(&mut self) -> Vec<u8> {
        let words = |local: &Local, agreed: Option<&Agreed>| {
            agreed.map_or_else(|| sdp::offer(local), |agreed| sdp::offer_again(local, agreed))
        };
        let mut said = words(&self.local, self.agreed.as_ref());
        if !self.said.is_empty() && said != self.said {
            self.local.version += 1;
            said = words(&self.local, self.agreed.as_ref());
        }
        self.said.clone_from(&said);
        self.offering = true;
        said
    }

    /// Tells whether an offer of ours waits for their answer.
    pub(super) fn awaits_answer(&self) -> bool {
        self.offering
    }

    /// Takes their answer to our offer.
    pub(super) fn accept(&mut self, theirs: &Session) -> Result<(), Refusal> {
        let agreed = match &self.agreed {
            None => sdp::accept(theirs, &self.local)?,
            Some(before) => sdp::accept_again(theirs, &self.local, before)?,
        };
        self.settle(agreed);
        Ok(())
    }

    fn settle(&mut self, agreed: Agreed) {
        self.offering = false;
        let changed = self.agreed.replace(agreed) != Some(agreed);
        if self.open && changed {
            self.orders.push_back(Order::Update { stream: self.stream, agreed });
        }
    }

    /// Opens the stream if there is an agreement, and lets the party hear what it is to hear.
    pub(super) fn open(&mut self) {
        let Some(agreed) = self.agreed.filter(|_| !self.open) else { return };
        self.open = true;
        let (stream, port) = (self.stream, self.local.port);
        let signalled_by = self.signalled_by;
        self.orders.push_back(Order::Open { stream, port, agreed, signalled_by });
        self.order_hearing();
    }

    /// Changes what the party hears.
    pub(super) fn hear(&mut self, hearing: Hearing) {
        match &hearing {
            Hearing::Program(program, _) => self.music.clone_from(&program.music),
            Hearing::Prompt(_, _, music) => self.music.clone_from(music),
            Hearing::Nothing | Hearing::Partner(_) => {}
        }
        let before = std::mem::replace(&mut self.hearing, hearing);
        if std::mem::take(&mut self.watched) {
            self.orders.push_back(Order::Watch { stream: self.stream, silence: None });
        }
        self.joined = false;
        if !self.open {
            return;
        }
        match (before, &self.hearing) {
            (Hearing::Partner(_), Hearing::Partner(_)) => {}
            (
                Hearing::Partner(_),
                Hearing::Nothing | Hearing::Program(..) | Hearing::Prompt(..),
            ) => {
                self.orders.push_back(Order::Part { stream: self.stream });
            }
            (Hearing::Program(..) | Hearing::Prompt(..), Hearing::Nothing) => {
                self.orders.push_back(Order::StopPlaying { stream: self.stream });
            }
            // The new order takes the old one's place.
            (
                Hearing::Program(..) | Hearing::Prompt(..),
                Hearing::Program(..) | Hearing::Prompt(..) | Hearing::Partner(_),
            )
            | (Hearing::Nothing, _) => {}
        }
        self.order_hearing();
    }

    /// The music the party was last let hear, or would have been.
    pub(super) fn last_music(&self) -> Option<&PromptId> {
        self.music.as_ref()
    }

    /// Who the party is joined with.
    pub(super) fn partner(&self) -> Option<LegId> {
        match self.hearing {
            Hearing::Partner(partner) => Some(partner),
            Hearing::Nothing | Hearing::Program(..) | Hearing::Prompt(..) => None,
        }
    }

    /// The music after the prompt whose end the core waits for, if this is that prompt.
    pub(super) fn music_after(&self, token: u64) -> Option<Option<PromptId>> {
        match &self.hearing {
            Hearing::Prompt(_, playing, music) if *playing == token => Some(music.clone()),
            Hearing::Nothing | Hearing::Program(..) | Hearing::Prompt(..) | Hearing::Partner(_) => {
                None
            }
        }
    }

    /// Who the party is to be joined with, as soon as both have audio.
    pub(super) fn wants_join(&self) -> Option<LegId> {
        self.partner().filter(|_| self.open && !self.joined)
    }

    /// Notes that the join was ordered; from now on the party is watched, if any is.
    pub(super) fn note_joined(&mut self, lost_after: Option<Millis>) -> Option<Order> {
        self.joined = true;
        self.watched = lost_after.is_some();
        self.watched.then_some(Order::Watch { stream: self.stream, silence: lost_after })
    }

    fn order_hearing(&mut self) {
        match &self.hearing {
            // A join is ordered by the pair, when both streams are open.
            Hearing::Nothing | Hearing::Partner(_) => {}
            Hearing::Program(program, token) | Hearing::Prompt(program, token, _) => {
                self.orders.push_back(Order::Play {
                    stream: self.stream,
                    program: program.clone(),
                    token: *token,
                })
            }
        }
    }

    /// Ends the stream, if it was opened.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            self.orders.push_back(Order::Close { stream: self.stream });
        }
    }

    /// Orders something of this leg's stream.
    pub(super) fn order(&mut self, order: Order) {
        self.orders.push_back(order);
    }

    /// Takes back an offer that was refused.
    pub(super) fn withdraw_offer(&mut self) {
        self.offering = false;
    }

    /// Takes the next order for media.
    pub(super) fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }
}

/// The session description in a message: its body, or the part of it that is one (RFC 5621 §3).
pub(super) fn description(message: &Message) -> &[u8] {
    let body = message.body();
    let kind = message.content_type().ok().flatten();
    let Some(kind) = kind.filter(|kind| kind.kind.eq_ignore_ascii_case("multipart")) else {
        return body;
    };
    let boundary = kind.params.value("boundary").unwrap_or_default().trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut parts = split(body, delimiter.as_bytes()).into_iter().skip(1);
    let found = parts.find_map(|part| {
        let end = part.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        let head = part[..end].to_ascii_lowercase();
        let is_sdp = head.windows(SDP.len()).any(|bytes| bytes == SDP);
        is_sdp.then(|| part[end + 4..].trim_ascii_end())
    });
    found.unwrap_or_default()
}

const SDP: &[u8] = b"application/sdp";

/// The stretches between the delimiters.
fn split<'a>(body: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(delimiter.len()).position(|bytes| bytes == delimiter) {
        parts.push(&rest[..at]);
        rest = &rest[at + delimiter.len()..];
    }
    parts.push(rest);
    parts
}

/// Our side of a new leg.
pub(super) fn local(address: IpAddr, port: u16, id: u64) -> Local {
    let (direction, codecs) = (Direction::SendRecv, CodecList::default());
    Local { address, port, id, version: 1, direction, codecs, ptime_ms: PTIME_MS }
}

/// What a queue lets its callers hear.
pub(super) fn program(treatment: &CallerTreatment) -> Program {
    Program {
        first: treatment.welcome.iter().cloned().collect(),
        music: treatment.music.clone(),
        announcement: treatment.announcement.as_ref().map(|announcement| order::Announcement {
            prompts: vec![announcement.prompt.clone()],
            every: announcement.every,
        }),
    }
}

/// One prompt, once.
pub(super) fn once(prompt: PromptId) -> Program {
    Program::once(vec![prompt])
}

/// Music alone, until something else is heard.
pub(super) fn music(music: PromptId) -> Program {
    Program { first: Vec::new(), music: Some(music), announcement: None }
}
