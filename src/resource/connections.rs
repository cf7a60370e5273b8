//! How many connections there may be: as written of SIP over TCP, and shared out where nothing is.
//!
//! | connections | left out |
//! |---|---|
//! | in all | [`CONNECTIONS`] |
//! | of one trunk | half of all |
//! | of all strangers | a sixteenth of all, at least four |
//! | of one stranger | an eighth of these, at least two |
//!
//! Always holds: a share that is left out fits into what it is a share of.
//!
//! Not here: reading what is written ([`super::limits`]), what the system allows
//! (`node::port::files`), counting (`node::port::places`).

use serde::Deserialize;
use serde::Serialize;

/// How many there may be in all where nothing is written: a place with 10,000 phones fits.
pub const CONNECTIONS: u32 = 16_384;

/// What is written of connections; `None`: the usual share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionLimits {
    /// In all.
    pub all: Option<u32>,
    /// Of one address some trunk names.
    pub of_trunk: Option<u32>,
    /// Of all strangers.
    pub strangers: Option<u32>,
    /// Of one stranger.
    pub of_stranger: Option<u32>,
}

/// How many connections everybody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionShares {
    /// In all.
    pub all: u32,
    /// Of one address some trunk names; a PBX needs a few.
    pub of_trunk: u32,
    /// Of all strangers.
    pub strangers: u32,
    /// Of one stranger; phones behind one address that call with a password begin as one.
    pub of_stranger: u32,
}

impl ConnectionLimits {
    /// Shares out as many as are possible: as written, and the rest as usual.
    pub fn shares(self, possible: u32) -> ConnectionShares {
        let share = |written: Option<u32>, usual: u32| written.unwrap_or(usual).min(possible);
        let all = share(self.all, CONNECTIONS);
        let strangers = share(self.strangers, (all / 16).max(4).min(all));
        ConnectionShares {
            all,
            of_trunk: share(self.of_trunk, (all / 2).max(1)),
            strangers,
            of_stranger: share(self.of_stranger, (strangers / 8).max(2).min(strangers)),
        }
    }
}
