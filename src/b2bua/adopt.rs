//! Going on with a leg whose node is gone, from the picture the core has kept of it.
//!
//! | the picture shows | ordered to go on | ordered to end it |
//! |---|---|---|
//! | an answered party | audio to them at once, and a re-INVITE that brings theirs here | BYE |
//! | a caller without an answer | its INVITE counts as if it had just come | its status |
//! | a phone that rings | — (the core rings anew) | CANCEL |
//! | nothing that can be read | the core hears that the party is lost with its node | nothing |
//!
//! How the re-INVITE may end stands in [`super::refresh`]: an answer of any kind shows that
//! somebody is there, and only a party that knows of no such call, or says nothing, is given up.
//!
//! Always holds: a leg that is here already is left alone; the re-INVITEs of many legs go out one
//! after the other, [`PACE`] apart.
//!
//! Not here: who goes on with which call (`acd::legs`), what a picture is ([`super::codec`]).

use crate::acd::command::Command;
use crate::acd::command::Dialog as Bytes;
use crate::acd::command::LegEnd;
use crate::acd::effect::Cause;
use crate::b2bua::Ua;
use crate::b2bua::board::Board;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::codec;
use crate::b2bua::codec::Answered;
use crate::b2bua::codec::Picture;
use crate::b2bua::confirmed::Confirmed;
use crate::b2bua::leg::HOPS_MAX;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::sound::Sound;
use crate::base::id::LegId;
use crate::base::time::Millis;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::transaction::Output as Heard;
use crate::sip::transaction::key::ServerKey;

/// Between two re-INVITEs of one shard: as many as its parties answer without losing any.
const PACE: Millis = Millis(1);

impl Ua {
    /// Goes on with a leg of another process.
    pub(super) fn adopt(&mut self, id: LegId, picture: &Bytes) {
        if self.legs.contains_key(&id) {
            return;
        }
        let adopted = codec::decode(picture).and_then(|picture| self.revive(id, picture));
        if let Some(mut leg) = adopted {
            leg.begin_anew(&mut self.board);
            self.put_back(leg);
        } else {
            let end = Command::EndLeg { leg: id, why: LegEnd::LostWithNode };
            self.board.propose(id, end);
        }
    }

    /// Ends a leg of another process.
    pub(super) fn release_orphan(&mut self, id: LegId, picture: &Bytes, cause: Cause) {
        let Some(picture) = codec::decode(picture).filter(|_| !self.legs.contains_key(&id)) else {
            return;
        };
        if let Picture::Ringing { cancel, flow } = picture {
            let flow = self.board.own(flow);
            if let Some(cancel) = codec::message(cancel) {
                self.board.layer.send_cancel(self.board.now, &cancel, flow);
            }
        } else if let Some(mut leg) = self.revive(id, picture) {
            leg.release(&mut self.board, cause);
            self.put_back(leg);
        }
    }

    /// Makes a leg of its picture; a phone that rings is none yet.
    fn revive(&mut self, id: LegId, picture: Picture) -> Option<Box<Leg>> {
        match picture {
            Picture::Answered(leg) => Some(self.adopt_answered(id, *leg)),
            Picture::Unanswered { leg, invite } => self.adopt_unanswered(id, *leg, invite),
            Picture::Ringing { .. } => None,
        }
    }

    fn adopt_answered(&mut self, id: LegId, leg: Answered) -> Box<Leg> {
        let board = &mut self.board;
        let Answered { mut dialog, mut local, agreed, let_in_by, .. } = leg;
        let flow = board.new_flow_of(&dialog);
        let user = dialog.local_contact.user.clone();
        dialog.take_over(board.contact(user.as_deref(), flow), flow);
        board.add_dialog(id, (dialog.id.call_id.to_string(), dialog.id.local_tag.to_string()));
        local.address = board.identity.media_address;
        local.port = board.rtp_port_for(flow.peer.ip());
        // RFC 3264 §8: other words than those said last.
        local.version += 1;
        let sound = Sound::resume(id, local, agreed, flow.peer.ip());
        let confirmed = Confirmed {
            trunk: leg.trunk,
            knows_update: leg.knows_update,
            minimum_seconds: leg.minimum_seconds,
            held: sound.is_held(),
            taking_over: true,
            ..Confirmed::new(dialog)
        };
        let state = State::Confirmed(Box::new(confirmed));
        Box::new(Leg { id, let_in_by, sound, hops: HOPS_MAX, half_open: false, state })
    }

    /// Takes an INVITE in that another process has let in.
    fn adopt_unanswered(&mut self, id: LegId, leg: Answered, invite: Vec<u8>) -> Option<Box<Leg>> {
        let flow = self.board.own(leg.dialog.flow);
        let (key, message) = self.hear_again(&codec::message(invite)?, flow)?;
        let invite = self.derive(&key, &message, flow)?;
        let said = (leg.local.id, leg.local.version + 1);
        let begun = self.begin(&invite, Some(said)).ok().filter(|begun| begun.id == id);
        let Some(mut begun) = begun else {
            self.board.refuse(&key, &message, 503, &leg.dialog.id.local_tag);
            return None;
        };
        begun.let_in_by = leg.let_in_by;
        if let State::Unanswered(caller) = &mut begun.state {
            caller.adopted = true;
        }
        self.settle_in(&invite, id);
        Some(Box::new(begun))
    }

    /// Begins the transaction of an INVITE that came to another process.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all else is heard as always")]
    fn hear_again(&mut self, invite: &Message, flow: Flow) -> Option<(ServerKey, Message)> {
        self.board.layer.handle_message(self.board.now, invite.clone(), flow);
        while let Some(heard) = self.board.layer.poll_output() {
            match heard {
                Heard::Request { key, message, .. } => return Some((key, message)),
                other => self.on_heard(other),
            }
        }
        None
    }
}

impl Leg {
    /// Lets the party have audio from here, and in its turn the re-INVITE that says so.
    fn begin_anew(&mut self, board: &mut Board) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        confirmed.watch_session(board, self.id);
        self.sound.open();
        // Whoever goes on after this process must begin behind the numbers used here.
        self.report_change(board);
        let at = board.next_turn(PACE);
        board.alarms.set(self.id, Alarm::RetryRefresh, at);
    }
}
