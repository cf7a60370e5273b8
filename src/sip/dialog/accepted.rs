//! An INVITE answered 2xx whose ACK has not come: RFC 3261 §13.3.1.4.
//!
//! The 2xx is repeated end to end, over every transport, after T1, 2·T1, 4·T1 … up to T2, because
//! any hop on the way may be a datagram. After 64·T1 without an ACK the call is given up: the
//! dialog is confirmed, and a BYE ends it.
//!
//! Always holds: a wait ends, by the ACK (it is dropped) or by [`Nudge::GiveUp`].
//!
//! Not here: sending the response (`Layer::respond` again) or the BYE (`b2bua`). This is not part
//! of the replicated record: the next owner of a dialog waits for no ACK.

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::sip::transaction::timer::Timers;

/// What a deadline asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// It is too early.
    Wait,
    /// Send the same response again.
    Resend,
    /// Nobody listens any more.
    GiveUp,
}

/// A response that is repeated until the other side confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeating {
    next: LocalTime,
    pause: Millis,
    pause_max: Millis,
    ends: LocalTime,
}

impl Repeating {
    /// Starts when a 2xx to an INVITE is sent: pauses double up to T2.
    pub fn success(now: LocalTime, timers: &Timers) -> Self {
        Self::new(now, timers, timers.t2)
    }

    /// Starts when a reliable 1xx is sent: pauses double without a limit (RFC 3262 §3).
    pub fn reliable(now: LocalTime, timers: &Timers) -> Self {
        Self::new(now, timers, timers.patience())
    }

    fn new(now: LocalTime, timers: &Timers, pause_max: Millis) -> Self {
        Self { next: now + timers.t1, pause: timers.t1, pause_max, ends: now + timers.patience() }
    }

    /// When to call [`Self::on_deadline`].
    pub fn next_deadline(&self) -> LocalTime {
        self.next.min(self.ends)
    }

    /// Says what is due at `now`.
    pub fn on_deadline(&mut self, now: LocalTime) -> Nudge {
        if now >= self.ends {
            return Nudge::GiveUp;
        }
        if now < self.next {
            return Nudge::Wait;
        }
        self.pause = Millis(self.pause.0.saturating_mul(2)).min(self.pause_max);
        self.next = now + self.pause;
        Nudge::Resend
    }
}
