//! Session timers: keeping an answered leg alive, and noticing that it is dead (RFC 4028).
//!
//! | we are | at half the interval | shortly before its end |
//! |---|---|---|
//! | the refresher | UPDATE, or re-INVITE where UPDATE is not known | BYE; the core hears `Lost` |
//! | not the refresher | nothing | the same, unless they refreshed |
//!
//! A refresh repeats the words that were said before (§10). One that meets a change of theirs
//! (491) is tried again after the pause of RFC 3261 §14.1.
//!
//! A leg taken over from another node ([`super::adopt`]) is refreshed at once, by re-INVITE, which
//! moves the party's audio; if it comes to nothing the party is lost with its node.
//!
//! Always holds: every answered leg has a session timer, so none outlives a party that is gone.
//!
//! Not here: refreshes of theirs ([`super::change`]), who refreshes (`sip::dialog::session_timer`).

use crate::b2bua::board::ALLOW;
use crate::b2bua::board::Asked;
use crate::b2bua::board::Board;
use crate::b2bua::board::PRODUCT;
use crate::b2bua::board::SUPPORTED;
use crate::b2bua::board::Sent;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::confirmed::Confirmed;
use crate::b2bua::counter::Counter;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::sound;
use crate::base::id::LegId;
use crate::base::time::Millis;
use crate::sdp::Session;
use crate::sip::dialog::Heard;
use crate::sip::dialog::glare;
use crate::sip::dialog::offer_answer::Carrier;
use crate::sip::dialog::reading::is_described;
use crate::sip::dialog::session_timer;
use crate::sip::dialog::session_timer::Asked as Wish;
use crate::sip::dialog::session_timer::Wanted;
use crate::sip::header::name::Name;
use crate::sip::message::Message;
use crate::sip::method::Method;

/// Answers what a request of theirs says about the timer; `Err` is the Min-SE of a 422.
pub(super) fn answer(request: &Message, wanted: &Wanted) -> Result<session_timer::Answer, u32> {
    // A malformed header counts as none: the timer is a courtesy, not a reason to fail.
    let wish = Wish::of(request).unwrap_or_default();
    session_timer::answer(&wish, wanted).map_err(|small| small.minimum_seconds)
}

impl Confirmed {
    /// Sets both alarms anew: something has just refreshed the session.
    pub(super) fn watch_session(&self, board: &mut Board, leg: LegId) {
        let Some(timer) = self.dialog.session_timer else { return };
        board.wake_after(leg, Alarm::SessionExpired, timer.dead_after());
        match timer.refresh_after() {
            Some(pause) => board.wake_after(leg, Alarm::RefreshSession, pause),
            None => board.alarms.clear(leg, Alarm::RefreshSession),
        }
    }
}

impl Leg {
    /// Refreshes the session.
    pub(super) fn refresh(&mut self, board: &mut Board) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        let by_update = confirmed.knows_update && !confirmed.taking_over;
        let carrier = if by_update { Carrier::Update } else { Carrier::Invite };
        let busy = confirmed.refreshing || confirmed.unacknowledged.is_some();
        if busy || !confirmed.dialog.offer_answer.may_send(carrier, !by_update) {
            self.refresh_later(board);
            return;
        }
        let Some(timer) = confirmed.dialog.session_timer else { return };
        let method = if by_update { Method::Update } else { Method::Invite };
        let mut request = confirmed
            .dialog
            .request(method)
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, SUPPORTED)
            .header(Name::UserAgent, PRODUCT)
            .header(Name::SessionExpires, timer.as_client());
        if let Some(minimum) = confirmed.minimum_seconds {
            request = request.header(Name::MinSe, minimum);
        }
        if !by_update {
            request = request.body("application/sdp", self.sound.offer());
        }
        confirmed.refreshing = true;
        confirmed.send(board, self.id, Asked::Refresh, request.build());
    }

    /// Moves the party's audio and Contact to this node, if they are still at another.
    pub(super) fn move_here(&mut self, board: &mut Board) {
        if matches!(&self.state, State::Confirmed(confirmed) if confirmed.taking_over) {
            self.refresh(board);
        }
    }

    fn refresh_later(&mut self, board: &mut Board) {
        let State::Confirmed(confirmed) = &self.state else { return };
        let random = board.tokens.below(u64::from(u32::MAX));
        let pause = glare::retry_after(confirmed.dialog.owns_call_id(), random);
        board.wake_after(self.id, Alarm::RetryRefresh, pause);
    }

    /// Takes a response to a refresh.
    pub(super) fn on_refreshed(&mut self, board: &mut Board, sent: Sent, response: &Message) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        let heard = confirmed.dialog.on_response(response).unwrap_or(Heard::Failure);
        match heard {
            Heard::Progress | Heard::WantsPrack { .. } | Heard::Ignore => {}
            Heard::WantsAck { .. } => {
                let cseq = response.cseq().map_or(0, |cseq| cseq.number);
                let ack = confirmed.dialog.ack(cseq).build();
                let flow = board.flow_of(&confirmed.dialog);
                board.send_ack(&ack, flow);
                self.on_refresh_taken(board, response);
            }
            Heard::Success => self.on_refresh_taken(board, response),
            Heard::Ended => self.lose(board),
            Heard::Failure => self.on_refresh_refused(board, sent, response),
        }
    }

    fn on_refresh_taken(&mut self, board: &mut Board, response: &Message) {
        if is_described(response)
            && let Ok(theirs) = Session::parse(sound::description(response))
        {
            // A refusal is impossible to tell them now; the stream stays as it is.
            let _kept = self.sound.accept(&theirs);
        }
        let State::Confirmed(confirmed) = &mut self.state else { return };
        confirmed.refreshing = false;
        confirmed.taking_over = false;
        if let Some(timer) = &mut confirmed.dialog.session_timer {
            let said = response.session_expires().ok().flatten();
            *timer = session_timer::accept(timer.interval_seconds, said);
        }
        confirmed.watch_session(board, self.id);
        self.report_change(board);
    }

    fn on_refresh_refused(&mut self, board: &mut Board, sent: Sent, response: &Message) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        confirmed.refreshing = false;
        if board.authorize(&mut confirmed.dialog, sent, response) {
            confirmed.refreshing = true;
            return;
        }
        self.sound.withdraw_offer();
        match response.status().unwrap_or_default() {
            422 => {
                let least = response.min_se().ok().flatten();
                if let Some(timer) = &mut confirmed.dialog.session_timer {
                    let asked = Wanted::every(Millis::from_secs(timer.interval_seconds.into()));
                    let wanted = session_timer::after_too_small(&asked, least);
                    timer.interval_seconds = wanted.interval_seconds;
                    confirmed.minimum_seconds = Some(wanted.minimum_seconds);
                }
                self.refresh_later(board);
            }
            405 | 501 if confirmed.knows_update => {
                confirmed.knows_update = false;
                self.refresh(board);
            }
            // RFC 3261 §14.1, RFC 3311 §5.3.
            491 | 500 | 503 => self.refresh_later(board),
            // Anything else is an answer: somebody is there.
            _ => {
                confirmed.taking_over = false;
                confirmed.watch_session(board, self.id);
            }
        }
    }

    /// A refresh got no answer: the party is gone (RFC 4028 §10).
    pub(super) fn on_refresh_lost(&mut self, board: &mut Board) {
        self.lose(board);
    }

    /// Nobody refreshed the session.
    pub(super) fn on_session_expired(&mut self, board: &mut Board) {
        board.count(Counter::SessionExpired);
        self.lose(board);
    }
}
