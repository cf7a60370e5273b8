//! `Settings.spec.sip.limits` as people write it: what one address may take of SIP, and all of them
//! together.
//!
//! | whose | who that is |
//! |---|---|
//! | `trunks` | one address of some trunk's `allowedSources`, each for itself |
//! | `strangers` | one address of anybody else |
//!
//! What is sent too often is dropped, has to wait, or is answered 503; [`SourceLimits`] says which.
//!
//! Always holds: limits that were read without a mistake fit together, those left out counted as
//! what they are then: INVITEs are messages, what one may send or have is part of what all may.
//!
//! Not here: keeping them (`node::port::sources`, `node::tcp`, `sip::transaction`).

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::Serialize;

use crate::resource::read::Fields;

/// What others may take of SIP at one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipLimits {
    /// Of one address some trunk names.
    pub trunks: SourceLimits,
    /// Of one address no trunk names.
    pub strangers: SourceLimits,
    /// Of all addresses no trunk names and with which there is no call, together, in a second;
    /// over UDP, and as many over TCP; messages beyond are dropped, or wait in their stream.
    pub strangers_messages_per_second: u32,
    /// Connections, TCP.
    pub connections: ConnectionLimits,
    /// Megabytes that transactions may keep; new requests beyond are answered 503.
    pub transaction_megabytes: u32,
    /// `Retry-After` of every 503.
    pub retry_after_seconds: u32,
}

/// What one address may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLimits {
    /// INVITEs that would begin a call, in a second, repeats included; those beyond are answered
    /// 503.
    pub invites_per_second: u32,
    /// Messages of any kind in a second over UDP, and as many over TCP; those beyond are dropped,
    /// or wait in their stream.
    pub messages_per_second: u32,
    /// Calls that have not had their final answer, or not its ACK; INVITEs beyond are answered 503.
    pub half_open_calls: u32,
}

/// How many connections there may be; `None`: a share of what the system allows.
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

impl Default for SipLimits {
    /// Several times what 10,000 agents can take; a stranger gets what one office with passwords
    /// needs.
    fn default() -> Self {
        Self {
            trunks: SourceLimits {
                invites_per_second: 2000,
                messages_per_second: 40_000,
                half_open_calls: 20_000,
            },
            strangers: SourceLimits {
                invites_per_second: 20,
                messages_per_second: 200,
                half_open_calls: 100,
            },
            strangers_messages_per_second: 5000,
            connections: ConnectionLimits::default(),
            transaction_megabytes: 256,
            retry_after_seconds: 5,
        }
    }
}

impl SipLimits {
    /// Tells whether all that is read when a node starts is as in those: connections and what
    /// transactions keep. The rest is followed as it changes.
    pub(super) fn starts_as(&self, other: &Self) -> bool {
        self.connections == other.connections
            && self.transaction_megabytes == other.transaction_megabytes
            && self.retry_after_seconds == other.retry_after_seconds
    }
}

/// No machine does more in a second, or has room for more.
const NUMBERS: RangeInclusive<i64> = 1..=1_000_000;

/// There are no more connections than this in all where nothing is written.
const CONNECTIONS: u32 = 16_384;

/// Reads the group.
pub(super) fn read(limits: Fields<'_>) -> SipLimits {
    let mut read = SipLimits::default();
    let trunks = limits.group("trunks");
    read.trunks = source(&trunks, read.trunks);
    read.connections.of_trunk = connections(&trunks, "connections");
    fit_messages(&trunks, read.trunks);
    trunks.finish();
    let strangers = limits.group("strangers");
    read.strangers = source(&strangers, read.strangers);
    read.connections.of_stranger = connections(&strangers, "connections");
    let usual = read.strangers_messages_per_second;
    read.strangers_messages_per_second = number(&strangers, "messagesPerSecondInAll", usual);
    read.connections.strangers = connections(&strangers, "connectionsInAll");
    read.connections.all = connections(&limits, "connectionsInAll");
    fit_messages(&strangers, read.strangers);
    let messages = ("messagesPerSecond", read.strangers.messages_per_second);
    fits(&strangers, messages, ("messagesPerSecondInAll", read.strangers_messages_per_second));
    strangers.finish();
    fit_connections(&limits, read.connections);
    let advice = "write 8 to 65536; 256 is usual, and carries some 1400 calls a second";
    let usual = i64::from(read.transaction_megabytes);
    let megabytes = limits.integer("transactionMegabytes", 8..=65_536, usual, advice);
    read.transaction_megabytes = u32::try_from(megabytes).unwrap_or_default();
    let advice = "write 1 to 3600; 5 is usual";
    let usual = i64::from(read.retry_after_seconds);
    let seconds = limits.integer("retryAfterSeconds", 1..=3600, usual, advice);
    read.retry_after_seconds = u32::try_from(seconds).unwrap_or_default();
    limits.finish();
    read
}

/// Reads what one address may take.
fn source(group: &Fields<'_>, usual: SourceLimits) -> SourceLimits {
    SourceLimits {
        invites_per_second: number(group, "invitesPerSecond", usual.invites_per_second),
        messages_per_second: number(group, "messagesPerSecond", usual.messages_per_second),
        half_open_calls: number(group, "halfOpenCalls", usual.half_open_calls),
    }
}

fn number(group: &Fields<'_>, name: &'static str, usual: u32) -> u32 {
    let advice = format!("write 1 to 1000000; {usual} is usual");
    let read = group.integer(name, NUMBERS, i64::from(usual), &advice);
    u32::try_from(read).unwrap_or(usual)
}

fn connections(group: &Fields<'_>, name: &'static str) -> Option<u32> {
    let advice = "write 1 to 1000000, or leave it out for a share of the open files";
    let read = group.field(name)?.integer(NUMBERS, advice)?;
    u32::try_from(read).ok()
}

fn fit_messages(group: &Fields<'_>, source: SourceLimits) {
    let messages = ("messagesPerSecond", source.messages_per_second);
    fits(group, ("invitesPerSecond", source.invites_per_second), messages);
}

/// Parts that are left out are shares of their wholes, and fit.
fn fit_connections(limits: &Fields<'_>, written: ConnectionLimits) {
    let all = written.all.unwrap_or(CONNECTIONS);
    let of_strangers = written.strangers.unwrap_or_else(|| usual_of_strangers(all));
    let parts = [
        ("trunks.connections", written.of_trunk, ("connectionsInAll", all)),
        ("strangers.connectionsInAll", written.strangers, ("connectionsInAll", all)),
        (
            "strangers.connections",
            written.of_stranger,
            ("strangers.connectionsInAll", of_strangers),
        ),
    ];
    for (part, some, whole) in parts {
        fits(limits, (part, some.unwrap_or_default()), whole);
    }
}

/// How many of all connections strangers may have where nothing is written.
fn usual_of_strangers(all: u32) -> u32 {
    (all / 16).max(4).min(all)
}

/// Notes a part that is larger than its whole.
fn fits(group: &Fields<'_>, (part, some): (&str, u32), (whole, all): (&str, u32)) {
    if some > all {
        let wrong = format!("{some} is more than {whole}, which is {all}");
        group.wrong(part, &wrong, &format!("write at most {all}, or more for {whole}"));
    }
}
