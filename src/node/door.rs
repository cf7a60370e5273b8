//! Callers who are turned away, as log lines: enough to find out why, and never a flood.
//!
//! | who | line | how often |
//! |---|---|---|
//! | a caller no trunk lets in | warn, with the remedy | once a minute for each address |
//! | who speaks in a call from an address that is none of it | the same | the same |
//! | another caller whose address no trunk names | info | the same |
//! | a caller by a trunk | info | twenty a second for each trunk |
//!
//! A line tells how many of its row had none: `left_out`, since the last line about the same
//! address or trunk; `elsewhere`, since the last line of the row, from addresses of which nothing
//! is kept.
//!
//! Always holds: of a caller nothing is written but address, trunk and Call-ID; what strangers send
//! grows neither the log nor the memory without a limit, and no row takes the lines of another.
//!
//! Not here: calls that were taken (`observe::log`), what is counted ([`super::count`]).

use std::collections::BTreeMap;
use std::net::IpAddr;

use tracing::info;
use tracing::warn;

use crate::acd::command::Refusal;
use crate::acd::config::TrunkConfig;
use crate::acd::view::View;
use crate::b2bua::counter::Rejected;
use crate::b2bua::counter::TurnedAway;
use crate::b2bua::counter::Why;
use crate::base::id::TrunkId;
use crate::base::time::LocalTime;
use crate::base::time::Millis;
use crate::cluster::handle::Handle;
use crate::node::count;

/// How long an address that was told of is not told of again.
const PAUSE: Millis = Millis::from_secs(60);

/// Of how many addresses of a row it is known when they were told of; others wait until one is
/// forgotten.
const ADDRESSES_MAX: usize = 1000;

/// Between two looks for addresses that can be forgotten.
const LOOK: Millis = Millis::from_secs(1);

/// How many lines a second there are of callers by one trunk.
const LINES_MAX: u32 = 20;

/// The most of a Call-ID that is written.
const CALL_ID_MAX: usize = 128;

/// Who was told of, and when, by the rows above.
#[derive(Debug, Default)]
pub struct Door {
    not_let_in: Addresses,
    outsiders: Addresses,
    others: Addresses,
    trunks: BTreeMap<TrunkId, Lines>,
}

/// How many of a row had no line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Of the same address or trunk.
    pub here: u64,
    /// Of addresses of which nothing is kept.
    pub elsewhere: u64,
}

impl Door {
    /// Tells whether a line about a caller is due, and how many like it had none.
    pub fn due(&mut self, now: LocalTime, caller: &TurnedAway) -> Option<LeftOut> {
        if let Some(trunk) = &caller.trunk {
            return self.trunks.entry(trunk.clone()).or_default().due(now);
        }
        let row = match caller.why {
            Why::Rejected(Rejected::Source) => &mut self.not_let_in,
            Why::Rejected(Rejected::Outsider) => &mut self.outsiders,
            Why::Rejected(_) | Why::Refused(_) => &mut self.others,
        };
        row.due(now, caller.source)
    }
}

/// The addresses of one row.
#[derive(Debug, Default)]
struct Addresses {
    /// When each was told of, and how many of it had no line since.
    told: BTreeMap<IpAddr, (LocalTime, u64)>,
    elsewhere: u64,
    looked: Option<LocalTime>,
}

impl Addresses {
    fn due(&mut self, now: LocalTime, source: IpAddr) -> Option<LeftOut> {
        if let Some((at, left_out)) = self.told.get_mut(&source)
            && now.since(*at) < PAUSE
        {
            *left_out += 1;
            return None;
        }
        if self.told.len() >= ADDRESSES_MAX && !self.told.contains_key(&source) {
            self.forget(now);
            if self.told.len() >= ADDRESSES_MAX {
                self.elsewhere += 1;
                return None;
            }
        }
        let here = self.told.insert(source, (now, 0)).map_or(0, |(_, left_out)| left_out);
        Some(LeftOut { here, elsewhere: std::mem::take(&mut self.elsewhere) })
    }

    /// Forgets who may be told of again; a flood from ever new addresses asks for it each time.
    fn forget(&mut self, now: LocalTime) {
        if self.looked.is_some_and(|looked| now.since(looked) < LOOK) {
            return;
        }
        self.looked = Some(now);
        let elsewhere = &mut self.elsewhere;
        self.told.retain(|_, (at, left_out)| {
            let stays = now.since(*at) < PAUSE;
            *elsewhere += if stays { 0 } else { *left_out };
            stays
        });
    }
}

/// The lines of one trunk.
#[derive(Debug, Default)]
struct Lines {
    second: LocalTime,
    written: u32,
    left_out: u64,
}

impl Lines {
    fn due(&mut self, now: LocalTime) -> Option<LeftOut> {
        if now.since(self.second) >= Millis::from_secs(1) {
            (self.second, self.written) = (now, 0);
        }
        if self.written >= LINES_MAX {
            self.left_out += 1;
            return None;
        }
        self.written += 1;
        Some(LeftOut { here: std::mem::take(&mut self.left_out), elsewhere: 0 })
    }
}

/// Writes the line about a caller.
pub fn write(caller: &TurnedAway, left_out: LeftOut) {
    let TurnedAway { status, why, source, trunk, call_id } = caller;
    let LeftOut { here: left_out, elsewhere } = left_out;
    let sip_call_id: String =
        call_id.chars().filter(char::is_ascii_graphic).take(CALL_ID_MAX).collect();
    match why {
        Why::Rejected(Rejected::Source) => warn!(
            %source, sip_call_id, left_out, elsewhere,
            "no Trunk allows calls from {source}; add it to a Trunk's inbound.allowedSources"
        ),
        Why::Rejected(Rejected::Outsider) => warn!(
            %source, sip_call_id, left_out, elsewhere,
            "a request within a call was refused: {source} is no address of the call's; if it is \
             a phone's or a PBX's, add it to a Trunk's inbound.allowedSources"
        ),
        Why::Rejected(_) | Why::Refused(_) => {
            let (why, queue) = words(why);
            let queue = queue.unwrap_or_default();
            let trunk = trunk.as_ref().map(TrunkId::as_str).unwrap_or_default();
            info!(
                why, status, queue, trunk, %source, sip_call_id, left_out, elsewhere,
                "A caller was turned away"
            );
        }
    }
}

/// The reason in one word, and the queue if it was one's rule.
fn words(why: &Why) -> (String, Option<&str>) {
    match why {
        Why::Rejected(rejected) => (count::word(*rejected).to_owned(), None),
        Why::Refused(Refusal::TurnedAway { queue, rule, .. }) => {
            (format!("{rule:?}"), Some(queue.as_str()))
        }
        // Whom they called may be somebody's number.
        Why::Refused(Refusal::UnknownAddress(_)) => ("UnknownAddress".to_owned(), None),
        Why::Refused(refusal) => (format!("{refusal:?}"), None),
    }
}

/// What is to be said if no trunk lets anybody in.
pub fn is_shut<'a>(trunks: impl IntoIterator<Item = &'a TrunkConfig>) -> Option<&'static str> {
    let lets_in =
        |trunk: &TrunkConfig| !trunk.allowed_sources.is_empty() || trunk.inbound_auth.is_some();
    (!trunks.into_iter().any(lets_in)).then_some(
        "no Trunk lets anybody in, every call is refused with 403; add the addresses calls come \
         from to a Trunk's inbound.allowedSources",
    )
}

/// Says so if nobody can call in.
pub fn tell_if_shut(handle: &Handle) {
    let trunks = |view: View<'_>| is_shut(view.trunk_configs().into_iter().map(|(trunk, _)| trunk));
    if let Some(shut) = handle.view(trunks) {
        warn!("{shut}");
    }
}
