//! The timers of SIP: how long each runs, and one heap that knows which fires next.
//!
//! | timer | of | runs | over TCP |
//! |---|---|---|---|
//! | A | INVITE client: resend the request | T1, doubling | never |
//! | B | INVITE client: give up | 64·T1 | same |
//! | D | INVITE client: absorb repeated failures | 64·T1 | 0 |
//! | E | client: resend the request | T1, doubling to T2 | never |
//! | F | client: give up | 64·T1 | same |
//! | G | INVITE server: resend the failure | T1, doubling to T2 | never |
//! | H | INVITE server: give up on the ACK | 64·T1 | same |
//! | I | INVITE server: absorb repeated ACKs | T4 | 0 |
//! | J | server: absorb repeated requests | 64·T1 | 0 |
//! | K | client: absorb repeated responses | T4 | 0 |
//! | L, M | INVITE server, client in Accepted (RFC 6026 §7) | 64·T1 | same |
//! | cancelled | INVITE client: no final answer to a CANCEL (RFC 3261 §9.1) | 64·T1 | same |
//! | lapse | server: nobody answered while the client cared (RFC 4320 §4.1) | 64·T1 | same |
//!
//! RFC 3261 table 4. Always holds: a heap entry carries the generation of the slot it was set for,
//! so a timer never fires for the next transaction that takes the slot.
//!
//! Not here: what a timer does when it fires (the four machines), nor any clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::sip::transaction::table::Slot;

/// Which timer: the letters of RFC 3261 and RFC 6026, and two limits that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Resends an INVITE.
    A,
    /// Gives up on an INVITE.
    B,
    /// Absorbs repeated failures of an INVITE.
    D,
    /// Resends another request.
    E,
    /// Gives up on another request.
    F,
    /// Resends a failure to an INVITE.
    G,
    /// Gives up waiting for the ACK of a failure.
    H,
    /// Absorbs repeated ACKs.
    I,
    /// Absorbs repeated requests.
    J,
    /// Absorbs repeated responses.
    K,
    /// Ends an accepted INVITE at the server (RFC 6026).
    L,
    /// Ends an accepted INVITE at the client (RFC 6026).
    M,
    /// Ends a cancelled INVITE nobody answers (RFC 3261 §9.1).
    Cancelled,
    /// Ends a request that was never answered here (RFC 4320 §4.1).
    Lapse,
}

/// Lengths and limits of a layer; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of the round trip: 500 ms (RFC 3261 §17.1.1.1).
    pub t1: Millis,
    /// Longest pause between resent requests: 4 s (RFC 3261 §17.1.2.2).
    pub t2: Millis,
    /// How long a message may stay in the network: 5 s (RFC 3261 §17.1.2.2).
    pub t4: Millis,
    /// Most transactions alive at once; what comes beyond is refused with 503.
    pub transactions_max: usize,
    /// Most bytes they keep alive ([`Layer::kept_bytes`](super::Layer::kept_bytes)); the same.
    ///
    /// A call makes some six transactions of 1 KB here, each kept for 32 s: by default that is
    /// 170 new calls a second in every shard, several times what 10,000 agents can take.
    pub bytes_max: usize,
    /// `Retry-After` of that refusal, in seconds.
    pub retry_after_seconds: u32,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Millis(500),
            t2: Millis(4000),
            t4: Millis(5000),
            transactions_max: 200_000,
            bytes_max: 32 << 20,
            retry_after_seconds: 5,
        }
    }
}

impl Timers {
    /// 64·T1, the patience of every transaction.
    pub fn patience(&self) -> Millis {
        Millis(self.t1.0.saturating_mul(64))
    }

    /// How long `timer` runs at first; `None` when a reliable transport makes it pointless.
    pub fn length(&self, timer: Timer, reliable: bool) -> Option<Millis> {
        match timer {
            Timer::A | Timer::E | Timer::G => (!reliable).then_some(self.t1),
            Timer::D | Timer::J => Some(if reliable { Millis::ZERO } else { self.patience() }),
            Timer::I | Timer::K => Some(if reliable { Millis::ZERO } else { self.t4 }),
            Timer::B
            | Timer::F
            | Timer::H
            | Timer::L
            | Timer::M
            | Timer::Cancelled
            | Timer::Lapse => Some(self.patience()),
        }
    }

    /// The pause after `pause` when a message is resent: doubled, for E and G up to T2.
    pub fn doubled(&self, timer: Timer, pause: Millis) -> Millis {
        let doubled = Millis(pause.0.saturating_mul(2));
        match timer {
            Timer::E | Timer::G => doubled.min(self.t2),
            Timer::A
            | Timer::B
            | Timer::D
            | Timer::F
            | Timer::H
            | Timer::I
            | Timer::J
            | Timer::K
            | Timer::L
            | Timer::M
            | Timer::Cancelled
            | Timer::Lapse => doubled,
        }
    }
}

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// A client transaction's.
    Client(Slot),
    /// A server transaction's.
    Server(Slot),
}

/// One entry of the heap. Ordered by time, then by the order in which they were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: LocalTime,
    serial: u64,
    pub(super) whose: Whose,
    pub(super) timer: Timer,
}

/// All running timers of one layer.
#[derive(Debug, Default)]
pub(super) struct Heap {
    due: BinaryHeap<Reverse<Due>>,
    serial: u64,
}

impl Heap {
    /// Sets a timer.
    pub(super) fn set(&mut self, at: LocalTime, whose: Whose, timer: Timer) {
        self.serial += 1;
        self.due.push(Reverse(Due { at, serial: self.serial, whose, timer }));
    }

    /// The timer that fires next, if any is set.
    pub(super) fn first(&self) -> Option<Due> {
        self.due.peek().map(|Reverse(due)| *due)
    }

    /// Takes away the timer that fires next.
    pub(super) fn remove_first(&mut self) {
        self.due.pop();
    }
}
