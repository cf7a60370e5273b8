//! One stream: what it plays, whom it is joined with, and what it does when it is due.
//!
//! When due, the first of these that applies is sent:
//!
//! | the stream | sends |
//! |---|---|
//! | may not send (hold) | nothing; a program waits |
//! | has keys to send | an event packet |
//! | plays a program | its next samples |
//! | was joined [`JOIN_FILL`] ago at most, and the other was not heard since | silence |
//! | is joined, and something was sent within [`KEEP_ALIVE`] | nothing |
//! | otherwise | silence |
//!
//! A join is transparent: who hears nothing of the other party is sent nothing in its place, as
//! between two phones that talk directly. Silence bridges the moment of the join, where the other
//! party's first packet is still on its way. After that one packet a second keeps NAT bindings
//! open (RFC 6263) and tells whoever watches for RTP that the call lives. The loss of packets is
//! the receiver's to conceal.
//!
//! Always holds: what a stream sends while due is one packet, and now and then a report.
//!
//! Not here: relaying between streams ([`super::engine`]), numbering ([`super::relay`]), what is
//! known of the peer's packets ([`super::heard`]).

use std::net::SocketAddr;

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::media::dtmf;
use crate::media::g711;
use crate::media::heard::Heard;
use crate::media::order::StreamId;
use crate::media::outgoing::Batch;
use crate::media::program::Player;
use crate::media::relay::Outbound;
use crate::media::rtcp;
use crate::media::rtp;
use crate::media::rtp::HEADER_LEN;
use crate::media::rtp::Header;
use crate::sdp::negotiate::Agreed;
use crate::sdp::session::Direction;

/// How long after a join silence stands in for a party not heard yet: as much as a phone keeps for
/// late packets; what it misses after that, it conceals.
pub(super) const JOIN_FILL: Millis = Millis(60);
/// The longest pause in what a joined stream sends.
const KEEP_ALIVE: Millis = Millis(1000);
/// How often a stream reports by RTCP (RFC 3550 6.2: not more often than every 5 s).
const REPORT_MS: u16 = 5000;

/// What a stream did when it was due.
#[derive(Debug, Default)]
pub(super) struct Ticked {
    pub(super) packets: u64,
    /// The token of a program that has finished.
    pub(super) finished: Option<u64>,
    /// Nothing was heard for as long as was to be watched.
    pub(super) lost: bool,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: StreamId,
    pub(super) port: usize,
    pub(super) generation: u32,
    pub(super) phase: u8,
    pub(super) agreed: Agreed,
    pub(super) out: Outbound,
    pub(super) heard: Heard,
    pub(super) player: Option<Box<Player>>,
    pub(super) joined: Option<u32>,
    /// When silence stops standing in for the other party: at its first packet, or in time.
    pub(super) filled_until: LocalTime,
    /// When something of the other party was sent, or silence in its place.
    pub(super) last_sent: LocalTime,
    pub(super) keys_heard: dtmf::Receiver,
    pub(super) keys: Option<Box<Keys>>,
    pub(super) watch: Option<Millis>,
    pub(super) watch_from: LocalTime,
    pub(super) until_report_ms: u16,
    /// How many packets were sent when the last report was; none since makes the next one an RR.
    reported: u32,
    /// How many packets of ours the peer has told to be missing.
    pub(super) undelivered: u32,
}

/// Keys being sent.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) sender: dtmf::Sender,
    start: u32,
}

impl Stream {
    /// A stream that sends silence; reports of streams opened together come at different times.
    pub(super) fn new(name: StreamId, port: usize, agreed: Agreed, out: Outbound) -> Self {
        Self {
            name,
            port,
            generation: 0,
            phase: 0,
            agreed,
            out,
            heard: Heard::default(),
            player: None,
            joined: None,
            filled_until: LocalTime::default(),
            last_sent: LocalTime::default(),
            keys_heard: dtmf::Receiver::default(),
            keys: None,
            watch: None,
            watch_from: LocalTime::default(),
            until_report_ms: 500 + (out.ssrc() % u32::from(REPORT_MS - 500)) as u16,
            reported: 0,
            undelivered: 0,
        }
    }

    /// Tells whether packets of the other party may go out through this stream now.
    pub(super) fn takes_relay(&self) -> bool {
        self.agreed.direction.sends() && self.player.is_none() && self.keys.is_none()
    }

    /// Does what is due at `at`, the nominal moment.
    pub(super) fn tick(
        &mut self,
        at: LocalTime,
        to: SocketAddr,
        cname: &str,
        batch: &mut Batch,
    ) -> Ticked {
        let mut ticked = Ticked { lost: self.is_lost(at), ..Ticked::default() };
        if self.agreed.direction.sends() {
            self.send(at, to, batch, &mut ticked);
        }
        self.until_report_ms = self.until_report_ms.saturating_sub(u16::from(self.agreed.ptime_ms));
        if self.until_report_ms == 0 {
            self.until_report_ms = REPORT_MS;
            ticked.packets += u64::from(self.report(at, to, cname, batch, false));
        }
        ticked
    }

    fn send(&mut self, at: LocalTime, to: SocketAddr, batch: &mut Batch, ticked: &mut Ticked) {
        if self.keys.is_some() {
            ticked.packets += u64::from(self.send_key(at, to, batch));
            return;
        }
        let samples = usize::from(self.agreed.ptime_ms) * 8;
        let (payload, codec) = (self.agreed.payload, self.agreed.codec);
        if let Some(player) = &mut self.player {
            let header = self.out.made(at.0, payload, samples as u32);
            player.fill(codec, packet(batch, to, &header, samples));
            ticked.packets += 1;
            if player.is_over() {
                ticked.finished = Some(player.token());
                self.player = None;
            }
            return;
        }
        let pauses = at >= self.filled_until && at.since(self.last_sent) < KEEP_ALIVE;
        if self.joined.is_none() || !pauses {
            let header = self.out.made(at.0, payload, samples as u32);
            packet(batch, to, &header, samples).fill(g711::silence(codec));
            self.last_sent = at;
            ticked.packets += 1;
        }
    }

    /// Takes note of a packet of the other party, sent at `now`.
    pub(super) fn note_relayed(&mut self, now: LocalTime) {
        // Not `now`: a tick that is due a little earlier may come after it, and must add nothing.
        self.filled_until = LocalTime::default();
        self.last_sent = now;
    }

    /// Sends the event packet that is due; tells whether there was one.
    fn send_key(&mut self, at: LocalTime, to: SocketAddr, batch: &mut Batch) -> bool {
        let ptime_ms = self.agreed.ptime_ms;
        let Some(keys) = &mut self.keys else { return false };
        let sending = keys.sender.next(ptime_ms);
        let sent = match (sending, self.agreed.dtmf) {
            (Some(sending), Some(payload)) => {
                let start = (!sending.begins).then(|| keys.start.wrapping_add(sending.offset));
                let mut header = self.out.event(at.0, payload, start, u32::from(ptime_ms) * 8);
                header.marker = sending.marker;
                if sending.begins {
                    keys.start = header.timestamp;
                }
                let out = packet(batch, to, &header, dtmf::EVENT_LEN);
                out.copy_from_slice(&sending.event.write());
                true
            }
            (Some(_), None) | (None, _) => false,
        };
        if keys.sender.is_done() {
            self.keys = None;
        }
        sent
    }

    /// Sends an RTCP report; tells whether the peer takes any.
    pub(super) fn report(
        &mut self,
        now: LocalTime,
        to: SocketAddr,
        cname: &str,
        batch: &mut Batch,
        bye: bool,
    ) -> bool {
        let Some(rtcp) = self.agreed.rtcp else { return false };
        let to = if self.agreed.rtcp_mux { to } else { rtcp };
        let (packets, octets) = self.out.sent();
        let sent = rtcp::Sent { timestamp: self.out.timestamp_at(now.0), packets, octets };
        let compound = rtcp::Compound {
            ssrc: self.out.ssrc(),
            sent: (packets != std::mem::replace(&mut self.reported, packets)).then_some(sent),
            heard: self.heard.block(now),
            cname,
            bye,
        };
        let mut bytes = [0; rtcp::LEN_MAX];
        let len = rtcp::write(&compound, now, &mut bytes);
        batch.push(to, len).copy_from_slice(&bytes[..len]);
        true
    }

    /// Whether the watch has run out; told once, until something is heard again.
    fn is_lost(&mut self, at: LocalTime) -> bool {
        let Some(silence) = self.watch else { return false };
        // Who holds, or is held, need not send anything.
        if self.agreed.direction != Direction::SendRecv {
            self.watch_from = at;
            return false;
        }
        let last = self.watch_from.max(self.heard.at());
        let lost = at.since(last) >= silence;
        if lost {
            self.watch = None;
        }
        lost
    }
}

/// Adds a packet with this header and lends its payload.
pub(super) fn packet<'a>(
    batch: &'a mut Batch,
    to: SocketAddr,
    header: &Header,
    len: usize,
) -> &'a mut [u8] {
    let packet = batch.push(to, HEADER_LEN + len);
    rtp::write(header, packet);
    &mut packet[HEADER_LEN..]
}
