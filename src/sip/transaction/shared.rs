//! What both sides of a layer share: what arrives, lengths of timers, the heap, outputs, and books.
//!
//! Not here: transactions (`clients.rs`, `servers.rs`).

use std::collections::VecDeque;

use bytes::Bytes;

use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::transaction::Counts;
use crate::sip::transaction::Discard;
use crate::sip::transaction::Output;
use crate::sip::transaction::timer::Heap;
use crate::sip::transaction::timer::Timer;
use crate::sip::transaction::timer::Timers;
use crate::sip::transaction::timer::Whose;

/// A message that has just arrived.
pub(super) struct Arrived<'a> {
    /// The message; of a request, its Via stamped.
    pub(super) message: &'a Message,
    /// The flow it came by.
    pub(super) flow: Flow,
    /// Whether the user knows who sent it.
    pub(super) known: bool,
}

impl Arrived<'_> {
    /// Tells whether it may belong to a transaction whose other side is at the end of `flow`.
    ///
    /// Known peers may have several addresses; of others only the one that matters is believed.
    pub(super) fn counts_on(&self, flow: Flow) -> bool {
        self.known || self.flow.is_same_host(flow)
    }
}

/// Timers, outputs and counters of one layer.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) timers: Timers,
    pub(super) heap: Heap,
    pub(super) counts: Counts,
    /// What all transactions keep alive, in bytes.
    pub(super) kept: usize,
    outputs: VecDeque<Output>,
}

impl Shared {
    pub(super) fn new(timers: Timers) -> Self {
        Self {
            timers,
            heap: Heap::default(),
            counts: Counts::default(),
            kept: 0,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn take(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn transmit(&mut self, bytes: Bytes, flow: Flow) {
        self.put(Output::Transmit { bytes, flow });
    }

    pub(super) fn discard(&mut self, why: Discard) {
        self.put(Output::Discarded { why });
    }

    /// Counts anew what one transaction keeps; `before` is what it was counted with.
    pub(super) fn weigh(&mut self, before: &mut usize, now: usize) {
        self.kept = self.kept.saturating_sub(*before).saturating_add(now);
        *before = now;
    }

    /// Starts a timer at its first length. Returns one that has no length: it fires at once.
    pub(super) fn start(
        &mut self,
        now: LocalTime,
        whose: Whose,
        timer: Timer,
        flow: Flow,
    ) -> Option<Timer> {
        match self.timers.length(timer, flow.transport.is_reliable()) {
            None => None,
            Some(Millis::ZERO) => Some(timer),
            Some(length) => {
                self.start_after(now, whose, timer, length);
                None
            }
        }
    }

    /// Starts a timer of the given length.
    pub(super) fn start_after(
        &mut self,
        now: LocalTime,
        whose: Whose,
        timer: Timer,
        length: Millis,
    ) {
        self.heap.set(now + length, whose, timer);
    }
}
