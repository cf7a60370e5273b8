//! The wheel: which streams are due at which millisecond.
//!
//! ```text
//! slot:   0   1   2   3  …  63      one slot a millisecond; a stream is in one slot and, when
//!         │   ▲                     its packet is sent, moves on by its packet length
//!         └ now
//! ```
//!
//! New streams fill one millisecond up to [`CROWD`] before the next is begun: waking up costs more
//! than the packets of a few streams do (measured). Once all twenty are full, they are put where
//! the fewest are, so that packets leave evenly rather than in bursts.
//!
//! When the thread was kept from running for longer than [`STALL_MS`], the time is not caught up:
//! a burst helps no listener. The wheel goes on from now, all streams shifted alike.
//!
//! Always holds: a stream that moves on by 1 to 63 ms is due exactly then.
//!
//! Not here: what a due stream does ([`super::stream`]).

/// More than the longest packet, and a power of two.
const SLOTS: u64 = 64;
/// Packets are 20 ms long as a rule, so that many beginnings are told apart.
const PHASES: u64 = 20;
/// So many streams share a millisecond before another is begun; to send to them takes half of it.
const CROWD: u32 = 128;
/// Which phase is begun after which: each far from those before it, and no two in a row.
const ORDER: [u64; PHASES as usize] =
    [0, 10, 5, 15, 2, 12, 7, 17, 4, 14, 9, 19, 1, 11, 6, 16, 3, 13, 8, 18];
/// Longer lateness is skipped.
const STALL_MS: u64 = 100;

/// A stream in its slot; stale when the stream's generation is another by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The stream.
    pub stream: u32,
    /// Which stream of this number.
    pub generation: u32,
}

/// All streams by the time they are due.
#[derive(Debug)]
pub struct Wheel {
    slots: Vec<Vec<Due>>,
    /// The next millisecond to be looked at, in wheel time.
    next: u64,
    /// How far wheel time is behind real time, because stalls were skipped.
    skipped: u64,
    loads: [u32; PHASES as usize],
    len: usize,
}

impl Wheel {
    /// An empty wheel.
    pub fn new(now_ms: u64) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            next: now_ms,
            skipped: 0,
            loads: [0; PHASES as usize],
            len: 0,
        }
    }

    /// Adds a stream to a phase and returns the phase, for [`Wheel::leave`].
    pub fn join(&mut self, now_ms: u64, due: Due) -> u8 {
        if self.len == 0 {
            self.next = self.next.max(now_ms.saturating_sub(self.skipped));
        }
        let phase = self.roomiest();
        self.loads[phase as usize] += 1;
        // The next millisecond that belongs to the phase.
        let wait = (phase + PHASES - self.next % PHASES) % PHASES;
        self.put(self.next + wait, due);
        phase as u8
    }

    /// The first phase with room, or the least loaded if all are full.
    fn roomiest(&self) -> u64 {
        let load = |phase: &u64| self.loads[*phase as usize];
        let with_room = ORDER.into_iter().find(|phase| load(phase) < CROWD);
        with_room.or_else(|| ORDER.into_iter().min_by_key(load)).unwrap_or(0)
    }

    /// Takes a stream's share off its phase; its entry is dropped when it is next due.
    pub fn leave(&mut self, phase: u8) {
        if let Some(load) = self.loads.get_mut(usize::from(phase)) {
            *load = load.saturating_sub(1);
        }
    }

    /// Moves what is due now, all of one millisecond, into `due` (which is empty) and returns that
    /// millisecond in real time; none when nothing is due.
    pub fn take(&mut self, now_ms: u64, due: &mut Vec<Due>) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        let late = now_ms.saturating_sub(self.next + self.skipped);
        if late > STALL_MS {
            self.skipped += late;
        }
        while self.next + self.skipped <= now_ms {
            let at = self.next;
            self.next += 1;
            let slot = &mut self.slots[(at % SLOTS) as usize];
            if !slot.is_empty() {
                std::mem::swap(slot, due);
                self.len -= due.len();
                return Some(at + self.skipped);
            }
        }
        None
    }

    /// Puts a stream back, to be due `after_ms` after `at_ms`, which [`Wheel::take`] returned.
    pub fn put_back(&mut self, at_ms: u64, after_ms: u8, due: Due) {
        let wheel_time = at_ms.saturating_sub(self.skipped);
        self.put(wheel_time + u64::from(after_ms.clamp(1, 63)), due);
    }

    /// The real time of the next millisecond with work, if there is any.
    pub fn next_due_ms(&self) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        (self.next..self.next + SLOTS)
            .find(|at| !self.slots[(at % SLOTS) as usize].is_empty())
            .map(|at| at + self.skipped)
    }

    fn put(&mut self, at: u64, due: Due) {
        self.slots[(at % SLOTS) as usize].push(due);
        self.len += 1;
    }
}
