//! Sending a caller to another address: 302 before the answer, REFER afterwards (RFC 3515).
//!
//! | the caller says | the core hears |
//! |---|---|
//! | (302 was sent) | settled |
//! | 3xx–6xx to the REFER, or nothing | refused, with that status or 408 |
//! | 2xx, then NOTIFY with a final status | settled, or refused with it |
//! | 2xx, then BYE | settled: it hangs up because it is through |
//! | 2xx, then silence | settled after 32 s without any NOTIFY (RFC 4488), else refused 408 |
//!
//! A caller whose agent hangs up meanwhile hears the queue's music until then.
//!
//! Always holds: the core hears of each `TransferLeg` exactly once, unless the leg ends first.
//!
//! Not here: what then becomes of the call (`acd`).

use crate::acd::command::Command;
use crate::acd::config::Address;
use crate::b2bua::admission::trunks;
use crate::b2bua::board::Asked;
use crate::b2bua::board::Board;
use crate::b2bua::board::PRODUCT;
use crate::b2bua::board::Sent;
use crate::b2bua::board::alarm::Alarm;
use crate::b2bua::leg::Leg;
use crate::b2bua::leg::State;
use crate::b2bua::sound;
use crate::b2bua::sound::Hearing;
use crate::base::time::Millis;
use crate::sip::dialog::Dialog;
use crate::sip::dialog::Heard;
use crate::sip::header::name::Name;
use crate::sip::header::name_addr::NameAddr;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::transaction::key::ServerKey;
use crate::sip::uri::HostPort;
use crate::sip::uri::Uri;

/// How long nothing at all may be heard of a transfer.
const SILENCE: Millis = Millis(32_000);
/// How long the new address may ring: timer C of RFC 3261 §16.6.
const PATIENCE: Millis = Millis(180_000);

/// A REFER that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// Sent; no answer yet.
    Asked,
    /// Taken; no NOTIFY yet.
    Taken,
    /// A NOTIFY told of progress.
    Underway,
}

impl Leg {
    /// Sends the party to another address.
    pub(super) fn transfer(&mut self, board: &mut Board, to: &Address) {
        match &mut self.state {
            State::Unanswered(caller) => {
                let to = uri_of(to, board, &caller.dialog);
                self.redirect_caller(board, &to);
                self.settle_transfer(board, None);
            }
            State::Confirmed(confirmed) => {
                let dialog = &mut confirmed.dialog;
                let to = uri_of(to, board, dialog);
                let by = NameAddr::new(dialog.local.uri.clone());
                let request = dialog
                    .request(Method::Refer)
                    .header(Name::ReferTo, NameAddr::new(to))
                    .header(Name::ReferredBy, by)
                    .header(Name::UserAgent, PRODUCT)
                    .build();
                confirmed.transfer = Some(Transfer::Asked);
                confirmed.send(board, self.id, Asked::Transfer, request);
            }
            State::Placing(_) | State::Ringing(_) | State::Ending(_) | State::Over => {}
        }
    }

    /// Takes a response to the REFER.
    pub(super) fn on_transfer_answered(&mut self, board: &mut Board, sent: Sent, heard: &Message) {
        let State::Confirmed(confirmed) = &mut self.state else { return };
        let status = heard.status().unwrap_or_default();
        match confirmed.dialog.on_response(heard).unwrap_or(Heard::Failure) {
            Heard::Progress | Heard::WantsPrack { .. } | Heard::Ignore => {}
            Heard::Success | Heard::WantsAck { .. } => {
                // A NOTIFY may have come before the 2xx (RFC 6665 §4.1.2.4).
                if confirmed.transfer == Some(Transfer::Asked) {
                    confirmed.transfer = Some(Transfer::Taken);
                    board.wake_after(self.id, Alarm::TransferSilent, SILENCE);
                }
            }
            Heard::Failure => {
                if !board.authorize(&mut confirmed.dialog, sent, heard) {
                    self.settle_transfer(board, Some(status));
                }
            }
            Heard::Ended => {
                self.settle_transfer(board, Some(status));
                self.lose(board);
            }
        }
    }

    /// The REFER got no answer, or could not be sent.
    pub(super) fn on_transfer_lost(&mut self, board: &mut Board) {
        self.settle_transfer(board, Some(408));
    }

    /// Takes a NOTIFY: progress of our REFER, or nothing we asked for.
    pub(super) fn on_notify(&mut self, board: &mut Board, key: &ServerKey, request: &Message) {
        let event = request.event().ok().flatten();
        let ours = event.is_some_and(|event| event.package.eq_ignore_ascii_case("refer"));
        let State::Confirmed(confirmed) = &mut self.state else { return };
        if !ours || confirmed.transfer.is_none() {
            self.reply(board, key, request, if ours { 481 } else { 489 });
            return;
        }
        confirmed.transfer = Some(Transfer::Underway);
        self.reply(board, key, request, 200);
        match status_of(request.body()) {
            Some(status) if (200..300).contains(&status) => self.settle_transfer(board, None),
            Some(status) if status >= 300 => self.settle_transfer(board, Some(status)),
            Some(_) | None => board.wake_after(self.id, Alarm::TransferSilent, PATIENCE),
        }
    }

    /// Nothing more was heard of the transfer.
    pub(super) fn on_transfer_silent(&mut self, board: &mut Board) {
        let State::Confirmed(confirmed) = &self.state else { return };
        match confirmed.transfer {
            // Many phones take a REFER and send no NOTIFY; they have gone their way.
            Some(Transfer::Taken) => self.settle_transfer(board, None),
            Some(Transfer::Asked | Transfer::Underway) => self.settle_transfer(board, Some(408)),
            None => {}
        }
    }

    /// The party hung up: if it had taken a REFER, because it is through.
    pub(super) fn settle_transfer_by_bye(&mut self, board: &mut Board) {
        let State::Confirmed(confirmed) = &self.state else { return };
        match confirmed.transfer {
            Some(Transfer::Taken | Transfer::Underway) => self.settle_transfer(board, None),
            Some(Transfer::Asked) | None => {}
        }
    }

    /// The partner is gone. Who is on the way elsewhere hears music until that is settled, for
    /// silence would sound like the end.
    pub(super) fn on_parted(&mut self, board: &mut Board) {
        let leaves = matches!(&self.state, State::Confirmed(party) if party.transfer.is_some());
        let music = self.sound.last_music().filter(|_| leaves).cloned();
        let music = music.map(|music| (sound::music(music), board.next_number()));
        let next = music.map(|(program, token)| Hearing::Program(program, token));
        self.sound.hear(next.unwrap_or(Hearing::Nothing));
    }

    fn settle_transfer(&mut self, board: &mut Board, refused: Option<u16>) {
        if let State::Confirmed(confirmed) = &mut self.state
            && confirmed.transfer.take().is_none()
        {
            return;
        }
        board.alarms.clear(self.id, Alarm::TransferSilent);
        board.propose(self.id, Command::SettleTransfer { leg: self.id, refused });
    }
}

/// The address as a URI; a number without a host is meant at the trunk the party came by, or at
/// the party's own host if it came by none (RFC 3261 §19.1.6: `user=phone`).
fn uri_of(to: &Address, board: &Board, party: &Dialog) -> Uri {
    let given = to.host.as_deref().and_then(|host| host.parse::<HostPort>().ok());
    if let Some(host) = given {
        return Uri::sip(Some(&to.user), host);
    }
    let trunk = trunks::host_of(&board.trunks, board.flow_of(party).peer.ip());
    let host = trunk.unwrap_or_else(|| party.remote.uri.host_port());
    let mut uri = Uri::sip(Some(&to.user), host);
    uri.params.set("user", Some("phone"));
    uri
}

/// The status in the first line of a `message/sipfrag` body (RFC 3420).
fn status_of(body: &[u8]) -> Option<u16> {
    let line = body.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    words.next().filter(|version| *version == "SIP/2.0")?;
    words.next()?.parse().ok()
}
