//! Places for connections of SIP, of those who are known and of strangers.
//!
//! | who | finds a place while |
//! |---|---|
//! | somebody who is known | there is one at all, and one of its own address |
//! | a stranger | the same, and strangers have not taken all of theirs |
//!
//! Always holds: what is counted as one address is what [`as_one`] says; strangers who were let in
//! leave their places to other strangers; memory is bounded by the places taken.
//!
//! Not here: whose share is how large ([`ConnectionLimits`]), who is known, and what is done on a
//! connection ([`crate::node::tcp`]).

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::time::Millis;
use crate::node::port::crowd::Full;
use crate::node::port::crowd::as_one;
use crate::resource::ConnectionLimits;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub all: usize,
    /// Of one address that is known.
    pub of_one: usize,
    /// Of all strangers.
    pub strangers: usize,
    /// Of one stranger.
    pub of_one_stranger: usize,
    /// A peer that has not sent one whole message by then has nothing to say to us.
    pub first_within: Millis,
    /// How long a stranger may be idle: enough to be asked for a password and to answer.
    pub stranger_idle: Millis,
    /// How long one message waits for its turn where a peer sends too many; the stream ends then.
    pub held_within: Millis,
}

impl Limits {
    /// What is written, and for the rest the usual shares of what there may be.
    pub fn written(possible: usize, written: ConnectionLimits) -> Self {
        let shares = written.shares(u32::try_from(possible).unwrap_or(u32::MAX));
        Self {
            all: shares.all as usize,
            of_one: shares.of_trunk as usize,
            strangers: shares.strangers as usize,
            of_one_stranger: shares.of_stranger as usize,
            first_within: Millis::from_secs(10),
            stranger_idle: Millis::from_secs(30),
            // RFC 3261 §17.1.1.2, timer B: who asked has given up by then.
            held_within: Millis::from_secs(32),
        }
    }

    /// The usual shares of so many.
    pub fn of(possible: usize) -> Self {
        Self::written(possible, ConnectionLimits::default())
    }
}

/// How many places are taken, and by whom.
#[derive(Debug, Default)]
pub struct Places {
    all: usize,
    strangers: usize,
    /// By address, and whether it is known there.
    of_one: BTreeMap<(IpAddr, bool), usize>,
}

impl Places {
    /// Takes a place, if there is one.
    pub fn take(&mut self, address: IpAddr, known: bool, limits: &Limits) -> Result<(), Full> {
        let of_one = self.of_one.get(&(as_one(address), known)).copied().unwrap_or_default();
        let most = if known { limits.of_one } else { limits.of_one_stranger };
        if self.all >= limits.all || (!known && self.strangers >= limits.strangers) {
            return Err(Full::All);
        }
        if of_one >= most {
            return Err(Full::Address);
        }
        self.all += 1;
        self.add(address, known);
        Ok(())
    }

    /// Gives a place back.
    pub fn leave(&mut self, address: IpAddr, known: bool) {
        self.all = self.all.saturating_sub(1);
        self.take_off(address, known);
    }

    /// Counts one place of a stranger among those of who is known.
    pub fn let_in(&mut self, address: IpAddr) {
        self.take_off(address, false);
        self.add(address, true);
    }

    fn add(&mut self, address: IpAddr, known: bool) {
        self.strangers += usize::from(!known);
        *self.of_one.entry((as_one(address), known)).or_default() += 1;
    }

    fn take_off(&mut self, address: IpAddr, known: bool) {
        self.strangers = self.strangers.saturating_sub(usize::from(!known));
        let one = (as_one(address), known);
        if let Some(taken) = self.of_one.get_mut(&one) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                self.of_one.remove(&one);
            }
        }
    }
}
