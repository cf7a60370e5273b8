//! When to wake which leg for what: the timers that are not a transaction's.
//!
//! Always holds: a leg has at most one alarm of each kind, setting it again moves it, and a leg
//! that is removed takes its alarms with it ([`Alarms::forget`]).
//!
//! Not here: the timers of transactions (`sip::transaction`), and what a leg does when it is
//! woken ([`crate::b2bua::leg`]).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::base::id::LegId;
use crate::base::time::LocalTime;

/// Why a leg is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::b2bua) enum Alarm {
    /// A provisional response is due again (RFC 3261 §13.3.1.1).
    RepeatProvisional,
    /// A reliable provisional response was not acknowledged (RFC 3262 §3).
    ResendReliable,
    /// A 2xx was not acknowledged (RFC 3261 §13.3.1.4).
    ResendAccepted,
    /// Nothing at all came back for an INVITE.
    PhoneSilent,
    /// The INVITE has rung for as long as any phone may.
    GiveUpRinging,
    /// It is our turn to refresh the session (RFC 4028 §10).
    RefreshSession,
    /// Nobody refreshed the session (RFC 4028 §10).
    SessionExpired,
    /// A request met one of theirs and may be tried again (RFC 3261 §14.1).
    RetryRefresh,
    /// The party took the REFER and never told how it went.
    TransferSilent,
    /// The caller's INVITE was to be answered by now, or not at all (RFC 3261 §13.3.1).
    InviteExpired,
    /// A host name was not found in time.
    ResolveSilent,
}

/// The alarms of one shard.
#[derive(Default)]
pub(in crate::b2bua) struct Alarms {
    due: BTreeSet<(LocalTime, LegId, Alarm)>,
    set: BTreeMap<(LegId, Alarm), LocalTime>,
}

impl Alarms {
    /// Wakes `leg` for `alarm` at `at`, and no longer at the time set before.
    pub(in crate::b2bua) fn set(&mut self, leg: LegId, alarm: Alarm, at: LocalTime) {
        self.clear(leg, alarm);
        self.set.insert((leg, alarm), at);
        self.due.insert((at, leg, alarm));
    }

    /// Takes the alarm back, if it was set.
    pub(in crate::b2bua) fn clear(&mut self, leg: LegId, alarm: Alarm) {
        if let Some(at) = self.set.remove(&(leg, alarm)) {
            self.due.remove(&(at, leg, alarm));
        }
    }

    /// Takes back every alarm of `leg`.
    pub(in crate::b2bua) fn forget(&mut self, leg: LegId) {
        let first = (leg, Alarm::RepeatProvisional);
        let last = (leg, Alarm::ResolveSilent);
        let alarms: Vec<_> = self.set.range(first..=last).map(|((_, alarm), _)| *alarm).collect();
        for alarm in alarms {
            self.clear(leg, alarm);
        }
    }

    /// The next alarm that is due by `now`.
    pub(in crate::b2bua) fn pop_due(&mut self, now: LocalTime) -> Option<(LegId, Alarm)> {
        let (at, leg, alarm) = *self.due.first().filter(|(at, _, _)| *at <= now)?;
        self.due.remove(&(at, leg, alarm));
        self.set.remove(&(leg, alarm));
        Some((leg, alarm))
    }

    /// When the next alarm is due.
    pub(in crate::b2bua) fn next(&self) -> Option<LocalTime> {
        self.due.first().map(|(at, _, _)| *at)
    }
}
