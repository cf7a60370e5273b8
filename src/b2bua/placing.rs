//! Finding the way to an agent's phone and composing the INVITE that rings it.
//!
//! The ways come from the device and its trunk (`admission::trunks`); a way by name is looked up
//! first. A way that fails with trouble of the peer's (500, 502–504, silence, no transport) is
//! followed by the next; when none is left the core hears why (RFC 3263 §4.3).
//!
//! What the phone shows: `"Queue/Caller"` as From's name, the caller's number as From's user and
//! in P-Asserted-Identity. A withheld number is `anonymous` with `Privacy: id`.
//!
//! Always holds: every attempt has the Call-ID and tag of the first and a CSeq one higher, and the
//! Call-ID leads to the shard of the caller's leg.
//!
//! Not here: what the phone answers ([`super::ringing`]).

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::acd::command::Command;
use crate::acd::command::RingFailure;
use crate::acd::effect::Ring;
use crate::b2bua::Output;
use crate::b2bua::admission::trunks;
use crate::b2bua::admission::trunks::NoWay;
use crate::b2bua::admission::trunks::Way;
use crate::b2bua::board::ALLOW;
use crate::b2bua::board::Asked;
use crate::b2bua::board::Board;
use crate::b2bua::board::PRODUCT;
use crate::b2bua::board::SUPPORTED;
use crate::b2bua::board::Sent;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::board::auth::Proof;
use crate::b2bua::board::route;
use crate::b2bua::codec;
use crate::b2bua::counter::Counter;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::ringing::Ringing;
use crate::b2bua::sound;
use crate::b2bua::sound::Sound;
use crate::base::time::Millis;
use crate::sdp::Agreed;
use crate::sip::dialog::forks::Forks;
use crate::sip::dialog::session_timer::Wanted;
use crate::sip::flow::Flow;
use crate::sip::header::cseq::CSeq;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::header::session_expires::SessionExpires;
use crate::sip::message::shard_of;
use crate::sip::method::Method;
use crate::sip::uri::HostPort;
use crate::sip::uri::Uri;
use crate::sip::write::RequestBuilder;

/// A phone that is there says 100 or 180 at once; three repeats of the INVITE fit in before.
const SILENCE_MAX: Millis = Millis(4_000);

/// How long a host name may take to be found.
const LOOKUP: Millis = Millis(4000);
/// No phone rings longer, whatever becomes of the core's order to stop: a minute more than the
/// longest ring time of a queue.
const RING_MAX: Millis = Millis(360_000);
/// How many Call-IDs are drawn for one that leads to the caller's shard.
const DRAWS_MAX: u32 = 100_000;

/// A phone that is about to be rung.
pub(super) struct Placing {
    /// What the core ordered.
    pub(super) ring: Box<Ring>,
    /// The ways not tried yet.
    ways: VecDeque<Way>,
    /// The way being tried.
    way: Option<Way>,
    /// The addresses of this way not tried yet.
    addresses: VecDeque<SocketAddr>,
    call_id: String,
    tag: String,
    cseq: u32,
    /// Why the last attempt failed.
    pub(super) failure: RingFailure,
    /// The session timer to ask for.
    pub(super) wanted: Wanted,
}

impl Leg {
    /// Begins to ring an agent; `like` is what the caller's leg agreed on, `hops` what is left of
    /// the caller's Max-Forwards.
    pub(super) fn ring(
        board: &mut Board,
        ring: Box<Ring>,
        like: Option<&Agreed>,
        hops: u8,
    ) -> Self {
        let id = ring.leg;
        // The port is known when it is known who is called.
        let local = sound::local(board.identity.media_address, 0, board.tokens.session_id());
        let mut sound = Sound::new(id, local, None);
        if let Some(agreed) = like {
            sound.prefer(agreed);
        }
        let ways = trunks::ways(&board.trunks, &ring.device);
        let failure = match ways {
            Ok(_) | Err(NoWay::Trunk) => RingFailure::Unreachable,
            Err(NoWay::Address) => RingFailure::WrongAddress,
        };
        let placing = Placing {
            ring,
            ways: ways.unwrap_or_default().into(),
            way: None,
            addresses: VecDeque::new(),
            call_id: draw_call_id(board),
            tag: board.tokens.tag(),
            cseq: 0,
            failure,
            wanted: board.wanted,
        };
        board.add_dialog(id, (placing.call_id.clone(), placing.tag.clone()));
        board.wake_after(id, Alarm::GiveUpRinging, RING_MAX);
        let state = State::Placing(Box::new(placing));
        let mut leg = Self { id, let_in_by: None, sound, hops, half_open: false, state };
        leg.try_next(board);
        leg
    }

    /// Tries the next address, of this way or of the next.
    pub(super) fn try_next(&mut self, board: &mut Board) {
        loop {
            let State::Placing(placing) = &mut self.state else { return };
            if let (Some(peer), Some(way)) = (placing.addresses.pop_front(), &placing.way) {
                match board.flow_to(way.next.transport, peer) {
                    Some(flow) => return self.invite(board, flow, None),
                    None => continue,
                }
            }
            let Some(way) = placing.ways.pop_front() else { return self.fail_ringing(board) };
            let next = way.next.clone();
            placing.way = Some(way);
            match next.host.ip() {
                Some(ip) => {
                    let port = next.host.port.unwrap_or(route::PORT);
                    placing.addresses.push_back(SocketAddr::new(ip, port));
                }
                None => {
                    board.look_up(self.id, &next.host, next.transport);
                    board.wake_after(self.id, Alarm::ResolveSilent, LOOKUP);
                    return;
                }
            }
        }
    }

    /// Takes the addresses of a host; none if it was not found.
    pub(super) fn on_resolved(&mut self, board: &mut Board, addresses: Vec<SocketAddr>) {
        let State::Placing(placing) = &mut self.state else { return };
        board.alarms.clear(self.id, Alarm::ResolveSilent);
        placing.addresses.extend(addresses);
        self.try_next(board);
    }

    /// Tells the core that the phone did not take the call; the leg is over.
    pub(super) fn fail_ringing(&mut self, board: &mut Board) {
        let why = match &self.state {
            State::Placing(placing) => placing.failure,
            State::Ringing(ringing) => ringing.placing.failure,
            State::Unanswered(_) | State::Confirmed(_) | State::Ending(_) | State::Over => return,
        };
        board.count(Counter::RingFailed(why));
        board.propose(self.id, Command::FailReservation { leg: self.id, why });
        self.state = State::Over;
    }

    /// Sends the INVITE.
    pub(super) fn invite(&mut self, board: &mut Board, flow: Flow, proof: Option<Proof>) {
        let State::Placing(mut placing) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        placing.cseq += 1;
        board.outputs.push_back(Output::LetIn { flow });
        if self.sound.note_signalling(flow.peer.ip()) {
            self.sound.receive_at(board.rtp_port_for(flow.peer.ip()));
        }
        let authorized = proof.is_some();
        let mut request = placing.request(board, flow, self.hops);
        if let Some(proof) = proof {
            request = request.header(proof.name, proof.value);
        }
        let invite = request.body("application/sdp", self.sound.offer()).build();
        let sent = Sent {
            leg: self.id,
            asked: Asked::Ring,
            request: invite.clone(),
            flow,
            trunk: placing.ring.device.trunk.clone(),
            authorized,
        };
        let key = board.send(sent);
        if let Some(cancel) = board.cancel_of(&invite, &key, flow) {
            let dialog = codec::ringing(&cancel, flow);
            board.propose(self.id, Command::UpdateLeg { leg: self.id, dialog });
        }
        board.wake_after(self.id, Alarm::PhoneSilent, SILENCE_MAX);
        let forks = Forks::default();
        let ringing =
            Ringing { placing, invite, key, flow, forks, early: Vec::new(), release: None };
        self.state = State::Ringing(Box::new(ringing));
    }
}

impl Placing {
    /// Tells whether there is another way to the phone, or another address of this one.
    pub(super) fn has_another_way(&self) -> bool {
        !self.addresses.is_empty() || !self.ways.is_empty()
    }

    fn request(&self, board: &Board, flow: Flow, hops: u8) -> RequestBuilder {
        let target = self.way.as_ref().map(|way| way.target.clone());
        let target = target.unwrap_or_else(|| Uri::sip(None, HostPort::from(flow.peer)));
        let host = HostPort { port: None, ..board.advertised(flow) };
        let cseq = CSeq { number: self.cseq, method: Method::Invite };
        let mut request = RequestBuilder::new(Method::Invite, &target);
        if let Some(route) = self.way.as_ref().and_then(|way| way.route.clone()) {
            request = request.header(Name::Route, NameAddr::new(route));
        }
        request = request
            .header(Name::MaxForwards, hops)
            .header(Name::From, self.shown_caller(&host).with_param("tag", Some(&self.tag)))
            .header(Name::To, NameAddr::new(target.without_headers()))
            .header(Name::CallId, &self.call_id)
            .header(Name::CSeq, cseq)
            .header(Name::Contact, NameAddr::new(board.contact(Some("acd"), flow)))
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, SUPPORTED)
            .header(Name::UserAgent, PRODUCT)
            .header(
                Name::SessionExpires,
                SessionExpires { seconds: self.wanted.interval_seconds, refresher: None },
            )
            .header(Name::MinSe, self.wanted.minimum_seconds)
            .raw("X-ACD-Queue", self.ring.queue.as_str())
            .raw("X-ACD-Call-ID", &self.ring.leg.call.to_string())
            .raw("X-ACD-Wait", &self.ring.waited.as_secs().to_string());
        match self.ring.caller.number.expose() {
            Some(number) => request.header(Name::PAssertedIdentity, self.asserted(number, &host)),
            None => request.header(Name::Privacy, "id"),
        }
    }

    /// What the phone shows: the queue, then the caller.
    fn shown_caller(&self, host: &HostPort) -> NameAddr {
        let caller = &self.ring.caller;
        let number = caller.number.expose().as_deref();
        let name = caller.name.expose().as_deref().or(number);
        let shown = match (self.ring.queue_display_name.as_str(), name) {
            ("", name) => name.unwrap_or("anonymous").to_owned(),
            (queue, Some(name)) => format!("{queue}/{name}"),
            (queue, None) => format!("{queue}/anonymous"),
        };
        let uri = match number {
            Some(number) => Uri::sip(Some(number), host.clone()),
            None => Uri::sip(
                Some("anonymous"),
                HostPort { host: "anonymous.invalid".into(), port: None },
            ),
        };
        NameAddr::new(uri).with_display(&shown)
    }

    fn asserted(&self, number: &str, host: &HostPort) -> NameAddr {
        let address = NameAddr::new(Uri::sip(Some(number), host.clone()));
        match self.ring.caller.name.expose() {
            Some(name) => address.with_display(name),
            None => address,
        }
    }
}

/// A Call-ID whose messages are handled by this shard, as the caller's are.
fn draw_call_id(board: &mut Board) -> String {
    let (shard, shards) = (board.identity.shard, board.identity.shards);
    let mut call_id = board.tokens.call_id();
    for _ in 0..DRAWS_MAX {
        if shard_of(&call_id, shards) == shard {
            break;
        }
        call_id = board.tokens.call_id();
    }
    call_id
}
