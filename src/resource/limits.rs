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
//! Not here: how connections are shared out ([`super::connections`]), keeping the limits
//! (`node::port::sources`, `node::tcp`, `sip::transaction`).

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::Serialize;

use crate::resource::connections::ConnectionLimits;
use crate::resource::connections::ConnectionShares;
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

/// When a field that was changed is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Used {
    /// As soon as it is written.
    AtOnce,
    /// When the node is started again.
    AtStart,
}

impl SipLimits {
    /// The fields used then in which these limits are not as those.
    pub(super) fn changed_since(
        &self,
        other: &Self,
        used: Used,
    ) -> impl Iterator<Item = &'static str> {
        let pairs = self.fields().into_iter().zip(other.fields());
        let changed = pairs.filter(move |(now, then)| now.1 == used && now.2 != then.2);
        changed.map(|((name, ..), _)| name)
    }

    /// Every field by its name, when it is used, and what is written.
    fn fields(&self) -> [(&'static str, Used, Option<u32>); 13] {
        use Used::AtOnce;
        use Used::AtStart;
        let Self { trunks, strangers, connections, .. } = self;
        let in_all = self.strangers_messages_per_second;
        [
            ("sip.limits.trunks.invitesPerSecond", AtOnce, Some(trunks.invites_per_second)),
            ("sip.limits.trunks.messagesPerSecond", AtOnce, Some(trunks.messages_per_second)),
            ("sip.limits.trunks.halfOpenCalls", AtOnce, Some(trunks.half_open_calls)),
            ("sip.limits.trunks.connections", AtStart, connections.of_trunk),
            ("sip.limits.strangers.invitesPerSecond", AtOnce, Some(strangers.invites_per_second)),
            ("sip.limits.strangers.messagesPerSecond", AtOnce, Some(strangers.messages_per_second)),
            ("sip.limits.strangers.messagesPerSecondInAll", AtOnce, Some(in_all)),
            ("sip.limits.strangers.halfOpenCalls", AtOnce, Some(strangers.half_open_calls)),
            ("sip.limits.strangers.connections", AtStart, connections.of_stranger),
            ("sip.limits.strangers.connectionsInAll", AtStart, connections.strangers),
            ("sip.limits.connectionsInAll", AtStart, connections.all),
            ("sip.limits.transactionMegabytes", AtStart, Some(self.transaction_megabytes)),
            ("sip.limits.retryAfterSeconds", AtStart, Some(self.retry_after_seconds)),
        ]
    }
}

/// No machine does more in a second, or has room for more.
const NUMBERS: RangeInclusive<i64> = 1..=1_000_000;

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

/// Whether there can be as many is found out when a node starts.
fn fit_connections(limits: &Fields<'_>, written: ConnectionLimits) {
    let ConnectionShares { all, of_trunk, strangers, of_stranger } = written.shares(u32::MAX);
    let (in_all, of_strangers) = ("connectionsInAll", "strangers.connectionsInAll");
    fits(limits, ("trunks.connections", of_trunk), (in_all, all));
    fits(limits, (of_strangers, strangers), (in_all, all));
    fits(limits, ("strangers.connections", of_stranger), (of_strangers, strangers));
}

/// Notes a part that is larger than its whole.
fn fits(group: &Fields<'_>, (part, some): (&str, u32), (whole, all): (&str, u32)) {
    if some > all {
        let wrong = format!("{some} is more than {whole}, which is {all}");
        group.wrong(part, &wrong, &format!("write at most {all}, or more for {whole}"));
    }
}
